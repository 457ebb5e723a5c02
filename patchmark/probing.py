"""The stage after solving: what models remember of the fixes, where that is asked for."""

from __future__ import annotations

from functools import partial

from core.echo import own_words
from core.types import Probe, Task
from models.probe import Prober
from patchmark.rewriting import originals
from patchmark.run import Run
from patchmark.solving import crew_of
from patchmark.sources import name_of
from patchmark.workers import Crews


def probe_stage(run: Run) -> None:
    """Tasks → probes, for every entrant that is a model.

    The title asked about is the one that was mined, whoever rewrote it since. A task with so
    few own words that no answer could show anything is not asked about. Everything is gone
    through each time and asks nothing twice: answers are on disk.
    """
    if not run.probers:
        return
    before = originals(run.folder.read(Task))
    tasks = [before[task.id] for task in run.all_tasks()]
    wanted = [(prober, task) for task in tasks if own_words(task).enough for prober in run.probers]
    known = run.probes()
    repository = name_of(run.repository, run.settings.repo)

    def one(item: tuple[Prober, Task]) -> Probe:
        prober, task = item
        found = prober.probe(task, repository)
        run.clock.check()
        if found != known.get((task.id, prober.name)):
            run.folder.append(found)
        return found

    with (
        run.show.stage("probe", len(wanted)) as step,
        Crews[Probe | None](run.lanes.close) as working,
    ):
        for item in wanted:
            work = partial(run.clock.unless_late, partial(one, item))
            working.submit(*crew_of(item[0].name), work)
        for found in working.results():
            if found is not None:
                step.advance(found.entrant)
