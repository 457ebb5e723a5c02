"""Whether a change tells the very fixes that it is measured on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.report import TaskRow
from miner.scores import leak
from models.guidance import Guidance
from patchmark.change_check_plan import Plan
from patchmark.sampling import DEFAULT_MAX_LEAK


def told(tasks: Sequence[TaskRow], plan: Plan) -> tuple[str, ...]:
    """Titles of tasks of whose fix the head's guidance holds much, and more than the base's.

    Much = what keeps a task apart whose statement holds it.
    """
    sides = {name[:4]: version.guidance for name, version in plan.versions.items()}
    if len(sides) < 2:
        return ()
    found = []
    for task in tasks:
        lines = [
            line[1:]
            for line in task.gold_patch.splitlines()
            if line.startswith("+") and not line.startswith("+++")
        ]
        before, after = (_most(sides[name], lines) for name in ("base", "head"))
        if after > max(before, DEFAULT_MAX_LEAK):
            found.append(task.title)
    return tuple(found)


def _most(guidance: Guidance, lines: Sequence[str]) -> float:
    texts: Iterable[str] = guidance.files.values()
    return max((leak(text, lines) for text in texts), default=0.0)
