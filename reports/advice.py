"""What to do about the current model, in words that claim no more than the comparisons hold."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.analysis import Analysis, Comparison, Ratio
from reports.numbers import counted, per_cent, points
from reports.words import listing


def advice(analysis: Analysis) -> str | None:
    """Whether to switch from the current model; None where that is not told, or none is named."""
    found = against_anchor(analysis)
    if analysis.current is None or not found:
        return None
    return recommended(analysis, "Switch to") or _stay(analysis, found)


def recommended(analysis: Analysis, do: str) -> str | None:
    """`DO X: …` for a model that is better than the anchor, else for one as good and cheaper."""
    found = against_anchor(analysis)
    return _better(found, do) or _as_good(found, analysis.margin, do)


def against_anchor(analysis: Analysis) -> list[Comparison]:
    """Every other model beside the anchor."""
    return [one for one in analysis.comparisons if one.second == analysis.anchor]


def _as_good(found: Sequence[Comparison], margin: float, do: str) -> str | None:
    """Of those that are as good the cheapest, where it is surely cheaper."""
    cheap = [
        one
        for one in found
        if one.not_worse == "yes" and one.called != "worse" and _surely_less(one.cost)
    ]
    if not cheap:
        return None
    one = min(cheap, key=lambda one: (one.cost.value if one.cost else 0, one.first))
    words = f"not worse than {listing([one.second])} by more than {points(margin)} (95 %)"
    return f"{do} {listing([one.first])}: {words}{_price(one)}{_speed(one)}."


def too_early(analysis: Analysis) -> str:
    """`Too early to tell: about 14 more tasks would …`, where anything is open; else empty."""
    open_ones = [one for one in against_anchor(analysis) if one.more_tasks != 0]
    if not open_ones:
        return ""
    told = [one for one in open_ones if one.more_tasks is not None]
    if not told:
        return "Too early to tell, and no number of tasks within reach would. "
    nearest = min(told, key=lambda one: (one.more_tasks or 0, one.first))
    about = f" tell about {listing([nearest.first])}" if len(open_ones) > 1 else ""
    tasks = counted(nearest.more_tasks or 0, "more task")
    return f"Too early to tell: about {tasks} would{about}, if they go like these. "


def _better(found: Sequence[Comparison], do: str) -> str | None:
    better = [one for one in found if one.called == "better"]
    if not better:
        return None
    one = max(better, key=lambda one: (one.difference or 0, one.first))
    words = f"better than {listing([one.second])} {_by(one)}"
    return f"{do} {listing([one.first])}: {words}{_price(one)}{_speed(one)}."


def _stay(analysis: Analysis, found: Sequence[Comparison]) -> str | None:
    """Where every other model is worse, or as good and not surely cheaper."""
    worse = [one for one in found if one.called == "worse" or one.not_worse == "no"]
    equal = [one for one in found if one.not_worse == "yes" and one not in worse]
    if len(worse) + len(equal) < len(found):
        return None
    name = listing([analysis.current or ""])
    parts = []
    if len(worse) == 1:
        parts.append(f"{listing([worse[0].first])} is worse {_by(worse[0])}")
    elif worse:
        parts.append(f"{listing([one.first for one in worse])} are worse")
    if equal:
        verb = "is" if len(equal) == 1 else "are"
        names = listing([one.first for one in equal])
        parts.append(
            f"{names} {verb} not worse by more than {points(analysis.margin)} (95 %), "
            "but not shown to be cheaper"
        )
    return f"Stay with {name}: {'; '.join(parts)}."


def _by(one: Comparison) -> str:
    """The size of a difference, rounded outwards: `by 21 points (95 % interval 4 to 38)`."""
    ends = sorted((one.low or 0, one.high or 0))
    if one.called == "worse" or one.not_worse == "no":
        ends = [-ends[1], -ends[0]]
    low, high = math.floor(100 * ends[0]), math.ceil(100 * ends[1])
    return f"by {points(round(abs(one.difference or 0), 2))} (95 % interval {low} to {high})"


def _price(one: Comparison) -> str:
    if one.cost is None:
        return "; one of the costs is unknown"
    if one.cost.low is None or one.cost.high is None or one.cost.low <= 1 <= one.cost.high:
        return "; their costs cannot be told apart"
    if one.cost.value < 1:
        return f", {per_cent(one.cost.value)} of the cost"
    return f", {one.cost.value:.1f} times the cost"


def _speed(one: Comparison) -> str:
    """Empty where neither is surely the faster one."""
    times = one.seconds
    if _surely_less(times) and times is not None:
        return f", {1 / times.value:.1f}× faster"
    if times is not None and times.low is not None and times.low > 1:
        return f", {times.value:.1f}× slower"
    return ""


def _surely_less(ratio: Ratio | None) -> bool:
    return ratio is not None and ratio.high is not None and ratio.high < 1
