"""The comment of a change check: what it says, when it is written, and that nobody else can."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from conftest import Golden
from rich.console import Console
from support.commenting import QUICK, opened
from support.fake_github import BOT, NUMBER, FakeGitHub
from support.gfm import render
from support.hostile import HOSTILE
from support.report_data import HEAD, facts, sha, task

from core.change_check import ChangeCheck, ChangedItem, CheckedEntrant
from core.report import Report
from reports import comment as posting
from reports import markdown
from reports.change_check import with_change
from reports.change_check_comment import MARKER, Decision, comment, decide
from reports.change_check_text import show
from reports.quiet import Mode
from reports.stamp import run_id, stamp_line
from reports.tally import tally

ITEMS = (
    ChangedItem(name="AGENTS.md", how="changed, +3 −1 lines"),
    ChangedItem(name="agent.steps", how="not set (50) → 80"),
)
NOT = (
    ChangedItem(name=".cursorrules", how="in the change", why="is a link out of the repository"),
    ChangedItem(name="budget-usd", how="5 → 500", why="what may be spent is the base's word"),
)


def measured(results: dict[str, tuple[str, str]], **changes: object) -> Report:
    """A check: for each model a letter a task, with the base and with the head."""
    rows: dict[str, str] = {"reference": "P" * len(next(iter(results.values()))[0])}
    entrants = []
    for name, (base, head) in results.items():
        one = CheckedEntrant(
            entrant=name,
            other=name,
            base=f"{name}+version=base-0123abcd",
            head=f"{name}+version=head-89abcdef",
        )
        rows |= {one.base: base, one.head: head}
        entrants.append(one)
    given = {"compared": ITEMS, "ignored": NOT, "entrants": tuple(entrants), **changes}
    about = ChangeCheck.model_validate({"base": HEAD, "head": sha("x"), "margin": 0.1, **given})
    return with_change(tally(facts(rows)), about)


CASES = {
    "helps": measured({"openai:a": ("FFFFFPFPFFFPFF", "PPPPPPPPFPPPFP")}),
    "mixed": measured(
        {
            "openai:a": ("FFFFFFFFFFFFFFFF", "PPPPPPPPPPPPPPPF"),
            "openai:b": ("PPPPPPPPPPPPPPPF", "FFFFFFFFFFFFFFFF"),
            "openai:c": ("PFPFPFPFPFPFPFPF", "PPPFPFPFFFPFPFPF"),
        },
        untouched=("openai:d+instructions=off",),
    ),
    "few": measured({"openai:a": ("FFFFF", "PPPPP")}, told=("Cache key forgets the locale",)),
    "idle": measured({"openai:a": ("FF", "FF")}, entrants=(), untouched=("openai:a",)),
}
SAID = {
    "helps": "The change helps openai:a: 21 % → 86 % on 14 tasks: better on 9, worse on 0",
    "mixed": "The change helps openai:a; it hurts openai:b; it cannot be told to help or hurt "
    "openai:c; about ",
    "few": "Whether the change helps openai:a cannot be told: 0 % → 100 % on 5 tasks: better on "
    "5, worse on 0 (p = 0.062); below 8 tasks nothing is called.",
    "idle": "No model here is told what differs between the two versions: nobody was asked.",
}


def text(report: Report, **options: int) -> str:
    assert report.change is not None
    return comment(report, report.change, **options)


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str, golden: Golden) -> None:
    report = CASES[name]
    assert report.verdict.startswith(SAID[name])
    golden(f"reports/change-check-{name}.md", text(report))
    found = render(text(report))
    assert found.comments == [" patchmark:change-check v1 "]
    assert found.links_made_by_github == []


def test_golden_terminal(golden: Golden) -> None:
    report = CASES["mixed"]
    assert report.change is not None
    out = io.StringIO()
    show(report, report.change, Console(file=out, width=120))
    golden("reports/change-check-mixed.txt", out.getvalue())


def test_as_good_takes_many_tasks_and_no_difference() -> None:
    report = measured({"openai:a": ("PF" * 30, "PF" * 30)})
    assert report.verdict == (
        "With the change openai:a is as good, not worse by 10 points: 50 % → 50 % on 60 tasks: "
        "better on 0, worse on 0 (p = 1)."
    )
    few = measured({"openai:a": ("PF" * 5, "PF" * 5)})
    assert few.verdict.startswith("Whether the change helps openai:a cannot be told")
    assert "more tasks would tell" in few.verdict


def test_a_run_that_could_not_do_its_work_says_why_itself() -> None:
    broken = tally(facts({"reference": "PF", "openai:a+version=base-0123abcd": "PP"}))
    done = with_change(broken, measured({"openai:a": ("FF", "PP")}).change or pytest.fail("none"))
    assert done.verdict == broken.verdict


@pytest.mark.parametrize("limit", [500, 1_000, 4_000, 60_000])
def test_it_is_never_longer_than_allowed_and_strangers_write_nothing_in_it(limit: int) -> None:
    tasks = [task(number, title=title or "x") for number, title in enumerate(HOSTILE)]
    names = [name[:70] or "m" for name in HOSTILE[:6]]
    rows = {f"{name}{side}": letter * len(tasks) for name in names
            for side, letter in (("B", "F"), ("H", "P"))}  # fmt: skip
    entrants = [
        CheckedEntrant(entrant=name, other=f"{name}x", base=f"{name}B", head=f"{name}H")
        for name in names
    ]
    items = tuple(ChangedItem(name=one, how=one, why=one) for one in HOSTILE)
    about = ChangeCheck(
        base=HEAD, head="", margin=0.1, compared=items, ignored=items, entrants=tuple(entrants),
        untouched=tuple(HOSTILE),
    )  # fmt: skip
    said = text(with_change(tally(facts(rows, tasks=tasks)), about), limit_chars=limit)
    assert len(said.encode("utf-16-le")) // 2 <= limit
    assert said.startswith(MARKER)
    found = render(said)
    assert found.comments == [" patchmark:change-check v1 "]
    assert found.links_made_by_github == []
    assert found.events.count("<details >") == found.events.count("</details>")


HELPS, HURTS = CASES["helps"], measured({"openai:a": ("P" * 14, "F" * 14)})
BETTER = measured({"openai:a": ("F" * 14, "P" * 14)})


def asked(mode: Mode, report: Report, number: int, said: str) -> Decision:
    run = run_id(str(number), "1", datetime(2026, 3, number, tzinfo=UTC))
    assert report.change is not None
    return decide(mode, report, report.change, run, said)


def after(mode: Mode, *reports: Report) -> list[bool]:
    """Which of these runs, one after the other, write."""
    said, wrote = "", []
    for number, report in enumerate(reports, 1):
        found = asked(mode, report, number, said)
        said = stamp_line(found.stamp) if found.write else said
        wrote.append(found.write)
    return wrote


def test_when_it_is_worth_a_word() -> None:
    idle = CASES["idle"]
    assert after("always", HELPS, HELPS, HURTS) == [True, True, True]
    assert after("changes", HELPS, BETTER, HURTS, HURTS, HELPS) == [True, False, True, False, True]
    assert after("regressions", HELPS, HURTS, HURTS, HELPS, HELPS) == [
        False,
        True,
        True,
        True,
        False,
    ]
    # Nobody is told that there was nothing to measure, unless the comment says otherwise.
    assert after("always", idle, HELPS, idle) == [False, True, True]
    assert after("changes", idle, HURTS, idle, idle) == [False, True, True, False]


@pytest.mark.parametrize("mode", ["always", "changes", "regressions"])
def test_no_older_run_writes_over_a_newer_one(mode: Mode) -> None:
    said = stamp_line(asked("always", HELPS, 5, "").stamp)
    found = asked(mode, HURTS, 4, said)
    assert (found.write, found.why) == (False, "the comment tells of a newer run")


def test_it_and_the_backtests_comment_leave_each_other_alone() -> None:
    with FakeGitHub() as server, opened(server) as repository:

        def publish(marker: str, words: str) -> None:
            posting.publish(
                repository, NUMBER, lambda _: [f"{marker}\n{words}"], author=BOT, pace=QUICK,
                marker=marker,
            )  # fmt: skip

        publish(markdown.MARKER, "backtest")
        server.add("mallory", f"{MARKER}\nnot ours")
        for words in ("first", "second"):
            publish(MARKER, words)
    assert server.bodies == [
        f"{markdown.MARKER}\nbacktest",
        f"{MARKER}\nnot ours",
        f"{MARKER}\nsecond",
    ]
