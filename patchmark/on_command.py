"""`patchmark on-command`: who may have a comment obeyed, and what then runs. Fails closed.

Runs in a job of its own, without checkout and without keys. All it hands on are outputs from a
closed grammar and a commit that GitHub named; they are written last, when nothing can fail any
more. Whatever GitHub does not answer, or answers in a way that is not understood, is a no.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import InfrastructureError, PatchmarkError, UsageError
from patchmark.action_inputs import INPUT_PREFIX
from patchmark.command_event import Event, read_event
from patchmark.command_grammar import HELP, Command, parse
from patchmark.secrets import redactor_for, secrets_in
from patchmark.workflow import Workflow

if TYPE_CHECKING:
    from github.IssueComment import IssueComment
    from github.PullRequest import PullRequest
    from github.Repository import Repository

MAY = ("admin", "maintain", "write")
SECONDS = 20
"""How long GitHub may take for one answer."""


class RefusedError(UsageError):
    """Somebody may not do this, or not now. `quietly`: nobody is answered in words."""

    def __init__(self, message: str, *, quietly: bool = False):
        super().__init__(message)
        self.quietly = quietly


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the next job is told."""

    number: int
    run: bool = False
    models: str = ""
    tasks: str = ""
    head_sha: str = ""
    said: str = ""
    """For the log and the job's summary."""
    reply: str = ""
    """Markdown for the pull request; "" = a reaction is enough."""

    def outputs(self) -> dict[str, str]:
        """By name, all of them always."""
        return {
            "models": self.models,
            "tasks": self.tasks,
            "head-sha": self.head_sha,
            "number": str(self.number),
            # The last: whoever reads a part of this sees no run.
            "run": "true" if self.run else "false",
        }


def run(environment: Mapping[str, str]) -> int:
    """Run the step and return its exit code: 0 where somebody was refused, for nothing broke."""
    workflow = Workflow(environment, sys.stdout, redactor_for(environment))
    for secret in secrets_in(environment):
        workflow.mask(secret)
    workflow.output("run", "false")
    try:
        event = read_event(environment)
        if not event.for_us:
            workflow.notice("not a new comment that starts with `/patchmark`: nothing to do")
            return 0
        with _repository(environment) as repository:
            decision = answer(event, repository, environment)
    except RefusedError as error:
        workflow.warning(f"refused: {error}")
        workflow.summary(f"## patchmark\n\nThe command was refused: {_prose(str(error))}\n")
        return 0
    except PatchmarkError as error:
        workflow.error(f"refused: {error}")
        return error.exit_code
    workflow.notice(decision.said)
    for name, value in decision.outputs().items():
        workflow.output(name, value)
    return 0


def answer(event: Event, repository: Repository, environment: Mapping[str, str]) -> Decision:
    """Decide, react to the comment, and answer where words are needed.

    Raises RefusedError after it reacted with a thumb down; UsageError and InfrastructureError
    where GitHub refuses us or does not answer.
    """
    with _explained():
        comment = _still_there(event, repository)
    try:
        with _explained():
            _may(event, comment, repository)
            comment.create_reaction("eyes")
            decision = _decide(event, comment, repository, environment)
            if decision.reply:
                _reply(repository, event.issue.number, decision.reply)
            comment.create_reaction("rocket")
    except PatchmarkError as error:
        # The no stands, whether or not it can be said.
        with suppress(PatchmarkError), _explained():
            comment.create_reaction("-1")
            if isinstance(error, RefusedError) and not error.quietly:
                words = _prose(str(error))
                _reply(repository, event.issue.number, f"patchmark did nothing: {words}")
        raise
    return decision


def _still_there(event: Event, repository: Repository) -> IssueComment:
    """The comment as it is now. Raises RefusedError where it is no longer what it was."""
    if event.issue.pull_request is None:
        raise RefusedError("commands are obeyed on pull requests, not on issues", quietly=True)
    comment = repository.get_issue(event.issue.number).get_comment(event.comment.id)
    if comment.body != event.comment.body or comment.updated_at != comment.created_at:
        raise RefusedError("the comment was edited; write a new one", quietly=True)
    return comment


