"""Cost against pass rate as a drawing: where each point, whisker, name and line goes.

The same facts stand in the table of models; the drawing adds none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from core.analysis import EntrantFigures
from core.report import EntrantRow, Report
from reports import numbers, view

_TOP, _RIGHT, _BOTTOM, _LEFT = 16, 22, 46, 50
_CHARACTER, _BOLD, _LINE = 7.3, 8.3, 15
"""What a letter of a name takes at most, in the units of the drawing."""
_NAME = 30
_TICK = 85
"""Room for a tick's label."""
_RADIUS = 9
_ALL_NAMED = 12
"""Of more models only those on the frontier are named; the others have their numbers."""
_LOG_FROM = 8
"""Costs that differ more than this many times are drawn on a logarithmic axis."""


@dataclass(frozen=True)
class Tick:
    """A mark at an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Point:
    """One model."""

    number: int
    """Its place in the table of models."""
    name: str
    told: str
    """The facts in words."""
    x: float
    y: float
    top: float
    bottom: float
    best: bool
    """Nobody passes as much for less."""
    label: tuple[float, float, str] | None
    """Where its name goes; None where there is no room."""


@dataclass(frozen=True)
class Plot:
    """All there is to draw."""

    width: int
    height: int
    left: float
    right: float
    top: float
    bottom: float
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    points: tuple[Point, ...]
    line: str
    """Coordinates of the frontier, cheapest first."""
    told: str
    """The whole in words."""


@dataclass(frozen=True)
class _Axis:
    """From dollars to a coordinate."""

    low: float
    high: float
    log: bool
    left: float
    right: float

    def at(self, dollars: float) -> float:
        low, high, value = self.low, self.high, dollars
        if self.log:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        share = (value - low) / (high - low) if high > low else 0.5
        return round(self.left + share * (self.right - self.left), 1)


def unpriced(report: Report) -> list[str]:
    """Models that cannot be drawn, for want of a cost or of anything scored."""
    rows = [line.row for line in view.models(report)]
    return [row.name for row in rows if _cost(report, row) is None]


def _cost(report: Report, row: EntrantRow) -> Decimal | None:
    """US dollars an attempt, on average; None where that or the pass rate is unknown."""
    if row.pass_rate is None:
        return None
    figures = _figures(report).get(row.name)
    if figures is not None:
        return figures.cost_per_attempt_usd
    return row.cost_usd / row.tasks if row.cost_usd is not None else None


def _figures(report: Report) -> dict[str, EntrantFigures]:
    return {of.entrant: of for of in report.analysis.entrants} if report.analysis else {}


def plot(report: Report, width: int = 760, height: int = 400) -> Plot | None:
    """Where everything goes; None where fewer than two models can be drawn."""
    ranked = [(number, line.row) for number, line in enumerate(view.models(report), 1)]
    drawn = [(n, row, cost) for n, row in ranked if (cost := _cost(report, row)) is not None]
    if len(drawn) < 2:
        return None
    axis = _axis([float(cost) for _, _, cost in drawn], _LEFT, width - _RIGHT)
    best = {name for name, of in _figures(report).items() if of.on_frontier}
    bare = [
        _point(n, row, cost, axis.at(float(cost)), height, row.name in best)
        for n, row, cost in drawn
    ]
    line = sorted((p for p in bare if p.best), key=lambda p: (p.x, -p.y))
    points = _named(bare, line, width, height)
    return Plot(
        width=width,
        height=height,
        left=_LEFT,
        right=width - _RIGHT,
        top=_TOP,
        bottom=height - _BOTTOM,
        x_ticks=tuple(Tick(axis.at(v), numbers.money(Decimal(repr(v)))) for v in _steps(axis)),
        y_ticks=tuple(Tick(_y(n / 4, height), f"{25 * n} %") for n in range(5)),
        points=points,
        line=" ".join(f"{p.x},{p.y}" for p in line) if len(line) > 1 else "",
        told=" ".join(f"{p.told}." for p in points),
    )


def _axis(costs: Sequence[float], left: float, right: float) -> _Axis:
    low, high = min(costs), max(costs)
    if low > 0 and high / low > _LOG_FROM:
        return _Axis(low / 1.5, high * 1.5, True, left, right)
    return _Axis(0, (high or 1) * 1.12, False, left, right)


def _steps(axis: _Axis) -> list[float]:
    """Round amounts along the axis, as many as there is room for."""
    room = max(2, int((axis.right - axis.left) / _TICK))
    if not axis.log:
        raw = axis.high / min(5, room)
        ten = 10.0 ** math.floor(math.log10(raw))
        step = next(m * ten for m in (1, 2, 2.5, 5, 10) if m * ten >= raw)
        return [round(step * n, 12) for n in range(int(axis.high / step) + 1)]
    tens = range(math.floor(math.log10(axis.low)), math.ceil(math.log10(axis.high)) + 1)
    found: list[float] = []
    for steps in ((1, 2, 5), (1, 3), (1,)):
        found = [round(m * 10.0**t, 12) for t in tens for m in steps]
        found = [value for value in found if axis.low <= value <= axis.high]
        if len(found) <= room:
            break
    return found


def _y(share: float, height: float) -> float:
    return round(height - _BOTTOM - share * (height - _BOTTOM - _TOP), 1)


def _point(
    number: int, row: EntrantRow, cost: Decimal, x: float, height: float, best: bool
) -> Point:
    rate = row.pass_rate or 0.0
    told = (
        f"{row.name}: {numbers.rate(row.pass_rate, row.passed, row.scored)}, "
        f"95 % interval {numbers.interval(row.ci_low, row.ci_high)}, "
        f"{numbers.money(cost)} an attempt{', on the frontier' if best else ''}"
    )
    low, high = row.ci_low or 0.0, row.ci_high if row.ci_high is not None else 1.0
    return Point(
        number, row.name, told, x, _y(rate, height), _y(high, height), _y(low, height), best, None
    )


def _named(
    points: Sequence[Point], line: Sequence[Point], width: float, height: float
) -> tuple[Point, ...]:
    """Each with its name beside it, where that covers nothing; those on the frontier first."""
    taken = [_box(p.x, p.y, 2 * _RADIUS + 2, 2 * _RADIUS + 2) for p in points]
    taken += [_box(p.x, (p.top + p.bottom) / 2, 3, p.bottom - p.top) for p in points]
    taken += [_box(x, y, 4, 4) for start, end in pairwise(line) for x, y in _along(start, end)]
    found: dict[int, Point] = {}
    for point in sorted(points, key=lambda p: (not p.best, p.number)):
        named = point.best or len(points) <= _ALL_NAMED
        label = _label(point, taken, width, height) if named else None
        found[point.number] = Point(**(vars(point) | {"label": label}))
    return tuple(found[point.number] for point in points)


def _along(start: Point, end: Point) -> Iterator[tuple[float, float]]:
    steps = max(1, int(math.hypot(end.x - start.x, end.y - start.y) / 10))
    for n in range(steps + 1):
        share = n / steps
        yield start.x + share * (end.x - start.x), start.y + share * (end.y - start.y)


def _label(
    point: Point, taken: list[tuple[float, float, float, float]], width: float, height: float
) -> tuple[float, float, str] | None:
    name = point.name if len(point.name) <= _NAME else point.name[: _NAME - 1] + "…"
    wide = len(name) * (_BOLD if point.best else _CHARACTER)
    for x, y in _places(point, wide):
        box = _box(x, y, wide, _LINE)
        inside = box[0] >= _LEFT and box[2] <= width and box[1] >= 0
        inside = inside and box[3] <= height - _BOTTOM
        if inside and not any(_overlap(box, other) for other in taken):
            taken.append(box)
            return round(x, 1), round(y + 4, 1), name
    return None


def _places(point: Point, wide: float) -> Iterator[tuple[float, float]]:
    """Where a name may stand, best first: beside the circle, then at the interval's ends."""
    aside = wide / 2 + _RADIUS + 5
    for up in (0, -16, 16, -30, 30):
        yield point.x + aside, point.y + up
        yield point.x - aside, point.y + up
    for y in (point.top - _LINE, point.bottom + _LINE):
        yield point.x, y
        yield point.x - wide / 3, y
        yield point.x + wide / 3, y


def _box(x: float, y: float, wide: float, high: float) -> tuple[float, float, float, float]:
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
