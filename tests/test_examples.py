"""The example workflows hold to what README says of permissions, tokens and forks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[1] / "examples/workflows"
PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40}")
OURS = tuple(f"patchmark/patchmark{folder}@COMMIT" for folder in ("", "/post", "/on-command"))


def text(name: str) -> str:
    """One of them."""
    return (FOLDER / name).read_text(encoding="utf-8")


def parsed(name: str) -> dict[Any, Any]:
    """The same; YAML reads the key `on` as True."""
    found: dict[Any, Any] = yaml.safe_load(text(name))
    return found


def steps(name: str) -> list[dict[str, Any]]:
    """All steps of all jobs."""
    return [step for job in parsed(name)["jobs"].values() for step in job.get("steps", [])]


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.yml")))
def test_permissions_have_reasons_and_actions_are_pinned(name: str) -> None:
    assert parsed(name)["permissions"] == {}
    for line in re.findall(r"^      [a-z-]+: (?:read|write)\b.*$", text(name), re.MULTILINE):
        assert " # " in line, line
    for used in (step["uses"] for step in steps(name) if "uses" in step):
        assert used in OURS or PINNED.fullmatch(used), used


def test_a_forks_run_has_neither_secret_nor_token() -> None:
    """What is not given would be the job's own token."""
    assert "secrets." not in text("fork-run.yml")
    (job,) = parsed("fork-run.yml")["jobs"].values()
    assert job["permissions"] == {"contents": "read"}
    (measuring,) = (step for step in job["steps"] if step["uses"] in OURS)
    assert measuring["with"]["github-token"] == ""
    assert "env" not in job
    checkout = job["steps"][0]["with"]
    assert checkout["persist-credentials"] is False
    assert checkout["ref"] == "${{ github.event.pull_request.head.sha }}"


def test_what_posts_it_uses_nothing_else_and_finds_what_the_run_left() -> None:
    (posting,) = steps("fork-report.yml")
    assert posting["uses"].startswith("patchmark/patchmark/post@")
    after = parsed("fork-report.yml")[True]["workflow_run"]["workflows"]
    assert after == [parsed("fork-run.yml")["name"]]
    assert posting["with"] == {"artifact": steps("fork-run.yml")[-1]["with"]["name"]}


def test_what_tries_a_pull_request_live_has_no_token_and_what_tells_of_it_no_key() -> None:
    """Models' patches run beside no token, and what writes to GitHub runs nobody's code."""
    jobs = parsed("live.yml")["jobs"]
    assert set(jobs["measure"]["permissions"].values()) == {"read"}
    (trying,) = (
        step for step in jobs["measure"]["steps"] if step.get("with", {}).get("command") == "live"
    )
    assert trying["with"]["github-token"] == ""
    assert "secrets." in str(trying)
    others = [step for step in steps("live.yml") if step != trying]
    assert "secrets." not in str(others)
    assert [step["with"]["command"] for step in jobs["tell"]["steps"] if step["uses"] in OURS] == [
        "trial"
    ]
    assert (
        jobs["tell"]["steps"][0]["with"]["ref"] == "${{ github.event.repository.default_branch }}"
    )
    assert "pull_request_target" not in text("live.yml")


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.yml")))
def test_what_two_runs_would_both_write_is_written_by_one_at_a_time(name: str) -> None:
    """A kept folder holds what the last one saved, and a comment what the last one knew."""
    workflow = parsed(name)
    for job in workflow["jobs"].values():
        used = [str(step.get("uses", "")) for step in job.get("steps", [])]
        keeps = any(one.startswith("actions/cache/") for one in used)
        tells = "write" in job["permissions"].values() and {*used} & {*OURS[:2]}
        if keeps or tells:
            assert (job.get("concurrency") or workflow["concurrency"])["group"]
