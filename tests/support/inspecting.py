"""Inspect, from the package index, on this machine's engine and with a model that is played."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.venvs import docker_for, environment

PACKAGE, OLDEST = "inspect_ai==0.3.285", 11
_PLAY = """
import json, sys
from inspect_ai import eval as run
from inspect_ai.model import ModelOutput, ModelUsage, get_model

plays = json.load(open("plays.json"))

def played(messages, *rest):
    steps = next(steps for text, steps in plays.items() if any(text in m.text for m in messages))
    tool, arguments = steps[sum(m.role == "tool" for m in messages)]
    output = ModelOutput.for_tool_call("mockllm", tool, arguments)
    # Else it is counted, by a table from a host that tests do not reach.
    output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    return output

model = get_model("mockllm/model", custom_outputs=played)
(log,) = run("task.py", model=model, log_dir="logs", display="none")
found = {str(s.id): s.scores["judged"].value if s.scores else str(s.error) for s in log.samples}
print(json.dumps({"status": log.status, "scores": found}))
"""
_DOCKER = """#!/bin/sh
# Inspect asks for an engine of version 24; what it needs of one, Debian's can do.
if [ "$*" = "version --format json" ]; then
  echo '{{"Server": {{"Version": "24.0.6"}}}}'
else
  exec {} "$@"
fi
"""


def played(
    folder: Path, endpoint: str, plays: Mapping[str, list[tuple[str, Mapping[str, str]]]]
) -> dict[str, Any]:
    """Evaluate an exported folder: a part of a sample's text → the tools called, in order."""
    programs = environment(PACKAGE, OLDEST)
    own = folder / "programs"
    own.mkdir()
    (own / "docker").write_text(_DOCKER.format(shutil.which("docker")))
    (own / "docker").chmod(0o755)
    (folder / "plays.json").write_text(json.dumps(plays))
    done = subprocess.run(
        [programs / "python", "-c", _PLAY],
        cwd=folder,
        env={
            **os.environ,
            **docker_for(programs, folder, endpoint),
            "PATH": f"{own}:{os.environ['PATH']}",
            "HOME": str(folder),
            "INSPECT_TELEMETRY": "",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
