"""The main job on the sample repository with a real engine: results, resuming, dying, gates."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.command_line import command, environment, patchmark
from support.engine_proxy import EngineProxy
from support.sample import asked, sample

from sandbox.discover import connect

pytestmark = pytest.mark.docker
RECORDS = ("candidates.jsonl", "dropped.jsonl", "tasks.jsonl", "patches.jsonl", "verdicts.jsonl")


class Demo(NamedTuple):
    """A run of `patchmark demo`, and the folder that has its proofs."""

    done: subprocess.CompletedProcess[str]
    cache: Path


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The whole demo, which proves all tasks of the sample; the others take its proofs."""
    cache = tmp_path_factory.mktemp("cache")
    folder = tmp_path_factory.mktemp("demo")
    return Demo(patchmark(folder, "demo", "--json", XDG_CACHE_HOME=str(cache)), cache)


@pytest.fixture(scope="module")
def finished(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample repository and a finished run over its three newest tasks."""
    folder = tmp_path_factory.mktemp("run")
    subprocess.run(["cp", "-a", demo.cache, folder / "cache"], check=True)
    repository = sample(folder)
    done = patchmark(folder, *asked(repository, folder / "out"))
    assert done.returncode == 0, done.stderr
    return folder


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def copied(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run that a test may spoil."""
    subprocess.run(["cp", "-a", f"{finished}/.", tmp_path], check=True)
    return tmp_path / "out"


def again(tmp_path: Path, *more: str | Path) -> subprocess.CompletedProcess[str]:
    return patchmark(tmp_path, *asked(tmp_path / "sundial", tmp_path / "out"), *more)


def test_reference_passes_all_empty_nothing_and_the_models_what_they_did(finished: Path) -> None:
    report = json.loads((finished / "out" / "report.json").read_text())
    found = {e["name"]: (e["tasks"], e["scored"], e["passed"]) for e in report["entrants"]}
    assert found == {
        "reference": (3, 3, 3),
        "empty": (3, 3, 0),
        "replay:careful": (3, 3, 1),
        "replay:hasty": (3, 3, 0),
    }
    assert report["replayed"]
    assert report["fiction"]
    assert not report["tasks_broken"]
    (held,) = rows(finished / "out/sandbox.jsonl")
    assert (report["sandbox"], held["network"], held["disk_mib"]) == (held, "none", 4096)
    outcomes = {
        (v["task_id"], v["entrant"]): v["outcome"] for v in rows(finished / "out/verdicts.jsonl")
    }
    assert outcomes["b4af4ddfb058", "replay:hasty"] == "no_patch"
    assert outcomes["8b050132daca", "replay:hasty"] == "failed"
    edits = [
        v["dropped_edits"]
        for v in rows(finished / "out/verdicts.jsonl")
        if (v["task_id"], v["entrant"]) == ("8b050132daca", "replay:hasty")
    ]
    assert edits == [["tests/test_durations.py", "tests/test_intervals.py"]]


def test_the_fields_that_others_read(finished: Path) -> None:
    """These names are a public contract."""
    out = finished / "out"
    task, patch, verdict = (
        rows(out / f"{name}.jsonl")[0] for name in ("tasks", "patches", "verdicts")
    )
    assert {"id", "base_commit", "fix_commit", "statement"} <= {*task}
    assert {"gold_patch", "test_patch", "fail_to_pass", "pass_to_pass"} <= {*task}
    assert {"task_id", "entrant", "attempt", "diff", "cost_usd", "usage", "seconds"} <= {*patch}
    assert {"task_id", "entrant", "attempt", "outcome", "cause"} <= {*verdict}
    row = json.loads((out / "report.json").read_text())["entrants"][2]
    assert {
        "name", "tasks", "scored", "passed", "pass_rate", "ci_low", "ci_high", "cost_usd",
        "cost_per_solve_usd", "seconds_p50",
    } <= {*row}  # fmt: skip
    assert (out / "run.toml").is_file()
    assert (out / "exchanges" / "careful" / f"{task['id']}.1.1.json").is_file()


def test_a_report_from_replays_says_so_at_the_top(finished: Path) -> None:
    for name in ("report.md", "report.html"):
        text = (finished / "out" / name).read_text()
        head = text[: text.find("<details")] if name.endswith("md") else text
        assert "fiction" in head
        assert "no model was called" in head


def test_a_second_run_does_nothing_again(finished: Path, tmp_path: Path) -> None:
    out = copied(finished, tmp_path)
    before = {name: (out / name).read_bytes() for name in RECORDS}
    nowhere = again(tmp_path)
    assert nowhere.returncode == 0, nowhere.stderr
    assert {name: (out / name).read_bytes() for name in RECORDS} == before
    assert "judge: " not in nowhere.stderr
    assert "solve: " not in nowhere.stderr


def test_a_changed_patch_is_judged_again_and_nothing_else(finished: Path, tmp_path: Path) -> None:
    out = copied(finished, tmp_path)
    changed = next(p for p in rows(out / "patches.jsonl") if p["entrant"] == "replay:careful")
    gold = next(t for t in rows(out / "tasks.jsonl") if t["id"] == changed["task_id"])
    was = {(v["task_id"], v["entrant"]): v["key"] for v in rows(out / "verdicts.jsonl")}
    with (out / "patches.jsonl").open("a") as file:
        file.write(json.dumps(changed | {"diff": ""}) + "\n")
    assert patchmark(tmp_path, "judge", "--out", "out").returncode == 0
    new = rows(out / "verdicts.jsonl")[12:]
    assert [(v["task_id"], v["entrant"], v["outcome"]) for v in new] == [
        (gold["id"], "replay:careful", "failed")
    ]
    assert new[0]["key"] != was[gold["id"], "replay:careful"]


def test_what_was_nobodys_failure_is_judged_again(finished: Path, tmp_path: Path) -> None:
    """Bug: resuming knew one such outcome by its name, and left any other as it was."""
    out = copied(finished, tmp_path)
    kept, *others = rows(out / "verdicts.jsonl")[:3]
    lost = [
        v | {"outcome": outcome, "cause": "patchmark", "not_fixed": [], "broken": []}
        for v, outcome in zip(others, ("cancelled", "environment_broken"), strict=True)
    ]
    with (out / "verdicts.jsonl").open("a") as file:
        file.writelines(json.dumps(v) + "\n" for v in lost)
    assert patchmark(tmp_path, "judge", "--out", "out").returncode == 0
    new = {(v["task_id"], v["entrant"]): v["outcome"] for v in rows(out / "verdicts.jsonl")[14:]}
    assert new == {(v["task_id"], v["entrant"]): v["outcome"] for v in others}
    assert (kept["task_id"], kept["entrant"]) not in new


def test_stages_one_by_one_give_the_same_report(finished: Path, tmp_path: Path) -> None:
    repository = sample(tmp_path)
    words = asked(repository, tmp_path / "out")
    given = {str(words[i]): words[i + 1] for i in range(1, len(words), 2)}

    def stage(name: str, *flags: str) -> None:
        extra = [word for flag in flags for word in (flag, given[flag])]
        cache = str(finished / "cache")
        done = patchmark(tmp_path, name, "--out", "out", *extra, XDG_CACHE_HOME=cache)
        assert done.returncode == 0, done.stderr

    stage("mine", "--repo", "--issues")
    stage("validate", "--max-tasks", "--since")
    stage("solve", "--models", "--replay", "--max-tasks")
    stage("judge")
    stage("report")
    first = json.loads((finished / "out" / "report.json").read_text())
    second = json.loads((tmp_path / "out" / "report.json").read_text())
    for report in (first, second):
        del report["made_at"]
        for task in report["tasks"]:
            for cell in task["cells"]:
                del cell["seconds"]
    assert second == first


def test_the_gate(finished: Path, tmp_path: Path) -> None:
    copied(finished, tmp_path)
    assert patchmark(tmp_path, "report", "--out", "out", "--fail-under", "0.3").returncode == 0
    assert patchmark(tmp_path, "report", "--out", "out", "--fail-under", "0.5").returncode == 1
    few = patchmark(tmp_path, "report", "--out", "out", "--fail-if-worse-than", "replay:hasty")
    assert few.returncode == 5
    assert "cannot be told" in few.stdout
    both = ("--fail-if-worse-than", "replay:hasty", "--fail-under", "0.5")
    assert patchmark(tmp_path, "report", "--out", "out", *both).returncode == 1


def test_broken_tasks_are_said_loudly(finished: Path, tmp_path: Path) -> None:
    """A task that its own fix does not solve says nothing about models."""
    out = copied(finished, tmp_path)
    tasks = rows(out / "tasks.jsonl")
    never = tasks[0] | {"fail_to_pass": ["tests/test_durations.py::test_never_written"]}
    (out / "tasks.jsonl").write_text("".join(json.dumps(t) + "\n" for t in [never, *tasks[1:]]))
    assert patchmark(tmp_path, "judge", "--out", "out").returncode == 0
    done = patchmark(tmp_path, "report", "--out", "out")
    assert done.returncode == 3
    assert "broken" in done.stdout
    assert "broken" in (out / "report.md").read_text().split("<details")[0]


def test_killed_at_any_moment_nothing_finished_is_done_again(
    finished: Path, tmp_path: Path
) -> None:
    """Kill -9 at random moments; in the end each patch and verdict stands exactly once."""
    repository = sample(tmp_path)
    out = tmp_path / "out"
    words = command(*asked(repository, out))
    chance = random.Random(7)  # noqa: S311
    # With the proofs of the finished run at hand, most of the time goes to solving and judging.
    cache = str(finished / "cache")
    for _ in range(5):
        variables = environment(tmp_path, XDG_CACHE_HOME=cache)
        quiet = subprocess.DEVNULL
        with subprocess.Popen(
            words, cwd=tmp_path, env=variables, stderr=quiet, stdout=quiet
        ) as process:
            time.sleep(chance.uniform(0.8, 3.5))
            process.send_signal(signal.SIGKILL)
    done = patchmark(tmp_path, *asked(repository, out), XDG_CACHE_HOME=cache)
    assert done.returncode == 0, done.stderr
    for name in ("patches.jsonl", "verdicts.jsonl"):
        keys = [(r["task_id"], r["entrant"], r["attempt"]) for r in rows(out / name)]
        assert len(keys) == len(set(keys)) == 12
    first = json.loads((finished / "out" / "report.json").read_text())
    second = json.loads((out / "report.json").read_text())
    for report in (first, second):
        assert [e.pop("passed") for e in report["entrants"]] == [3, 0, 1, 0]


def test_an_engine_that_dies_midway(finished: Path, tmp_path: Path) -> None:
    """One message, exit code 3, and the next run goes on with what was kept."""
    repository = sample(tmp_path)
    out = tmp_path / "out"
    words = command(*asked(repository, out))
    cache = str(finished / "cache")
    with EngineProxy(connect(os.environ).endpoint) as proxy:
        variables = environment(tmp_path, XDG_CACHE_HOME=cache, DOCKER_HOST=proxy.endpoint)
        with subprocess.Popen(
            words, cwd=tmp_path, env=variables, stderr=subprocess.PIPE, text=True
        ) as process:
            wait_for(out / "verdicts.jsonl")
            proxy.cut(for_good=True)
            _, words_said = process.communicate(timeout=120)
    assert process.returncode == 3, words_said
    assert words_said.strip().splitlines()[-1].startswith("patchmark: container engine at unix://")
    assert "Traceback" not in words_said
    done = patchmark(tmp_path, *asked(repository, out), XDG_CACHE_HOME=cache)
    assert done.returncode == 0, done.stderr
    assert len(rows(out / "verdicts.jsonl")) == 12


def test_stopped_from_the_keyboard(finished: Path, tmp_path: Path) -> None:
    """Bug: Ctrl-C waited for the containers under way, up to their whole time limit."""
    repository = sample(tmp_path)
    out = tmp_path / "out"
    # One container at a time, so that a busy machine does not finish before it is stopped.
    words = command(*asked(repository, out), "--workers", "1")
    variables = environment(tmp_path, XDG_CACHE_HOME=str(finished / "cache"))
    with subprocess.Popen(
        words, cwd=tmp_path, env=variables, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_for(out / "verdicts.jsonl")
        process.send_signal(signal.SIGINT)
        _, words_said = process.communicate(timeout=120)
    assert process.returncode == 130, words_said
    assert "the same command goes on where it was" in words_said
    assert "Traceback" not in words_said


def test_a_time_limit_ends_a_run_with_a_partial_report(finished: Path, tmp_path: Path) -> None:
    """What was left is nobody's failure, and the same command does it."""
    words = [*asked(sample(tmp_path), tmp_path / "out", tasks=2), "--json"]
    cache = str(finished / "cache")
    short = patchmark(tmp_path, *words, "--time-limit", "0.05", XDG_CACHE_HOME=cache)
    assert short.returncode == 6, short.stderr
    report = json.loads(short.stdout)
    assert report["partial"][0].startswith("The time limit of 0.05 minutes was reached before all")
    causes = {(c["outcome"], c["cause"]) for task in report["tasks"] for c in task["cells"]}
    assert causes <= {("passed", None), ("failed", "model"), ("cancelled", "patchmark")}
    whole = json.loads(patchmark(tmp_path, *words, XDG_CACHE_HOME=cache).stdout)
    assert (whole["partial"], [row["passed"] for row in whole["entrants"][:2]]) == ([], [2, 0])


def wait_for(path: Path) -> None:
    for _ in range(6000):
        if path.exists():
            return
        time.sleep(0.05)
    pytest.fail(f"{path} did not appear")


def test_demo_runs_end_to_end(demo: Demo) -> None:
    done = demo.done
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    passed = {e["name"]: (e["passed"], e["scored"]) for e in report["entrants"]}
    assert passed == {
        "reference": (17, 17),
        "empty": (0, 17),
        "replay:careful": (14, 17),
        "replay:hasty": (8, 17),
    }
    reasons = {(d["stage"], d["reason"]): d["count"] for d in report["dropped"]}
    assert reasons["validate", "flaky"] == 1
    assert reasons["validate", "no_fail_to_pass"] == 2
    assert reasons["mine", "bot"] == 2
    assert reasons["mine", "revert"] == reasons["mine", "reverted_later"] == 1
