"""Gemini on Vertex AI: another address, and a token instead of a key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.fake_google import FakeGoogle

from core.errors import UsageError
from models.google import GoogleProvider
from models.provider import AskFailedError, Cloud, Connection
from models.spec import parse

QUESTION = parse("vertex:gemini-3.5-flash+effort=low").request("be good", "fix it", 99)


def cloud(folder: Path, **changes: str) -> Cloud:
    path = folder / "credentials.json"
    person = {
        "type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r",
        "token": "token-1", "expiry": "2099-01-01T00:00:00Z",
    }  # fmt: skip
    path.write_text(json.dumps({**person, **changes}))
    return Cloud(project="shop", location="europe-west4", credentials=path)


def test_what_vertex_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Project, place and person are those that were given, whatever the environment says."""
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "another")
    monkeypatch.setenv("GOOGLE_API_KEY", "key-of-another-service")
    with FakeGoogle() as server:
        connection = Connection(cloud=cloud(tmp_path), base_url=server.url)
        answer = GoogleProvider(connection, "vertex").ask(QUESTION)
    (asked,) = server.asked
    assert answer.text == "fine"
    assert asked.path.partition("/projects/")[2] == (
        "shop/locations/europe-west4/publishers/google/models/"
        "gemini-3.5-flash:streamGenerateContent?alt=sse"
    )
    assert asked.headers["authorization"] == "Bearer token-1"
    assert "x-goog-api-key" not in asked.headers
    assert "LOW" in asked.text


def test_credentials_that_are_none(tmp_path: Path) -> None:
    connection = Connection(cloud=cloud(tmp_path, type="nonsense"))
    with pytest.raises(UsageError, match=r"credentials\.json: `type` is not one of"):
        GoogleProvider(connection, "vertex")


def test_a_person_who_has_no_token_any_more(tmp_path: Path) -> None:
    """Nothing is sent, so nothing is billed; and no other question can succeed either."""
    with FakeGoogle() as server:
        place = cloud(tmp_path, expiry="2001-01-01T00:00:00Z", refresh_token="")
        provider = GoogleProvider(Connection(cloud=place, base_url=server.url), "vertex")
        with pytest.raises(AskFailedError, match="vertex gives no token") as caught:
            provider.ask(QUESTION)
    assert caught.value.hopeless
    assert not caught.value.maybe_billed
    assert server.asked == []
