"""`patchmark models`, and what the environment says of services."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from support.command_line import patchmark
from support.repos import Repo

from core.errors import UsageError
from patchmark.addresses import addresses, cloud, keys
from patchmark.listing import listing
from patchmark.settings import Flags, make

CONFIG = """models = ["server:qwen+effort=low"]
[prices."server:qwen"]
input = 0
output = 0.5
[cutoffs]
"server:qwen+effort=low" = "2024-06"
"""


def test_every_model_with_price_and_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "patchmark.toml").write_text(CONFIG)
    settings = make(Flags(repo=tmp_path), {"OPENAI_API_KEY": "k"})
    rows = {row.name: row for row in listing(settings)}
    opus = rows["anthropic:claude-opus-4-8"]
    prices = (opus.usd_per_mtok_in, opus.usd_per_mtok_cached, opus.usd_per_mtok_out)
    assert prices == (Decimal(5), Decimal("0.5"), Decimal(25))
    assert (opus.window, opus.cutoff) == (1_000_000, "2026-01")
    assert (opus.ready, opus.lacks) == (False, "ANTHROPIC_API_KEY")
    assert rows["openai:gpt-5.4-mini"].ready
    own = rows["server:qwen+effort=low"]
    assert (own.usd_per_mtok_in, own.usd_per_mtok_out) == (Decimal(0), Decimal("0.5"))
    assert own.priced_by == "settings"
    assert (own.cutoff, own.lacks) == ("2024-06", "PATCHMARK_SERVER_URL")


def test_as_json_and_as_a_table(tmp_path: Path) -> None:
    Repo(tmp_path).commit("Start", {"a.py": "1\n"})
    rows = json.loads(patchmark(tmp_path, "models", "--json").stdout)
    assert {row["short"] for row in rows} >= {"gemini-3.5-flash", "claude-opus-4-8", "gpt-mini"}
    assert all(row["usd_per_mtok_out"] for row in rows)
    table = patchmark(
        tmp_path, "models", COLUMNS="160", PATCHMARK_SERVER_URL="http://me:word-1@127.0.0.1:9/v1"
    ).stdout
    assert "google:gemini-3.1-pro-preview" in table
    assert "vertex:MODEL" in table
    assert "word-1" not in table


def test_addresses_of_the_environment() -> None:
    found = addresses(
        {
            "AZURE_OPENAI_ENDPOINT": "https://mine.example/",
            "PATCHMARK_SERVER_URL": "http://127.0.0.1:8080/v1",
            "OPENAI_BASE_URL": "",
        }
    )
    assert found == {
        "azure": "https://mine.example/openai/v1",
        "server": "http://127.0.0.1:8080/v1",
    }
    assert addresses({"AZURE_OPENAI_ENDPOINT": "https://m.example/openai/v1/"}) == {
        "azure": "https://m.example/openai/v1"
    }


def test_keys_of_the_environment() -> None:
    assert keys({"GOOGLE_API_KEY": " a ", "PATCHMARK_SERVER_KEY": "b", "OPENAI_API_KEY": " "}) == {
        "google": "a",
        "server": "b",
    }


def test_vertex_ai_of_the_environment(tmp_path: Path) -> None:
    assert cloud({"HOME": str(tmp_path), "GOOGLE_CLOUD_PROJECT": "shop"}) is None
    usual = tmp_path / ".config/gcloud/application_default_credentials.json"
    usual.parent.mkdir(parents=True)
    usual.write_text("{}")
    found = cloud({"HOME": str(tmp_path), "GOOGLE_CLOUD_PROJECT": "shop"})
    assert found is not None
    assert (found.project, found.location, found.credentials) == ("shop", "global", usual)
    assert cloud({"HOME": str(tmp_path)}) is None
    with pytest.raises(UsageError, match=r"GOOGLE_APPLICATION_CREDENTIALS: /gone\.json"):
        cloud({"GOOGLE_CLOUD_PROJECT": "shop", "GOOGLE_APPLICATION_CREDENTIALS": "/gone.json"})
