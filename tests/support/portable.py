"""The portable judge in a container as other tools make them: root, with all usual privileges."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass
from typing import Any

from core.types import Task
from sandbox.docker import DockerEngine
from sandbox.portable import portable_judge

REWARD = "/logs/verifier"
_JUDGE = f"""
cd /
mkdir -p -m 777 {REWARD}
/usr/bin/python3 -I -S -B /tests/judge.pyz /tests/task.json /tests/patch --reward {REWARD} $MORE
echo "code $?"
ls {REWARD}
cat {REWARD}/reward.txt 2>&1
stat -c 'mode %a %u' {REWARD}
sleep 0.5
cat {REWARD}/reward.* 2>&1
"""


@dataclass(frozen=True)
class Seen:
    """What a judgement left, and what was printed."""

    verdict: dict[str, Any]
    reward: str
    printed: str


def judged(engine: DockerEngine, task: Task, patch: str | bytes, more: str = "") -> Seen:
    """Judge a patch as Harbor would have it done."""
    api = engine._api
    container = api.create_container(
        task.image,
        ["-c", _JUDGE],
        environment={"MORE": more},
        # Else bombs would be this machine's trouble.
        host_config=api.create_host_config(network_mode="none", mem_limit="1g", pids_limit=256),
    )["Id"]
    try:
        raw = patch if isinstance(patch, bytes) else patch.encode()
        record = task.model_dump_json().encode()
        files = {"judge.pyz": portable_judge(), "task.json": record, "patch": raw}
        api.put_archive(container, "/", _packed(files))
        api.start(container)
        api.wait(container, timeout=120)
        printed = api.logs(container).decode(errors="replace")
    finally:
        api.remove_container(container, force=True)
    before, _, after = printed.rpartition("\ncode ")
    verdict = before.rpartition("\n")[2]
    reward = after.rpartition("mode ")[2].partition("\n")[2].strip()
    assert "mode 777 0" in after
    return Seen(json.loads(verdict) if verdict.startswith("{") else {}, reward, printed)


def _packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        folder = tarfile.TarInfo("tests")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o700
        tar.addfile(folder)
        for name, content in files.items():
            member = tarfile.TarInfo(f"tests/{name}")
            member.size, member.mode = len(content), 0o600
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
