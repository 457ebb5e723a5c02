"""`patchmark init`: what it writes is accepted by patchmark and by whoever checks workflows."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from support.command_line import command, environment, patchmark
from support.repos import Repo

from core.errors import UsageError
from patchmark.config import NAME, load
from patchmark.enterprise import ARTIFACTS, is_enterprise
from patchmark.init import Wanted, asked, refuse_existing, write_files
from patchmark.workflow_files import (
    FOLDER,
    MODELS,
    SECRETS,
    WAYS,
    secrets_for,
    workflow,
    workflows,
)

SHA = "0123456789abcdef0123456789abcdef01234567"
TOOLS = Path(sys.executable).parent
MANY = ("google:gemini-3.5-flash", "anthropic:x", "openrouter:vendor/model", "openai:gpt-5.4")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository without settings."""
    Repo(tmp_path / "repo").commit("Start", {"a.py": ""})
    return tmp_path / "repo"


def _written(tmp_path: Path) -> tuple[Path, ...]:
    return (
        tmp_path / "repo/patchmark.toml",
        tmp_path / "repo/.github/workflows/patchmark-backtest.yml",
    )


def test_both_files_are_written_once(repo: Path, tmp_path: Path) -> None:
    """Started in a folder below, it once wrote them there, where GitHub does not look."""
    (repo / "below").mkdir()
    flags = ("--repo", "repo/below", "--models", "anthropic:claude-opus-4-8")
    more = ("--how", "on-command", "--budget-usd", "2.50", "--current-model", "openai:gpt-5.4")
    done = patchmark(tmp_path, "init", *flags, *more, "--action", f"acme/patchmark@{SHA}")
    assert done.returncode == 0, done.stderr
    assert "next: add ANTHROPIC_API_KEY, OPENAI_API_KEY" in done.stdout
    assert "COMMIT" not in done.stdout
    settings, file = _written(tmp_path)
    written = file.with_name("patchmark-on-command.yml").read_text()
    assert f"uses: acme/patchmark/on-command@{SHA}\n" in written
    assert load(settings).current_model == "openai:gpt-5.4"
    with pytest.raises(UsageError, match="exists; --force"):
        refuse_existing(repo, [Path(NAME)], force=False)
    # Another way, later: the settings stay, and with them models and budget.
    before = settings.read_text()
    done = patchmark(tmp_path, "init", *flags[:2], "--how", "backtest,fork")
    assert done.returncode == 0, done.stderr
    assert settings.read_text() == before
    names = {path.name for path in file.parent.iterdir()}
    assert names == {f"patchmark-{n}.yml" for n in ("on-command", "backtest", *WAYS["fork"].files)}
    assert 'budget-usd: "2.5"' in file.read_text()
    assert "openai:gpt-5.4,anthropic:claude-opus-4-8" in file.read_text()
    done = patchmark(tmp_path, "init", *flags[:2], "--how", "sharded", "--budget-usd", "1")
    assert (done.returncode, "patchmark.toml exists" in done.stderr) == (2, True)
    assert len(list(file.parent.iterdir())) == len(names)


def test_one_file_that_exists_keeps_the_other_from_being_written(repo: Path) -> None:
    (repo / ".github/workflows").mkdir(parents=True)
    theirs = repo / ".github/workflows/patchmark-fork-report.yml"
    theirs.write_text("name: mine\n")
    done = patchmark(repo, "init", "--how", "all")
    assert done.returncode == 2
    assert "patchmark-fork-report.yml exists" in done.stderr
    assert [path.name for path in theirs.parent.iterdir()] == [theirs.name]
    assert not (repo / NAME).exists()
    done = patchmark(repo, "init", "--how", "fork", "--force")
    assert (done.returncode, "secrets" in done.stdout) == (0, False)
    assert "workflow_run" in theirs.read_text()


@pytest.mark.parametrize(
    "link", ["patchmark.toml", ".github", ".github/workflows/patchmark-backtest.yml"]
)
def test_no_link_of_the_repository_is_written_through(repo: Path, link: str) -> None:
    """One that leads to nothing was taken for no file, and what it names was made."""
    (repo / link).parent.mkdir(parents=True, exist_ok=True)
    (repo / link).symlink_to(repo.parent / "elsewhere")
    for force in (False, True):
        with pytest.raises(UsageError, match="a link"):
            refuse_existing(repo, [Path(NAME), *Wanted().texts()], force=force)


