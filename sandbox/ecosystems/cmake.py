"""C and C++ projects built with CMake and tested with ctest."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sandbox.ci import Workflow
from sandbox.facts import Facts
from sandbox.recipe import Recipe, Toolchain

NAME = "cmake"
SUFFIXES = (".c", ".cc", ".cpp", ".cxx", ".h", ".hpp")
_BUILD = "cmake --build /opt/build --parallel"


def recipes(facts: Facts, workflow: Workflow) -> Iterator[Recipe]:
    """One way: configured and built outside of the tree, and built again before each run."""
    if not facts.has("CMakeLists.txt"):
        return
    options = "-DBUILD_TESTING=ON " + " ".join(f"-D{name}=ON" for name in _test_options(facts))
    yield Recipe(
        found_in="files",
        toolchain=Toolchain(
            name="cmake",
            ask="c++ --version | head -1",
            images=(),
            install="command -v cmake > /dev/null || apt_install cmake ninja-build",
        ),
        dependencies="true\n",
        inputs="",
        install=f"cmake -S . -B /opt/build -G Ninja {options}\n{_BUILD} || true\n"
        "chown -R patchmark:patchmark /opt/build\n",
        # A build that fails leaves no test programs behind: nothing old is run in its place.
        test=f"{_BUILD} || {{ echo '<testsuite/>' > \"$PATCHMARK_RESULTS\"; exit 2; }}\n"
        'ctest --test-dir /opt/build --output-junit "$PATCHMARK_RESULTS" --timeout 60',
        results="junit",
        environment=workflow.environment,
    )


def _test_options(facts: Facts) -> list[str]:
    """Options of the project's own that switch its tests on."""
    text = facts.text("CMakeLists.txt")
    found = re.findall(r"option\s*\(\s*(\w*TESTS?\w*)\b", text, re.IGNORECASE)
    return [name for name in dict.fromkeys(found) if name != "BUILD_TESTING"]
