"""`--batch` from the command line, against a server whose batches end when we say so."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest
from support.command_line import patchmark
from support.fake_anthropic_batch import FakeAnthropicBatch
from support.sample import EXCHANGES, ISSUES, sample
from support.tasks import make_task

from patchmark.batches import pauses

OPUS = "anthropic:claude-opus-4-8+repair=off"
TASK = "eb6941e4e6e6"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A run folder with one task, as mining left it, and as if it had been proven."""
    repository = sample(tmp_path)
    done = patchmark(tmp_path, "mine", "--repo", repository, "--out", "out", "--issues", ISSUES)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "out" / "candidates.jsonl").read_text().splitlines()
    mined = next(found for line in lines if (found := json.loads(line))["id"] == TASK)
    proven = json.loads(make_task().model_dump_json()) | mined
    (tmp_path / "out" / "tasks.jsonl").write_text(json.dumps(proven) + "\n")
    return tmp_path / "out"


def test_looks_grow_rare_but_never_stop() -> None:
    some = list(islice(pauses(), 30))
    assert some[:3] == [5.0, 7.5, 11.25]
    assert some[-1] == 300.0
    assert some == sorted(some)


def test_a_run_ends_while_a_batch_is_under_way_and_goes_on_later(out: Path) -> None:
    with FakeAnthropicBatch() as server:
        recorded = json.loads((EXCHANGES / "careful" / f"{TASK}.1.1.json").read_text())
        server.ways.text = recorded["text"]

        def run(command: str, *more: str, code: int) -> str:
            done = patchmark(
                out.parent, command, "--out", "out", "--models", OPUS, "--json", *more,
                ANTHROPIC_API_KEY="sk-ant-secret-1", ANTHROPIC_BASE_URL=server.url,
            )  # fmt: skip
            assert done.returncode == code, done.stderr
            return done.stderr + done.stdout

        assert "1 answer is awaited" in run("solve", "--batch", "--batch-wait", "0", code=4)
        report = run("report", "--fail-under", "0.1", code=4)
        assert "1 answer is awaited from batches" in report
        # What is awaited is not paid for again by a run that says nothing of batches.
        run("solve", code=4)
        server.ways.one_more_look = True
        run("solve", "--batch", "--batch-wait", "0.03", code=0)
        report = run("report", code=0)
    (row,) = json.loads(report[report.index("{") :])["entrants"]
    assert (row["batched"], row["seconds_p50"], Decimal(row["cost_usd"])) == (
        True,
        None,
        Decimal("0.0375"),
    )
    assert (len(server.questions), server.direct) == (1, [])
    assert "by batch, at half price" in (out / "report.md").read_text()