def test_each_way_is_clean_for_other_models_and_holds_their_keys_alone(tmp_path: Path) -> None:
    files = []
    for way in WAYS:
        for number, models in enumerate((("reference", "empty"), MANY)):
            for name, text in workflows(way, models, "3", f"acme/patchmark@{SHA} # v1.2.3").items():
                assert MODELS not in text
                assert "@COMMIT" not in text
                uses = re.findall(r"uses: acme/patchmark(?:/[a-z-]+)?@(.*)", text)
                assert set(uses) == {f"{SHA} # v1.2.3"}
                asks = way != "fork"
                assert (",".join(models) in text) == asks or models == ("reference", "empty")
                budgets = re.findall(r'budget-usd: [^"\n]*"(.*?)"|default: "(3)"', text)
                assert bool(budgets) == asks
                # Of live, it is for each pull request: what a whole run may cost is too much.
                assert all(("2" if way == "live" else "3") in found for found in budgets)
                assert 'budget-usd: "0.5"' in workflow(name[10:-4], models, "0.5") or way != "live"
                known = (*SECRETS.values(), "OPENROUTER_API_KEY")
                named = {secret for secret in known if secret in text}
                assert named == (set(secrets_for(models)) if asks else set())
                yaml.safe_load(text)
                files.append(tmp_path / str(number) / name)
                files[-1].parent.mkdir(exist_ok=True)
                files[-1].write_text(text)
    tools: tuple[tuple[str | Path, ...], ...] = (
        (TOOLS / "actionlint", *files),
        (TOOLS / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files),
        (TOOLS / "zizmor", "--offline", "--quiet", *files),
    )
    for tool in tools:
        done = subprocess.run(tool, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("remote", "enterprise"),
    [
        ("https://github.com/o/r", False),
        ("git@github.com:o/r.git", False),
        ("https://company.ghe.com/o/r", False),
        ("https://u@git.company/o/r.git", True),
        ("git@git.company:o/r.git", True),
        ("ssh://git@github.com.evil.example:22/o/r", True),
        ("/srv/git/r", False),
        ("../r", False),
        ("", False),
    ],
)
def test_a_server_of_the_companys_own_is_known_by_origin(
    tmp_path: Path, remote: str, enterprise: bool
) -> None:
    made = Repo(tmp_path / "repo")
    made.commit("Start", {"a.py": ""})
    if remote:
        made.git("remote", "add", "origin", remote)
    assert is_enterprise(made.path) is enterprise


def test_for_an_enterprise_server_all_ways_do_without_what_it_has_not(tmp_path: Path) -> None:
    """No runners of GitHub's, and no artifacts of version 4; the rest is the same, and clean."""
    wanted = Wanted(models=MANY, ways=tuple(WAYS), pin=f"o/patchmark@{SHA}", enterprise=True)
    files = []
    for path, text in wanted.texts().items():
        assert "ubuntu" not in text
        assert "runs-on: [self-hosted, linux]" in text
        for used in re.findall(r"actions/(\w+)-artifact@(.*)", text):
            assert used[1] == ARTIFACTS[used[0]]
        assert "artifact-id" not in text
        assert "pattern:" not in text
        files.append(tmp_path / path.name)
        files[-1].write_text(text)
    done = subprocess.run([TOOLS / "actionlint", *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_example_is_of_one_way_and_for_its_own_models_as_it_is() -> None:
    names = [name for way in WAYS.values() for name in way.files]
    assert sorted(names) == sorted(path.stem for path in FOLDER.glob("*.yml"))
    for name in names:
        text = (FOLDER / f"{name}.yml").read_text(encoding="utf-8")
        budget = {"sharded": "50", "live": "2"}.get(name, "10")
        assert workflow(name, MODELS.split(","), budget) == text


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
        ({"ways": ("backtest", "weekly")}, "'weekly' is no way to run it; known: backtest"),
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


def test_three_things_are_asked_and_a_wrong_answer_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said: Iterator[str] = iter(
        ["gogle:x", "google:now, anthropic:x, openai:y", "much", "3", "daily", "on-command,fork"]
    )
    wanted = asked(lambda *_: next(said), Wanted())
    assert wanted.entrants == ["reference", "empty", "google:now", "anthropic:x", "openai:y"]
    assert (wanted.current, wanted.budget_usd) == ("google:now", "3")
    assert wanted.ways == ("on-command", "fork")
    assert capsys.readouterr().err.count("\n") == 3


@pytest.mark.parametrize(
    ("said", "current", "models"),
    [
        ("-", "", ("reference", "empty")),
        ("-, google:x", "", ("google:x",)),
        ("reference, google:x", "", ("reference", "google:x")),
    ],
)
def test_nobody_is_in_use(said: str, current: str, models: tuple[str, ...]) -> None:
    answers = iter([said, "5", "all"])
    wanted = asked(lambda *_: next(answers), Wanted())
    assert (wanted.current, wanted.models, wanted.ways) == (current, models, tuple(WAYS))


def test_in_a_terminal_it_asks(repo: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    started = subprocess.Popen(
        command("init", "--repo", repo), stdin=theirs, stdout=theirs, stderr=theirs,
        cwd=tmp_path, env=environment(tmp_path),
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, b"anthropic:claude-opus-4-8\n\n\n")
    assert started.wait(60) == 0
    os.close(ours)
    settings, file = _written(tmp_path)
    assert 'current-model = "anthropic:claude-opus-4-8"' in settings.read_text()
    assert "workflow_dispatch" in file.read_text()
