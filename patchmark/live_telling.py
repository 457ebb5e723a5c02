"""Telling what came of pull requests that were tried: history, comments, the trial's issue.

Whatever GitHub refuses is a warning that says why: what was measured is in the job's summary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import PatchmarkError, UsageError
from core.live import LiveResult
from core.report import Report
from patchmark import posting
from patchmark.live_branch import GitHubShelf
from patchmark.posting import Posting, best, repository_at, run_of, track
from patchmark.settings import Settings
from patchmark.shelf import BRANCH, USUAL
from patchmark.trial import summary
from patchmark.workflow import Workflow
from reports import comment, markdown
from reports import live as text
from reports.escape import prose
from reports.stamp import Stamp, hash_of, run_id, stamp_in, stamp_line
from reports.trial import ended

if TYPE_CHECKING:
    from github.Repository import Repository

    from patchmark.action_inputs import ActionInputs

_DECISION = "<!-- patchmark:decision v1 -->"


def tell(
    inputs: ActionInputs,
    environment: Mapping[str, str],
    workflow: Workflow,
    settings: Settings,
    results: Sequence[LiveResult],
) -> None:
    """Add results to the history, comment on each pull request, and bring the trial up to date."""
    if not inputs.github_token:
        raise UsageError("the input `github-token` is empty")
    config = Path(inputs.config) if inputs.config else None
    with repository_at(environment, inputs.github_token, inputs.ca_bundle) as repository:
        known = _kept(repository, results, workflow)
        report = summary(settings, environment.get("GITHUB_REPOSITORY", ""), known, config)
        for result in results:
            workflow.summary(text.section(result))
        workflow.summary(markdown.summary(report))
        urls = [_comment(inputs, environment, repository, workflow, one) for one in results]
        urls.append(_track(inputs, environment, repository, workflow, report))
    row = best(report)
    workflow.output("verdict", report.verdict)
    workflow.output("best-model", row.name if row else "")
    workflow.output("comment-url", next((url for url in reversed(urls) if url), ""))


def _kept(
    repository: Repository, results: Sequence[LiveResult], workflow: Workflow
) -> list[LiveResult]:
    """All results there are, these among them even where they could not be added."""
    shelf = GitHubShelf(repository, USUAL.removeprefix(BRANCH), posting.PACE)
    known: list[LiveResult] = []
    try:
        for result in results:
            shelf.add(result)
        known = shelf.read()
    except PatchmarkError as error:
        workflow.warning(f"the history is not up to date: {error}")
        with suppress(PatchmarkError):
            known = shelf.read()
    return [*known, *(one for one in results if one not in known)]


def _comment(
    inputs: ActionInputs,
    environment: Mapping[str, str],
    repository: Repository,
    workflow: Workflow,
    result: LiveResult,
) -> str:
    """The comment's address; empty where there is none."""
    if inputs.comment == "off" or result.pull_request is None:
        return ""
    number, attempt = (environment.get(f"GITHUB_RUN_{name}", "") for name in ("ID", "ATTEMPT"))
    run = run_id(number, attempt, result.made_at)
    body = text.text(result)
    stamp = Stamp(**run.model_dump(), verdict=hash_of(body), best="")

    def bodies(said: str) -> list[str]:
        there = stamp_in(said)
        if there and (run.older_than(there) or there.verdict == stamp.verdict):
            return []
        return [f"{body.rstrip()}\n{stamp_line(stamp)}\n"]

    try:
        return comment.publish(
            repository,
            result.pull_request,
            bodies,
            author=None,
            pace=posting.PACE,
            marker=text.MARKER,
        ).url
    except PatchmarkError as error:
        workflow.warning(f"no comment on #{result.pull_request}: {error}")
        return ""


def _track(
    inputs: ActionInputs,
    environment: Mapping[str, str],
    repository: Repository,
    workflow: Workflow,
    report: Report,
) -> str:
    """The issue's address; empty where there is none."""
    if inputs.comment == "off" or not inputs.tracking_issue:
        return ""
    wanted = Posting(mode=inputs.comment, run=run_of(environment, report))
    try:
        done = track(repository, inputs.tracking_issue, report, wanted)
        if ended(report) and done.published.id:
            _announce(repository, done.published.id, report)
    except PatchmarkError as error:
        workflow.warning(f"no tracking issue, the trial is in the job summary: {error}")
        return ""
    return done.published.url


def _announce(repository: Repository, issue: int, report: Report) -> None:
    """One comment at the end: GitHub mails those, and nobody when a body changes."""
    body = f"{_DECISION}\n**{prose(report.verdict, 700)}**\n"
    comment.publish(
        repository, issue, lambda _: [body], author=None, pace=posting.PACE, marker=_DECISION
    )
