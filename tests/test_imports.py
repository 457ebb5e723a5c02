"""Imports run one way, and every SDK has one home: patchmark → the stages → core.

The rules are below; the check itself is shown to fail on planted violations.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STAGES = ("miner", "models", "sandbox", "reports")
PACKAGES = ("core", *STAGES, "patchmark")

MAY_IMPORT = {
    "core": {"core"},
    **{stage: {stage, "core"} for stage in STAGES},
    "patchmark": set(PACKAGES),
}
SDK_HOMES = {
    "anthropic": ("models/anthropic.py", "models/anthropic_batch.py", "models/anthropic_dialog.py"),
    "google": ("models/google.py", "models/google_"),
    "openai": ("models/openai.py", "models/openai_"),
    "docker": ("sandbox/",),
    "distributed": ("patchmark/cluster/link.py",),
    "github": (
        "reports/comment.py",
        "reports/sticky.py",
        "reports/tracking.py",
        "reports/patience.py",
        "miner/",
        "patchmark/",
    ),
    "jinja2": ("models/prompt.py", "reports/"),
    "pyarrow": ("patchmark/formats/parquet.py",),
    "tree_sitter": ("miner/grammars.py",),
}
LAZY_ONLY = frozenset(
    {"anthropic", "google", "openai", "github", "docker", "distributed", "pyarrow"}
)
ENVIRONMENT_HOMES = ("patchmark/", "core/git.py")
CORE_MAY_USE = frozenset({"pydantic", "core"}) | sys.stdlib_module_names
# What runs inside the containers: not part of the program, and not ours to import.
OUTSIDE = ("sandbox/container/",)


@dataclass(frozen=True)
class Import:
    """One import statement's module."""

    module: str
    line: int
    level: int
    at_start: bool
    """True where importing the file imports the module too."""

    @property
    def top(self) -> str:
        """The top-level package."""
        return self.module.partition(".")[0]


def imports(tree: ast.Module) -> Iterator[Import]:
    """All imports of a file that can run; those for the type checker alone cannot."""
    yield from _imports(tree, at_start=True)


def _imports(node: ast.AST, at_start: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for name in child.names:
                yield Import(name.name, child.lineno, 0, at_start)
        elif isinstance(child, ast.ImportFrom):
            yield Import(child.module or "", child.lineno, child.level, at_start)
        elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(child, at_start and not inside)


def environment_reads(tree: ast.Module) -> Iterator[int]:
    """Lines that name os.environ or os.getenv."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}:
            yield node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            names = {name.name for name in node.names}
            yield from [node.lineno] * bool(names & {"environ", "getenv"})


def violations(root: Path) -> list[str]:
    """Every broken rule below `root`, as `file:line: what`."""
    found = []
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            if not name.startswith(OUTSIDE):
                tree = ast.parse(path.read_text(encoding="utf-8"), name)
                found += [f"{name}:{line}: {what}" for line, what in _broken(tree, name, package)]
    return found


def _broken(tree: ast.Module, name: str, package: str) -> Iterator[tuple[int, str]]:
    for item in imports(tree):
        if item.level:
            yield item.line, "relative import"
        if item.top in PACKAGES and item.top not in MAY_IMPORT[package]:
            yield item.line, f"{package} imports {item.module}"
        if package == "core" and item.top not in CORE_MAY_USE and item.top not in PACKAGES:
            yield item.line, f"core imports {item.module}"
        yield from _sdk_broken(item, name)
    if not name.startswith(ENVIRONMENT_HOMES):
        for line in environment_reads(tree):
            yield line, "reads the environment"


def _sdk_broken(item: Import, name: str) -> Iterator[tuple[int, str]]:
    homes = SDK_HOMES.get(item.top)
    if homes is None or item.level:
        return
    if not name.startswith(homes):
        yield item.line, f"{item.top} is imported outside its home"
    elif item.top in LAZY_ONLY and item.at_start and name.startswith("patchmark/"):
        yield item.line, f"{item.top} is imported when the file is"


def test_imports_run_one_way() -> None:
    """Program → stages → core; SDKs and the environment stay where they belong."""
    assert violations(ROOT) == []


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("core/x.py", "import miner.walk", "core imports miner.walk"),
        ("core/x.py", "import rich", "core imports rich"),
        ("miner/x.py", "from sandbox.judge import Judge", "miner imports sandbox.judge"),
        ("models/x.py", "def f():\n    import patchmark.cli", "models imports patchmark.cli"),
        ("reports/x.py", "from . import html", "relative import"),
        ("models/x.py", "import anthropic", "anthropic is imported outside its home"),
        ("models/x.py", "from google import genai", "google is imported outside its home"),
        ("reports/x.py", "import docker.errors", "docker is imported outside its home"),
        ("sandbox/x.py", "import github", "github is imported outside its home"),
        ("patchmark/action.py", "import github", "github is imported when the file is"),
        (
            "patchmark/x.py",
            "from distributed import Client",
            "distributed is imported outside its home",
        ),
        ("patchmark/x.py", "import jinja2", "jinja2 is imported outside its home"),
        ("miner/x.py", "import tree_sitter", "tree_sitter is imported outside its home"),
        ("sandbox/x.py", "import os\nx = os.environ['A']", "reads the environment"),
        ("miner/x.py", "from os import getenv", "reads the environment"),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, name: str, text: str, what: str) -> None:
    """The check can fail: each rule, broken once."""
    path = tmp_path / name
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    line = text.count("\n") + 1
    assert violations(tmp_path) == [f"{name}:{line}: {what}"]


def test_what_is_allowed_is_not_reported(tmp_path: Path) -> None:
    """Lazy imports at home, and imports that only the type checker sees."""
    allowed = {
        "core/git.py": "import os\nimport pydantic\nx = os.environ",
        "models/anthropic.py": "def f():\n    import anthropic",
        "miner/x.py": "import typing\nif typing.TYPE_CHECKING:\n    from github import Github",
        "sandbox/container/run.py": "import os, anything\nx = os.environ",
    }
    for name, text in allowed.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert violations(tmp_path) == []


def test_starting_up_loads_no_sdk() -> None:
    """`patchmark --help` waits for no SDK."""
    script = (
        "import sys, patchmark.cli\n"
        "sdks = ('anthropic', 'google.genai', 'docker', 'github', 'tree_sitter', 'distributed')\n"
        "sys.exit(' '.join(name for name in sdks if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
