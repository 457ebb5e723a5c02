"""The stage between validating and solving: statements in a model's words, where asked for.

A rewriting always starts from the statement as it was mined. What a model wrote is used only
where it gives away no more than that did, or so little that it does not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from core.redact import NOTHING
from core.types import Patch, StatementSource, Stop, Task
from models.exchange import Slot
from models.exchange_store import ExchangeStore
from models.rewrite import Rewriter, Rewritten
from patchmark.progress import Step
from patchmark.workers import unordered

_CALLS_AT_ONCE = 4
_COMPARED = 1000
"""Characters of a statement that are looked for in a prompt, which may hold no more of it."""
LEAKS = "leaks"
"""Why a rewritten statement was not used, besides all `Stop`s but `answered`."""


@dataclass(frozen=True, kw_only=True)
class Gauge:
    """How the miner measures statements, handed in by who may know the miner."""

    leak: Callable[[str, str], float]
    """Text and gold patch → share of the added gold lines that the text holds, 0 to 1."""
    vagueness: Callable[[str], float]
    """Text → 0 says what happens and where, 1 says nothing."""
    leak_limit: float
    """A leak up to here is accepted, whatever it was before."""


@dataclass(frozen=True, kw_only=True)
class Rewriting:
    """What came of rewriting the statements of a run."""

    rewritten: int
    kept: Mapping[str, str]
    """Task id → why its original statement stands: `leaks`, or the `Stop` of the answer."""
    cost_usd: Decimal | None
    """US dollars for all rewritings in use or not, whenever paid; None = not known."""
    fiction: str | None = None
    """Set where a rewriting was written by hand; must be shown with the tasks."""

    @property
    def summary(self) -> str:
        """One line for a person."""
        words = f"{self.rewritten} of {self.rewritten + len(self.kept)} statements rewritten"
        if self.kept:
            why = sorted(Counter(self.kept.values()).items(), key=lambda item: (-item[1], item[0]))
            reasons = ", ".join(f"{reason.replace('_', ' ')} {count}" for reason, count in why)
            words += f", {len(self.kept)} left as they were ({reasons})"
        return words


def originals(records: Iterable[Task]) -> dict[str, Task]:
    """Each task by id as it was before any rewriting: the last record no model wrote.

    `records` are all lines of tasks.jsonl, in order. Nothing is lost that way: title, source
    and measures of the original stand in its own record.
    """
    found: dict[str, Task] = {}
    for record in records:
        if record.statement_source is not StatementSource.REWRITTEN:
            found[record.id] = record
        elif record.id not in found:
            found[record.id] = plain(record)
    return found


def plain(task: Task) -> Task:
    """The original of a task, from its rewritten record alone.

    Such a record holds the original text only. The title is then its first line, the source
    is guessed from the links, and the measures stay. `originals` is exact: prefer it.
    """
    text = task.original_statement
    if text is None:
        return task
    source = StatementSource.ISSUE if task.links else StatementSource.COMMIT_MESSAGE
    changes = {
        "title": " ".join(text.strip().partition("\n")[0].split()) or task.title,
        "statement": text,
        "statement_source": source,
        "original_statement": None,
    }
    return task.model_copy(update=changes)


def rewrite_all(
    tasks: Sequence[Task],
    before: Mapping[str, Task],
    rewriter: Rewriter,
    gauge: Gauge,
    append: Callable[[Task], None],
    step: Step,
) -> Rewriting:
    """Have the statements of tasks rewritten, a few at once.

    `tasks` are the latest records, `before` their `originals`. A record is appended where the
    outcome is another than the latest one says: a second run appends nothing, and asks
    nothing, since each answer is on disk before it is read. Raises UsageError where no answer
    can ever come.
    """

    def one(task: Task) -> tuple[Rewritten, str | None]:
        original = before[task.id]
        answer = rewriter.rewrite(original)
        new, why = _judged(original, answer, gauge)
        if new != task:
            append(new)
        return answer, why

    kept: dict[str, str] = {}
    answers: list[Rewritten] = []
    for task, (answer, why) in unordered(tasks, one, _CALLS_AT_ONCE):
        answers.append(answer)
        if why is not None:
            kept[task.id] = why
        step.advance(why or "")
    return Rewriting(
        rewritten=len(answers) - len(kept),
        kept=kept,
        cost_usd=_sum(answer.cost_usd for answer in answers),
        fiction=next((answer.fiction for answer in answers if answer.fiction), None),
    )


def is_about(patch: Patch, task: Task, exchanges: Path) -> bool:
    """False where a patch answers another statement than the one the task has now.

    Patches do not say what was asked; their kept questions do. A replay compares no prompts,
    so its patches are about the task whatever that says. Raises StoreError for a damaged file.
    """
    if patch.replayed:
        return True
    kept = ExchangeStore(exchanges, NOTHING).answer(Slot(patch.entrant, task.id, patch.attempt))
    if kept is None or kept.request is None:
        return True
    return _told(task.title, task.statement).strip()[:_COMPARED] in kept.request.user


def _judged(original: Task, answer: Rewritten, gauge: Gauge) -> tuple[Task, str | None]:
    """The task to use, and why it is the original where it is."""
    if answer.stop is not Stop.ANSWERED:
        return original, answer.stop.value
    told = _told(answer.title, answer.text)
    leak = gauge.leak(told, original.gold_patch)
    leaked = gauge.leak(_told(original.title, original.statement), original.gold_patch)
    if leak > max(leaked, gauge.leak_limit):
        return original, LEAKS
    changes = {
        "title": answer.title,
        "statement": answer.text,
        "statement_source": StatementSource.REWRITTEN,
        "original_statement": original.statement,
        "leak": leak,
        "vagueness": gauge.vagueness(told),
    }
    return original.model_copy(update=changes), None


def _told(title: str, text: str) -> str:
    """All that a solver is told, as `models.prompt` shows it."""
    return f"{title}\n\n{text}"


def _sum(costs: Iterable[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for cost in costs:
        if cost is None:
            return None
        total += cost
    return total
