"""Earlier runs beside this one: one point an entrant and run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.digest import Digest
from core.report import Report
from reports import numbers
from reports.digest import digest_of
from reports.statistics import wilson


@dataclass(frozen=True, kw_only=True)
class Trend:
    """How one entrant did in one run. Rates are shares from 0 to 1; money is US dollars."""

    made_at: datetime
    head: str
    """The commit that the run looked back from."""
    entrant: str
    scored: int
    passed: int
    low: float | None
    high: float | None
    """95 % interval of passed / scored."""
    cost_per_solve_usd: Decimal | None

    @property
    def rate(self) -> float | None:
        """None where nothing was scored."""
        return self.passed / self.scored if self.scored else None


def trends_of(history: Sequence[Digest]) -> list[Trend]:
    """One point for each run and model; baselines are none."""
    found = []
    for run in history:
        for row in run.rows:
            if row.baseline:
                continue
            interval = wilson(row.passed, row.scored)
            found.append(
                Trend(
                    made_at=run.made_at,
                    head=run.head,
                    entrant=row.name,
                    scored=row.scored,
                    passed=row.passed,
                    low=interval.low if interval else None,
                    high=interval.high if interval else None,
                    cost_per_solve_usd=row.cost_per_solve_usd,
                )
            )
    return found


_WIDTH, _HEIGHT, _EDGE = 240, 96, 10
_MOST_RUNS = 30


@dataclass(frozen=True)
class Line:
    """One entrant over time, ready to be drawn; y grows downwards."""

    name: str
    points: tuple[tuple[float, float], ...]
    band: str
    """Outline of the intervals."""
    last: str
    """The latest rate."""
    told: str

    @property
    def path(self) -> str:
        """The points as coordinates."""
        return " ".join(f"{x},{y}" for x, y in self.points)


@dataclass(frozen=True)
class RunLine:
    """One run as a row of the table: when, of which commit, and each entrant's rate."""

    made_at: datetime
    head: str
    rates: tuple[str, ...]


@dataclass(frozen=True)
class Trends:
    """Earlier runs and this one."""

    width: int
    height: int
    names: tuple[str, ...]
    lines: tuple[Line, ...]
    runs: tuple[RunLine, ...]
    """The latest first."""
    more: int
    """Runs that are older than those shown."""


def trends(report: Report, earlier: Sequence[Trend]) -> Trends | None:
    """The latest runs with this one as the last; None where there was none before."""
    mine = trends_of([digest_of(report)])
    before = [one for one in earlier if one.made_at < report.made_at]
    moments = sorted({(one.made_at, one.head) for one in before})
    if not moments or not mine:
        return None
    shown = [*moments[1 - _MOST_RUNS :], (report.made_at, report.head)]
    found = {(one.made_at, one.head, one.entrant): one for one in (*before, *mine)}
    names = tuple(one.entrant for one in mine)
    rows = [[found.get((*moment, name)) for name in names] for moment in shown]
    return Trends(
        width=_WIDTH,
        height=_HEIGHT,
        names=names,
        lines=tuple(
            _line(name, [one for row in rows if (one := row[at]) is not None], shown)
            for at, name in enumerate(names)
        ),
        runs=tuple(
            RunLine(*moment, tuple(map(_rate, row)))
            for moment, row in reversed(list(zip(shown, rows, strict=True)))
        ),
        more=len(moments) + 1 - len(shown),
    )


def _line(name: str, ones: Sequence[Trend], shown: Sequence[tuple[datetime, str]]) -> Line:
    known = [one for one in ones if one.rate is not None]
    start, end = shown[0][0].timestamp(), shown[-1][0].timestamp()

    def x(one: Trend) -> float:
        share = (one.made_at.timestamp() - start) / (end - start) if end > start else 1.0
        return round(_EDGE + share * (_WIDTH - 2 * _EDGE), 1)

    high = [f"{x(one)},{_y(one.high if one.high is not None else 1.0)}" for one in known]
    low = [f"{x(one)},{_y(one.low or 0.0)}" for one in known]
    told = f"{name}: {', then '.join(map(_rate, known)) or 'never scored'}"
    return Line(
        name=name,
        points=tuple((x(one), _y(one.rate or 0.0)) for one in known),
        band=" ".join(high + low[::-1]),
        last=numbers.per_cent(known[-1].rate) if known else numbers.NONE,
        told=told,
    )


def _y(share: float) -> float:
    return round(_EDGE + (1 - share) * (_HEIGHT - 2 * _EDGE), 1)


def _rate(one: Trend | None) -> str:
    return numbers.rate(one.rate, one.passed, one.scored) if one else numbers.NONE