def _may(event: Event, comment: IssueComment, repository: Repository) -> None:
    """Raise RefusedError unless a person wrote the comment who may write to the repository."""
    user = event.comment.user
    if user is None or user.type != "User" or user.login.endswith("[bot]"):
        raise RefusedError("commands are obeyed from people only", quietly=True)
    if (comment.raw_data["user"] or {}).get("login") != user.login:
        raise RefusedError("the comment has another author than the event says", quietly=True)
    if comment.raw_data.get("performed_via_github_app"):
        raise RefusedError("commands are obeyed from people, not from apps", quietly=True)
    permission = repository.get_collaborator_permission(user.login)
    if permission not in MAY:
        raise RefusedError(
            f"{user.login} has the permission {permission!r} here; it takes one of "
            f"{', '.join(MAY)}",
            quietly=True,
        )


def _decide(
    event: Event, comment: IssueComment, repository: Repository, environment: Mapping[str, str]
) -> Decision:
    number = event.issue.number
    try:
        command = parse(event.comment.body or "")
    except UsageError as error:
        raise RefusedError(str(error)) from error
    if command.verb == "help":
        return Decision(number=number, said="help was asked for", reply=HELP)
    if command.verb == "stop":
        from patchmark.stopping import stop

        return Decision(number=number, said=stop(repository, number, environment))
    pull = repository.get_pull(number)
    _may_run(pull, comment, environment)
    return _start(command, number, pull.head.sha)


def _start(command: Command, number: int, sha: str) -> Decision:
    if len(sha) < 40 or not set(sha) <= set("0123456789abcdef"):
        raise InfrastructureError(f"GitHub names no commit as the head, but {sha!r}")
    return Decision(
        number=number,
        run=True,
        models=",".join(command.models),
        tasks=str(command.tasks or ""),
        head_sha=sha,
        said=f"a run was asked for on #{number} at {sha}",
    )


def _may_run(pull: PullRequest, comment: IssueComment, environment: Mapping[str, str]) -> None:
    """Raise RefusedError where this pull request's head may not be run on."""
    if pull.state != "open":
        raise RefusedError("the pull request is closed")
    # A deleted repository's is missing, whatever PyGithub's types say.
    head = pull.raw_data["head"]["repo"]
    if head is None:
        raise RefusedError("the repository that the pull request comes from is gone")
    if head["id"] == pull.raw_data["base"]["repo"]["id"]:
        return
    if not _allow_forks(environment):
        raise RefusedError("the pull request comes from a fork, and `allow-forks` is not true")
    if head["pushed_at"] >= comment.raw_data["created_at"]:
        raise RefusedError(
            "the fork was pushed to after the command; look at what is new, and ask again"
        )


def _allow_forks(environment: Mapping[str, str]) -> bool:
    given = environment.get(f"{INPUT_PREFIX}ALLOW_FORKS", "").strip() or "false"
    if given not in ("true", "false"):
        raise UsageError(f"input `allow-forks` is {given!r}; it can be 'false' or 'true'")
    return given == "true"


def _reply(repository: Repository, number: int, text: str) -> None:
    repository.get_issue(number).create_comment(text)


def _prose(text: str) -> str:
    from reports.escape import prose

    return prose(text)


@contextmanager
def _repository(environment: Mapping[str, str]) -> Iterator[Repository]:
    import github

    token = environment.get(f"{INPUT_PREFIX}GITHUB_TOKEN", "").strip()
    if not token:
        raise UsageError("the input `github-token` is empty")
    bundle = environment.get(f"{INPUT_PREFIX}CA_BUNDLE", "").strip()
    with github.Github(
        base_url=environment.get("GITHUB_API_URL") or "https://api.github.com",
        auth=github.Auth.Token(token),
        verify=bundle or True,
        timeout=SECONDS,
        retry=0,  # a person can ask again; nothing may be done twice
        lazy=True,
    ) as client:
        yield client.get_repo(environment.get("GITHUB_REPOSITORY", ""))


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what comes of GitHub's answers into an error with a message for a person."""
    from github.GithubException import BadAttributeException, GithubException

    try:
        yield
    except GithubException as error:
        raise _error(error.status, error.data) from error
    except (BadAttributeException, KeyError, TypeError, AssertionError) as error:
        raise InfrastructureError(f"GitHub's answer is not understood: {error!r}") from error
    except OSError as error:  # what requests raises when nobody answers
        raise InfrastructureError(f"GitHub does not answer: {error}") from error


def _error(status: int, data: object) -> PatchmarkError:
    said = data.get("message") or "" if isinstance(data, dict) else ""
    text = f"GitHub said {status} {said}".strip()
    if status == 403:
        return UsageError(
            f"{text}; the job needs `pull-requests: write` to read, react and answer, and "
            "`actions: write` to stop runs"
        )
    if status == 404:
        return UsageError(f"{text}; the comment or the pull request is gone, or out of reach")
    return InfrastructureError(text)
