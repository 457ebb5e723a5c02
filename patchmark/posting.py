"""Posting a report on a pull request: which GitHub, in which mode, and what it is put beside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from core.digest import Digest
from core.report import ChangeCheck, EntrantRow, Report
from reports.digest import digest_of
from reports.patience import Pace
from reports.quiet import Mode, decide
from reports.stamp import RunId, run_id, stamp_line

if TYPE_CHECKING:
    from github.Repository import Repository

    from reports.sticky import Bodies, Published

LONGEST = (60_000, 20_000, 4_000)
"""Characters of the comments that are tried, where GitHub finds one too long."""
PACE = Pace()


@dataclass(frozen=True, kw_only=True)
class Posting:
    """How a report is posted."""

    mode: Mode
    run: RunId
    kept: Digest | None = None
    """The run before, where no comment tells of any."""
    note: str = ""
    """Markdown of our own that goes above everything else."""


@dataclass(frozen=True)
class Posted:
    """What came of it, and why nothing was written where nothing was."""

    published: Published
    why: str


def best(report: Report) -> EntrantRow | None:
    """The entrant that stands for the run: the best model, or a baseline where none ran.

    Best is the highest pass rate, then the lowest known cost, then the first named.
    """
    scored = [row for row in report.entrants if row.pass_rate is not None]
    rows = [row for row in scored if not row.baseline] or scored
    return min(rows, key=_rank, default=None)


def run_of(environment: Mapping[str, str], report: Report) -> RunId:
    """The run that made this report, as the workflow counts its runs."""
    number, attempt = (environment.get(f"GITHUB_RUN_{name}", "") for name in ("ID", "ATTEMPT"))
    return run_id(number, attempt, report.made_at)


def kept_from(report_file: Path) -> Digest | None:
    """The numbers of the report that an earlier run left there; None where there is none."""
    try:
        return digest_of(Report.model_validate_json(report_file.read_bytes()))
    except (OSError, ValidationError):
        return None


@contextmanager
def repository_at(
    environment: Mapping[str, str], token: str, ca_bundle: str
) -> Iterator[Repository]:
    """The workflow's repository, to ask about with this token; asks nothing itself."""
    import github

    with github.Github(
        base_url=environment.get("GITHUB_API_URL") or "https://api.github.com",
        auth=github.Auth.Token(token),
        verify=ca_bundle or True,
        retry=None,  # reports.patience repeats, and keeps within a bound
        seconds_between_requests=0,
        seconds_between_writes=PACE.settle,
        lazy=True,
    ) as client:
        yield client.get_repo(environment.get("GITHUB_REPOSITORY", ""))


def post(repository: Repository, number: int, report: Report, posting: Posting) -> Posted:
    """Create, update or leave the comment. Raises PatchmarkError where GitHub does not let us."""
    from reports import change_check_comment, comment, markdown

    marker = markdown.MARKER if report.change is None else change_check_comment.MARKER

    def publish(bodies: Bodies) -> Published:
        return comment.publish(repository, number, bodies, author=None, pace=PACE, marker=marker)

    return _posted(publish, report, posting)


def track(repository: Repository, title: str, report: Report, posting: Posting) -> Posted:
    """The same with the tracking issue of this title."""
    from reports import tracking

    def publish(bodies: Bodies) -> Published:
        return tracking.publish(repository, title, bodies, pace=PACE)

    return _posted(publish, report, posting)


def _posted(publish: Callable[[Bodies], Published], report: Report, posting: Posting) -> Posted:
    why = ""

    def bodies(said: str) -> list[str]:
        nonlocal why
        if report.change is not None:
            texts, why = _of_a_change(report, report.change, posting, said)
            return texts
        row = best(report)
        name = row.name if row else ""
        found = decide(posting.mode, report, name, posting.run, said, posting.kept)
        why = "" if found.write else found.why
        if not found.write:
            return []
        end = stamp_line(found.stamp)
        return [_body(report, limit, found.before, posting.note, end) for limit in LONGEST]

    return Posted(publish(bodies), why)


def _of_a_change(
    report: Report, change: ChangeCheck, posting: Posting, said: str
) -> tuple[list[str], str]:
    """What the comment of a change check may say, or why it stays as it is."""
    from reports.change_check_comment import comment, decide

    found = decide(posting.mode, report, change, posting.run, said)
    if not found.write:
        return [], found.why
    end = stamp_line(found.stamp)
    # The stamp's own length is left: GitHub counts it as well.
    texts = [comment(report, change, limit_chars=limit - len(end)) for limit in LONGEST]
    return [f"{text.rstrip()}\n\n{end}\n" for text in texts], ""


def _body(report: Report, limit: int, before: Digest | None, note: str, end: str) -> str:
    from reports import markdown

    text = markdown.comment(report, limit_chars=limit, before=before)
    if note:
        text = text.replace(markdown.MARKER, f"{markdown.MARKER}\n{note}\n", 1)
    return f"{text.rstrip()}\n{end}\n"


def _rank(row: EntrantRow) -> tuple[float, bool, Decimal]:
    return (-(row.pass_rate or 0.0), row.cost_usd is None, row.cost_usd or Decimal(0))
