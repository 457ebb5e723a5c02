"""`patchmark doctor --attacks`: what it prints, its exit code, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from support.command_line import command, environment

from patchmark.attacks import table, tell, try_all
from patchmark.settings import Flags, make
from sandbox.attacks import ATTACKS
from sandbox.attacks.sample import PYTHON
from sandbox.discover import connect

pytestmark = pytest.mark.docker
ESCAPES = next(attack for attack in ATTACKS if attack.name.startswith("escapes and workflow"))
FIX = replace(ESCAPES, name="no attack at all", text=PYTHON.diff(PYTHON.fix))


def test_a_table_that_tells_what_got_through_and_obeys_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    done = try_all(make(Flags(), os.environ), (ESCAPES, FIX), table(Console()))
    assert tell(done, as_json=False) == 3
    text = capsys.readouterr().out
    assert "1 of 4 patches ended wrongly: no attack at all (python)" in text
    assert "⟨U+001B⟩" in text
    assert "\x1b" not in text
    assert "\n::" not in text
    without = [tried for tried in done if tried.patch != FIX.name]
    assert tell(without, as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"]
    assert {(one["patch"], one["outcome"], one["blame"]) for one in told["tried"]} == {
        ("the fix", "passed", ""),
        ("no change", "failed", "model"),
        (ESCAPES.name, "tampered", "model"),
    }


def test_interrupted_it_leaves_no_container(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("doctor", "--attacks"),
        cwd=tmp_path,
        env=environment(tmp_path, PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    # The heading and both honest patches: from here on two attacks run at once.
    for _ in range(5):
        assert process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert "stopped" in process.communicate(timeout=120)[1]
    assert process.returncode == 130
    engine = connect(os.environ)
    mine = {"label": f"dev.patchmark.owner={os.uname().nodename}:{process.pid}"}
    assert engine._api.containers(all=True, filters=mine) == []
    assert engine._api.images(filters=mine) == []
    engine.close()
