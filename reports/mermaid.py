"""Cost against pass rate as a mermaid chart, which GitHub draws within a comment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from core.report import Report

MOST = 12
"""Points that can be told apart."""
_NAME = 24
_ODD = re.compile(r"[^A-Za-z0-9 ._:+-]+")
_ACROSS, _UP = (0.2, 0.8), (0.03, 0.97)
"""Off the edges, where a name would be cut away, or half a point."""


def chart(report: Report) -> str:
    """The chart's source; empty unless two models were scored at a known cost.

    Cost is that of a scored attempt, and rates are those of the table of the frontier.

    Names are cut down to letters, digits and a few signs: mermaid takes no escapes within them.
    """
    figures = report.analysis.entrants if report.analysis else ()
    rows = [
        (one.entrant, one.cost_per_attempt_usd, one.rate)
        for one in figures
        if one.rate is not None and one.cost_per_attempt_usd is not None
    ]
    dearest = max((cost for _, cost, _ in rows), default=Decimal(0))
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


def _points(
    rows: Sequence[tuple[str, Decimal, float]], dearest: Decimal
) -> list[tuple[str, float, float]]:
    names: dict[str, int] = {}
    found = []
    for entrant, cost, rate in rows:
        name = _ODD.sub(" ", entrant).strip()[:_NAME] or "model"
        names[name] = names.get(name, 0) + 1
        again = f" {names[name]}" if names[name] > 1 else ""
        x, y = _within(_ACROSS, float(cost / dearest)), _within(_UP, rate)
        found.append((name + again, x, y))
    return found


def _within(ends: tuple[float, float], share: float) -> float:
    """A share from 0 to 1 between the ends."""
    return ends[0] + share * (ends[1] - ends[0])
