"""`--dry-run`: what a run would ask and what that may cost, before anything is spent."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import reduce

from rich.console import Console
from rich.table import Table

from core.git import Snapshot
from core.types import Task
from models.base import Entrant
from models.estimate import NOTHING, Estimate, estimate
from patchmark.mining import mine_stage
from patchmark.missing import Missing, missing_patches
from patchmark.run import Run
from patchmark.settings import Settings
from patchmark.stages import validate_stage


@dataclass(frozen=True, kw_only=True)
class Row:
    """One entrant."""

    entrant: str
    to_ask: int
    """Attempts that have no final answer yet."""
    least_usd: Decimal | None
    """For short answers; None where the price is not known."""
    most_usd: Decimal | None
    """What would be set aside if all of it were sent at once; no cap, no run goes beyond it."""
    so_far_usd: Decimal
    """What its answers in this run folder cost already; what is unknown is not in it."""
    usual_usd: Decimal | None
    """What its answers here cost on average; None before there are any."""

    @property
    def likely_usd(self) -> Decimal | None:
        """What is to be asked, at the cost of what was."""
        return None if self.usual_usd is None else self.usual_usd * self.to_ask


def dry_run(run: Run) -> list[Row]:
    """Mine and prove tasks, which costs nothing, and estimate the rest. Asks no model."""
    mine_stage(run)
    validate_stage(run)
    missing = missing_patches(run)
    return [_row(run, entrant, missing) for entrant in run.entrants]


def as_json(rows: list[Row]) -> str:
    """For programs; money as text, so that nothing of it is lost."""
    plain = [{**asdict(row), "likely_usd": row.likely_usd} for row in rows]
    return json.dumps(
        [{k: str(v) if isinstance(v, Decimal) else v for k, v in row.items()} for row in plain],
        indent=1,
    )


def show(rows: list[Row], settings: Settings, console: Console) -> None:
    """Print a line for each entrant, and what all of them may cost together."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("entrant", "to ask", "at least", "likely", "at most", "so far"):
        table.add_column(name, justify="left" if name == "entrant" else "right")
    for row in rows:
        money = (row.least_usd, row.likely_usd, row.most_usd)
        told = [_usd(usd) if row.to_ask else "-" for usd in money]
        table.add_row(row.entrant, str(row.to_ask), *told, _usd(row.so_far_usd))
    console.print(table)
    costs = [row for row in rows if row.to_ask]
    known = [row for row in costs if row.least_usd is not None and row.most_usd is not None]
    least = sum((row.least_usd or Decimal(0) for row in known), Decimal(0))
    most = sum((row.most_usd or Decimal(0) for row in known), Decimal(0))
    console.print(f"Together {_usd(least)} to {_usd(most)}{_cap(settings)}. Nothing was asked.")
    if len(known) < len(costs):
        names = ", ".join(row.entrant for row in costs if row not in known)
        console.print(
            f"Not in it, for want of a price under [prices] or of +window: {names}", markup=False
        )


def _row(run: Run, entrant: Entrant, missing: list[Missing]) -> Row:
    mine = [(one.task, one.attempt) for one in missing if one.entrant is entrant]
    batcher = run.batchers.get(entrant.name) if run.settings.batch else None
    asker = batcher.asker if batcher else None
    found = [estimate(entrant, task, _files(run, task), asker) for task, _ in mine]
    known = [one for one in found if one is not None]
    total = reduce(Estimate.__add__, known, NOTHING) if len(known) == len(found) else None
    patches = run.patches()
    answers = (patches[key].cost_usd for key in patches if key[1] == entrant.name)
    costs = [cost for cost in answers if cost is not None]
    spent = sum(costs, Decimal(0))
    return Row(
        entrant=entrant.name,
        to_ask=len(mine),
        least_usd=total.least if total else None,
        most_usd=total.most if total else None,
        so_far_usd=spent,
        usual_usd=spent / len(costs) if costs and spent else None,
    )


def _files(run: Run, task: Task) -> Snapshot:
    return Snapshot(run.repository, task.base_commit)


def _cap(settings: Settings) -> str:
    if settings.budget_usd is None:
        return ", with no cap: --budget-usd sets one"
    return f", and never more than ${settings.budget_usd} in this run folder"


def _usd(amount: Decimal | None) -> str:
    if amount is None:
        return "?"
    return f"${amount:.2f}" if amount >= 1 or not amount else f"${amount:.4f}"
