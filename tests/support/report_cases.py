"""Runs at the edges: empty, tiny, huge and hostile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache

from support.hostile import HOSTILE
from support.report_data import START, demo, diff, drop, facts, patch, probe, task, verdict

from core.attempts import by_attempt
from core.report import ApartRow, Report
from core.types import Cutoff, DropReason, Expected, Link, StatementSource
from reports.tally import tally


def _hostile() -> Report:
    """Every text a stranger can write is hostile, in every field."""
    run = facts({name[:70] or "m": "R" * 5 for name in HOSTILE[:6]})
    tasks = [
        task(
            number,
            title=text or "x",
            statement=text,
            gold_patch=text or "x",
            labels=(text, text),
            links=(Link(issue=3, rule=text),),
            runner_files=(text,),
            expects=(Expected(kind="function", name=text, signature=text, path=text),),
        )
        for number, text in enumerate(HOSTILE)
    ]
    patches, verdicts = [], []
    for one in tasks:
        for name in run.entrants:
            patches.append(patch(one, name, diff=one.statement, served_model=one.title[:50]))
            bad = (one.title, "`" + one.title, one.title + "|")
            detail = {"not_fixed": bad, "broken": bad, "dropped_edits": bad, "detail": one.title}
            verdicts.append(verdict(one, name, "R", 1, **detail))
    dropped = [drop(n, DropReason.FLAKY, "mine", text) for n, text in enumerate(HOSTILE)]
    apart = [ApartRow(id=t.id, title=t.title, fix_commit="0" * 40, why=t.title) for t in tasks]
    probes = [
        probe(one, name, verbatim=(one.title, one.title), fiction=one.title)
        for one in tasks
        for name in run.entrants
    ]
    known = Cutoff(day=START.date(), stated=HOSTILE[3], source=HOSTILE[1])
    texts = {
        "probes": probes, "cutoffs": dict.fromkeys(run.entrants, known),
        "repository": HOSTILE[1], "limits": HOSTILE, "dropped": dropped, "notices": HOSTILE,
        "rewriter": HOSTILE[2], "apart": apart, "apart_tasks": tasks[:3],
    }  # fmt: skip
    texts |= {"patches": by_attempt(patches), "verdicts": by_attempt(verdicts)}
    return tally(replace(run, tasks=tasks, **texts))  # type: ignore[arg-type]


def _huge_patches() -> Report:
    text = diff("shop/a.py", "x", "y") + "+" + "é" * 79 + "\n"
    ten_megabytes = text + ("+" + "a line of code " * 5 + "\n") * 140_000
    run = facts({"a": "PF", "b": "FR"})
    patches = [item.model_copy(update={"diff": ten_megabytes}) for item in run.patches.values()]
    one_line = patches[0].model_copy(update={"diff": "x" * 10_000_000})
    return tally(replace(run, patches=by_attempt([one_line, *patches[1:]])))


def _many() -> Report:
    row = "PFRNATEVBP" * 31
    names = [f"provider-{n}:model-with-a-rather-long-name-{n}" for n in range(30)]
    return tally(
        facts(
            {name: row[at : at + 300] for at, name in enumerate(names[:10])}
            | dict.fromkeys(names[10:], row[9:309])
        )
    )


def _attempts() -> Report:
    run = facts({"reference": "PP", "empty": "FF", "a": "PF", "b": "FF"})
    again = [item.model_copy(update={"attempt": 2}) for item in run.verdicts.values()]
    paid = [item.model_copy(update={"attempt": 2}) for item in run.patches.values()]
    return tally(
        replace(
            run,
            attempts=2,
            verdicts={**run.verdicts, **by_attempt(again)},
            patches={**run.patches, **by_attempt(paid)},
        )
    )


def _apart() -> Report:
    """Two candidates are kept apart, one of them was run; a model wrote the statements."""
    run = facts({"reference": "PPP", "empty": "FFF", "a": "PFP", "b": "FFP"})
    extra = task(50, leak=0.75, statement_source=StatementSource.REWRITTEN)
    results = {"reference": "P", "empty": "F", "a": "P", "b": "F"}
    rows = [
        ApartRow(id=extra.id, title=extra.title, fix_commit=extra.fix_commit, why="holds 75 %"),
        ApartRow(id="0" * 12, title="Fix", fix_commit="0" * 40, why="says next to nothing"),
    ]
    return tally(
        replace(
            run,
            patches={**run.patches, **by_attempt(patch(extra, name) for name in results)},
            verdicts={
                **run.verdicts,
                **by_attempt(verdict(extra, n, letter) for n, letter in results.items()),
            },
            apart=rows,
            apart_tasks=[extra],
            notices=["14 issues could not be looked up on GitHub."],
            rewriter="google:gemini-3.5-flash",
            rewriting_usd=Decimal("0.04"),
        )
    )


def _memory() -> Report:
    """Two models: one knows fixes of before its cutoff by heart, of the other nothing is known."""
    tasks = [
        task(n, gold_patch=diff(f"shop/part_{n}.py", "total = sum(items)", _OWN)) for n in range(12)
    ]
    old, new = "anthropic:claude-opus-4-8", "google:ours"
    run = facts(
        {"reference": "P" * 12, "empty": "F" * 12, old: "FFFFPPPPPFPP", new: "PFPPFPPPBPFP"},
        tasks=tasks,
    )
    by_heart = {one.id: one.gold_patch for one in tasks[7:]}
    patches = [
        item.model_copy(update={"diff": by_heart[item.task_id]})
        if item.entrant == old and item.task_id in by_heart
        else item
        for item in run.patches.values()
    ]
    probes = [
        probe(one, old, similarity=1.0 if n > 8 else 0.25, verbatim=(_OWN,) if n > 8 else ())
        for n, one in enumerate(tasks)
    ]
    stated = Cutoff(
        day=date(2026, 1, 31), stated="2026-01", source="the vendor's page", read_on=START.date()
    )
    return tally(
        replace(run, patches=by_attempt(patches), probes=probes, cutoffs={old: stated, new: None})
    )


_OWN = "net = grossed.minus(rebate)  # a rebate never exceeds its invoice"

_CASES: dict[str, Callable[[], Report]] = {
    "demo": lambda: tally(demo()),
    "no tasks": lambda: tally(facts({"reference": "", "empty": "", "a": ""}, tasks=[])),
    "nothing at all": lambda: tally(replace(facts({}, tasks=[]), dropped=[], limits=[])),
    "one task": lambda: tally(facts({"reference": "P", "empty": "F", "a": "P", "b": "F"})),
    "baselines only": lambda: tally(facts({"reference": "PPP", "empty": "FFF"})),
    "one entrant": lambda: tally(facts({"a": "PFRNATEVB."})),
    "all passed": lambda: tally(facts({"a": "P" * 9, "b": "P" * 9})),
    "none passed": lambda: tally(facts({"a": "F" * 9, "b": "N" * 9})),
    "nothing scored": lambda: tally(facts({"a": "VVB", "b": "..."})),
    "broken tasks": lambda: tally(facts({"reference": "PPF", "empty": "FPF", "a": "PPP"})),
    "unknown prices": lambda: tally(
        facts({"a": "PPF", "b": "PFF"}, adjust=lambda a: a.model_copy(update={"cost_usd": None}))
    ),
    "two attempts": _attempts,
    "thirty entrants, 300 tasks": _many,
    "10 MB patches": _huge_patches,
    "kept apart": _apart,
    "memory": _memory,
    "hostile": _hostile,
}
NAMES = tuple(_CASES)


@cache
def case(name: str) -> Report:
    """One of the runs, made once."""
    return _CASES[name]()
