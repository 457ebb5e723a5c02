"""`patchmark env`: whether the repository's past still runs, and how."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import tomli_w
from rich.console import Console
from rich.table import Table

from core.errors import UsageError
from core.git import Repository
from patchmark.config import NAME
from patchmark.repairing import Repaired, recorded, repair
from patchmark.run import Run
from patchmark.workers import in_order
from sandbox.probe import Probed, probe
from sandbox.recipe import EnvironmentSettings

DEFAULT_COMMITS = 10
DEFAULT_YEARS = 5.0
_GOOD_SHARE = 0.9


def spread(repository: Repository, commits: int, years: float) -> list[tuple[str, datetime]]:
    """HEAD and commits of its first-parent history, evenly over these years, newest first."""
    head = _dated(repository, "-1")
    if not head:
        raise UsageError(f"{repository.path}: has no commit")
    oldest = head[0][1] - timedelta(days=365.25 * years)
    rest = _dated(repository, f"--since={oldest.isoformat()}")[1:]
    wanted = min(commits, len(rest))
    chosen = [rest[(number + 1) * len(rest) // wanted - 1] for number in range(wanted)]
    return [head[0], *chosen]


def _dated(repository: Repository, limit: str) -> list[tuple[str, datetime]]:
    lines = repository.text("log", "--first-parent", "--format=%H %cI", limit).splitlines()
    return [(line[:40], datetime.fromisoformat(line[41:])) for line in lines]


def try_all(
    run: Run, commits: Sequence[tuple[str, datetime]], settings: EnvironmentSettings
) -> list[Probed]:
    """Each commit tried as these settings say, in the order given."""
    images, limits = run.images(settings), run.settings.limits

    def one(item: tuple[str, datetime]) -> Probed:
        return probe(run.engine, images, limits, *item)

    found = []
    with run.show.stage("env", len(commits)) as step:
        for probed in in_order(commits, one, run.settings.workers):
            found.append(probed)
            step.advance(probed.commit[:10])
    return found


def try_and_repair(
    run: Run, commits: Sequence[tuple[str, datetime]], repair_with: str | None
) -> tuple[list[Probed], Repaired | None]:
    """Each commit tried; where a model may repair, those that fail once more with its recipe."""
    found = try_all(run, commits, run.settings.environment)
    failing = [one for one in found if not one.works]
    if repair_with is None or not failing:
        return found, None
    repairer = run.repairer(repair_with)
    repaired = recorded(run) or repair(run, repairer, failing[0])
    if repaired is None:
        return found, None
    again = try_all(run, [(o.commit, o.committed_at) for o in failing], repaired.settings)
    better = {one.commit: one for one in again if one.works}
    return [better.get(one.commit, one) for one in found], repaired


def show(found: Sequence[Probed], console: Console) -> None:
    """The table, then what keeps the others from running."""
    table = Table(box=None, padding=(0, 1, 0, 0))
    for name, width in (("commit", 8), ("date", 7), ("recipe", 8), ("toolchain", 11)):
        table.add_column(name, no_wrap=True, overflow="ellipsis", min_width=width)
    for name in ("built", "tests", "pass", "fail", "skip", "took", "image"):
        table.add_column(name, justify="right", no_wrap=True, min_width=len(name))
    for one in found:
        table.add_row(*_row(one))
    console.print(table)
    working = sum(one.works for one in found)
    console.print(f"{working} of {len(found)} commits run their tests", highlight=False)
    for trouble, count in Counter(one.trouble for one in found if one.trouble).most_common():
        console.print(f"  {count} × {trouble}", style="dim", markup=False, highlight=False)


def _row(one: Probed) -> tuple[str, ...]:
    tests = one.tests
    failed = tests.get("failed", 0) + tests.get("error", 0)
    numbers = (sum(tests.values()), tests.get("passed", 0), failed, tests.get("skipped", 0))
    ran = one.built
    return (
        one.commit[:8],
        f"{one.committed_at:%Y-%m}",
        one.recipe.removeprefix(".github/workflows/"),
        one.toolchain,
        f"{one.build_seconds:.0f} s" if ran else "no",
        *(str(number) if ran else "–" for number in numbers),
        f"{one.test_seconds:.0f} s" if ran else "–",
        f"{one.image_bytes / 1e6:.0f} MB" if ran else "–",
    )


def as_json(found: Sequence[Probed]) -> str:
    """The table for programs."""
    return json.dumps([{**vars(one), "works": one.works} for one in found], default=str)


def write_down(found: Sequence[Probed], repo: Path, repaired: Repaired | None) -> str:
    """Add to patchmark.toml what was learned, for a person to review; says what it did.

    Settings that a person wrote are never touched.
    """
    path = repo / NAME
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    learned = _learned(found, repaired=repaired is not None)
    if repaired is not None:
        learned += f"# Found out by a model:\n{tomli_w.dumps(dict(repaired.written))}"
    if "[environment]" in before:
        return f"{path} has an [environment] already; learned:\n{learned}"
    gap = "\n" if before and not before.endswith("\n\n") else ""
    path.write_text(f"{before}{gap}{learned}", encoding="utf-8")
    return f"{path}: [environment] added; review it"


def _learned(found: Sequence[Probed], *, repaired: bool) -> str:
    working = [one for one in found if one.works]
    ecosystem = Counter(one.ecosystem for one in working).most_common(1)
    days = f"{found[-1].committed_at:%Y-%m} to {found[0].committed_at:%Y-%m}"
    tried = f"# Tried on {len(found)} commits, {days}: {len(working)} run their tests."
    lines = ["[environment]", tried]
    if ecosystem and not repaired:
        lines.append(f'ecosystem = "{ecosystem[0][0]}"')
    for name, count in Counter(one.toolchain for one in working).most_common():
        lines.append(f"# {count} × {name}")
    for name, count in Counter(one.recipe for one in working).most_common():
        lines.append(f"# {count} × by {name}")
    failing = [one for one in found if not one.works][:3]
    lines += [f"# {one.commit[:10]} does not run: {one.trouble[:120]}" for one in failing]
    if len(working) < _GOOD_SHARE * len(found):
        lines.append('# setup = ["…"]   # shell commands that bring what is missing')
    return "\n".join(lines) + "\n"
