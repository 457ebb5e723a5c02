"""A stateful GitHub on the loopback: the `emulate` package that tests/e2e/package.json pins."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import github
from support.npm import installed, programs

if TYPE_CHECKING:
    from github.IssueComment import IssueComment
    from github.PullRequest import PullRequest

HERE = Path(__file__).parents[1] / "e2e"
REPOSITORY = "owner/sample"
BOT, BOT_TOKEN = "github-actions[bot]", "ghs_bot_0123456789"
OWNER_TOKEN = "ghp_owner_0123456789"
_SEED = f"""
tokens:
  {BOT_TOKEN}: {{login: "{BOT}", scopes: [repo]}}
  {OWNER_TOKEN}: {{login: owner, scopes: [repo]}}
github:
  users:
    - {{login: owner}}
    - {{login: "{BOT}"}}
  repos:
    - {{owner: owner, name: sample, auto_init: true}}
"""


@dataclass(frozen=True)
class Emulator:
    """The running service."""

    url: str

    def _client(self, token: str) -> github.Github:
        return github.Github(base_url=self.url, auth=github.Auth.Token(token))

    def open_pull_request(self) -> PullRequest:
        """One pull request with one changed file."""
        with self._client(OWNER_TOKEN) as client:
            repository = client.get_repo(REPOSITORY)
            base = repository.get_branch("main").commit
            blob = github.InputGitTreeElement("new.txt", "100644", "blob", content="new\n")
            tree = repository.create_git_tree([blob], base.commit.tree)
            commit = repository.create_git_commit("Change", tree, [base.commit])
            repository.create_git_ref("refs/heads/change", commit.sha)
            return repository.create_pull("main", "change", title="Change", body="")

    def comments(self, number: int) -> list[IssueComment]:
        """All comments of a pull request."""
        with self._client(OWNER_TOKEN) as client:
            return list(client.get_repo(REPOSITORY).get_pull(number).get_issue_comments())

    def event(self, pull_request: PullRequest) -> dict[str, Any]:
        """What the runner hands to a workflow that the pull request started."""
        return {"number": pull_request.number, "pull_request": pull_request.raw_data}


@contextmanager
def emulator(folder: Path) -> Iterator[Emulator]:
    """Start the service; its settings and log are in `folder`."""
    program = installed(HERE) / ".bin/emulate"
    seed = folder / "emulate.yaml"
    seed.write_text(_SEED, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://localhost:{port}"
    options = ["--service", "github", "--port", str(port), "--seed", str(seed)]
    with (folder / "emulate.log").open("wb") as log:
        # A session of its own: node is a child of the program, and must end with it.
        process = subprocess.Popen(
            [program, "start", *options],
            stdout=log,
            stderr=log,
            env={**os.environ, "PATH": programs()},
            start_new_session=True,
        )
        try:
            _wait(url, process)
            yield Emulator(url)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(10)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(150):
        try:
            urllib.request.urlopen(f"{url}/rate_limit", timeout=2).close()  # noqa: S310
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"the GitHub emulator did not answer at {url}")
