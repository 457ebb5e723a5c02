"""Posting what a fork's run measured: the second, trusted half of its workflow.

It runs after the fork's workflow, as the base repository, with a token that may write and without
a checkout. What GitHub says in the event is trusted. What the artifact holds is not: it is read as
`patchmark.artifact` says, rendered anew here, and never asked whose pull request it is about.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import PatchmarkError, UsageError
from core.report import Report
from patchmark.action_inputs import INPUT_PREFIX, comment_mode
from patchmark.artifact import RefusedArtifactError, read_report
from patchmark.events import payload_of
from patchmark.fetched_artifact import fetch
from patchmark.posting import PACE, Posting, post, repository_at
from patchmark.secrets import redactor_for, secrets_in
from patchmark.workflow import Workflow
from reports.patience import patiently
from reports.stamp import run_id

if TYPE_CHECKING:
    from github.PullRequest import PullRequest
    from github.Repository import Repository

MOST_PULLS = 300
"""Pull requests that are looked through for the one with our head."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Owner(_Part):
    login: str


class _Place(_Part):
    id: int
    full_name: str
    owner: _Owner


class _Run(_Part):
    """The run that the event is about, in GitHub's words."""

    id: int
    run_attempt: int = 1
    event: str
    head_sha: str
    head_branch: str | None = None
    head_repository: _Place | None = None
    repository: _Place
    updated_at: datetime


class _Unposted(Exception):  # noqa: N818
    """There is nothing to post, which is no error."""


def run(environment: Mapping[str, str]) -> int:
    """Post the artifact's report and return the exit code: 2 where the artifact is refused.

    Where there is nothing to post, or GitHub does not let us, it says so and returns 0.
    """
    environment = dict(environment)
    workflow = Workflow(environment, sys.stdout, redactor_for(environment))
    for secret in secrets_in(environment):
        workflow.mask(secret)
    try:
        _run(environment, workflow)
    except _Unposted as reason:
        workflow.notice(f"nothing was posted: {reason}")
    except PatchmarkError as error:
        workflow.error(str(error))
        return error.exit_code
    return 0


def _run(environment: Mapping[str, str], workflow: Workflow) -> None:
    mode = comment_mode(environment)
    if mode == "off":
        raise _Unposted("`comment` is `off`")
    token = environment.get(f"{INPUT_PREFIX}GITHUB_TOKEN", "").strip()
    if not token:
        raise UsageError("the input `github-token` is empty")
    if not any(
        environment.get(f"{INPUT_PREFIX}{n}", "").strip() for n in ("ARTIFACT", "DOWNLOADED")
    ):
        raise UsageError("the input `artifact` is empty")
    measured = _measured(environment)
    posting = Posting(
        mode=mode,
        run=run_id(str(measured.id), str(measured.run_attempt), measured.updated_at),
        note=_note(environment, measured),
    )
    bundle = _below_workspace(environment, "CA_BUNDLE")
    try:
        with repository_at(environment, token, bundle) as place:
            report = _report(environment, place, measured, bundle)
            pull_request = _proven(place, measured)
            _agree(report, measured, pull_request)
            done = post(place, pull_request.number, report, posting)
    except RefusedArtifactError:
        raise
    except PatchmarkError as error:
        workflow.warning(f"no comment: {error}")
        return
    if done.why:
        workflow.notice(f"the comment stays as it is: {done.why}")
    workflow.output("comment-url", done.published.url)


def _measured(environment: Mapping[str, str]) -> _Run:
    if environment.get("GITHUB_EVENT_NAME") != "workflow_run":
        raise UsageError("this step posts what another workflow left: run it on `workflow_run`")
    try:
        measured = _Run.model_validate(payload_of(environment).get("workflow_run"))
    except ValidationError as error:
        raise UsageError(f"GITHUB_EVENT_PATH: no event of a workflow's run: {error}") from error
    if measured.event != "pull_request":
        raise _Unposted(f"the run was started by `{measured.event}`, not by a pull request")
    return measured


def _report(
    environment: Mapping[str, str], repository: Repository, measured: _Run, bundle: str
) -> Report:
    """What the run left, without anything secret of ours."""
    if downloaded := _below_workspace(environment, "DOWNLOADED"):
        report = read_report(Path(downloaded))
    else:
        report = _fetched(environment, repository, measured, bundle)
    if report is None:
        raise _Unposted("the run left no report, as one without any entrant that needs no key does")
    # Changes are checked with this repository's money, so on no fork.
    return redactor_for(environment).record(report).model_copy(update={"change": None})


def _fetched(
    environment: Mapping[str, str], repository: Repository, measured: _Run, bundle: str
) -> Report | None:
    name = environment[f"{INPUT_PREFIX}ARTIFACT"].strip()
    place = measured.repository.full_name
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder, "artifact.zip")
        there = fetch(repository, place, measured.id, name, into, bundle)
        return read_report(into) if there else None


def _below_workspace(environment: Mapping[str, str], name: str) -> str:
    """The path that an input gives; empty where it gives none."""
    given = environment.get(f"{INPUT_PREFIX}{name}", "").strip()
    workspace = Path(environment.get("GITHUB_WORKSPACE") or Path.cwd())
    return str(workspace / given) if given else ""


def _proven(repository: Repository, measured: _Run) -> PullRequest:
    """The pull request whose head is what the run looked at, in the repository it ran in.

    From the repository that the run was started from: others may have pushed the same commit.
    """
    from reports.comment import explained

    with explained(f"{measured.repository.full_name}: pull requests"):
        found = patiently(lambda: list(_with_head(repository, measured)), PACE)
    still_open = [one for one in found if one.state == "open"] or found
    if len(still_open) != 1:
        many = "no pull request has" if not found else "several pull requests have"
        raise _Unposted(f"{many} the head {measured.head_sha}, which the run looked at")
    return still_open[0]


def _with_head(repository: Repository, measured: _Run) -> Iterator[PullRequest]:
    head, base = measured.head_repository, measured.repository
    searches: list[dict[str, str]] = [{"state": "open"}]
    if head and measured.head_branch:
        searches.insert(0, {"state": "all", "head": f"{head.owner.login}:{measured.head_branch}"})
    for search in searches:
        pulls = repository.get_pulls(sort="updated", direction="desc", **search)
        found = [
            one
            for one in islice(pulls, MOST_PULLS)
            if one.head.sha == measured.head_sha
            and one.base.repo.id == base.id
            and _fork_of(one) == (head.id if head else None)
        ]
        yield from found
        if found:
            return


def _fork_of(pull_request: PullRequest) -> int | None:
    # A fork that is gone is None, whatever PyGithub's types say.
    fork: Repository | None = pull_request.head.repo
    return None if fork is None else fork.id


def _agree(report: Report, measured: _Run, pull_request: PullRequest) -> None:
    """The report is of the head, or of its merge into the base, which `actions/checkout` takes."""
    if report.head not in (measured.head_sha, pull_request.merge_commit_sha):
        raise RefusedArtifactError(
            f"the artifact is refused: its report is about another commit than the run, whose "
            f"head is {measured.head_sha}; check that commit out"
        )


def _note(environment: Mapping[str, str], measured: _Run) -> str:
    server = environment.get("GITHUB_SERVER_URL") or "https://github.com"
    address = f"{server}/{measured.repository.full_name}/actions/runs/{measured.id}"
    return (
        "> [!NOTE]\n"
        f"> Measured by the [pull request's own run]({address}), without secrets. Its code could "
        "have changed these numbers: nobody has checked them."
    )
