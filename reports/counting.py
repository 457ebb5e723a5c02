"""One entrant's row from the outcomes of its attempts: the same for a run and for a trial."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from core.report import EntrantRow
from core.types import Outcome
from reports.statistics import wilson
from reports.words import BASELINES


def row_of(name: str, found: Iterable[Outcome], cost: Decimal | None) -> EntrantRow:
    """What outcomes tell, one an attempt, and what these cost in US dollars; nothing else."""
    outcomes = Counter(found)
    scored = sum(count for outcome, count in outcomes.items() if outcome.scored)
    passed = outcomes[Outcome.PASSED]
    interval = wilson(passed, scored)
    return EntrantRow(
        name=name,
        baseline=name in BASELINES,
        tasks=outcomes.total(),
        scored=scored,
        passed=passed,
        pass_rate=passed / scored if scored else None,
        ci_low=interval.low if interval else None,
        ci_high=interval.high if interval else None,
        cost_usd=cost,
        cost_per_solve_usd=cost / passed if cost is not None and passed else None,
        seconds_p50=None,
        first_token_seconds_p50=None,
        outcomes={outcome: outcomes[outcome] for outcome in Outcome if outcomes[outcome]},
        served_models=(),
        replayed=False,
        fiction=None,
    )


def total(costs: Iterable[Decimal | None]) -> Decimal | None:
    """Their sum; None where one is unknown."""
    found = Decimal(0)
    for cost in costs:
        if cost is None:
            return None
        found += cost
    return found
