"""Two that want the same made wait for one of them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sandbox.once import once

HELD = """
import sys
from sandbox.once import once
with once(sys.argv[1]):
    print("in", flush=True)
    sys.stdin.read()
print("out", flush=True)
"""


def test_another_process_waits(tmp_path: Path) -> None:
    """Two workers that needed the same base image both built it, a minute each."""
    what = str(tmp_path)
    start = [sys.executable, "-c", HELD, what]
    pipe = subprocess.PIPE
    with subprocess.Popen(start, stdin=pipe, stdout=pipe, text=True) as first:
        assert first.stdout is not None
        assert first.stdin is not None
        assert first.stdout.readline() == "in\n"
        with subprocess.Popen(start, stdin=pipe, stdout=pipe, text=True) as second:
            assert second.stdout is not None
            assert second.stdin is not None
            with pytest.raises(subprocess.TimeoutExpired):
                second.wait(1)
            first.stdin.close()
            assert first.stdout.readline() == "out\n"
            assert second.stdout.readline() == "in\n"
            second.stdin.close()


def test_other_things_are_made_beside(tmp_path: Path) -> None:
    with once(f"{tmp_path} a"), once(f"{tmp_path} b"):
        pass


def test_without_a_place_for_the_lock_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    with once("x"):
        pass
