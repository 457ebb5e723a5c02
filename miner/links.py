"""Which issues a change closes, by what is written about it and by the issues' timelines."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from core.types import Link
from miner.markup import words
from miner.tracker import Issue, PullRequest

MOST_MENTIONS = 30
"""Numbers merely mentioned that are looked up for one change; those by rule have no limit."""

BY_PULL_REQUEST = "closing reference of the pull request"
BY_COMMIT_TIMELINE = "closed by this commit, by the timeline"
BY_PULL_TIMELINE = "closed by this pull request, by the timeline"
BY_TITLE = "closing keyword in the pull request's title"
BY_BODY = "closing keyword in the pull request's body"
BY_MESSAGE = "closing keyword in the commit message"
BY_MERGED = "closing keyword in a merged commit's message"
MENTIONED = ""
RULES = (
    BY_PULL_REQUEST, BY_COMMIT_TIMELINE, BY_PULL_TIMELINE, BY_TITLE, BY_BODY, BY_MESSAGE, BY_MERGED,
)  # fmt: skip
"""Strongest first."""

# `#12`, `GH-12`, `owner/name#12`, the address of an issue; plain, in brackets or as a link's text.
_NUMBER = (
    r"(?:(?P<slug>(?<![\w./-])[\w.-]{1,100}/[\w.-]{1,100})?(?<![#&])#(?P<number>\d{1,9})\b"
    r"|\bGH-(?P<gh>\d{1,9})\b"
    r"|https?://[^\s/]{1,200}/(?P<place>[\w.-]{1,100}/[\w.-]{1,100})/issues/(?P<address>\d{1,9})\b"
    r"(?:#\w[\w-]*)?)"
)
_MENTION = re.compile(rf"(?<![\w./-]){_NUMBER}", re.IGNORECASE)
_CLOSES = re.compile(
    r"(?<![\w-])(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b"
    rf"(?::\s{{0,9}}|\s{{1,9}})(?:[-*]\s)?(?:(?:issues?|bugs?)\s)?[\[<(]?{_NUMBER}",
    re.IGNORECASE,
)
_LISTED = re.compile(
    rf"[\])>]?(?:\s{{0,3}}(?:,\s{{0,3}}(?:and\s|&\s)?|and\s|&|\+)|\s{{1,3}}(?:[-*]\s)?)\s{{0,3}}"
    rf"[\[<]?{_NUMBER}",
    re.IGNORECASE,
)
_NEGATED = re.compile(r"(?:\b(?:not|never|without|cannot)|n't)\s+(?:\w+\s+)?\Z", re.IGNORECASE)
_MERGES = re.compile(
    r"(?:Auto merge of|Merge(?: PR)?|Merge pull request) #(\d{1,9})\b"
    r"|Merged in .{1,300} \(pull request #(\d{1,9})\)$"
)
_SQUASHED = re.compile(r"\((?:#|GH-)(\d{1,9})\)$")
_REVERT = re.compile(r'\s*Revert "')


@dataclass(frozen=True)
class Texts:
    """Everything that is written about a change."""

    message: str
    """The commit's own message."""
    merged: tuple[str, ...] = ()
    """Messages of the commits that a merge brought, oldest first."""
    pull_request: PullRequest | None = None


def pull_number(message: str) -> int | None:
    """The pull request that a commit message says it merges; None where it says none.

    `Subject (#12)` may be an issue's number too, which only the tracker can tell.
    """
    found = _merges(message) or _SQUASHED.search(_subject(message))
    return next((int(n) for n in found.groups() if n), None) if found else None


def named(texts: Texts, slug: str) -> dict[int, str]:
    """Numbers of issues of the repository `slug` (`owner/name`) that the texts name.

    Each comes with the strongest rule, in that order; a mere mention has the rule "". With an
    unknown slug ("") only plain numbers count. The change's own pull request is left out.
    """
    found: dict[int, str] = {}
    pull_request = texts.pull_request
    sources = [(BY_MESSAGE, texts.message)]
    if pull_request is not None:
        found.update(dict.fromkeys(pull_request.closes, BY_PULL_REQUEST))
        ours = [(BY_TITLE, pull_request.title), (BY_BODY, pull_request.body or "")]
        sources = ours + sources
    sources += [(BY_MERGED, message) for message in texts.merged]
    read = [(rule, words(text), _REVERT.match(text) is not None) for rule, text in sources]
    for rule, text, reverts in read:
        # A revert quotes the subject of what it takes back.
        for number in () if reverts else _closed(text, slug):
            found.setdefault(number, rule)
    mentions = dict.fromkeys(n for _, text, _ in read for n in _mentioned(text, slug))
    for number in [n for n in mentions if n not in found][:MOST_MENTIONS]:
        found[number] = MENTIONED
    own = _own(texts)
    return {number: rule for number, rule in found.items() if number and number not in own}


def links(
    named: Mapping[int, str],
    issues: Mapping[int, Issue],
    texts: Texts,
    closers: Collection[str],
) -> tuple[Link, ...]:
    """The issues that a change closes, the surest first.

    `closers` are the full ids of its commits, and its pull request as `#12`. An issue that
    could not be read counts where a rule names it; one that is merely mentioned counts only
    where its timeline says that the change closed it.
    """
    mine = {closer.lower() for closer in closers}
    own = _own(texts)
    maybe_own = pull_number(texts.message)
    rules: dict[int, str] = {}
    for number in dict.fromkeys([*named, *issues]):
        issue = issues.get(number)
        if number in own or (issue is None and number == maybe_own):
            continue
        rule = _strongest(named.get(number, MENTIONED), _timeline(issue, mine))
        if rule != MENTIONED:
            rules[number] = rule
    order = sorted(rules, key=lambda number: RULES.index(rules[number]))
    return tuple(Link(issue=number, rule=rules[number]) for number in order)


def _timeline(issue: Issue | None, closers: set[str]) -> str:
    by = closers & {closer.lower() for closer in issue.closed_by} if issue else set()
    if any(not closer.startswith("#") for closer in by):
        return BY_COMMIT_TIMELINE
    return BY_PULL_TIMELINE if by else MENTIONED


def _strongest(*rules: str) -> str:
    return min((rule for rule in rules if rule), key=RULES.index, default=MENTIONED)


def _own(texts: Texts) -> set[int]:
    """Numbers that are the change's own pull request's for sure."""
    found = _merges(texts.message)
    own = {int(n) for n in found.groups() if n} if found else set()
    return own | ({texts.pull_request.number} if texts.pull_request else set())


def _merges(message: str) -> re.Match[str] | None:
    return _MERGES.match(_subject(message))


def _subject(message: str) -> str:
    return message.strip().partition("\n")[0].strip()


def _closed(text: str, slug: str) -> Iterator[int]:
    """Numbers after a closing keyword, and those listed with them."""
    for found in _CLOSES.finditer(text):
        if _NEGATED.search(text[max(0, found.start() - 40) : found.start()]):
            continue
        reference: re.Match[str] | None = found
        while reference is not None:
            yield from _ours(reference, slug)
            reference = _LISTED.match(text, reference.end())


def _mentioned(text: str, slug: str) -> Iterator[int]:
    for found in _MENTION.finditer(text):
        yield from _ours(found, slug)


def _ours(found: re.Match[str], slug: str) -> Iterator[int]:
    of = found["slug"] or found["place"]
    if of is None or (slug and of.lower() == slug.lower()):
        yield int(found["number"] or found["gh"] or found["address"])
