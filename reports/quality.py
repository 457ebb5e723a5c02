"""What somebody thinks of patches that passed: counted beside the pass rate, never inside it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean

from core.opinion import PEOPLE, Better, Opinion
from core.report import Agreement, Quality, QualityRow, Report
from reports import numbers
from reports.statistics import linear_kappa, wilson

_Place = tuple[str, str, int]
_ORDER: tuple[Better, ...] = ("patch", "tie", "fix")


@dataclass(frozen=True)
class QualityLine:
    """One row of the table."""

    name: str
    better: str
    even: str
    worse: str
    score: str
    fix_score: str
    swayed: str


def quality_of(opinions: Sequence[Opinion], entrants: Sequence[str]) -> Quality | None:
    """Count opinions; the model's where there is one, else those of people."""
    models = [one.judge for one in opinions if one.judge != PEOPLE]
    judge = models[-1] if models else PEOPLE
    mine = [one for one in opinions if one.judge == judge and one.entrant in entrants]
    if not mine:
        return None
    answered = [one for one in mine if one.better is not None]
    sided = [one for one in answered if one.better != "tie"]
    people = [one for one in opinions if one.judge == PEOPLE]
    return Quality(
        judge=judge,
        rows=tuple(row for name in entrants if (row := _row(name, mine)) is not None),
        sided=len(sided),
        first_shown=sum(one.better == one.first for one in sided),
        unanswered=dict(Counter(str(one.stop) for one in mine if one.better is None)),
        cost_usd=_cost(mine) if judge != PEOPLE else Decimal(0),
        agreement=_agreement(mine, people) if judge != PEOPLE else None,
    )


def verdict_of(looks: Sequence[Opinion]) -> Better | None:
    """What all looks at a pair come to: where they differ, it is even. None = not all answered.

    A model looks twice, a person once.
    """
    said = [one.better for one in looks]
    if None in said or len(said) < (1 if looks[0].judge == PEOPLE else 2):
        return None
    return said[0] if len(set(said)) == 1 else "tie"


def _row(name: str, opinions: Sequence[Opinion]) -> QualityRow | None:
    places = _by_place(one for one in opinions if one.entrant == name)
    if not places:
        return None
    ends = Counter(verdict_of(looks) for looks in places.values())
    looks = [one for some in places.values() for one in some if verdict_of(some) is not None]
    whole = [some for some in places.values() if verdict_of(some) is not None]
    return QualityRow(
        entrant=name,
        pairs=len(places),
        better=ends["patch"],
        even=ends["tie"],
        worse=ends["fix"],
        swayed=sum(len({one.better for one in some}) > 1 for some in whole),
        score=_mean(one.patch_scores for one in looks),
        fix_score=_mean(one.fix_scores for one in looks),
    )


def _agreement(model: Sequence[Opinion], people: Sequence[Opinion]) -> Agreement | None:
    judged = {place: verdict_of(looks) for place, looks in _by_place(model).items()}
    # Equal patches of several entrants are one pair to a person, and count once.
    both = {
        one.pair: (_ORDER.index(one.better), _ORDER.index(said))
        for one in people
        if one.better is not None and (said := judged.get(_place(one))) is not None
    }
    if not both:
        return None
    same = sum(a == b for a, b in both.values())
    interval = wilson(same, len(both))
    return Agreement(
        pairs=len(both),
        same=same,
        low=interval.low if interval else 0.0,
        high=interval.high if interval else 1.0,
        kappa=linear_kappa(list(both.values()), len(_ORDER)),
    )


def _by_place(opinions: Iterable[Opinion]) -> dict[_Place, list[Opinion]]:
    found: dict[_Place, list[Opinion]] = defaultdict(list)
    for one in opinions:
        found[_place(one)].append(one)
    return found


def _place(one: Opinion) -> _Place:
    return one.task_id, one.entrant, one.attempt


def _mean(scores: Iterable[dict[str, int]]) -> float | None:
    given = [number for one in scores for number in one.values()]
    return fmean(given) if given else None


def _cost(opinions: Iterable[Opinion]) -> Decimal | None:
    total = Decimal(0)
    for one in opinions:
        if one.cost_usd is None:
            return None
        total += one.cost_usd
    return total


def quality_title(report: Report) -> str:
    """Whose opinion it is."""
    by = "people's" if report.quality and report.quality.judge == PEOPLE else "a model's"
    return f"Quality of passing patches ({by} opinion)"


def quality_lines(report: Report) -> list[QualityLine]:
    """The table's rows, in words."""
    rows = report.quality.rows if report.quality else ()
    return [
        QualityLine(
            name=row.entrant,
            better=str(row.better),
            even=str(row.even),
            worse=str(row.worse),
            score=_score(row.score),
            fix_score=_score(row.fix_score),
            swayed=str(row.swayed),
        )
        for row in rows
    ]


def quality_notes(report: Report) -> list[str]:
    """How to read it, a sentence each."""
    of = report.quality
    if of is None:
        return []
    notes = ["Each patch that passed was laid beside the real fix, without saying whose is which."]
    if of.judge == PEOPLE:
        return [*notes, "People judged; it is in no rate."]
    notes.append(
        f"{of.judge} judged each pair in both orders; where it changed its mind, the pair counts "
        f"as even. It is an opinion and in no rate. Cost of that, in no entrant's cost: "
        f"{numbers.money(of.cost_usd)}."
    )
    if bias := wilson(of.first_shown, of.sided):
        notes.append(
            f"Where it took a side, that was the first shown {of.first_shown} of {of.sided} times "
            f"(95 % interval {numbers.interval(bias.low, bias.high)}; 50 % = no bias of position)."
        )
    if of.unanswered:
        what = ", ".join(f"{stop} {count}" for stop, count in sorted(of.unanswered.items()))
        notes.append(f"Looks without an answer that can be read: {what}.")
    if of.agreement is not None:
        notes.append(_agreed(of.agreement))
    return notes


def _agreed(of: Agreement) -> str:
    kappa = "not defined" if of.kappa is None else f"{of.kappa:.2f}"
    return (
        f"It says what a person says of {of.same} of {of.pairs} pairs "
        f"(95 % interval {numbers.interval(of.low, of.high)}); Cohen's kappa with linear "
        f"weights: {kappa}."
    )


def _score(mean: float | None) -> str:
    return "–" if mean is None else f"{mean:.1f}"
