"""The words for what happened, the same in every rendering, and the warnings above a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from core.report import ChangeCheck, EntrantRow, Gate, Report
from core.types import DropReason, Outcome

REFERENCE = "reference"
EMPTY = "empty"
BASELINES = (REFERENCE, EMPTY)


@dataclass(frozen=True)
class Sign:
    """How an outcome is shown; the colour of a sign never says more than its shape."""

    plain: str
    """One column wide in every terminal."""
    emoji: str
    word: str
    meaning: str


SIGNS: dict[Outcome, Sign] = {
    Outcome.PASSED: Sign("✓", "✅", "passed", "fixes the bug and breaks nothing"),
    Outcome.FAILED: Sign("✗", "❌", "failed", "does not fix the bug"),
    Outcome.REGRESSED: Sign("↯", "💥", "regressed", "fixes the bug and breaks other tests"),
    Outcome.TAMPERED: Sign("☠", "🚨", "tampered", "reaches for the tests or their results"),
    Outcome.NO_PATCH: Sign("∅", "⬜", "no patch", "the model gave no usable answer"),
    Outcome.DOES_NOT_APPLY: Sign("≠", "🧩", "does not apply", "the patch does not fit the files"),
    Outcome.TIMED_OUT: Sign("∞", "⌛", "timed out", "the tests did not end in time"),
    Outcome.ENVIRONMENT_BROKEN: Sign("!", "🚧", "environment broken", "not the model's doing"),
    Outcome.PROVIDER_FAILED: Sign("?", "🔌", "provider failed", "the model's API did not answer"),
    Outcome.OVER_BUDGET: Sign("$", "💸", "over budget", "not asked, the money was spent"),
    Outcome.CANCELLED: Sign("–", "⏹️", "cancelled", "the run ended before it was judged"),
}

_REASONS: dict[str, str] = {
    DropReason.BOT: "made by a bot",
    DropReason.REVERT: "a revert",
    DropReason.REVERTED_LATER: "reverted later",
    DropReason.NO_TESTS: "changes no test",
    DropReason.NO_SOURCE: "changes no source file",
    DropReason.DOCUMENTATION: "documentation only",
    DropReason.DEPENDENCIES: "dependencies only",
    DropReason.FORMATTING: "formatting only",
    DropReason.GENERATED: "generated or vendored files",
    DropReason.BINARY: "binary files",
    DropReason.ROOT_COMMIT: "the first commit",
    DropReason.EMPTY: "changes nothing",
    DropReason.MERGE: "a merge of a long-lived branch, looked at commit by commit",
    DropReason.DUPLICATE: "the same change as another one",
    DropReason.UNREADABLE: "not all of it is in this clone",
    DropReason.TOO_LARGE: "too large a change",
    DropReason.NOT_TEXT: "changes files that are no text",
    DropReason.TESTS_ONLY_DELETED: "only deletes tests",
    DropReason.NO_FAIL_TO_PASS: "no test fails before the fix and passes after it",
    DropReason.FLAKY: "the deciding tests are flaky",
    DropReason.FAILS_AFTER_FIX: "the tests fail even with the fix",
    DropReason.ENVIRONMENT_BROKEN: "the environment could not be built or run",
    DropReason.TIMED_OUT: "the tests did not end in time",
}
_STAGES = {"mine": "mining", "validate": "validation"}


class Tone(Enum):
    """How loud a banner is."""

    CAUTION = "caution"
    WARNING = "warning"


@dataclass(frozen=True)
class Banner:
    """A sentence that must be read before the numbers."""

    tone: Tone
    text: str


def reason_words(reason: str) -> str:
    """A drop reason in words; one that is not known here is shown as it is."""
    return _REASONS.get(reason, reason.replace("_", " "))


def stage_words(stage: str) -> str:
    """The stage that dropped a commit, as a noun."""
    return _STAGES.get(stage, stage)


def listing(names: Sequence[str], limit: int = 4) -> str:
    """`X`, `X and Y`, `X, Y and Z`, `X, Y, Z and 7 others`."""
    shown = [name if len(name) <= 60 else name[:59] + "…" for name in names]
    if len(shown) > limit:
        shown = [*shown[: limit - 1], f"{len(shown) - limit + 1} others"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def banners(report: Report) -> list[Banner]:
    """What must be said above the numbers of a report, loudest first."""
    found = []
    if report.tasks_broken:
        found.append(
            Banner(
                Tone.CAUTION,
                f"The tasks are broken: {REFERENCE} must pass every task and {EMPTY} none. "
                "Trust no number below before that is mended.",
            )
        )
    found += [Banner(Tone.WARNING, text) for text in report.partial]
    found += [
        Banner(Tone.WARNING, gate_words(gate)) for gate in report.gates if gate.state != "met"
    ]
    told = [fiction_words(report)] if report.fiction else []
    told += [replay_words(report)] if report.replayed else []
    if told:
        text = " ".join(f"{words[:1].upper()}{words[1:]}." for words in told)
        found.append(Banner(Tone.WARNING, text))
    return found


def gate_words(gate: Gate) -> str:
    """What came of a gate, for people."""
    return f"Gate {gate.name} {gate.asked}: {gate.state}. {gate.why}."


def versions_words(change: ChangeCheck) -> str:
    """Which two versions a check compares, and what tables call them."""
    head = change.head[:12] if change.head else "the working tree"
    names = " (+version=base-… in tables)", " (+version=head-…)"
    base_name, head_name = names if change.entrants else ("", "")
    return f"Base: {change.base[:12]}{base_name}. This change: {head}{head_name}."


def fiction_words(report: Report) -> str:
    """Whose answers are invented."""
    names = [row.name for row in report.entrants if row.fiction is not None]
    return f"answers of {listing(names)} are fiction written for the demo"


def replay_words(report: Report) -> str:
    """Whose answers were recorded; the numbers are then of the recording, not of today."""
    models = [row for row in report.entrants if not row.baseline]
    replayed = [row.name for row in models if row.replayed]
    if len(replayed) == len(models):
        return "made from recorded answers; no model was called"
    return f"answers of {listing(replayed)} are recorded; those models were not called"


def label(row: EntrantRow) -> str:
    """What must stand beside an entrant's name wherever it is shown with numbers."""
    words = []
    if row.fiction is not None:
        words.append("fiction")
    if row.replayed:
        words.append("recorded answers")
    if row.batched:
        words.append("by batch, at half price")
    if row.served_models:
        words.append(f"answered by {listing(row.served_models)}")
    return ", ".join(words)
