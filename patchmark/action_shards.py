"""What the Action is asked where a run is split over several jobs: to plan, and to merge."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UsageError
from patchmark.sharding import MOST

if TYPE_CHECKING:
    from patchmark.action_inputs import ActionInputs

PLANNED = "patchmark-plan"
"""What `plan` leaves in the examples: beside the shards where all artifacts are downloaded."""
COMMANDS = ("run", "plan", "merge", "change-check")


def count(text: str) -> str:
    """The input `shards`. Raises UsageError for what is no number of jobs."""
    if text and not (text.isdecimal() and 1 <= int(text) <= MOST):
        raise UsageError(f"input `shards` is {text!r}; it can be a number from 1 to {MOST}")
    return text


def arguments(inputs: ActionInputs, flags: Mapping[str, str]) -> list[str]:
    """The command line of `plan` or `merge`; of a run's `flags` those that it takes."""
    if inputs.command == "plan":
        return ["plan", *_given(flags, "plan"), f"--shards={inputs.shards or 1}"]
    folder = Path(inputs.merge_from)
    there = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    found = [path for path in there if path.name != PLANNED]
    expect = [f"--expect={inputs.shards}"] if inputs.shards else []
    return ["merge", *map(str, found or [folder]), *_given(flags, "merge"), *expect]


_TAKEN = {
    "plan": ("--repo", "--out", "--max-tasks", "--since", "--until", "--paths", "--labels"),
    "merge": ("--repo", "--out", "--fail-under", "--fail-if-worse-than", "--max-cost-per-solve"),
}


def _given(flags: Mapping[str, str], command: str) -> list[str]:
    names = (*_TAKEN[command], "--config")
    return [f"{name}={flags[name]}" for name in names if flags[name]]
