"""Go modules, tested with `go test`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sandbox.ci import Workflow
from sandbox.facts import Facts
from sandbox.recipe import Recipe, Toolchain

NAME = "go"
SUFFIXES = (".go",)
_CACHES = "export GOMODCACHE=/opt/go/mod GOCACHE=/opt/go/build GOFLAGS=-modcacherw\n"
_TEST = 'go test -json ./... > "$PATCHMARK_RESULTS"'


def recipes(facts: Facts, workflow: Workflow) -> Iterator[Recipe]:
    """One way, for the compiler that go.mod or the settings name."""
    modules = [path for path in facts.named("go.mod") if "testdata/" not in path]
    if not modules:
        return
    folder = modules[0].removesuffix("go.mod") or "."
    version = facts.settings.version or _version(facts.text(modules[0]))
    sums = [facts.text(path) for path in facts.named("go.mod", "go.sum", "go.work")]
    yield Recipe(
        found_in="files",
        toolchain=Toolchain(
            name=f"go {version}",
            ask="go version",
            images=(f"golang:{version}",),
            install="command -v go > /dev/null || apt_install golang-go",
        ),
        dependencies=f"{_CACHES}mkdir -p /opt/go\ncd {folder}\ngo mod download\n",
        inputs=repr(sums),
        # Compiled once here, so that a test run compiles what a patch changed and no more.
        install=f"{_CACHES}cd {folder}\ngo test -count=1 -run '^$' ./... > /dev/null 2>&1 || true\n"
        "chmod -R a+rwX /opt/go\n",
        test=f"{_CACHES}export GOPROXY=off GOFLAGS='-modcacherw -count=1'\ncd {folder}\n{_TEST}",
        results="go",
        environment=workflow.environment,
    )


def _version(module: str) -> str:
    """The directive's version; before Go 1.21 it named the language, which later ones keep."""
    found = re.search(r"^go (\d+\.\d+)", module, re.MULTILINE)
    return found.group(1) if found else "1"
