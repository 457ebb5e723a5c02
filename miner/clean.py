"""A text without what only the one who made the fix could know, and without what says nothing.

What a reporter wrote stays: versions, colours, tracebacks, their own code, links to pages.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from miner.markup import Kind, Part, parts
from miner.removed import Removed
from miner.scores import telling_lines
from miner.sections import without_account, without_unfilled
from miner.traces import AN_ID, without_promises, without_traces

_SIGNATURE = re.compile(
    r"\s*(?:(?i:(?:signed-off-by|co-authored-by|reviewed-by|acked-by|tested-by|change-id|"
    r"pull-request|pr-url|reported-by|suggested-by|helped-by|approved-by|reviewed-on|"
    r"git-svn-id|differential revision|claude-session):|\(cherry picked from commit)"
    r"|Cc:|(?i:cc:? .{0,200}[@<])"
    r"|(?i:sent from my )|Reply to this email directly|On .{5,200} wrote:$"
    r"|(?:\W{0,4} )?Generated with \[?\w)"
)
_SIGNED = re.compile(r"-- ?")
_LONGEST_SIGNATURE = 8
_IMAGE = re.compile(
    r"!\[[^\[\]\n]{0,300}\]\([^()\s]{1,2000}(?:\s\"[^\"\n]{0,200}\")?\)"
    r"|(?i:<(?:img|video|source)\b[^<>]{0,4000}>|</(?:video|picture)>|<picture>)"
    r"|(?<![(\w\"'=])https?://[^\s/]{1,200}/(?:user-attachments/(?:assets|files)/[\w./%-]+"
    r"|[\w./%-]{1,300}\.(?i:png|jpe?g|gif|webp|mp4|mov)\b)"
)
_EMPTY_LINK = re.compile(r"\[\s{0,9}\]\([^()\s]{0,2000}\)")
_UNTICKED = re.compile(r"\s{0,12}(?:[-*+]|\d{1,3}\.)\s{1,3}\[ ?\](?:\s.*)?")
_TICKED = re.compile(r"\s{0,12}(?:[-*+]|\d{1,3}\.)\s{1,3}\[[xX]\]\s(?P<text>.*)")
_ASSURES = re.compile(r"(?:I |I've |I'm |This |The |My |By )", re.IGNORECASE)
_NO_ANSWER = re.compile(r"\s*[_*]{0,2}No response[_*]{0,2}\s*", re.IGNORECASE)
_NOTE_TO_REVIEWERS = re.compile(
    r"\s{0,8}(?:[-*+]\s{1,3})?(?:apply (?:\w+ )?suggestions? from (?:\S+ )?code review"
    r"|(?:address|addressed|addressing|fix|apply|more)? ?(?:code |PR )?review(?:er)?"
    r"(?: comments?| feedback| suggestions?| notes?)?(?: from .{0,60})?"
    r"|(?:fix(?:ed|es|ing)? )?(?:the )?(?:lint(?:ing|er)?|typos?|flake8|formatting|mypy|black|"
    r"pre-commit|pep ?8|ci|line length)(?: errors?| issues?)?"
    r"|wip|fixup!?.{0,80}|squash!.{0,80}|cleanup|rebase|nits?|run black"
    r"|(?:add|update|fix|edit) (?:the )?(?:changelog|changes|changes\.\w+|news)(?: entry)?"
    r"|\[pre-commit\.ci\] .{0,80}|merge (?:remote-tracking )?branch .{0,200}"
    r"|(?:PTAL|LGTM|ready for review|please review)\b.{0,40})\s?[.!]?",
    re.IGNORECASE,
)
_DIFF_INFO = re.compile(r"\s*(?:`+|~+)\s*\{?\.?(?:diff|patch|suggestion)\b", re.IGNORECASE)
_DIFF_HEAD = re.compile(
    r"(?:diff --git |index [0-9a-f]{4,64}\.\.|(?:new|deleted) file mode |(?:old|new) mode "
    r"|similarity index |rename (?:from|to) |Binary files |--- |\+\+\+ )"
)
_HUNK = re.compile(r"@@ -\d{1,9}(?:,(?P<old>\d{1,9}))? \+\d{1,9}(?:,(?P<new>\d{1,9}))? @@")
_PROMPT = re.compile(r"\s*(?:>>>|\.\.\.|[+>$])\s")
_CODE_LINE = re.compile(r"(?: {4,}|\t).*[()=\[\]{}:]")
_MASK = re.compile("\ue000(\\d+)\ue001")
_OURS = str.maketrans({"\ue000": "\ufffd", "\ue001": "\ufffd", "\ue002": "\ufffd", "\r": "\n"})


@dataclass(frozen=True)
class Cleaned:
    """A text and what was taken out of it."""

    text: str
    removed: dict[str, int] = field(default_factory=dict)
    """Kind (see Removed) → count; kinds without any are left out."""


def clean(text: str, *, gold_added: Sequence[str] = (), by_fixer: bool = False) -> Cleaned:
    """Clean a text of several lines; `gold_added` are the lines that the fix adds.

    `by_fixer` is for what the one who made the fix wrote: there, sections on how it was done
    and notes to the reviewers go too. The text may come out empty.
    """
    removed: Counter[str] = Counter()
    gold = telling_lines(gold_added)
    kept: list[str] = []
    text = text.replace("\r\n", "\n").translate(_OURS)
    masked = "".join(_masked(part, gold, kept, removed) for part in parts(text))
    masked = _without_images(masked, removed)
    lines = _without_diffs(masked.split("\n"), removed)
    lines = _without_lines(lines, gold, removed, by_fixer=by_fixer)
    if by_fixer:
        lines = without_account(lines, removed)
    masked = without_traces(without_promises("\n".join(lines), removed), removed)
    lines = without_unfilled(masked.split("\n"), removed)
    tidied = _MASK.sub(lambda found: kept[int(found[1])], tidy("\n".join(lines)))
    return Cleaned(tidied, {str(kind): count for kind, count in sorted(removed.items()) if count})


def clean_line(text: str) -> Cleaned:
    """Clean a title: only references, links and ids go; what is left is one line."""
    removed: Counter[str] = Counter()
    kept: list[str] = []
    line = " ".join(text.translate(_OURS).split())
    masked = "".join(_masked(part, frozenset(), kept, removed) for part in parts(line))
    found = _MASK.sub(lambda found: kept[int(found[1])], without_traces(masked, removed))
    counts = {str(kind): count for kind, count in sorted(removed.items()) if count}
    return Cleaned(" ".join(found.split()), counts)


def tidy(text: str) -> str:
    """No space at the ends of lines, never two empty lines, none around the text."""
    lines = [line.rstrip() for line in text.strip().split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _masked(part: Part, gold: frozenset[str], kept: list[str], removed: Counter[str]) -> str:
    """A part, with a mark in place of code that stays as it is."""
    if part.kind is Kind.WORDS:
        return part.text
    if part.kind is Kind.COMMENT:
        removed[Removed.TEMPLATES] += 1
        return ""
    inner = part.text.strip("`")
    if part.kind is Kind.SPAN and AN_ID.fullmatch(inner):
        return inner
    code = part.text if part.kind is Kind.SPAN else _of_fence(part.text, gold, removed)
    if not code:
        return ""
    kept.append(code)
    return f"\ue000{len(kept) - 1}\ue001"


def _of_fence(text: str, gold: frozenset[str], removed: Counter[str]) -> str:
    """A fenced block without diffs and the code of the fix; empty where nothing is left."""
    opening, *lines = text.split("\n")
    if _DIFF_INFO.match(opening):
        removed[Removed.DIFFS] += 1
        return ""
    closing = [lines.pop()] if lines and not lines[-1].strip().strip(opening.strip()[0]) else []
    lines = _without_diffs(lines, removed)
    plain = [" ".join(_PROMPT.sub("", line, count=1).split()) for line in lines]
    telling = [line for line in plain if line in gold or line in telling_lines([line])]
    of_fix = [line for line in telling if line in gold]
    if len(of_fix) * 2 > len(telling):
        removed[Removed.CODE_OF_THE_FIX] += 1
        return ""
    removed[Removed.CODE_OF_THE_FIX] += len(of_fix)
    lines = [line for line, even in zip(lines, plain, strict=True) if even not in gold]
    return "\n".join([opening, *lines, *closing]) if "".join(lines).strip() else ""


def _without_images(text: str, removed: Counter[str]) -> str:
    text, count = _IMAGE.subn("", text)
    removed[Removed.IMAGES] += count
    return _EMPTY_LINK.sub("", text) if count else text


def _without_lines(
    lines: Sequence[str], gold: frozenset[str], removed: Counter[str], *, by_fixer: bool
) -> list[str]:
    """Leave out whole lines by what each is."""
    kept = []
    for index, line in enumerate(lines):
        if _SIGNED.fullmatch(line) and _is_last(lines, index):
            removed[Removed.SIGNATURES] += 1
            break
        kind = _kind(line, gold, by_fixer=by_fixer)
        if kind is None:
            kept.append(line)
        else:
            removed[kind] += 1
    return kept


def _is_last(lines: Sequence[str], index: int) -> bool:
    below = [line for line in lines[index + 1 : index + 3 + _LONGEST_SIGNATURE] if line.strip()]
    return len(lines) - index <= _LONGEST_SIGNATURE + 2 and len(below) <= _LONGEST_SIGNATURE


def _kind(line: str, gold: frozenset[str], *, by_fixer: bool) -> Removed | None:
    ticked = _TICKED.fullmatch(line)
    if _SIGNATURE.match(line):
        return Removed.SIGNATURES
    if _UNTICKED.fullmatch(line) or _NO_ANSWER.fullmatch(line):
        return Removed.TEMPLATES
    if ticked and (by_fixer or _ASSURES.match(ticked["text"])):
        return Removed.TEMPLATES
    if by_fixer and line.strip() and _NOTE_TO_REVIEWERS.fullmatch(line):
        return Removed.CHATTER
    if gold and _CODE_LINE.match(line) and " ".join(line.split()) in gold:
        return Removed.CODE_OF_THE_FIX
    return None


def _without_diffs(lines: Sequence[str], removed: Counter[str]) -> list[str]:
    kept: list[str] = []
    index = 0
    while index < len(lines):
        end = _diff_end(lines, index)
        removed[Removed.DIFFS] += end > index
        if end == index:
            kept.append(lines[index])
            end += 1
        index = end
    return kept


def _diff_end(lines: Sequence[str], start: int) -> int:
    """The line after a diff that starts here; `start` itself where none does."""
    indent = len(lines[start]) - len(lines[start].lstrip())
    index = start
    while index < len(lines) and _DIFF_HEAD.match(lines[index], indent):
        index += 1
    hunks = index
    while index < len(lines) and (hunk := _HUNK.match(lines[index], indent)):
        index = _hunk_end(lines, index + 1, indent, hunk)
    is_diff = index > hunks or (hunks > start and lines[start].startswith("diff --git ", indent))
    return index if is_diff else start


def _hunk_end(lines: Sequence[str], start: int, indent: int, hunk: re.Match[str]) -> int:
    old, new = int(hunk["old"] or 1), int(hunk["new"] or 1)
    index = start
    for mark in _marks(lines, start, indent):
        if (old <= 0 and new <= 0 and mark != "\\") or mark not in "+- \\":
            break
        old -= mark in "- "
        new -= mark in "+ "
        index += 1
    return index


def _marks(lines: Sequence[str], start: int, indent: int) -> Iterator[str]:
    for line in lines[start:]:
        yield line[indent : indent + 1] or " "
