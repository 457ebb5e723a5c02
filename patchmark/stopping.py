"""`/patchmark stop`: cancels the workflow runs that commands on one pull request started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from core.errors import InfrastructureError, UsageError

if TYPE_CHECKING:
    from github.Repository import Repository
    from github.WorkflowRun import WorkflowRun

GOING_ON = ("in_progress", "queued", "waiting", "pending", "requested")
"""States of a run that has not ended."""


def title_of(number: int) -> str:
    """What the workflow has to call its runs, as its `run-name`.

    GitHub ties a comment's run to the default branch and to no pull request; the name that the
    workflow's own file gives it is the one thing in the list of runs that says which it is for.
    """
    return f"patchmark on command: #{number}"


def stop(repository: Repository, number: int, environment: Mapping[str, str]) -> str:
    """Cancel the earlier runs of our own workflow for this pull request; what came of it.

    Raises UsageError where the workflow's runs cannot be told apart, and what PyGithub raises.
    """
    own = _own(repository, environment)
    if own.display_title != title_of(number):
        raise UsageError(
            f"nothing was stopped: this run is called {own.display_title!r}, so its like cannot "
            "be told apart; the workflow needs "
            '`run-name: "patchmark on command: #${{ github.event.issue.number }}"`'
        )
    found = list(_earlier(repository, own))
    left = [run.html_url for run in found if not _cancelled(run)]
    if left:
        raise InfrastructureError(
            f"GitHub did not cancel {', '.join(left)}; the job needs `actions: write`"
        )
    return f"runs that were stopped: {len(found)}"


def _own(repository: Repository, environment: Mapping[str, str]) -> WorkflowRun:
    given = environment.get("GITHUB_RUN_ID", "")
    if not given.isascii() or not given.isdigit():
        raise UsageError(f"GITHUB_RUN_ID is {given!r}, which is no run")
    own = repository.get_workflow_run(int(given))
    own.complete()
    return own


def _cancelled(run: WorkflowRun) -> bool:
    """Whether it was cancelled, or has ended by itself meanwhile."""
    if run.cancel():
        return True
    run.update()
    return run.status == "completed"


def _earlier(repository: Repository, own: WorkflowRun) -> Iterator[WorkflowRun]:
    # By the file and by the name: another workflow's run may be called after a pull request,
    # and what that is called is up to whoever opens it.
    workflow = repository.get_workflow(own.workflow_id)
    for status in GOING_ON:
        for run in workflow.get_runs(event="issue_comment", status=status):
            if run.display_title == own.display_title and run.id < own.id:
                yield run
