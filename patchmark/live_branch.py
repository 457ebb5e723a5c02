"""The live trial's results on a branch of GitHub's, written through its API.

A job that tells what was measured has no clone that it could push from, nor a token in one. Each
result is a file of its own, put there by one request that GitHub refuses where the branch moved
meanwhile: then it is asked again, so that of two jobs at once neither loses what the other wrote.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.errors import InfrastructureError, StoreError
from core.live import LiveResult
from patchmark.shelf import LIVE
from reports import sticky
from reports.patience import Pace, patiently

if TYPE_CHECKING:
    from github.Repository import Repository

_TRIES = 8
_QUERY = """
query($owner: String!, $name: String!, $expression: String!) {
  repository(owner: $owner, name: $name) {
    object(expression: $expression) {
      ... on Tree { entries { name object { ... on Blob { text isTruncated } } } }
    }
  }
}
"""
_HINTS = {
    403: "to keep the results, the job needs the permission `contents: write`, and the branch must "
    "not be protected against it",
    404: "to keep the results, the job needs the permission `contents: write`",
    409: "others write to it all the time",
    422: "the file was refused",
}


@dataclass(frozen=True)
class GitHubShelf:
    """A shelf of live results, as `patchmark.shelf` has it."""

    repository: Repository
    branch: str
    pace: Pace = field(default_factory=Pace)

    def read(self) -> list[LiveResult]:
        """All results, the oldest first, by one request. Raises PatchmarkError."""
        return [LIVE.parsed(text.encode(), name) for name, text in sorted(self._files().items())]

    def add(self, record: LiveResult) -> bool:
        """Keep one more; False where it is there already. Raises PatchmarkError."""
        from github.GithubException import GithubException

        path, content = LIVE.path(LIVE.name(record)), LIVE.content(record)
        with self._asking():
            for tried in range(1, _TRIES + 1):
                if LIVE.is_among(record, self._names()):
                    return False
                try:
                    patiently(lambda: self._put(path, content, record.head), self.pace)
                except GithubException as error:
                    # The branch moved, or somebody began it, meanwhile.
                    if error.status not in (409, 422) or tried == _TRIES:
                        raise
                    time.sleep(self.pace.settle * tried)
                else:
                    return True
        raise StoreError(f"branch {self.branch}: others write to it all the time")

    def _names(self) -> list[str]:
        return list(self._files())

    def _put(self, path: str, content: bytes, head: str) -> None:
        from github.GithubException import UnknownObjectException

        message = f"Results of {head[:12]}"
        try:
            self.repository.create_file(path, message, content, branch=self.branch)
        except UnknownObjectException:
            self._begin(path, content, message)

    def _begin(self, path: str, content: bytes, message: str) -> None:
        """The branch's first commit, which shares nothing with others."""
        from github.InputGitTreeElement import InputGitTreeElement

        file = InputGitTreeElement(path, "100644", "blob", content=content.decode())
        tree = self.repository.create_git_tree([file])
        commit = self.repository.create_git_commit(message, tree, [])
        self.repository.create_git_ref(f"refs/heads/{self.branch}", commit.sha)

    def _files(self) -> dict[str, str]:
        owner, _, name = self.repository.full_name.partition("/")
        asked = {
            "owner": owner,
            "name": name,
            "expression": f"refs/heads/{self.branch}:{LIVE.folder}",
        }
        with self._asking():
            _, answer = patiently(
                lambda: self.repository.requester.graphql_query(_QUERY, asked), self.pace
            )
            return _texts(answer, self.branch)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        what = f"{self.repository.full_name}: the branch {self.branch}"
        with sticky.explained(what, _HINTS):
            yield


def _texts(answer: dict[str, Any], branch: str) -> dict[str, str]:
    """File name → text; nothing where there is no such branch yet."""
    try:
        there = answer["data"]["repository"]["object"]
        entries = there["entries"] if there else []
        files = {one["name"]: one["object"] for one in entries if one["name"].endswith(".json")}
        cut = [name for name, file in files.items() if file["isTruncated"] or file["text"] is None]
    except (KeyError, TypeError) as error:
        raise InfrastructureError(f"GitHub's answer is not understood: {error!r}") from error
    if cut:
        raise StoreError(f"branch {branch}: {cut[0]}: is no result")
    return {name: str(file["text"]) for name, file in files.items()}
