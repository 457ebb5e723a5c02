"""Harbor's command line, from the package index, on this machine's engine."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from support.venvs import docker_for, environment

PACKAGE, OLDEST = "harbor==0.26.0", 12
_ENVIRONMENT = """
from pathlib import Path
from harbor.environments.docker.docker import DockerEnvironment

class WithoutNetwork(DockerEnvironment):
    @classmethod
    def _egress_control_kernel_support(cls):
        return False

    @property
    def capabilities(self):
        return super().capabilities.model_copy(update={"disable_internet": True})

    @property
    def _docker_compose_paths(self):
        return [*super()._docker_compose_paths, Path(__file__).with_name("shut.yaml")]
"""
"""Harbor's Docker provider cuts the network off by a container whose image lies in a registry that
tests do not reach. This one has the engine do it; and as an init hears a stop, nothing is waited
for."""
_SHUT = "services: {main: {network_mode: none, init: true, stop_grace_period: 0s}}\n"


class Harbor:
    """Its programs, and a folder to work in."""

    def __init__(self, folder: Path, endpoint: str):
        self._folder = folder
        folder.mkdir()
        (folder / "shut.yaml").write_text(_SHUT)
        (folder / "shut.py").write_text(_ENVIRONMENT)
        programs = environment(PACKAGE, OLDEST)
        self._program = programs / "harbor"
        self._variables = {
            **os.environ,
            **docker_for(programs, folder, endpoint),
            "HARBOR_TELEMETRY": "off",
            "PYTHONPATH": str(folder),
            "HOME": str(folder),
        }

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a command of it."""
        return subprocess.Popen(
            [self._program, *arguments],
            cwd=self._folder,
            env=self._variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, tasks: Path, agent: str) -> subprocess.Popen[str]:
        """Start an agent on all tasks of a folder."""
        where = ("-p", tasks, "-o", agent, "--job-name", "job", "-e", "shut:WithoutNetwork")
        return self.start("run", "-a", agent, "-y", "-q", *where)

    def rewards(self, agent: str) -> dict[str, float | None]:
        """What each task was rewarded with in the end, None for an error."""
        found = {}
        for path in (self._folder / agent / "job").glob("*/result.json"):
            trial = json.loads(path.read_text())
            rewards = (trial["verifier_result"] or {}).get("rewards") or {}
            found[trial["task_name"]] = rewards.get("reward")
        return found
