"""What a model is told: the issue if there is one, else the commit message, cleaned.

Removed is what a developer could not have known before the fix: references to commits and
pull requests, and words about the change itself such as trailers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from core.types import StatementSource
from miner.history import Change, without_merge
from miner.issues import Issue, Issues, closed_by

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TRAILER = re.compile(
    r"^(?:(?:signed-off-by|co-authored-by|reviewed-by|acked-by|tested-by|cc|change-id|"
    r"pull-request|pr-url|reported-by):|\(cherry picked from commit).*$",
    re.IGNORECASE | re.MULTILINE,
)
_CLOSES = re.compile(
    r"\(?\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?|refs?|see)\b:?\s+"
    r"(?:GH-|#)\d+(?:\s*(?:,|and)\s*(?:GH-|#)\d+)*\)?\.?",
    re.IGNORECASE,
)
# `Fix #12: read signs` says `read signs`.
_CLOSES_FIRST = re.compile(rf"^\s*{_CLOSES.pattern}\s*[:,;–—-]+\s+(?!GH-|#)", re.IGNORECASE)
_PULL = re.compile(r"\s*\((?:GH-|#)\d+\)")
# Neither a colour, nor a part of a UUID, nor a number such as 1e100000.
_SHA = re.compile(
    r"(?<![\w#-])(?!\d+e\d+\b)(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}(?![\w-])"
)
_NO_WORDS = "The change has no description."


@dataclass(frozen=True)
class Statement:
    """The task's text and where it is from."""

    title: str
    text: str
    source: StatementSource
    issue: int | None
    link_rule: str | None


def state(change: Change, merged: Callable[[], list[str]], issues: Issues) -> Statement:
    """Find the statement of a change; `merged` gives the messages of what a merge brought in.

    Those are asked for only where the change's own message links no issue or says nothing.
    """
    rule = "closing keyword in commit message"
    numbers = closed_by(change.message)
    text = clean_message(change.message)
    if len(change.parents) > 1 and not (numbers and text):
        messages = merged()
        text = text or clean_message("\n\n".join(messages))
        if not numbers:
            numbers = list(dict.fromkeys(n for m in messages for n in closed_by(m)))
            rule = "closing keyword in a merged commit's message"
    for number in numbers:
        issue = issues.get(number)
        if issue is not None and issue.title.strip():
            source, title, whole = StatementSource.ISSUE, issue.title, _of_issue(issue)
            return Statement(_clean_line(title), whole, source, number, rule)
    return Statement(
        title=_clean_line(text.partition("\n")[0]) or change.subject or _NO_WORDS,
        text=text or change.subject or _NO_WORDS,
        source=StatementSource.COMMIT_MESSAGE,
        issue=numbers[0] if numbers else None,
        link_rule=rule if numbers else None,
    )


def clean_message(message: str) -> str:
    """A commit message without what only the one who made the commit could know."""
    text = _TRAILER.sub("", without_merge(_COMMENT.sub("", message)))
    return _tidy("\n".join(_without_references(line) for line in text.split("\n")))


def _without_references(line: str) -> str:
    text = _CLOSES.sub("", _CLOSES_FIRST.sub("", line))
    text = _SHA.sub("", _PULL.sub("", text))
    only_marks_left = text != line and not any(character.isalnum() for character in text)
    return "" if only_marks_left else text


def _of_issue(issue: Issue) -> str:
    body = _SHA.sub("", _COMMENT.sub("", issue.body or "")).replace("\r\n", "\n")
    return _tidy(f"{issue.title.strip()}\n\n{body}")


def _tidy(text: str) -> str:
    lines = [line.rstrip() for line in text.strip().split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _clean_line(text: str) -> str:
    return " ".join(text.split())
