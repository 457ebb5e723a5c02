"""Headings and what stands below them: what a form left empty, and how a fix was done."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from miner.removed import Removed

_HEADING = re.compile(r" {0,3}(?P<marks>#{1,6})[ \t]+\S.*|\s{0,3}(?:\*\*[^*]+\*\*|__[^_]+__):?\s*")
_BOLD = 7
"""A level below all headings that Markdown has."""
_NAME = re.compile(r"[^\w' ]+")
_ACCOUNT = re.compile(
    r"\s*(?:the |my |our |proposed |suggested )?(?:solution|fix|fixes|implementation|approach|"
    r"implementation details?|implementation notes?|technical details?|root cause|how|"
    r"how (?:it|this|i|does|did|was)\b.{0,80}|how to test.{0,40}|"
    r"test(?:ing|s)?|test plan|testing done|"
    r"checklist|(?:pr|pull request) checklist|changelog|release notes?|screenshots?|"
    r"before submitting.{0,60}|type of change|types of changes?)\s*",
    re.IGNORECASE,
)


def without_unfilled(lines: Sequence[str], removed: Counter[str]) -> list[str]:
    """Leave out headings that are followed by an empty line and then by nothing of their own.

    A text that is one heading and nothing else keeps it: then that is what it says.
    """
    kept: list[str] = []
    deepest_filled = _BOLD + 1
    """The level from which on a heading is filled by what was seen below it."""
    dropped: list[str] = []
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index]
        level = _level(line)
        if level is None:
            if line.strip():
                deepest_filled = 0
        elif deepest_filled <= _BOLD and (deepest_filled == 0 or deepest_filled > level):
            deepest_filled = level
        elif index + 1 < len(lines) and lines[index + 1].strip():
            # Nobody's form has headings without a line between: rather a comment in code.
            deepest_filled = level
        else:
            dropped.append(line)
            continue
        kept.append(line)
    if len(dropped) == 1 and not any(line.strip() for line in kept):
        return list(lines)
    removed[Removed.TEMPLATES] += len(dropped)
    return kept[::-1]


def without_account(lines: Sequence[str], removed: Counter[str]) -> list[str]:
    """Leave out sections whose heading says that they tell how the fix was done or tested."""
    kept = []
    inside: int | None = None
    for line in lines:
        level = _level(line)
        if level is not None and (inside is None or level <= inside):
            account = _ACCOUNT.fullmatch(_NAME.sub(" ", line))
            inside = level if account else None
            removed[Removed.ACCOUNT_OF_THE_FIX] += account is not None
        if inside is None:
            kept.append(line)
    return kept


def _level(line: str) -> int | None:
    found = _HEADING.fullmatch(line)
    if found is None:
        return None
    return len(found["marks"]) if found["marks"] else _BOLD
