"""Every place that writes a file, and why no secret is in it: a new one has to be added here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("core", "miner", "models", "sandbox", "reports", "patchmark")
METHODS = frozenset({"write_text", "write_bytes", "write_table", "mkstemp", "fdopen"})
CLEAN = {
    "core/git_copy.py": "a copy of the repository under test, as git keeps it",
    "core/store.py": "through the redactor it is made with; a lock, a torn line of its own",
    "miner/api_cache.py": "through the redactor it is made with",
    "models/exchange_store.py": "through the redactor it is made with",
    "patchmark/people.py": "through the settings' redactor",
    "patchmark/asked.py": "through the settings' redactor",
    "patchmark/change_check.py": "settings as a commit has them, gone when they are read",
    "patchmark/validated.py": "through the redactor it is made with",
    "patchmark/workflow.py": "through the redactor it is made with",
    "reports/files.py": "a report, which `patchmark/reporting.py` redacts whole",
    "sandbox/image.py": "what the engine printed, redacted there",
    "patchmark/environments.py": "what was probed by the engine, and a kept answer, both redacted",
    "patchmark/repairing.py": "a kept answer, redacted before it is read",
    "patchmark/cluster/work.py": "parts of such a copy",
    "patchmark/init.py": "texts of our own, and names of models",
    "patchmark/imported.py": "through the settings' redactor",
    "patchmark/fetched_artifact.py": "a stranger's artifact as it came, gone when it is read",
    "patchmark/formats/parquet.py": "records of a run folder, redacted when they were appended",
    "patchmark/formats/writing.py": "records of a run folder, redacted when they were appended",
    "patchmark/partial.py": "numbers of our own",
    "patchmark/mining.py": "commit ids, counts, and globs of the settings",
    "sandbox/stock.py": "which processes of this machine use an image",
    "sandbox/once.py": "an empty file, to lock",
    "sandbox/archive.py": "images, for the user; docs/security.md says what may be in them",
    "sandbox/packages.py": "what builds downloaded; builds are given no secret but their proxy's",
}
OUTSIDE = "sandbox/container/"


def writes(tree: ast.Module) -> Iterator[int]:
    """Lines that write a file, or open one to do so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            whole = ast.unparse(node.func)
            if name in METHODS or whole == "sqlite3.connect" or _opens(node, name):
                yield node.lineno


def _opens(node: ast.Call, name: str) -> bool:
    # With a `fileobj` an archive is made in memory.
    if name != "open" or any(keyword.arg == "fileobj" for keyword in node.keywords):
        return False
    said = [*node.args, *(keyword.value for keyword in node.keywords)]
    if ast.unparse(node.func) == "os.open":
        return any("O_RDONLY" not in ast.unparse(flag) for flag in node.args[1:2])
    words = [word.value for word in said if isinstance(word, ast.Constant)]
    modes = [word for word in words if isinstance(word, str) and len(word) < 5]
    return any(set("wax+") & set(mode) for mode in modes)


def _writers(root: Path) -> set[str]:
    found = set()
    for package in PACKAGES:
        for path in (root / package).rglob("*.py"):
            name = path.relative_to(root).as_posix()
            if not name.startswith(OUTSIDE) and any(writes(ast.parse(path.read_text("utf-8")))):
                found.add(name)
    return found


def test_every_writer_is_known_and_says_how_it_keeps_secrets_out() -> None:
    assert _writers(ROOT) == set(CLEAN)


@pytest.mark.parametrize(
    "line",
    [
        "path.write_text(x)",
        "Path('x').open('w')",
        "open('x', mode='ab')",
        "gzip.open(part, 'wb', compresslevel=1)",
        "os.open(path, os.O_WRONLY)",
        "sqlite3.connect(path)",
    ],
)
def test_a_new_writer_is_found(tmp_path: Path, line: str) -> None:
    """The check can fail."""
    (tmp_path / "core").mkdir()
    (tmp_path / "core/x.py").write_text(f"def f():\n    {line}\n    open('y')\n    p.open('rb')\n")
    assert _writers(tmp_path) == {"core/x.py"}
    (tmp_path / "core/x.py").write_text("open('y')\np.open('rb')\nos.open(p, os.O_RDONLY)\n")
    assert _writers(tmp_path) == set()
