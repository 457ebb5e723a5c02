"""What a model is told: what a developer could have known when the fix was begun.

The issue as it read then, with what had been said about it; else the pull request; else the
commit message. Each is cleaned of what gives the answer away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.types import Link, StatementSource
from miner.clean import Cleaned, clean, clean_line
from miner.history import without_merge
from miner.links import Texts
from miner.removed import Removed
from miner.scores import leak, vagueness
from miner.tracker import Edit, Issue, PullRequest

_NO_WORDS = "The change has no description."
_COMMENT = "### A comment on this"
_MOST_COMMENTS = 20
_LONGEST_COMMENT = 10_000
"""Characters; whole logs are pasted into comments."""
_FEWEST_WORDS = 5
"""Of a comment: what is shorter asks for news, or agrees."""


@dataclass(frozen=True)
class Statement:
    """The task's text, where it is from, and how good it is."""

    title: str
    text: str
    source: StatementSource
    links: tuple[Link, ...]
    """Those first whose issues the text is made of."""
    labels: tuple[str, ...]
    """Of the issues and the pull request, sorted."""
    removed: dict[str, int]
    """Kind (see Removed) → count."""
    leak: float
    vagueness: float


@dataclass
class _Told:
    """A text under way, with what was taken out of it."""

    title: str = ""
    paragraphs: list[str] = field(default_factory=list)
    removed: Counter[str] = field(default_factory=Counter)

    def add(self, cleaned: Cleaned) -> str:
        self.removed.update(cleaned.removed)
        return cleaned.text

    @property
    def text(self) -> str:
        return "\n\n".join(paragraph for paragraph in self.paragraphs if paragraph)


def state(
    texts: Texts,
    *,
    subject: str,
    written_at: datetime,
    links: tuple[Link, ...],
    issues: Mapping[int, Issue],
    gold_added: Sequence[str],
) -> Statement:
    """Find the statement of a change.

    `subject` is its title for want of anything better, `written_at` when its first commit was
    written, `gold_added` are the lines that its fix adds.
    """
    pull = texts.pull_request
    began = _earliest(written_at, pull.started_at if pull else None)
    opened = (pull.created_at if pull else None) or began
    linked = [issues[link.issue] for link in links if link.issue in issues]
    there = [issue for issue in linked if issue.created_at is None or issue.created_at <= opened]
    told, used = _of_issues(there, opened, began, gold_added)
    source = StatementSource.ISSUE
    if not used:
        told, source = _of_change(texts, opened, gold_added)
    told.removed[Removed.WRITTEN_AFTER] += len(linked) - len(there)
    title = told.title or clean_line(subject).text or subject.strip() or _NO_WORDS
    text = told.text or title
    whole = f"{title}\n\n{text}"
    labels = {label for issue in linked for label in issue.labels}
    return Statement(
        title=title,
        text=text,
        source=source,
        links=tuple(sorted(links, key=lambda link: link.issue not in used)),
        labels=tuple(sorted(labels | set(pull.labels if pull else ()))),
        removed={str(kind): count for kind, count in sorted(told.removed.items()) if count},
        leak=leak(whole, gold_added),
        vagueness=vagueness(whole),
    )


# --- issues -------------------------------------------------------------------------------


def _of_issues(
    issues: Sequence[Issue], opened: datetime, began: datetime, gold: Sequence[str]
) -> tuple[_Told, set[int]]:
    """The text of all that say something, and their numbers."""
    told = _Told()
    used: set[int] = set()
    for issue in issues:
        title = told.add(clean_line(_as_of(issue.titles, opened, issue.title)))
        if not title:
            continue
        told.paragraphs.append(f"## {title}" if used else title)
        told.title = told.title or title
        told.paragraphs.append(told.add(clean(_body(issue, opened), gold_added=gold)))
        used.add(issue.number)
        told.paragraphs += _comments(issue, began, gold, told)
    return told, used


def _comments(issue: Issue, began: datetime, gold: Sequence[str], told: _Told) -> list[str]:
    """The comments that were there when the fix was begun, each below a heading of its own."""
    older = [comment for comment in issue.comments if comment.at < began]
    told.removed[Removed.WRITTEN_AFTER] += len(issue.comments) - len(older)
    found: list[str] = []
    for comment in older[:_MOST_COMMENTS]:
        text = told.add(clean(comment.text[:_LONGEST_COMMENT], gold_added=gold))
        if len(text.split()) < _FEWEST_WORDS:
            told.removed[Removed.CHATTER] += 1
        else:
            found += [_COMMENT, text]
    return found


def _body(written: Issue | PullRequest, at: datetime) -> str:
    return _as_of(written.bodies, at, written.body or "")


def _as_of(edits: Sequence[Edit], at: datetime, unedited: str) -> str:
    """A text as it read at a time; the oldest version known where all are younger."""
    if not edits:
        return unedited
    older = [edit.text for edit in edits if edit.at <= at and edit.text]
    return older[-1] if older else edits[0].text


def _earliest(one: datetime, other: datetime | None) -> datetime:
    return one if other is None else min(one, other)


# --- pull requests and commit messages ------------------------------------------------------


def _of_change(
    texts: Texts, opened: datetime, gold: Sequence[str]
) -> tuple[_Told, StatementSource]:
    """What the one who made the change says of it, in the better of two places."""
    message = _of_messages(texts, gold)
    if texts.pull_request is None:
        return message, StatementSource.COMMIT_MESSAGE
    pull = _of_pull(texts.pull_request, opened, gold)
    if not pull.text or (message.text and vagueness(message.text) < vagueness(pull.text)):
        return message, StatementSource.COMMIT_MESSAGE
    return pull, StatementSource.PULL_REQUEST


def _of_pull(pull: PullRequest, opened: datetime, gold: Sequence[str]) -> _Told:
    told = _Told()
    told.title = told.add(clean_line(_as_of(pull.titles, opened, pull.title)))
    body = told.add(clean(_body(pull, opened), gold_added=gold, by_fixer=True))
    told.paragraphs = [told.title, body]
    return told


def _of_messages(texts: Texts, gold: Sequence[str]) -> _Told:
    """The commit's own message; of a merge without words, the messages of what it brought."""
    told = _Told()

    def cleaned(message: str) -> str:
        return told.add(clean(without_merge(message), gold_added=gold, by_fixer=True))

    own = cleaned(texts.message)
    told.paragraphs = [own] if own else _different(texts.merged, cleaned)
    told.title = " ".join(told.text.partition("\n")[0].split())
    return told


def _different(messages: Iterable[str], cleaned: Callable[[str], str]) -> list[str]:
    return list(dict.fromkeys(text for message in messages if (text := cleaned(message))))
