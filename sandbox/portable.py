"""The judge as one file, for tools that bring their own containers: `container/portable/` in it.

The same files that judge here are packed as they are, so that a patch gets the same verdict there.
In place of what such a container lacks stand a few lines of ours: an engine that is the container
itself, and records without pydantic.
"""

from __future__ import annotations

import io
import zipfile
from functools import cache
from importlib.metadata import distribution
from importlib.resources import files
from importlib.resources.abc import Traversable

from sandbox.suite import shipped_names
from sandbox.validate import GRADER

_AS_THEY_ARE = (
    "core/__init__.py", "core/diff.py", "core/errors.py", "core/git.py", "core/languages.py",
    "core/manifests.py", "core/outcomes.py", "core/paths.py", "core/paths_tests.py",
    "core/programs.py", "sandbox/__init__.py", "sandbox/base.py", "sandbox/compare.py",
    "sandbox/engine.py", "sandbox/interpreters.py", "sandbox/judge.py", "sandbox/mended.py",
    "sandbox/network.py", "sandbox/once.py", "sandbox/parcel.py", "sandbox/protected.py",
    "sandbox/recipe.py", "sandbox/results.py", "sandbox/suite.py", "sandbox/tampering.py",
    "sandbox/tripwires.py", "sandbox/tripwires_script.py",
)  # fmt: skip
_IN_PLACE = {
    "__main__.py": "__main__.py",
    "portable.py": "portable.py",
    "here.py": "here.py",
    "pydantic.py": "pydantic.py",
    "core/types.py": "core_types.py",
    "junitparser/__init__.py": "junitparser.py",
}
_EARLIEST = (1980, 1, 1, 0, 0, 0)


@cache
def portable_judge() -> bytes:
    """An archive that Python runs: `python3 -I -S -B judge.pyz TASK PATCH`. Equal each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in sorted(_contents().items()):
            packed.writestr(zipfile.ZipInfo(name, _EARLIEST), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _contents() -> dict[str, bytes]:
    ours = files("sandbox") / "container" / "portable"
    readers = [one.name for one in (files("sandbox") / "readers").iterdir()]
    names = (
        *_AS_THEY_ARE,
        *(f"sandbox/readers/{name}" for name in readers if name.endswith(".py")),
        *(f"sandbox/container/{name}" for name in shipped_names()),
    )
    return {
        **{name: _of(name).read_bytes() for name in names},
        **{name: (ours / place).read_bytes() for name, place in _IN_PLACE.items()},
        "sandbox/validate.py": f"GRADER = {GRADER!r}\n".encode(),
        "junitparser/junitparser.py": (files("junitparser") / "junitparser.py").read_bytes(),
        "junitparser/LICENSE": _license().encode(),
    }


def _license() -> str:
    return distribution("junitparser").read_text("licenses/LICENSE") or ""


def _of(name: str) -> Traversable:
    package, _, inside = name.partition("/")
    return files(package) / inside
