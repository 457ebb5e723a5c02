"""A repository that wants to run programs in the process that reads it. None may run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.mining import FIX
from support.repos import Repo

from core.errors import RepositoryError
from core.git import Repository, clean_environment, git_command, touched_paths
from core.types import Candidate
from miner.file_tracker import NoTracker
from miner.mine import mine

HOOKS = ("post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman")
COMMANDS = (
    "core.fsmonitor",
    "core.sshCommand",
    "core.pager",
    "core.editor",
    "core.askPass",
    "core.gitProxy",
    "core.alternateRefsCommand",
    "credential.helper",
    "diff.external",
    "diff.evil.command",
    "diff.evil.textconv",
    "filter.evil.clean",
    "filter.evil.smudge",
    "gpg.program",
    "gpg.ssh.program",
    "interactive.diffFilter",
    "pager.log",
    "pager.cat-file",
    "remote.origin.uploadpack",
    "uploadpack.packObjectsHook",
)
SIGNED = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----\n"


class Trap:
    """The repository, its first and last commit, and what has run so far."""

    def __init__(self, folder: Path):
        self.ran_folder = folder / "ran"
        self.ran_folder.mkdir()
        self.folder = folder
        self.repo = Repo(folder / "repo")
        self.first = self.repo.commit(files={"src/calc.py": "old\n", "lost.txt": "lost\n"})
        self.lost = self.repo.git("rev-parse", "HEAD:lost.txt").decode().strip()
        self.repo.commit(files={"lost.txt": None})
        attributes = "* diff=evil filter=evil merge=evil export-subst\n"
        changed = {**FIX, "tests/test_calc.py": "assert 2\n", ".gitattributes": attributes}
        self.repo.commit("Fix", changed)
        self.repo.checkout()
        self._sign_head()
        self._arm()

    @property
    def ran(self) -> set[str]:
        return {path.name for path in self.ran_folder.iterdir()}

    def _program(self, name: str) -> str:
        script = self.folder / f"run-{name}"
        script.write_text(
            f"#!/bin/sh\ntouch '{self.ran_folder}/{name}'\nexit 1\n", encoding="utf-8"
        )
        script.chmod(0o755)
        return str(script)

    def _sign_head(self) -> None:
        head = self.repo.git("cat-file", "commit", "HEAD").decode()
        signed = head.replace("\n\n", f"\n{SIGNED}\n", 1).encode()
        made = self.repo.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=signed)
        self.head = made.decode().strip()
        self.repo.git("update-ref", "HEAD", self.head)

    def _arm(self) -> None:
        git = self.repo.path / ".git"
        objects = git / "objects" / self.lost[:2] / self.lost[2:]
        objects.unlink()
        lines = [f"[core]\n\thooksPath = {self.folder}/hooks\n[include]\n\tpath = more\n"]
        (self.folder / "hooks").mkdir()
        for name in HOOKS:
            for hooks in (self.folder / "hooks", git / "hooks"):
                hooks.mkdir(exist_ok=True)
                (hooks / name).symlink_to(self._program(name))
        for command in COMMANDS:
            self.repo.git("config", command, self._program(command))
        for name, value in (
            ("remote.origin.url", f"ext::{self._program('ext')}"),
            ("protocol.ext.allow", "always"),
            ("protocol.allow", "always"),
            ("remote.origin.promisor", "true"),
            ("remote.origin.partialclonefilter", "blob:none"),
            ("extensions.partialClone", "origin"),
            ("core.repositoryFormatVersion", "1"),
            ("log.showSignature", "true"),
            ("alias.log", f"!{self._program('alias')}"),
        ):
            self.repo.git("config", name, value)
        (git / "more").write_text(
            f"[core]\n\tfsmonitor = {self._program('included')}\n", encoding="utf-8"
        )
        with (git / "config").open("a", encoding="utf-8") as config:
            config.writelines(lines)
        for path in self.ran_folder.iterdir():
            path.unlink()


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path)


def test_the_trap_works(trap: Trap) -> None:
    """Git as it is runs all of these; else the tests below would prove nothing."""
    for arguments in (
        ("status",),
        ("diff", "HEAD~1"),
        ("log", "-1", "-p", "--no-ext-diff", "--textconv", "--show-signature"),
        ("checkout", "-q", "-f", "HEAD~1", "--", "src"),
        ("cat-file", "blob", trap.lost),
    ):
        trap.repo.git(*arguments, check=False)
    wanted = {"included", "diff.evil.command", "diff.evil.textconv", "gpg.program", "ext"}
    assert trap.ran >= wanted | {"filter.evil.clean", "filter.evil.smudge", "post-index-change"}


def test_mining_runs_nothing(trap: Trap) -> None:
    records = list(mine(Repository(trap.repo.path), NoTracker()))
    assert [isinstance(record, Candidate) for record in records] == [False, False, True]
    assert trap.ran == set()


def test_reading_and_archiving_run_nothing(trap: Trap) -> None:
    repository = Repository(trap.repo.path)
    assert repository.read(trap.head, "src/calc.py") == FIX["src/calc.py"]
    assert b"assert 2" in repository.archive(trap.head, "repo")
    assert not repository.is_shallow
    assert trap.ran == set()


def test_a_missing_object_is_not_fetched(trap: Trap) -> None:
    """Git would do it by running the program of the remote."""
    repository = Repository(trap.repo.path)
    with pytest.raises(RepositoryError):
        repository.archive(trap.first, "repo")
    assert repository.read(trap.first, "lost.txt") is None
    with pytest.raises(RepositoryError):
        repository.resolve("0123456789" * 4)
    assert trap.ran == set()


def test_a_missing_object_is_not_fetched_by_an_older_git_either(trap: Trap) -> None:
    """Bug: `protocol.ext.allow` of the repository won over our `protocol.allow=never`, and a git
    that does not know GIT_NO_LAZY_FETCH ran the program of the remote.
    """
    environment = clean_environment()
    del environment["GIT_NO_LAZY_FETCH"]
    command = git_command("cat-file", "blob", trap.lost, directory=trap.repo.path)
    assert subprocess.run(command, env=environment, capture_output=True).returncode != 0
    assert trap.ran == set()


def test_reading_a_diff_runs_nothing(trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(trap.repo.path))
    monkeypatch.chdir(trap.repo.path)
    diff = "--- a/src/calc.py\n+++ b/src/calc.py\n@@ -1 +1 @@\n-a\n+b\n"
    assert touched_paths(diff) == ["src/calc.py"]
    assert trap.ran == set()
