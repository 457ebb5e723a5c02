"""The judge as one file starts on a bare Python; tests/sandbox/test_portable.py has it judge."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from sandbox.portable import portable_judge


@pytest.mark.skipif(os.geteuid() != 0, reason="it refuses to judge as anybody but root")
def test_all_that_it_imports_is_in_it(tmp_path: Path) -> None:
    """A list by hand of what is packed went wrong with the next module that the judge imported."""
    (tmp_path / "judge.pyz").write_bytes(portable_judge())
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", tmp_path / "judge.pyz", "--help"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: judge.pyz")


def test_it_is_what_judges_here_and_equal_each_time() -> None:
    portable_judge.cache_clear()
    first = portable_judge()
    portable_judge.cache_clear()
    assert portable_judge() == first
    packed = zipfile.ZipFile(io.BytesIO(first))
    root = Path(__file__).parents[2]
    for name in ("sandbox/judge.py", "sandbox/container/supervisor.py", "sandbox/readers/tap.py"):
        assert packed.read(name) == (root / name).read_bytes()
    assert "sandbox/docker.py" not in packed.namelist()
