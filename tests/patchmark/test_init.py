"""`patchmark init`: what it writes is accepted by patchmark and by whoever checks workflows."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from support.command_line import command, environment, patchmark
from support.repos import Repo

from core.errors import UsageError
from patchmark.config import load
from patchmark.init import Wanted, asked, refuse_existing, write_files
from patchmark.workflow_files import FOLDER, MODELS, SECRETS, WAYS, secrets_for, workflow

TOOLS = Path(sys.executable).parent
MANY = ("google:gemini-3.5-flash", "anthropic:x", "openrouter:vendor/model", "openai:gpt-5.4")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository without settings."""
    Repo(tmp_path / "repo").commit("Start", {"a.py": ""})
    return tmp_path / "repo"


def _written(tmp_path: Path) -> tuple[Path, ...]:
    return tmp_path / "repo/patchmark.toml", tmp_path / "repo/.github/workflows/patchmark.yml"


def test_both_files_are_written_once(repo: Path, tmp_path: Path) -> None:
    """Started in a folder below, it once wrote them there, where GitHub does not look."""
    (repo / "below").mkdir()
    flags = ("--repo", "repo/below", "--models", "anthropic:claude-opus-4-8")
    more = ("--how", "on-command", "--budget-usd", "2.50", "--current-model", "openai:gpt-5.4")
    done = patchmark(tmp_path, "init", *flags, *more)
    assert done.returncode == 0, done.stderr
    assert "next: add ANTHROPIC_API_KEY, OPENAI_API_KEY" in done.stdout
    settings, file = _written(tmp_path)
    assert "issue_comment" in file.read_text()
    assert load(settings).current_model == "openai:gpt-5.4"
    with pytest.raises(UsageError, match="exists; --force"):
        refuse_existing(repo, force=False)


def test_one_file_that_exists_keeps_the_other_from_being_written(repo: Path) -> None:
    (repo / ".github/workflows").mkdir(parents=True)
    (repo / ".github/workflows/patchmark.yml").write_text("name: mine\n")
    with pytest.raises(UsageError, match=r"patchmark\.yml exists"):
        refuse_existing(repo, force=False)
    refuse_existing(repo, force=True)


@pytest.mark.parametrize("link", ["patchmark.toml", ".github", ".github/workflows/patchmark.yml"])
def test_no_link_of_the_repository_is_written_through(repo: Path, link: str) -> None:
    """One that leads to nothing was taken for no file, and what it names was made."""
    (repo / link).parent.mkdir(parents=True, exist_ok=True)
    (repo / link).symlink_to(repo.parent / "elsewhere")
    for force in (False, True):
        with pytest.raises(UsageError, match="a link"):
            refuse_existing(repo, force=force)


def test_each_way_is_clean_for_other_models_and_holds_their_keys_alone(tmp_path: Path) -> None:
    files = []
    for way in WAYS:
        for number, models in enumerate((("reference", "empty"), MANY)):
            text = workflow(way, models, "3")
            assert MODELS not in text
            assert ",".join(models) in text
            assert 'budget-usd: "3"' in text
            named = {name for name in (*SECRETS.values(), "OPENROUTER_API_KEY") if name in text}
            assert named == set(secrets_for(models))
            yaml.safe_load(text)
            files.append(tmp_path / f"{way}-{number}.yml")
            files[-1].write_text(text)
    tools: tuple[tuple[str | Path, ...], ...] = (
        (TOOLS / "actionlint", *files),
        (TOOLS / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files),
        (TOOLS / "zizmor", "--offline", "--quiet", *files),
    )
    for tool in tools:
        done = subprocess.run(tool, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("way", WAYS)
def test_for_its_own_models_a_way_is_the_example(way: str) -> None:
    text = (FOLDER / f"{way}.yml").read_text(encoding="utf-8")
    assert workflow(way, MODELS.split(","), "10") == text


def test_what_is_written_is_read(repo: Path) -> None:
    wanted = Wanted(models=MANY, current="azure:ours", budget_usd="0.5")
    settings, _ = write_files(repo, wanted)
    read = load(settings)
    assert read.models == ("reference", "empty", "azure:ours", *MANY)
    assert (read.current_model, str(read.budget_usd)) == ("azure:ours", "0.5")


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"models": ("gogle:x",)}, "did you mean google"),
        ({"current": "nobody"}, "unknown entrant"),
        ({"way": "weekly"}, "known: backtest"),
        ({"budget_usd": "five"}, "no amount"),
        ({"budget_usd": "-1"}, "no amount"),
        ({"budget_usd": "NaN"}, "no amount"),
        ({"budget_usd": '5"\nx: y'}, "no amount"),
    ],
)
def test_what_cannot_be_wanted(wanted: dict[str, object], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        Wanted(**wanted)  # type: ignore[arg-type]


def test_a_name_that_would_break_the_file_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        workflow("backtest", ("google:x'}}y",), "5")


def test_a_wrong_answer_is_asked_again(capsys: pytest.CaptureFixture[str]) -> None:
    said: Iterator[str] = iter(
        ["gogle:x", "google:now", "anthropic:x, openai:y", "much", "3", "on-command"]
    )
    wanted = asked(lambda *_: next(said))
    assert wanted.entrants == ["reference", "empty", "google:now", "anthropic:x", "openai:y"]
    assert (wanted.budget_usd, wanted.way) == ("3", "on-command")
    assert capsys.readouterr().err.count("\n") == 2


def test_in_a_terminal_it_asks(repo: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    started = subprocess.Popen(
        command("init", "--repo", repo), stdin=theirs, stdout=theirs, stderr=theirs,
        cwd=tmp_path, env=environment(tmp_path),
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, b"-\nanthropic:claude-opus-4-8\n\n\n")
    assert started.wait(60) == 0
    os.close(ours)
    settings, file = _written(tmp_path)
    assert "anthropic:claude-opus-4-8" in settings.read_text()
    assert "workflow_dispatch" in file.read_text()
