"""What is to be tried live: pull requests, found by their number or by commits that were pushed.

A merged pull request is known by the commit that it ended with on its base branch
(`merge_commit_sha`), whichever way it was merged. Where it was rebased, the commits before that
one which GitHub says it brought belong to it as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from core.errors import RepositoryError, UsageError
from core.git import Repository
from core.live import Name
from core.mined import Part, Sha
from miner.tracker import PullRequest as Told
from reports import sticky
from reports.patience import Pace, patiently

if TYPE_CHECKING:
    from github.PullRequest import PullRequest
    from github.Repository import Repository as GitHub

MOST_COMMITS = 200
"""Of one push, and of one pull request, that are looked at."""
PACE = Pace()
_HINTS = {
    403: "to find the pull request of a commit, the job needs the permission `pull-requests: read`",
    404: "there is no such pull request, or the job lacks the permission `pull-requests: read`",
}


class NothingToTryError(Exception):
    """There is no pull request to try, which is no error; its words say why."""


class Target(Part):
    """All from `base` to `head` is one task."""

    pull_request: int | None = None
    title: Name = ""
    base: Sha
    head: Sha
    merged: bool = True
    told: Told | None = None
    """What people wrote about it, where no tracker tells of one that is still open."""

    @property
    def folder(self) -> str:
        """Its run folder's name; another head is another task."""
        number = f"pr-{self.pull_request}-" if self.pull_request else ""
        return f"{number}{self.head[:12]}"

    @property
    def called(self) -> str:
        """For people."""
        return f"#{self.pull_request}" if self.pull_request else self.head[:12]


TARGETS = TypeAdapter(list[Target])


def commit_alone(git: Repository, commit: str) -> Target:
    """A commit against its first parent, where nobody can be asked about pull requests."""
    head = _here(git, commit)
    return Target(base=_parent(git, head), head=head)


@dataclass
class Finder:
    """Finds pull requests through GitHub, and their commits in a clone."""

    git: Repository
    github: GitHub
    _brought: dict[str, list[PullRequest]] = field(default_factory=dict)

    def of_commit(self, commit: str) -> list[Target]:
        """Those that ended with this commit. Raises NothingToTryError where there is none."""
        head = _here(self.git, commit)
        found = [self._merged(pull) for pull in self._ended_with(head)]
        if not found:
            raise NothingToTryError(f"no merged pull request ended with {head[:12]}")
        return found

    def of_push(self, before: str, after: str) -> list[Target]:
        """Those that a push brought, oldest first. Raises NothingToTryError likewise."""
        new = f"{_here(self.git, before)}..{_here(self.git, after)}"
        way = ("rev-list", "--first-parent", "--reverse", f"--max-count={MOST_COMMITS}", new)
        commits = self.git.text(*way).split()
        pulls = [pull for commit in commits for pull in self._ended_with(commit)]
        if not pulls:
            raise NothingToTryError("what was pushed came with no pull request")
        return [self._merged(pull) for pull in pulls]

    def of_number(
        self, number: int, *, allow_forks: bool = False, head: str | None = None
    ) -> list[Target]:
        """The pull request of this number; `head` = the commit that it has to be tried at.

        Raises UsageError for one that is not to be tried, or whose commits are not here.
        """
        with self._asking(f"#{number}"):
            pull = patiently(lambda: self.github.get_pull(number), PACE)
            merged, closed = pull.merged, pull.state == "closed"
        if merged:
            return [self._merged(pull)]
        if closed:
            raise UsageError(f"#{number} was closed without being merged")
        return [self._open(pull, head, allow_forks=allow_forks)]

    def _open(self, pull: PullRequest, head: str | None, *, allow_forks: bool) -> Target:
        if _from_fork(pull) and not allow_forks:
            raise UsageError(
                f"#{pull.number} comes from a fork and is still open: its code is a stranger's. "
                "Merge it, and it is tried; or name --allow-forks after a look at it"
            )
        at = head or pull.head.sha
        try:
            base = self.git.text("merge-base", self._base_of(pull), self.git.resolve(at)).strip()
        except RepositoryError as error:
            fetch = f"git fetch origin pull/{pull.number}/head"
            raise UsageError(
                f"#{pull.number} at {at[:12]} is not here ({fetch}): {error}"
            ) from error
        told = Told(
            number=pull.number,
            title=pull.title,
            body=pull.body,
            created_at=pull.created_at,
            labels=tuple(label.name for label in pull.labels),
        )
        return self._target(pull, base, at, told=told)

    def _base_of(self, pull: PullRequest) -> str:
        branch = f"refs/remotes/origin/{pull.base.ref}"
        try:
            return self.git.resolve(branch)
        except RepositoryError:
            return pull.base.sha

    def _merged(self, pull: PullRequest) -> Target:
        head = _here(self.git, pull.merge_commit_sha)
        first = head
        if len(self._parents(head)) < 2:
            for commit in self._before(head):
                if not self._belongs(commit, pull):
                    break
                first = commit
        return self._target(pull, _parent(self.git, first), head)

    def _target(
        self, pull: PullRequest, base: str, head: str, *, told: Told | None = None
    ) -> Target:
        return Target(
            pull_request=pull.number,
            title=(pull.title or "")[:200],
            base=base,
            head=head,
            merged=told is None,
            told=told,
        )

    def _before(self, commit: str) -> Iterator[str]:
        for _ in range(MOST_COMMITS):
            parents = self._parents(commit)
            if len(parents) != 1:
                return
            commit = parents[0]
            yield commit

    def _belongs(self, commit: str, pull: PullRequest) -> bool:
        """Whether a rebased pull request brought this commit too, and none ended with it."""
        if len(self._parents(commit)) != 1:
            return False
        numbers = {one.number for one in self._of(commit)}
        return pull.number in numbers and not self._ended_with(commit)

    def _ended_with(self, commit: str) -> Sequence[PullRequest]:
        return [pull for pull in self._of(commit) if pull.merge_commit_sha == commit]

    def _of(self, commit: str) -> list[PullRequest]:
        """The merged pull requests that GitHub says brought a commit; none of one it lacks."""
        from github.GithubException import GithubException

        if commit not in self._brought:
            asked = self.github.get_commit(commit)
            with self._asking(f"the pull requests of {commit[:12]}"):
                try:
                    found = patiently(lambda: list(asked.get_pulls()), PACE)
                except GithubException as error:
                    if error.status != 422:
                        raise
                    found = []  # it was never pushed
            self._brought[commit] = [one for one in found if one.merged_at is not None]
        return self._brought[commit]

    def _parents(self, commit: str) -> list[str]:
        return self.git.text("rev-list", "--parents", "--max-count=1", commit).split()[1:]

    def _asking(self, what: str) -> AbstractContextManager[None]:
        return sticky.explained(f"{self.github.full_name}: {what}", _HINTS)


def _from_fork(pull: PullRequest) -> bool:
    # A fork that is gone is None, whatever PyGithub's types say.
    fork: GitHub | None = pull.head.repo
    return fork is None or fork.id != pull.base.repo.id


def _here(git: Repository, commit: str) -> str:
    try:
        return git.resolve(commit)
    except RepositoryError as error:
        raise UsageError(
            f"{commit[:40]} is not in this clone: fetch it (`fetch-depth: 0` in a workflow)"
        ) from error


def _parent(git: Repository, commit: str) -> str:
    try:
        return git.resolve(f"{commit}^1")
    except RepositoryError as error:
        raise UsageError(f"{commit[:12]} has no parent here, and so nothing it changed") from error
