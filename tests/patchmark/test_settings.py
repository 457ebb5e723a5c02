"""Flags go before patchmark.toml, and that before the defaults."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import UsageError
from patchmark.settings import Flags, make
from patchmark.warm import SharedImages
from reports.gates import Wanted


def test_flags_go_before_the_file_and_the_file_before_defaults(tmp_path: Path) -> None:
    (tmp_path / "patchmark.toml").write_text(
        "models = ['empty']\nmax-tasks = 7\nattempts = 3\nbudget-usd = 1\nfail-under = 0.25\n"
    )
    plain = make(Flags(repo=tmp_path), {})
    assert (plain.models, plain.max_tasks, plain.attempts) == (("empty",), 7, 3)
    assert (plain.budget_usd, plain.wanted.fail_under) == (Decimal(1), 0.25)
    flags = Flags(repo=tmp_path, models="reference", max_tasks=2, budget_usd="0", fail_under=0.0)
    given = make(flags, {})
    assert (given.models, given.max_tasks, given.attempts) == (("reference",), 2, 3)
    assert (given.budget_usd, given.wanted.fail_under) == (Decimal(0), 0.0)


def test_the_current_model_and_gates_come_from_flags_or_the_file(tmp_path: Path) -> None:
    (tmp_path / "patchmark.toml").write_text(
        "current-model = 'empty'\nmargin = 0.05\nfail-if-worse-than = 'empty'\n"
        "max-cost-per-solve = 2\n"
    )
    plain = make(Flags(repo=tmp_path), {})
    assert (plain.current_model, plain.margin) == ("empty", 0.05)
    assert plain.wanted == Wanted(fail_if_worse_than="empty", max_cost_per_solve=Decimal(2))
    flags = Flags(
        repo=tmp_path, current_model="reference", margin=0.2, fail_if_worse_than="reference",
        max_cost_per_solve="0.5",
    )  # fmt: skip
    given = make(flags, {})
    assert (given.current_model, given.margin) == ("reference", 0.2)
    assert given.wanted == Wanted(fail_if_worse_than="reference", max_cost_per_solve=Decimal("0.5"))
    with pytest.raises(UsageError, match="--max-cost-per-solve: 'cheap' is no amount"):
        make(Flags(repo=tmp_path, max_cost_per_solve="cheap"), {})


def test_batches_and_a_judge_can_stand_in_the_file(tmp_path: Path) -> None:
    """Both could be asked for on the command line only, so never from a workflow."""
    (tmp_path / "patchmark.toml").write_text("batch = true\njudge-model = 'google:some-model'\n")
    plain = make(Flags(repo=tmp_path), {})
    assert (plain.batch, plain.judge_model) == (True, "google:some-model")
    given = make(Flags(repo=tmp_path, batch=False, judge_model=""), {})
    assert (given.batch, given.judge_model) == (False, None)


def test_defaults_cost_nothing(tmp_path: Path) -> None:
    settings = make(Flags(repo=tmp_path), {})
    assert settings.models == ("reference", "empty")
    assert settings.max_tasks == 20


def test_limits_and_the_runtime_reach_the_sandbox(tmp_path: Path) -> None:
    """What the repository's file asks for comes second: its user may trust one runtime only."""
    (tmp_path / "patchmark.toml").write_text(
        "[limits]\ntest-seconds = 1\nidle-seconds = 0\nmemory-mib = 65\ncpus = 0.5\n"
        "processes = 17\ndisk-mib = 18\noutput-mib = 9\n[sandbox]\nruntime = 'theirs'\n"
    )
    settings = make(Flags(repo=tmp_path), {})
    assert settings.limits.record() == {
        "seconds": 1, "idle_seconds": 0, "memory_mib": 65, "cpus": 0.5, "processes": 17,
        "disk_mib": 18, "output_mib": 9,
    }  # fmt: skip
    assert settings.runtime == "theirs"
    assert make(Flags(repo=tmp_path), {"PATCHMARK_RUNTIME": "runsc"}).runtime == "runsc"


def test_names_are_taken_once_and_without_blanks(tmp_path: Path) -> None:
    settings = make(Flags(repo=tmp_path, models=" reference, empty,,reference"), {})
    assert settings.models == ("reference", "empty")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (Flags(models="gpt"), "unknown entrant 'gpt'"),
        (Flags(models="antropic:claude-opus-4-8"), "did you mean anthropic"),
        (Flags(models=" , "), "--models"),
        (Flags(budget_usd="lots"), "--budget-usd: 'lots'"),
        (Flags(budget_usd="NaN"), "--budget-usd"),
        (Flags(budget_usd="-1"), "--budget-usd"),
        (Flags(config=Path("nowhere.toml")), "nowhere.toml"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, flags: Flags, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        make(flags, {})
    assert words in str(caught.value)


def test_keys_come_from_the_usual_variables_and_are_not_shown(tmp_path: Path) -> None:
    settings = make(
        Flags(repo=tmp_path), {"ANTHROPIC_API_KEY": "sk-secret-1", "GOOGLE_API_KEY": "secret-2"}
    )
    assert settings.keys == {"anthropic": "sk-secret-1", "google": "secret-2"}
    assert "secret" not in repr(settings)


def test_the_ca_bundle_and_only_network_variables_reach_builds(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("PEM")
    environment = {
        "PATCHMARK_CA_BUNDLE": str(bundle),
        "HTTPS_PROXY": "http://proxy:1",
        "ANTHROPIC_API_KEY": "sk-secret",
    }
    network = make(Flags(repo=tmp_path), environment).network
    assert network.ca_bundle == b"PEM"
    assert network.build_environment() == {"HTTPS_PROXY": "http://proxy:1"}


def test_a_ca_bundle_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="PATCHMARK_CA_BUNDLE"):
        make(Flags(repo=tmp_path), {"PATCHMARK_CA_BUNDLE": "/nowhere.pem"})


def test_the_file_says_where_images_come_from_but_not_that_any_is_sent(tmp_path: Path) -> None:
    """It lies in the repository under test, which could name a registry of its own."""
    text = "[sandbox]\nregistry = 'theirs.example/x'\n"
    (tmp_path / "patchmark.toml").write_text(text, encoding="utf-8")
    flags = Flags(repo=tmp_path)
    assert make(flags, {}).registry == SharedImages("theirs.example/x", push=False)
    ours = {"PATCHMARK_REGISTRY": "127.0.0.1:5000/ours", "PATCHMARK_REGISTRY_PUSH": "true"}
    assert make(flags, ours).registry == SharedImages("127.0.0.1:5000/ours", push=True)
    assert make(Flags(), {}).registry is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PATCHMARK_REGISTRY", "https://ghcr.io/team"),
        ("PATCHMARK_REGISTRY", "ghcr.io/Team"),
        ("PATCHMARK_REGISTRY_PUSH", "maybe"),
    ],
)
def test_a_registry_that_is_none_is_named(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name):
        make(Flags(), {"PATCHMARK_REGISTRY": "ghcr.io/team", name: value})
