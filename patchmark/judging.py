"""Judging the patches of a run: what waits for it, and who does it."""

from __future__ import annotations

from core.outcomes import RULES
from core.types import Patch, Task, Verdict
from patchmark.clock import JUDGEMENT
from patchmark.run import Run
from sandbox.judge import verdict_key


class Judging:
    """Judges patches that have no current verdict, and keeps what it finds."""

    def __init__(self, run: Run):
        self._run = run
        self._known = run.verdicts()

    def waiting(self) -> list[tuple[Task, Patch]]:
        """The patches in the run folder that wait for a verdict."""
        tasks = {task.id: task for task in self._run.all_tasks()}
        return [
            (tasks[patch.task_id], patch)
            for patch in self._run.patches().values()
            if patch.task_id in tasks
            and patch.entrant in self._run.settings.models
            and self.known(tasks[patch.task_id], patch) is None
        ]

    def known(self, task: Task, patch: Patch) -> Verdict | None:
        """The verdict that the folder held already, where it is one that stands."""
        verdict = self._known.get((patch.task_id, patch.entrant, patch.attempt))
        wanted = verdict_key(task, patch, self._run.settings.limits)
        stands = verdict is not None and verdict.key == wanted and not RULES[verdict.outcome].again
        return verdict if stands else None

    def begin(self) -> None:
        """Note what test runs are held to. Raises EngineError where no engine answers."""
        held = self._run.place.confinement()
        if self._run.confinement() != held:
            self._run.folder.append(held)

    def verdict(self, task: Task, patch: Patch) -> Verdict:
        """The verdict on a patch, which is on disk when this returns. Raises TooLateError."""
        known = self.known(task, patch)
        if known is not None:
            return known
        place = self._run.place
        with place.room(), self._run.clock.work(JUDGEMENT):
            verdict = place.judge(task, patch)
        self._run.folder.append(verdict)
        return verdict
