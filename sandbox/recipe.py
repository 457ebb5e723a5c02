"""The recipe of one commit's environment: what to install, and the scripts that do it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

PYTEST = (
    "/opt/venv/bin/python",
    "/patchmark/in/start.py",
    "--continue-on-collection-errors",
    # After the repository's own options: one with -x would hide all but the first failure.
    "--maxfail=0",
    "-q",
)


@dataclass(frozen=True, kw_only=True)
class EnvironmentSettings:
    """What a person decided about the environment; empty fields are detected."""

    python: str | None = None
    image: str | None = None
    """Start from this image instead of patchmark's own base."""
    setup: tuple[str, ...] = ()
    """Shell commands run as root after the dependencies, in the repository."""
    packages: tuple[str, ...] = ()
    """Requirements to install beside what was detected."""
    pytest_args: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything needed to build a commit's environment."""

    python: str
    installable: bool
    name: str | None
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    requirement_files: tuple[str, ...] = ()
    packages: tuple[str, ...] = ("pytest",)
    not_after: str
    """Dependencies are resolved as of this date (YYYY-MM-DD)."""
    version: str = "0.0.0"
    """Told to build back ends that would read it from the git history, which is not there."""
    setup: tuple[str, ...] = ()
    inputs: str = field(default="", repr=False)
    """The parsed dependencies: equal text = equal dependency layer."""

    def dependencies_script(self) -> str:
        """Shell that makes /opt/venv with the dependencies, trying ever less."""
        project = "."
        if self.extras:
            project = f".[{','.join(self.extras)}]"
        full = [f"-e {shlex.quote(project)}"] if self.installable else []
        full += [f"--group {shlex.quote(group)}" for group in self.groups]
        full += [f"-r {shlex.quote(name)}" for name in self.requirement_files]
        least = ["-e ."] if self.installable else full
        packages = " ".join(shlex.quote(package) for package in self.packages)
        dated = f"--exclude-newer {self.not_after}"
        rungs = {
            f"{dated} {' '.join(full)} {packages}": f"as of {self.not_after}",
            f"{dated} {' '.join(least)} {packages}": f"project only, as of {self.not_after}",
            f"{' '.join(full)} {packages}": "newest",
            f"{' '.join(least)} {packages}": "project only, newest",
        }
        tries = " || ".join(
            f'{{ uv pip install --compile-bytecode {words} && echo "resolved: {what}"; }}'
            for words, what in rungs.items()
        )
        gone = f"uv pip uninstall {shlex.quote(self.name)} || true\n" if self.name else ""
        # Said aloud: `set -e` does not see a failure inside a chain of alternatives.
        return f"{self._exports()}uv venv --python python3 /opt/venv\n{tries} || exit 1\n{gone}"

    def source_script(self) -> str:
        """Shell that installs the project itself, in place, without its dependencies."""
        if not self.installable:
            return self._exports()
        install = "uv pip install --no-deps -e ."
        dated = f"{install} --exclude-newer {self.not_after}"
        return f"{self._exports()}{dated} || {install} || exit 1\n"

    def _exports(self) -> str:
        names = ("SETUPTOOLS_SCM_PRETEND_VERSION", "PDM_BUILD_SCM_VERSION")
        lines = [f"export {name}={shlex.quote(self.version)}" for name in names]
        lines += [
            "export PATH=/opt/patchmark/uv/bin:$PATH VIRTUAL_ENV=/opt/venv",
            "export UV_CACHE_DIR=/cache/uv UV_LINK_MODE=copy UV_NO_CONFIG=1",
            "cd /repo",
        ]
        return "\n".join(lines) + "\n"
