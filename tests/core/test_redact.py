"""A secret in whatever clothes, and nothing but secrets."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.redact import MARK, NOTHING, SHORTEST, Redactor
from core.store import RunFolder
from core.types import Dropped, DropReason
from models.exchange import Exchange, SentRequest
from models.provider import Request
from reports.escape import prose

KEY = "sk-ant-a/p+i03_'9\"Z=&"
FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda key: quote(key, safe=""),
    "percent twice": lambda key: quote(quote(key, safe=""), safe=""),
    "percent, lower case": lambda key: re.sub("%..", lambda f: f[0].lower(), quote(key, safe="")),
    "every character in percent": lambda key: "".join(f"%{ord(char):02x}" for char in key),
    "form": quote_plus,
    "json": json.dumps,
    "json in json": lambda key: json.dumps(json.dumps({"error": key})),
    "json, all escaped": lambda key: "".join(f"\\u{ord(char):04X}" for char in key),
    "json, slashes": lambda key: json.dumps(key).replace("/", "\\/"),
    "python": repr,
    "python, hex": lambda key: "".join(f"\\x{ord(char):02x}" for char in key),
    "bytes": lambda key: repr(key.encode()),
    "html": html.escape,
    "html, numbers": lambda key: "".join(f"&#{ord(char)};" for char in key),
    "html, hex": lambda key: "".join(f"&#x{ord(char):X};" for char in key),
    "markdown": prose,
    "hex": lambda key: key.encode().hex(),
    "hex, upper case": lambda key: key.encode().hex().upper(),
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 of user and key": lambda key: base64.b64encode(f"me:{key}".encode()).decode(),
    "base64 inside of more": lambda key: base64.b64encode(f"x{key}yz".encode()).decode(),
    "base64 for addresses": lambda key: base64.urlsafe_b64encode(f"??{key}".encode()).decode(),
    "base64 in lines": lambda key: base64.encodebytes(f"{key}{key}{key}x".encode()).decode(),
    "base64 in json": lambda key: json.dumps(
        base64.encodebytes(f"{key}{key}{key}x".encode()).decode()
    ),
    "cut off at the end": lambda key: key[:-3],
    "cut off at the beginning": lambda key: key[4:],
}


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_found_in_every_form(form: str) -> None:
    """No eight characters of it in a row are left, nor of the form it came in."""
    written = FORMS[form](KEY)
    found = Redactor([KEY]).text(written)
    assert MARK in found
    for whole in (KEY, written.strip("\"'b{}:\\ ")[4:-4]):
        pieces = {whole[at : at + SHORTEST] for at in range(len(whole) - SHORTEST + 1)}
        assert not [piece for piece in pieces if piece in found], found


@pytest.mark.parametrize("form", [form for form in FORMS if "cut off" not in form])
def test_what_stands_around_it_stays(form: str) -> None:
    # Shell words: what follows base64 may belong to it.
    text = f"before | {FORMS[form](KEY)} | after"
    found = Redactor([KEY]).text(text)
    assert found.startswith("before | ")
    assert found.endswith(" | after")
    assert NOTHING.text(text) == text


def test_the_longest_is_taken_first_and_short_ones_are_left() -> None:
    redactor = Redactor(["password", "password-and-more", "hunter2", ""])
    assert redactor.text("password-and-more, password, hunter2") == f"{MARK}, {MARK}, hunter2"


def test_it_does_not_tell_its_secrets() -> None:
    assert KEY not in repr(Redactor([KEY])) + str(Redactor([KEY]))


def test_bytes_that_are_no_text() -> None:
    content = b"\xff\x00" + KEY.encode() + b"\xfe"
    assert Redactor([KEY]).data(content) == b"\xff\x00***\xfe"
    assert NOTHING.data(content) == content


QUIET = Redactor(["k3y-0123456789-abc", KEY])


@given(st.text(max_size=200))
def test_a_text_without_secrets_stays_as_it_is(text: str) -> None:
    assert QUIET.text(text) == text


def test_a_record_is_redacted_in_all_its_texts_and_stays_readable(tmp_path: Path) -> None:
    """Also one that is a word of a closed set, which such a word must survive."""
    redactor = Redactor([KEY, "environment_broken"])
    drop = Dropped(
        commit="c" * 40,
        title=KEY,
        stage="validate",
        reason=DropReason.ENVIRONMENT_BROKEN,
        detail=f"a{KEY}b",
    )
    with RunFolder(tmp_path, redactor) as folder:
        folder.append(drop)
        (found,) = folder.read(Dropped)
    assert (found.title, found.detail, found.reason) == (MARK, f"a{MARK}b", drop.reason)


def test_records_within_records() -> None:
    request = Request(provider="p", model="m", system=KEY, user="u", max_output_tokens=1)
    now = datetime(2025, 1, 1, tzinfo=UTC)
    exchange = Exchange(
        entrant="p:m", task_id="c" * 12, attempt=1, turn=1, request_sha256=request.sha256,
        requested_model="m", fiction=None, served_model=None, text="fine", finish="stop",
        usage=None, first_token_seconds=None, seconds=None, cost_usd=Decimal("0.1"),
        recorded_at=now, raw_usage={"a": [1, {KEY: KEY, "b": None}]}, request=request,
    )  # fmt: skip
    found = Redactor([KEY]).record(exchange)
    assert found.request is not None
    assert found.request.system == MARK
    assert found.raw_usage == {"a": [1, {MARK: MARK, "b": None}]}
    assert (found.cost_usd, found.recorded_at) == (Decimal("0.1"), now)
    assert NOTHING.record(exchange) is exchange
    sent = SentRequest(
        **exchange.model_dump(include={*SentRequest.model_fields} - {"number", "request"}),
        number=1, request=request, sent_at=now,
    )  # fmt: skip
    assert KEY not in Redactor([KEY]).record(sent).model_dump_json()


def test_wrapped_and_quoted_text_around_a_secret() -> None:
    text = textwrap.fill(f"{'word ' * 30}{KEY}{' word' * 30}", 40)
    assert KEY not in Redactor([KEY]).text(shlex.quote(text))
