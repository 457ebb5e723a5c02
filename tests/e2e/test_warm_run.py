"""`examples/workflows/backtest.yml` by act, twice, on an engine that has forgotten all of it."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.act import act
from support.command_line import patchmark
from support.fake_anthropic import FakeAnthropic
from support.fake_tracker import FakeTracker
from support.runner import actions, sample_with

from sandbox.discover import connect

MODEL = "anthropic:claude-opus-4-8"
KEY = "sk-ant-0123456789"
TOKEN = "ghs_0123456789"

pytestmark = pytest.mark.docker


@dataclass(frozen=True)
class Place:
    """A repository whose images are like no other's, and what its runs leave."""

    folder: Path
    repository: Path
    caches: Path

    def kept(self) -> Path:
        """The newest cache."""
        return max(self.caches.iterdir(), key=lambda path: path.stat().st_mtime_ns)

    def images(self) -> dict[str, str]:
        """Of its own, those that were kept: the base below them is everybody's."""
        found = json.loads((self.kept() / "images.json").read_text())
        return {tag: there for tag, there in found.items() if "/base:" not in tag}

    def forget(self) -> None:
        """Take them off the engine."""
        engine = connect(os.environ)
        try:
            for tag in sorted(self.images(), reverse=True):
                engine.remove_image(tag)
        finally:
            engine.close()


def on_the_engine(tags: dict[str, str]) -> dict[str, str | None]:
    """What it has under these names."""
    engine = connect(os.environ)
    try:
        return {tag: engine.image_id(tag) for tag in tags}
    finally:
        engine.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    setup = json.dumps([f"true {uuid.uuid4()}"])
    settings = {
        "patchmark.toml": f"[environment]\nsetup = {setup}\n[limits]\nvalidation-runs = 1\n"
    }
    repository = sample_with(tmp_path / "sample", settings, "backtest.yml")
    workflow = repository / ".github/workflows/backtest.yml"
    text = workflow.read_text().replace('max-tasks: "30"', 'max-tasks: "1"')
    workflow.write_text(text.replace('tracking-issue: "true"', 'tracking-issue: "false"'))
    (tmp_path / "caches").mkdir()
    made = Place(tmp_path, repository, tmp_path / "caches")
    yield made
    if any(made.caches.iterdir()):
        made.forget()


def records(folder: Path) -> dict[str, bytes]:
    """All that a run writes down for good."""
    found = [*folder.rglob("*.jsonl"), *folder.rglob("exchanges/*/*")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.mark.timeout(600)
def test_the_second_run_does_nothing_that_the_first_did(place: Place) -> None:
    """And a third that has more to do takes what the first made."""
    event = place.folder / "event.json"
    event.write_text(json.dumps({"inputs": {"models": f"reference,empty,{MODEL}"}}))
    using = actions(place.folder / "actions", place.repository)

    def run(number: int, github: FakeTracker, model: FakeAnthropic) -> str:
        artifacts = place.folder / f"artifacts-{number}"
        artifacts.mkdir()
        return act(
            place.repository, "workflow_dispatch", event, using,
            "--env", f"GITHUB_API_URL={github.url}", "--env", f"ANTHROPIC_BASE_URL={model.url}",
            "--env", f"GITHUB_RUN_ID={number}", "--env", f"CACHES={place.caches}",
            "--env", f"ARTIFACTS={artifacts}",
            "--env", f"XDG_CACHE_HOME={place.folder / 'home'}",
            "--secret", f"GITHUB_TOKEN={TOKEN}", "--secret", f"ANTHROPIC_API_KEY={KEY}",
            "--action-cache-path", str(place.folder / "fetched"), platform="ubuntu-24.04",
        )  # fmt: skip

    with FakeTracker() as github, FakeAnthropic() as model:
        first = run(1, github, model)
        questions, lookups = len(model.asked), len(github.requests)
        assert questions
        assert lookups
        assert "images are kept" in first
        kept, images = records(place.kept()), place.images()
        assert {tag.partition(":")[0] for tag in images} == {
            "patchmark/dependencies",
            "patchmark/task",
        }
        place.forget()

        second = run(2, github, model)
        assert (len(model.asked), len(github.requests)) == (questions, lookups)
        # Nothing was kept anew, and nothing was built, nor even loaded.
        assert [path.name for path in place.caches.iterdir()] == ["patchmark-backtest-1-1"]
        assert records(place.kept()) == kept
        assert set(on_the_engine(images).values()) == {None}
        assert "cache-changed" in second
        for stage in ("mine", "judge", "solve"):
            assert f"{stage}: 1 of" not in second

    # One more attempt of the baselines needs the image: the very same one, without a new proof.
    folder = place.kept()
    more = patchmark(
        place.folder, "run", "--repo", place.repository, "--out", folder / "patchmark-run",
        "--models", "reference,empty", "--attempts", "2", "--max-tasks", "1",
        PATCHMARK_CACHE_FOLDER=str(folder),
    )  # fmt: skip
    assert more.returncode == 0, more.stderr
    assert on_the_engine(images) == images, more.stderr
    after = records(folder)
    for name in ("tasks.jsonl", "candidates.jsonl"):
        assert after[f"patchmark-run/{name}"] == kept[f"patchmark-run/{name}"]
    verdicts = after["patchmark-run/verdicts.jsonl"].splitlines()
    assert verdicts[:3] == kept["patchmark-run/verdicts.jsonl"].splitlines()
    assert len(verdicts) == 5
