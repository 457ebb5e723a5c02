"""A checkout full of files with our names cannot run in the process that holds the keys."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DECOYS = (
    "anthropic.py",
    "core/__init__.py",
    "docker.py",
    "github.py",
    "google/__init__.py",
    "jinja2.py",
    "json.py",
    "miner/__init__.py",
    "models/__init__.py",
    "patchmark.py",
    "patchmark/__init__.py",
    "patchmark/__main__.py",
    "pydantic.py",
    "reports/__init__.py",
    "sandbox/__init__.py",
    "sitecustomize.py",
    "typer.py",
    "usercustomize.py",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder whose Python files all write `caught` when they run."""
    caught = tmp_path / "caught"
    folder = tmp_path / "checkout"
    for name in DECOYS:
        decoy = folder / name
        decoy.parent.mkdir(parents=True, exist_ok=True)
        text = f"open({str(caught)!r}, 'a').write({name!r} + ' ')\n"
        decoy.write_text(text, encoding="utf-8")
    return folder


def _start(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # PYTHONHOME and the like would be ignored just the same; these two are what jobs set.
    hostile = {"PYTHONPATH": ".", "PYTHONSTARTUP": "sitecustomize.py"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], "HOME": str(checkout), **hostile},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("command", ["--version", "run --help", "action"])
def test_isolated_start_runs_ours_alone(checkout: Path, command: str) -> None:
    """The way the Action and README start patchmark."""
    done = _start(checkout, "-I", "-m", "patchmark", *command.split())
    assert not (checkout.parent / "caught").exists()
    if command == "--version":
        assert (done.returncode, done.stderr) == (0, "")
        assert "0.1.0" in done.stdout


def test_plain_start_would_run_the_decoys(checkout: Path) -> None:
    """The test above can fail: without -I the checkout's files do run."""
    _start(checkout, "-m", "patchmark", "--version")
    assert (checkout.parent / "caught").exists()
