"""What no file of the project may hold: a package registry's host, or this machine's paths."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Put together from parts, so that this file does not hold them either.
HOSTS = (
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "npmjs" + ".org",
    "npmjs" + ".com",
    "yarnpkg" + ".com",
)
LOCKS = (
    "requirements.txt",
    "requirements-cluster.txt",
    "requirements-dev.txt",
    "requirements-uv.txt",
)


def tracked(root: Path) -> list[Path]:
    """Files in git or about to be: all that no .gitignore names."""
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    )
    return [root / name for name in sorted(listed.stdout.decode().split("\0")) if name]


def mentions(paths: list[Path]) -> list[str]:
    """`file:line` of each registry host."""
    pattern = re.compile("|".join(map(re.escape, HOSTS)))
    found = []
    for path in paths:
        if path.is_file():
            lines = path.read_bytes().decode(errors="replace").splitlines()
            found += [f"{path.name}:{n}" for n, line in enumerate(lines, 1) if pattern.search(line)]
    return found


def test_no_file_names_a_package_registry() -> None:
    """Which registry is used is the machine's business."""
    assert mentions(tracked(ROOT)) == []


def test_a_planted_host_is_found(tmp_path: Path) -> None:
    """The check can fail."""
    (tmp_path / "a.txt").write_text(f"fine\nhttps://{HOSTS[0]}/simple\n", encoding="utf-8")
    assert mentions([tmp_path / "a.txt"]) == ["a.txt:2"]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_pins_and_hashes_only(name: str) -> None:
    """No index, no folder, no command line; every requirement exact and hashed."""
    text = (ROOT / name).read_text(encoding="utf-8").replace(" \\\n", " ")
    for line in text.splitlines():
        assert re.fullmatch(
            r"[a-z0-9][a-z0-9._-]*==[^\s;]+( ; [^\\]+?)?(\s+--hash=sha256:[0-9a-f]{64})+", line
        ), line[:80]


def test_the_locks_agree() -> None:
    """What is tested is what runs."""
    runtime, cluster, development, _ = (
        dict(re.findall(r"^(\S+)==(\S+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))
        for name in LOCKS
    )
    assert runtime.items() <= cluster.items() <= development.items()
