"""The real command line in a process of its own, as a user starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

KEYS = ("ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY", "GITHUB_TOKEN")


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    """Our environment without keys, with a cache folder of the test's own."""
    ours = {name: value for name, value in os.environ.items() if name not in KEYS}
    return ours | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "COLUMNS": "80"} | more


def patchmark(
    tmp_path: Path, *arguments: str | Path, timeout: float = 540, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run `patchmark ARGUMENTS` in `tmp_path` and wait for it."""
    return subprocess.run(
        command(*arguments),
        cwd=tmp_path,
        env=environment(tmp_path, **more),
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def command(*arguments: str | Path) -> list[str]:
    """The words that start the program."""
    return [sys.executable, "-I", "-m", "patchmark", *map(str, arguments)]
