"""Names of entrants: services, short names, and settings behind plus signs."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.errors import UsageError
from core.redact import NOTHING
from models.budget import Budget
from models.desk import Desk
from models.exchange import slug
from models.presets import PRESETS
from models.pricing import Price
from models.registry import build
from models.spec import check, full_name, model_of, parse


def desk(folder: Path, **changes: Any) -> Desk:
    fields = {"exchanges": folder, "budget": Budget(None), "redactor": NOTHING}
    return Desk(**{**fields, **changes})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gemini-3.5-flsh", r"did you mean gemini-3\.5-flash\?"),
        ("opena:m", r"did you mean openai:…\?"),
        ("openai:m+effort=much", "this service takes none, minimal"),
        ("google:m+effort=max", "this service takes minimal, low"),
        ("anthropic:m+temperature=0", "Anthropic's API takes none"),
        ("openai:m+temperature=3", "not a number from 0 to 2"),
        ("openai:m+temperature=nan", "not a number from 0 to 2"),
        ("openai:m+max-output-tokens=1", "not a number from 256 on"),
        ("openai:m+mood=good", r"\+mood=good: not one of \+effort=…"),
        ("openai:m+effort=low+effort=high", "each once"),
        ("replay:x+effort=low", "is not a usable name"),
        ("openai:m+command=../x", r"\+command=\.\./x: not the name of a command"),
        ("openai:m+command=x+effort=low", r"\+effort: a command decides that itself"),
        ("openai:m+agent+command=x", r"\+agent: a command decides that itself"),
    ],
)
def test_bad_names(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        check(name)


def test_short_names_stand_for_full_ones() -> None:
    assert full_name("claude-haiku+effort=low") == "anthropic:claude-haiku-4-5+effort=low"
    for short, preset in PRESETS.items():
        assert parse(short) == parse(preset.name)
        assert model_of(short) == preset.name.partition(":")[2]


def test_how_a_model_is_asked_makes_a_row_of_its_own_and_changes_no_price(tmp_path: Path) -> None:
    name = "openai:m+effort=high"
    own = {"openai:m": Price(input_usd_per_mtok=Decimal(1), output_usd_per_mtok=Decimal(1))}
    made = build(name, desk(tmp_path, keys={"openai": "k"}, prices=own, budget=Budget(Decimal(1))))
    assert made.name == name
    assert slug(name) != slug("openai:m")
    asked = {parse(one).request("s", "u", 256).sha256 for one in (name, "openai:m")}
    assert len(asked) == 2


def test_a_question_without_settings_is_the_one_it_always_was() -> None:
    """A setting that is new must not make all that was paid for before another question."""
    request = parse("anthropic:claude-opus-4-8").request("be good", "fix it", 99)
    assert request.sha256 == "819d6433052df440710927d649cc55f23782b2e67fedc32010798db61e614c21"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("azure:mine", "needs an address: set AZURE_OPENAI_ENDPOINT"),
        ("server:qwen", "needs an address: set PATCHMARK_SERVER_URL"),
        ("vertex:gemini-3.5-flash", "GOOGLE_CLOUD_PROJECT, GOOGLE_CLOUD_LOCATION"),
        ("openai:m", "needs an API key: set OPENAI_API_KEY"),
    ],
)
def test_services_say_what_they_lack(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        build(name, desk(tmp_path, keys={"azure": "k"}))


def test_models_of_this_machine_need_nothing(tmp_path: Path) -> None:
    assert build("ollama:qwen", desk(tmp_path)).name == "ollama:qwen"
