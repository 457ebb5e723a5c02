"""Harbor tasks, schema 1.4: a folder each, with a verifier of its own that is patchmark's judge."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from typing import Any

import tomli_w

from core.types import Task
from patchmark.formats.base import Format, Problem, Source
from patchmark.formats.carried import carried
from patchmark.formats.containers import (
    DIFF,
    KEEP_GIT,
    RUN_JUDGE,
    TAKE_DIFF,
    image_name,
    name_images,
)
from patchmark.formats.harbor_reading import FIX, INSTRUCTION, RECORD, SCHEMA, read
from patchmark.formats.names import full_slug
from patchmark.formats.problem import FRAME, problem_statement
from patchmark.formats.writing import new_bytes, new_file
from sandbox.engine import Limits
from sandbox.portable import portable_judge

_AGENT = f"""# The commit before the fix, its dependencies installed, without any later history.
FROM {{image}}
ENTRYPOINT []
# The patch is told by this copy; the repository's own is the agent's to do with as it likes.
RUN {KEEP_GIT}
WORKDIR /repo
"""
_VERIFIER = """# The same image once more, fresh: of the agent's container only its patch comes.
FROM {image}
ENTRYPOINT []
COPY judge.pyz task.json test.sh /tests/
# Neither which tests count nor which must fail is the tests' own business.
RUN chmod -R go-rwx /tests
WORKDIR /repo
"""
_TEST = f"""#!/bin/sh
# judge.pyz is a zip archive of patchmark's own judge. The tests run as another user, and what they
# report goes through a pipe; only root writes the reward, after every process of theirs has ended.
{RUN_JUDGE} {DIFF} \\
  --reward /logs/verifier --seconds {{seconds:g}}
"""
_SOLVE = """#!/bin/sh
set -e
cd /repo
git apply --whitespace=nowarn /solution/fix.patch
"""
_MORE_SECONDS = 120
"""What a judgement takes beside the tests, at most."""


def write(source: Source, to: Path) -> list[Problem]:
    """A folder for each task."""
    for task in source.tasks:
        _write(source, task, to / source.names[task.id])
    return [*name_images(source)]


def _write(source: Source, task: Task, folder: Path) -> None:
    limits = Limits(cpus=task.environment.cpus)
    image = image_name(task.image)
    told = {INSTRUCTION: f"{FRAME}{problem_statement(task)}", FIX: task.gold_patch}
    scripts = {
        "tests/test.sh": _TEST.format(seconds=limits.seconds),
        "solution/solve.sh": _SOLVE,
    }
    texts = {
        **told,
        RECORD: carried(task, told),
        "task.toml": tomli_w.dumps(_settings(source, task, limits), multiline_strings=True),
        "environment/Dockerfile": _AGENT.format(image=image),
        "tests/Dockerfile": _VERIFIER.format(image=image),
    }
    for name, text in texts.items():
        new_file(folder / name, text)
    for name, text in scripts.items():
        new_file(folder / name, text, mode=0o755)
    new_bytes(folder / "tests" / "judge.pyz", portable_judge())


def _settings(source: Source, task: Task, limits: Limits) -> dict[str, Any]:
    shut: Mapping[str, Any] = {
        "network_mode": "no-network",
        "cpus": limits.cpus,
        "memory_mb": limits.memory_mib,
        "workdir": "/repo",
    }
    return {
        "schema_version": SCHEMA,
        "task": {
            "name": _name(source.names[task.id]),
            "description": task.title,
            "keywords": ["patchmark", *task.difficulty.languages],
        },
        "metadata": {
            "repository": full_slug(source.repository),
            "base_commit": task.base_commit,
            "committed_at": task.committed_at.astimezone(UTC),
            "statement_source": task.statement_source.value,
            "changed": {
                "files": task.difficulty.files,
                "lines": task.difficulty.lines,
            },
        },
        "agent": {"timeout_sec": 3600.0},
        "verifier": {
            "environment_mode": "separate",
            "timeout_sec": limits.seconds + _MORE_SECONDS,
            "user": "root",
            "environment": {**shut},
            "collect": [{"command": TAKE_DIFF, "user": "root"}],
        },
        "environment": {**shut},
    }


def _name(name: str) -> str:
    """`owner/name-id`, as Harbor has it; what has no owner belongs to `local`."""
    owner, mark, rest = name.partition("__")
    return f"{owner}/{rest}" if mark and owner and rest[:1].isalnum() else f"local/{name}"


FORMAT = Format(
    name="harbor",
    about="Harbor tasks, schema 1.4, a folder each",
    write=write,
    read=read,
)
