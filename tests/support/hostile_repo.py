"""A repository that wants to run programs where it is read, or to be that process's settings."""

from __future__ import annotations

import json
from pathlib import Path

from support.mining import FIX
from support.repos import Repo

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
ADD = """import sys

sys.path.insert(0, "src")


def test_add():
    import calc

    assert calc.add(1, 2) == 3
"""
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
        changed["tests/test_add.py"] = ADD
        self.repo.commit("Fix", changed)
        self.repo.checkout()
        self._sign_head()
        self._arm()

    @property
    def ran(self) -> set[str]:
        return {path.name for path in self.ran_folder.iterdir()}

    def forget(self) -> None:
        """From here on count anew."""
        for path in self.ran_folder.iterdir():
            path.unlink()

    def _program(self, name: str, at: Path | None = None) -> str:
        script = at or self.folder / f"run-{name}"
        script.parent.mkdir(parents=True, exist_ok=True)
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
            (f"url.ext::{self._program('instead')} .insteadOf", "https://"),
            ("extensions.worktreeConfig", "true"),
        ):
            self.repo.git("config", name, value)
        (git / "more").write_text(
            f"[core]\n\tfsmonitor = {self._program('included')}\n", encoding="utf-8"
        )
        (git / "config.worktree").write_text(
            f"[core]\n\tsshCommand = {self._program('worktree')}\n", encoding="utf-8"
        )
        with (git / "config").open("a", encoding="utf-8") as config:
            config.writelines(lines)
        self.forget()


MODULES = (
    *("anthropic.py", "docker.py", "github.py", "google/__init__.py", "jinja2.py", "json.py"),
    *("core/__init__.py", "miner/__init__.py", "models/__init__.py", "sandbox/__init__.py"),
    *("reports/__init__.py", "patchmark/__init__.py", "patchmark/__main__.py", "patchmark.py"),
    *("pydantic.py", "rich.py", "typer.py", "sitecustomize.py", "usercustomize.py"),
)
PROGRAMS = (
    *("git", "docker", "docker-credential-evil", "python3", "python3.11", "uv", "pip", "ssh"),
    *("tar", "debootstrap", "uname", "sha256sum", "dirname", "realpath", "cut", "mkdir", "cat"),
)


class HostileCheckout(Trap):
    """The same with a checkout that is no better: modules, programs and settings of every kind.

    `url` is a server that nobody should ever ask anything.
    """

    def __init__(self, folder: Path, url: str):
        super().__init__(folder)
        self.url = url
        self.path = f".::bin:{self.repo.path}:{self.repo.path}/bin"
        """What a job that trusts its checkout may have in front of PATH."""
        for name in MODULES:
            self._file(name, f"open({str(self.ran_folder)!r} + '/module', 'a').write({name!r})\n")
        for name in PROGRAMS:
            self._program(f"program-{name}", self.repo.path / name)
            self._program(f"program-{name}", self.repo.path / "bin" / name)
        host = url.removeprefix("http://").partition(":")[0]
        self._file(".env", f"ANTHROPIC_BASE_URL={url}\nGOOGLE_API_KEY=of-the-repository\n")
        self._file("pip.conf", f"[global]\nindex-url = {url}/simple\n")
        self._file("uv.toml", f'[[index]]\nurl = "{url}/simple"\ndefault = true\n')
        self._file(".npmrc", f"registry={url}/\n")
        self._file(".netrc", f"machine {host} login evil password of-the-repository\n")
        self._file(".docker/config.json", json.dumps({"credsStore": "evil", "HttpHeaders": {}}))
        self.forget()

    def _file(self, name: str, text: str) -> None:
        path = self.repo.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
