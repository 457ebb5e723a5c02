"""A loopback model that solves what it is asked where its question holds certain words."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from support.loopback import Asked, Behaviour, Plan
from support.repos import ENVIRONMENT

from core.paths import Kind, kind_of


def fixes(repository: Path) -> dict[str, str]:
    """Subject → what its commit changes of source files, as a diff; of all that has any."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", repository, *arguments], capture_output=True, text=True, env=ENVIRONMENT,
            check=True,
        )  # fmt: skip
        return done.stdout

    found = {}
    for line in git("log", "--first-parent", "--format=%H %s", "main").splitlines():
        commit, _, subject = line.partition(" ")
        names = git("diff-tree", "--root", "-r", "--name-only", "--no-commit-id", commit)
        source = [name for name in names.splitlines() if kind_of(name) is Kind.SOURCE]
        if source:
            shown = git("show", "--format=", "--no-renames", commit, "--", *source)
            found[subject] = f"```diff\n{shown}```\n"
    return found


def knowing(answers: dict[str, str], when: Callable[[str], bool]) -> Plan:
    """Answers with the fix of the subject in its question where its words please, else nothing."""

    def plan(asked: Asked, _: int) -> Behaviour:
        text = str(asked.body)
        found = [answer for subject, answer in answers.items() if subject in text]
        if when(text) and found:
            return Behaviour(text=max(found, key=len), output_tokens=300, seconds=0.05)
        return Behaviour(text="I cannot tell.", output_tokens=100, seconds=0.02)

    return plan
