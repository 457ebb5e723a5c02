"""The command line: help, exit codes, and one clear line for whatever is wrong."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from conftest import Golden
from support.command_line import patchmark
from support.repos import Repo
from support.sample import EXCHANGES, sample

from patchmark.demo import prepare

COMMANDS = (
    "run",
    "live",
    "trial",
    "mine",
    "validate",
    "solve",
    "judge",
    "report",
    "demo",
    "doctor",
    "models",
    "init",
    "export",
    "import",
)


def one_line(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """The command ended with this code and one line on the error output that says why."""
    assert done.returncode == code, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("patchmark: ")
    for word in words:
        assert word in last
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command(command: str, tmp_path: Path, golden: Golden) -> None:
    done = patchmark(tmp_path, command, "--help", NO_COLOR="1")
    assert done.returncode == 0
    assert "Example: patchmark" in re.sub(r"\s+", " ", done.stdout)
    golden(f"help/{command}.txt", "\n".join(line.rstrip() for line in done.stdout.splitlines()))


def test_help_names_every_command_and_exit_code(tmp_path: Path) -> None:
    text = re.sub(r"\s+", " ", patchmark(tmp_path, "--help", NO_COLOR="1").stdout)
    assert all(f" {command} " in text for command in COMMANDS)
    assert "0 ok, 1 gate not met, 2 usage or configuration, 3 infrastructure" in text


def test_version(tmp_path: Path) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", patchmark(tmp_path, "--version").stdout)


def test_a_path_that_is_no_repository(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    one_line(patchmark(tmp_path, "run", "--repo", "plain"), 2, "plain", "not a git repository")
    one_line(patchmark(tmp_path, "mine", "--repo", "gone"), 2, "gone", "no such folder")
    assert not (tmp_path / "patchmark-run").exists()


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    Repo(tmp_path / "empty")
    one_line(patchmark(tmp_path, "run", "--repo", "empty"), 2, "no commit yet")


def test_a_history_without_any_test(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "untested")
    repo.commit("Start", {"calc.py": "x = 1\n"})
    repo.commit("Go on", {"calc.py": "x = 2\n"})
    done = patchmark(tmp_path, "run", "--repo", "untested", "--out", "out")
    one_line(done, 2, "no task could be made", "no_tests 1", "source and tests together")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["commits_seen"] == 2


def test_a_shallow_clone_is_said_and_mined_as_far_as_it_goes(tmp_path: Path) -> None:
    sample(tmp_path)
    source = (tmp_path / "sundial").as_uri()
    subprocess.run(["git", "clone", "-q", "--depth", "5", source, tmp_path / "few"], check=True)
    done = patchmark(tmp_path, "mine", "--repo", "few", "--json")
    assert done.returncode == 0
    assert "shallow" in done.stderr
    assert "fetch-depth: 0" in done.stderr
    assert json.loads(done.stdout)["candidates"] == 1


def test_in_a_clone_of_the_last_commit_it_is_said_why_there_is_no_task(tmp_path: Path) -> None:
    """Bug: what actions/checkout brings by itself ended as if the repository had no tests."""
    sample(tmp_path)
    source = (tmp_path / "sundial").as_uri()
    subprocess.run(["git", "clone", "-q", "--depth", "1", source, tmp_path / "one"], check=True)
    done = patchmark(tmp_path, "run", "--repo", "one", "--out", "out")
    one_line(done, 2, "The clone is shallow: fetch-depth: 0 in actions/checkout")
    assert (
        "`fetch-depth: 0`" in json.loads((tmp_path / "out/report.json").read_text())["notices"][0]
    )
    assert "fetch-depth: 0" in (tmp_path / "out/report.md").read_text()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("modles = []\n", "patchmark.toml:1: modles: unknown setting"),
        ("models = [\n", "patchmark.toml:1: invalid value"),
    ],
)
def test_a_broken_settings_file(tmp_path: Path, text: str, words: str) -> None:
    Repo(tmp_path / "repo").commit("Start", {"a.py": ""})
    (tmp_path / "repo" / "patchmark.toml").write_text(text)
    for command in ("run", "mine", "validate", "solve", "judge", "report"):
        one_line(patchmark(tmp_path, command, "--repo", "repo"), 2, words)


def test_an_unknown_model_or_option(tmp_path: Path) -> None:
    Repo(tmp_path / "repo").commit("Start", {"a.py": ""})
    asked = ("run", "--repo", "repo", "--models")
    one_line(patchmark(tmp_path, *asked, "gogle:gemini"), 2, "gogle", "did you mean google")
    done = patchmark(tmp_path, "run", "--modles", "x")
    assert done.returncode == 2
    assert "--models" in done.stderr


def test_a_missing_key_is_named_before_anything_is_run(tmp_path: Path) -> None:
    """The key was asked for only after the tasks had been proven, minutes into the run."""
    repository = sample(tmp_path)
    asked = ("--repo", repository, "--models", "reference,anthropic:claude-opus-4-8")
    done = patchmark(tmp_path, "run", *asked, DOCKER_HOST="unix:///nowhere.sock")
    one_line(done, 2, "ANTHROPIC_API_KEY")


def test_an_engine_that_is_down(tmp_path: Path) -> None:
    repository = sample(tmp_path)
    out = tmp_path / "out"
    nowhere = f"unix://{tmp_path}/nothing.sock"
    done = patchmark(tmp_path, "run", "--repo", repository, "--out", out, DOCKER_HOST=nowhere)
    one_line(done, 3, "no container engine answers", "nothing.sock")
    # What was mined is kept, and a run with an engine goes on from there.
    assert len((out / "candidates.jsonl").read_text().splitlines()) == 20


def test_a_run_folder_of_another_repository(tmp_path: Path) -> None:
    repository = sample(tmp_path)
    assert patchmark(tmp_path, "mine", "--repo", repository).returncode == 0
    Repo(tmp_path / "other").commit("Start", {"a.py": ""})
    one_line(patchmark(tmp_path, "mine", "--repo", "other"), 2, "another repository")


def test_a_damaged_record_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    repository = sample(tmp_path)
    patchmark(tmp_path, "mine", "--repo", repository)
    path = tmp_path / "patchmark-run" / "candidates.jsonl"
    lines = path.read_text().splitlines()
    lines[3] = lines[3].replace('"id":"', '"id":"x')
    path.write_text("\n".join(lines) + "\n")
    one_line(patchmark(tmp_path, "mine", "--repo", repository), 2, "candidates.jsonl:4", "id")
    assert path.read_text().splitlines() == lines


def test_a_replay_without_a_folder(tmp_path: Path) -> None:
    Repo(tmp_path / "repo").commit("Start", {"a.py": ""})
    asked = ("run", "--repo", "repo", "--models", "replay:careful")
    one_line(patchmark(tmp_path, *asked), 2, "--replay")
    one_line(patchmark(tmp_path, *asked, "--replay", "gone"), 2, "gone", "no such folder")


def test_mining_prints_json_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    repository = sample(tmp_path)
    first = patchmark(tmp_path, "mine", "--repo", repository, "--json")
    counts = json.loads(first.stdout)
    assert (counts["candidates"], counts["dropped"], counts["tasks"]) == (20, 19, 0)
    folder = tmp_path / "patchmark-run"
    before = {p.name: p.read_bytes() for p in folder.glob("*.jsonl")}
    assert json.loads(patchmark(tmp_path, "mine", "--repo", repository, "--json").stdout) == counts
    assert {p.name: p.read_bytes() for p in folder.glob("*.jsonl")} == before


def test_doctor_says_what_is_missing_and_how_to_mend_it(tmp_path: Path) -> None:
    Repo(tmp_path / "repo").commit("Start", {"a.py": ""})
    asked = ("doctor", "--repo", "repo", "--models", "google:gemini-3.5-flash")
    done = patchmark(tmp_path, *asked, "--json", DOCKER_HOST="unix:///nowhere.sock")
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.returncode == 3
    assert not checks["engine"]["ok"]
    assert "apt-get install docker.io" in checks["engine"]["mend"]
    assert checks["google key"]["exit_code"] == 2
    assert checks["git"]["ok"]
    assert checks["configuration"]["ok"]
    in_words = patchmark(tmp_path, *asked, DOCKER_HOST="unix:///nowhere.sock").stdout
    assert "GEMINI_API_KEY" in in_words


def test_doctor_survives_what_it_is_there_to_find(tmp_path: Path) -> None:
    (tmp_path / "patchmark.toml").write_text("tasks = 1\n")
    done = patchmark(tmp_path, "doctor", "--json", DOCKER_HOST="unix:///nowhere.sock")
    found = {check["name"]: check["ok"] for check in json.loads(done.stdout)}
    assert found == {"configuration": False, "git": False, "engine": False}


def test_demo_does_not_remove_a_folder_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "demo-run").mkdir()
    (tmp_path / "demo-run" / "precious.txt").write_text("x")
    one_line(patchmark(tmp_path, "demo"), 2, "demo-run", "--out")
    assert (tmp_path / "demo-run" / "precious.txt").exists()


def test_a_log_gets_a_line_a_stage_and_no_control_characters(tmp_path: Path) -> None:
    repository = sample(tmp_path)
    words = patchmark(tmp_path, "mine", "--repo", repository).stderr
    assert "mine: 39 of 39" in words
    assert "\x1b" not in words


def test_the_recordings_of_the_sample_are_labelled_as_fiction() -> None:
    files = sorted(EXCHANGES.glob("*/*.json"))
    assert len(files) == 42
    for path in files:
        content = json.loads(path.read_text(encoding="utf-8"))
        assert content["fiction"], path
        assert content["entrant"] == f"replay:{path.parent.name}"


def test_the_demo_makes_its_folder_anew(tmp_path: Path) -> None:
    flags = prepare(tmp_path / "demo-run")
    (tmp_path / "demo-run" / "run").mkdir()
    (tmp_path / "demo-run" / "run" / "run.toml").write_text("")
    (tmp_path / "demo-run" / "run" / "old.txt").write_text("")
    assert prepare(tmp_path / "demo-run") == flags
    assert sorted(p.name for p in (tmp_path / "demo-run").iterdir()) == ["sundial"]
