"""Which pull requests a workflow's event asks to be tried live."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from patchmark.events import Event
from patchmark.live_targets import Finder, NothingToTryError, Target

COMMANDS = ("live-plan", "live", "trial")
"""What the Action's input `command` can be for the live trial."""
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def targets(event: Event, payload: Mapping[str, Any], finder: Finder) -> list[Target]:
    """Those of a push to the default branch, or the one that was labelled or merged.

    Raises NothingToTryError, saying why, for every other event, and UsageError as `Finder` does.
    """
    if event.name == "push":
        return finder.of_push(*_pushed(payload))
    if event.name != "pull_request" or event.pull_request is None:
        raise NothingToTryError(
            f"`{event.name}` merges and labels nothing; live runs on `push` and `pull_request`"
        )
    number, told = event.pull_request.number, payload["pull_request"]
    action = payload.get("action")
    if action == "closed" and told.get("merged") is True:
        return finder.of_number(number)
    if action != "labeled":
        raise NothingToTryError(f"#{number} was neither labelled nor merged")
    if event.pull_request.fork:
        raise NothingToTryError(
            f"#{number} comes from a fork, whose code is a stranger's until it is merged; "
            "once it is, it is tried"
        )
    head = _part(told, "head").get("sha")
    if not isinstance(head, str) or not _SHA.fullmatch(head):
        raise NothingToTryError(f"the event of #{number} names no commit as its head")
    return finder.of_number(number, head=head)


def _pushed(payload: Mapping[str, Any]) -> tuple[str, str]:
    """Before and after."""
    branch = _part(payload, "repository").get("default_branch")
    if payload.get("ref") != f"refs/heads/{branch}":
        raise NothingToTryError("the push was not to the default branch")
    if payload.get("forced") is True:
        raise NothingToTryError("the push was forced: it rewrote history, and merged nothing")
    before, after = payload.get("before"), payload.get("after")
    if not (isinstance(before, str) and isinstance(after, str)):
        raise NothingToTryError("the event names no commits")
    if not (_SHA.fullmatch(before) and _SHA.fullmatch(after)):
        raise NothingToTryError("the event names no commits")
    if not before.strip("0"):
        raise NothingToTryError("the branch is new: nothing was merged into it")
    return before, after


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = value.get(name)
    return part if isinstance(part, dict) else {}
