"""Cost against pass rate as a mermaid chart, which GitHub draws within a comment."""

from __future__ import annotations

import re
from decimal import Decimal

from core.report import EntrantRow, Report

MOST = 12
"""Points that can be told apart."""
_NAME = 32
_ODD = re.compile(r"[^A-Za-z0-9 ._:+-]+")
_LEAST, _MOST = 0.03, 0.97


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
        found.append((name + again, _inside(float(cost / dearest)), _inside(row.pass_rate or 0.0)))
    return found


def _inside(share: float) -> float:
    """Off the edges, where half a point would be cut away."""
    return min(_MOST, max(_LEAST, share))
