"""The stage after judging: what models and people think of patches that passed, where asked."""

from __future__ import annotations

from collections.abc import Callable

from core.opinion import PEOPLE, Opinion, opinion_key
from core.types import Outcome
from models.review import Order, Pair, Reviewer
from patchmark.people import read_form, write_form
from patchmark.run import Run
from patchmark.workers import unordered

_CALLS_AT_ONCE = 4
_BASELINES = ("reference", "empty")


def review_stage(run: Run) -> None:
    """Patches that passed → opinions. Asks nothing twice: answers are on disk."""
    settings = run.settings
    if run.reviewer is None and settings.rubric is None:
        return
    pairs = pairs_of(run)
    known = run.opinions()

    def keep(opinion: Opinion) -> None:
        if known.get(opinion_key(opinion)) != opinion:
            run.folder.append(opinion)

    if settings.rubric is not None and settings.rubric.exists():
        for opinion in read_form(settings.rubric, pairs):
            keep(opinion)
    elif settings.rubric is not None:
        count = write_form(settings.rubric, pairs, settings.redactor)
        run.show.tell(f"{settings.rubric}: {count} pairs to judge; the same command reads it back")
    if run.reviewer is not None:
        _ask(run, run.reviewer, pairs, keep)


def _ask(run: Run, reviewer: Reviewer, pairs: list[Pair], keep: Callable[[Opinion], None]) -> None:
    orders: tuple[Order, Order] = (1, 2)

    def one(item: tuple[Pair, Order]) -> None:
        keep(reviewer.compare(*item))

    looks = [(pair, order) for pair in pairs for order in orders]
    with run.show.stage("quality", len(looks)) as step:
        for item, _ in unordered(looks, one, _CALLS_AT_ONCE):
            step.advance(item[0].task.id)


def pairs_of(run: Run) -> list[Pair]:
    """Patches of models that passed, beside the real fix."""
    patches, verdicts = run.patches(), run.verdicts()
    found = []
    for task in run.tasks():
        for entrant in run.settings.models:
            for attempt in range(1, run.settings.attempts + 1):
                key = (task.id, entrant, attempt)
                verdict = verdicts.get(key) if entrant not in _BASELINES else None
                if verdict is not None and verdict.outcome is Outcome.PASSED and key in patches:
                    found.append(Pair(task, patches[key]))
    return found


def opinions_of(run: Run) -> list[Opinion]:
    """Opinions on the patches that there are now."""
    opinions = run.opinions().values()
    if not opinions:
        return []
    now = {(p.task.id, p.patch.entrant, p.patch.attempt, p.id) for p in pairs_of(run)}
    wanted = run.settings.judge_model  # where none is asked for, whoever was before
    return [
        one
        for one in opinions
        if (wanted is None or one.judge in (wanted, PEOPLE))
        and (one.task_id, one.entrant, one.attempt, one.pair) in now
    ]
