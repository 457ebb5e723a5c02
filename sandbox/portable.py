"""The judge as one file, for tools that bring their own containers: `container/portable/` in it.

The same files that judge here are packed as they are, so that a patch gets the same verdict there.
In place of what such a container lacks stand a few lines of ours: an engine that is the container
itself, and records without pydantic.
"""

from __future__ import annotations

import ast
import io
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distribution
from importlib.resources import files
from importlib.resources.abc import Traversable

from sandbox.suite import shipped_names
from sandbox.validate import GRADER

_STARTS = ("sandbox.judge", "core.manifests")
"""What is packed: these, and all of ours that they import."""
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
    validate = f"GRADER = {GRADER!r}\n".encode()
    instead = {
        **{name: (ours / place).read_bytes() for name, place in _IN_PLACE.items()},
        "sandbox/validate.py": validate,
        "junitparser/junitparser.py": (files("junitparser") / "junitparser.py").read_bytes(),
        "junitparser/LICENSE": _license().encode(),
    }
    found = dict(instead)
    for name in _STARTS:
        _follow(name, found)
    shipped = (f"sandbox/container/{name}" for name in shipped_names())
    return found | {name: _of(name).read_bytes() for name in shipped}


def _follow(module: str, found: dict[str, bytes]) -> None:
    """Add a module, the packages it lies in, and what they import when they are imported."""
    path = module.replace(".", "/")
    for name in [f"{path}.py"] * ("." in module) + [f"{path}/__init__.py"]:
        if name in found:
            return
        if _of(name).is_file():
            found[name] = _of(name).read_bytes()
            parent = module.rpartition(".")[0]
            for other in (*([parent] if parent else []), *_imported(found[name])):
                _follow(other, found)


def _imported(source: bytes) -> Iterator[str]:
    """Our own modules that a file imports at its top; names in them may be modules as well."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            names = (node.module, *(f"{node.module}.{one.name}" for one in node.names))
        elif isinstance(node, ast.Import):
            names = tuple(one.name for one in node.names)
        else:
            continue
        yield from (name for name in names if name.partition(".")[0] in ("core", "sandbox"))


def _license() -> str:
    return distribution("junitparser").read_text("licenses/LICENSE") or ""


def _of(name: str) -> Traversable:
    package, _, inside = name.partition("/")
    return files(package) / inside
