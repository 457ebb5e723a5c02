"""Cost against pass rate as a mermaid chart, which GitHub draws within a comment."""

from __future__ import annotations

import re
from decimal import Decimal

from core.report import EntrantRow, Report

MOST = 12
"""Points that can be told apart."""
_NAME = 24
_ODD = re.compile(r"[^A-Za-z0-9 ._:+-]+")
_ACROSS, _UP = (0.2, 0.8), (0.03, 0.97)
"""Off the edges, where a name would be cut away, or half a point."""


def chart(report: Report) -> str:
    """The chart's source; empty unless two models were scored at a known cost.

    Names are cut down to letters, digits and a few signs: mermaid takes no escapes within them.
    """
    rows = [
        (row, cost)
        for row in report.entrants
        if not row.baseline and row.pass_rate is not None and (cost := _cost(row)) is not None
    ]
    dearest = max((cost for _, cost in rows), default=Decimal(0))
    if not 2 <= len(rows) <= MOST or not dearest:
        return ""
    points = [f'  "{name}": [{x:.2f}, {y:.2f}]' for name, x, y in _points(rows, dearest)]
    return "\n".join(
        [
            "quadrantChart",
            "  title Pass rate against cost",
            "  x-axis Cheaper --> Dearer",
            "  y-axis Solves fewer --> Solves more",
            *points,
        ]
    )


def _cost(row: EntrantRow) -> Decimal | None:
    """US dollars an attempt."""
    return row.cost_usd / row.tasks if row.cost_usd is not None and row.tasks else None


def _points(
    rows: list[tuple[EntrantRow, Decimal]], dearest: Decimal
) -> list[tuple[str, float, float]]:
    names: dict[str, int] = {}
    found = []
    for row, cost in rows:
        name = _ODD.sub(" ", row.name).strip()[:_NAME] or "model"
        names[name] = names.get(name, 0) + 1
        again = f" {names[name]}" if names[name] > 1 else ""
        found.append(
            (
                name + again,
                _within(_ACROSS, float(cost / dearest)),
                _within(_UP, row.pass_rate or 0.0),
            )
        )
    return found


def _within(ends: tuple[float, float], share: float) -> float:
    """A share from 0 to 1 between the ends."""
    return ends[0] + share * (ends[1] - ends[0])
