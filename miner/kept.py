"""Files that nobody writes by hand: manifests of dependencies, generated and vendored code."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_MANIFESTS = re.compile(
    r"[\w.-]*requirements[\w.-]*\.(?:txt|in)|[\w.-]*constraints[\w.-]*\.txt|[\w.-]+\.lock|"
    r"pyproject\.toml|setup\.cfg|pipfile|environment\.ya?ml|\.pre-commit-config\.yaml|"
    r"package(?:-lock)?\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|pnpm-workspace\.yaml|"
    r"go\.(?:mod|sum|work|work\.sum)|cargo\.toml|pom\.xml|build\.gradle(?:\.kts)?|"
    r"libs\.versions\.toml|gemfile|[\w.-]+\.gemspec|composer\.json|vcpkg\.json|conanfile\.txt"
)
_VENDORED = frozenset(
    {"vendor", "_vendor", "vendored", "third_party", "third-party", "thirdparty", "node_modules"}
)
_GENERATED = re.compile(
    r".*(?:_pb2(?:_grpc)?\.pyi?|\.pb\.(?:go|cc|h)|\.g\.dart|\.min\.js|\.min\.css|"
    r"\.generated\.\w+|_generated\.\w+|zz_generated\.[\w.]+|\.designer\.cs|parsetab\.py)"
)
# As the tools write it, in a comment at the head of the file.
_SAYS_SO = re.compile(
    r"code generated .{0,200}do not edit|@generated\b|"
    r"(?:auto-?generated|automatically generated|generated) (?:file|code|by|from)\b"
    r".{0,200}do not (?:edit|modify)",
    re.IGNORECASE | re.DOTALL,
)
_HEAD_CHARS = 1000


def is_manifest(path: str) -> bool:
    """Whether a file says which dependencies a project has."""
    pure = PurePosixPath(path)
    in_folder = "requirements" in pure.parts[:-1] and pure.suffix in (".txt", ".in")
    return in_folder or _MANIFESTS.fullmatch(pure.name.lower()) is not None


def is_generated(path: str) -> bool:
    """Whether a file is by its name a tool's work or a copy of somebody else's."""
    pure = PurePosixPath(path)
    folders = {part.lower() for part in pure.parts[:-1]}
    return not _VENDORED.isdisjoint(folders) or bool(_GENERATED.fullmatch(pure.name.lower()))


def says_generated(text: str) -> bool:
    """Whether a file says of itself that a tool made it and nobody should edit it."""
    return _SAYS_SO.search(text[:_HEAD_CHARS]) is not None
