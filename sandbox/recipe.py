"""The recipe of one commit's environment: what to install, and how its tests are run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath


@dataclass(frozen=True, kw_only=True)
class EnvironmentSettings:
    """What a person decided about the environment; empty fields are detected."""

    ecosystem: str | None = None
    """`python`, `node` …: where a repository has several, the one whose tests count."""
    version: str | None = None
    """Of the ecosystem's interpreter or compiler."""
    python: str | None = None
    """The same for Python alone."""
    image: str | None = None
    """Start from this image instead of patchmark's own base."""
    dockerfile: str | None = None
    """Start from what this Dockerfile or devcontainer.json of the commit describes."""
    workdir: str = "."
    """Folder of the repository in which things are installed and tests run."""
    setup: tuple[str, ...] = ()
    """Shell commands run as root after the dependencies, in the repository."""
    apt: tuple[str, ...] = ()
    """Debian packages to install."""
    packages: tuple[str, ...] = ()
    """Requirements to install beside what was detected."""
    pytest_args: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    """Shell commands that run the tests, instead of the detected ones."""
    results: str = ""
    """Where these leave their results: a JUnit or TAP file, `tap` or `exit-code`."""
    services: tuple[str, ...] = ()
    """Shell commands started before the tests and left running beside them."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of builds and tests."""

    def __hash__(self) -> int:
        return hash(repr(self))


@dataclass(frozen=True, kw_only=True)
class Toolchain:
    """The interpreter or compiler below the dependencies."""

    name: str
    """`python 3.11`, as shown."""
    images: tuple[str, ...] = ()
    """Official images that bring it, best first."""
    install: str = ""
    """Shell that brings it to patchmark's own base, where none of these can be had."""
    python: str | None = None
    """The Python that has to be there, if one has."""
    ask: str = "true"
    """Shell that prints the version that is there."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything needed to build a commit's environment and to run its tests."""

    found_in: str
    """Where it comes from: `patchmark.toml`, a workflow's path, `files`."""
    toolchain: Toolchain
    dependencies: str
    """Shell run as root in /repo, which does not stay: the layer that commits share."""
    inputs: str = field(repr=False)
    """The parsed dependencies: equal text = equal dependency layer."""
    install: str = ""
    """Shell run as root in /repo, which stays: the layer of one commit."""
    test: str
    """Shell that runs the whole suite in /repo and leaves its results in PATCHMARK_RESULTS."""
    results: str
    """Their form: a name in `sandbox.readers`."""
    narrows: bool = False
    """Whether names of test files at the end of `test` make it run these alone."""
    apt: tuple[str, ...] = ()
    """Debian packages that dependencies need."""
    environment: Mapping[str, str] = field(default_factory=dict)
    services: tuple[str, ...] = ()
    workdir: str = "."

    def __hash__(self) -> int:
        return hash(repr(self))

    def dependencies_script(self) -> str:
        """The layer of dependencies, and a note of the toolchain that was really there."""
        packages = f"apt_install {shlex.join(self.apt)}" if self.apt else ""
        noted = f"({self.toolchain.ask}) > /opt/patchmark/toolchain.txt 2>&1 || true"
        return "\n".join([
            self._enter(), packages, self.dependencies, "mkdir -p /opt/patchmark", noted, "",
        ])  # fmt: skip

    def install_script(self) -> str:
        """The layer of one commit."""
        return f"{self._enter()}\n{self.install}\n" if self.install.strip() else ""

    def test_script(self) -> str:
        """All that a container runs: services, then the suite, its exit code at the end."""
        started = [
            f"({service}) > /tmp/service-{n}.log 2>&1 &" for n, service in enumerate(self.services)
        ]
        waited = ["sleep 1"] * bool(started)
        exports = [self._enter()] if self.environment or self.workdir != "." else []
        return "\n".join([*exports, *started, *waited, self.test])

    def _enter(self) -> str:
        exports = [
            f"export {name}={shlex.quote(v)}" for name, v in sorted(self.environment.items())
        ]
        return "\n".join([*exports, f"cd {shlex.quote(str(PurePosixPath('/repo', self.workdir)))}"])
