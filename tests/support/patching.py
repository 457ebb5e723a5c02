"""Patches applied as the judge's container applies them, and what always holds of that."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

from core.git import clean_environment, git_command

CONTAINER = Path(__file__).parents[2] / "sandbox/container"

CALC = """\
def add(a, b):
    return a - b


def sub(a, b):
    return a - b


def mul(a, b):
    return a * b


def last(items):
    return items[0]
"""
FIXED = CALC.replace("items[0]", "items[-1]")
FIX = """\
diff --git a/calc.py b/calc.py
index 0000000..1111111 100644
--- a/calc.py
+++ b/calc.py
@@ -11,4 +11,4 @@ def mul(a, b):
\x20
\x20
 def last(items):
-    return items[0]
+    return items[-1]
"""
HUNK = FIX.partition("+++ b/calc.py\n")[2]
PLAIN = f"--- a/calc.py\n+++ b/calc.py\n{HUNK}"
NEW = "--- /dev/null\n+++ b/pkg/new.py\n@@ -0,0 +1,2 @@\n+x = 1\n+y = 2\n"
FILE = "diff --git a/{0} b/{0}\nnew file mode {1}\n--- /dev/null\n+++ b/{0}\n@@ -0,0 +1 @@\n+x\n"
FILES = {"calc.py": CALC, "pkg/util.py": "one\ntwo\nthree\n", "run.sh": "#!/bin/sh\nexit 1\n"}


def load(name: str) -> ModuleType:
    """A file of the container, as the judge on the host takes it: by its path."""
    spec = importlib.util.spec_from_file_location(name, CONTAINER / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


APPLYING = load("applying")


def git(folder: Path, *arguments: str, stdin: bytes | None = None) -> bytes:
    who = ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL")
    identity = {f"GIT_{name}": "t@t" for name in who}
    done = subprocess.run(
        git_command(*arguments, directory=folder),
        input=stdin,
        capture_output=True,
        env={**clean_environment(), **identity},
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def repository(folder: Path, files: dict[str, str | bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    git(folder, "init", "--quiet", "--template=")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=x")
    return folder


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Everything there is, the inside of .git too: path → mode, content."""
    found = {}
    for top, folders, files in os.walk(folder):
        for name in folders + files:
            path = Path(top, name)
            mode = path.lstat().st_mode
            linked = os.fsencode(path.readlink()) if path.is_symlink() else b""
            content = path.read_bytes() if not linked and path.is_file() else linked
            found[str(path.relative_to(folder))] = mode, content
    return found


def apply(diff: str | bytes, folder: Path) -> dict[str, Any]:
    """Applies, and holds what always holds: refused leaves no trace; applied tells git's truth."""
    before = state(folder)
    content = diff if isinstance(diff, bytes) else diff.encode("utf-8", "surrogateescape")
    told: dict[str, Any] = APPLYING.apply(content, str(folder))
    after = state(folder)
    inside = {path: held for path, held in after.items() if path.startswith(".git/")}
    assert inside == {path: held for path, held in before.items() if path.startswith(".git/")}
    if "refused" in told:
        assert after == before
        assert "\n" not in told["refused"]
    else:
        listed = git(folder, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames")
        changed = [os.fsdecode(line[3:]) for line in listed.split(b"\0") if line]
        assert told["paths"] == sorted(changed)
        assert not [path for path in after if path.endswith((".orig", ".rej"))]
    return told
