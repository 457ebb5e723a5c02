"""Traces of the fix in running text: ids of commits, references, links, and promises.

Works on text whose code is masked, line by line or sentence by sentence, in linear time.
"""

from __future__ import annotations

import re
from collections import Counter

from miner.removed import Removed

_HEX = r"(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{7,16})"
# Neither a colour, nor a part of a UUID, a version or a path, nor a number such as 1e100000.
_ID = (
    r"(?:(?<![\w./-])[\w.-]{1,100}/[\w.-]{1,100}@)?(?<![\w#+:=/\\'\"-])(?<!\w\.)(?!\d+e\d+\b)"
    rf"(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f]){_HEX}(?![\w/\\'\"-]|\.\w)"
)
_PLACE = r"https?://[^\s/]{1,200}/[\w./-]{1,200}?/"
_REST = r"/[\w#/%&=?~@+-]+(?:[.:][\w#/%&=?~@+-]+)*"
_TO_CHANGE = rf"{_PLACE}(?:commits?|pulls?|merge_requests|compare){_REST}"
_TO_ANY = rf"{_PLACE}(?:commits?|pulls?|merge_requests|compare|issues|discussions){_REST}"
_REFERENCE = (
    rf"(?:(?:(?<![\w./-])[\w.-]{{1,100}}/[\w.-]{{1,100}})?(?<![\w&])#\d{{1,9}}\b"
    rf"|\bGH-\d{{1,9}}\b|<?{_TO_ANY}>?)"
)
_REFERENCES = (
    rf"\[?{_REFERENCE}\]?(?:\s{{0,3}}(?:,\s{{0,3}}(?:and\s)?|and\s|&\s|\+\s)?\s{{0,3}}"
    rf"\[?{_REFERENCE}\]?)*"
)
_WHAT = r"(?:(?:issues?|bugs?|PRs?|pull requests?|discussions?|tickets?)\s{1,3})?"
_CLOSE = r"(?:close[sd]?|closing|fix(?:e[sd])?|fixing|resolve[sd]?|resolving)"
_REFER = (
    r"(?:refs?|references?|see(?: also)?|re|cf|issues?|bugs?|related(?: to)?|part of|"
    r"addresse?s?|addressing|follow(?:s|ing)?[- ]?up (?:on|to|of|from|for))"
)
_KEYWORD = rf"\b(?:{_CLOSE}|{_REFER})\b:?\s{{1,3}}{_WHAT}"
_BEFORE = (
    r"(?:\b(?:this|it|which|that|and|also|partially|commit|PR|patch|change|should|will)"
    r"\s{1,3}){0,4}"
)

_WORTH_A_LOOK = re.compile(r"#\d|GH-\d|https?://|[0-9a-f]{7}", re.IGNORECASE)
_BRACKETED = re.compile(rf"\s?[(\[](?:{_KEYWORD})?{_REFERENCES}\.?[)\]](?!\()", re.IGNORECASE)
_LEADING = re.compile(
    rf"(?P<list>\s{{0,8}}(?:[-*+]\s{{1,3}})?)(?:(?:{_KEYWORD})?{_REFERENCES}\s?[:,;–—-]{{1,3}}\s+"
    rf"|{_REFERENCES}\s(?=(?-i:[A-Z])))(?!{_REFERENCE})",
    re.IGNORECASE,
)
_PHRASE = re.compile(
    rf"[\s,;]{{0,3}}{_BEFORE}{_KEYWORD}{_REFERENCES}(?=[\s\])]{{0,3}}(?:[.;!?](?!\w)|[\])]|$))",
    re.IGNORECASE,
)
_INSIDE = re.compile(
    rf"(?P<keep>\b{_CLOSE}:?\s{{1,3}})(?:the\s)?{_WHAT}{_REFERENCES}", re.IGNORECASE
)
_ALONE = re.compile(rf"[\s*+-]{{0,8}}{_REFERENCES}[\s.,;]*", re.IGNORECASE)
_MARKDOWN_LINK = re.compile(
    rf"(?<!!)\[(?P<text>[^\[\]\n]{{0,300}})\]\((?P<address>{_TO_CHANGE})\)", re.IGNORECASE
)
_ANY_ID = re.compile(rf"{_ID}|{_REFERENCE}|{_TO_ANY}", re.IGNORECASE)
_LINK = re.compile(rf"\s?\((?:see )?{_TO_CHANGE}\)|<?{_TO_CHANGE}>?", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://\S+")
_IDS = re.compile(
    r"(?P<lead>(?i:\b(?:since|in|by|after|before|from|at|of|with|to|on|as|via|until|than|for))\s{1,3})?"
    r"(?P<commit>(?i:\b(?:the\s)?(?:commits?|revision|changeset)):?\s{1,3})?"
    rf"[\[(]?{_ID}(?:(?:\s?,\s?(?:and\s)?|\sand\s|\.{{2,3}}){_ID})*[\])]?"
    rf"|\b(?i:commit):?\s{{0,3}}{_HEX}(?![\w-])"
)
AN_ID = re.compile(_ID)
_LEFT_OVER = re.compile(
    r"[\s\W_]*(?:(?:refs?|references?|see|also|and|links?|related|to|commits?|issues?|prs?|pull|"
    r"requests?|follow|follows|up|on|of|cf|re|an earlier commit)\b[\s\W_]*)*",
    re.IGNORECASE,
)

_SENTENCES = re.compile(
    r"((?<=[.!?])[ \t\n]+|\n(?=[ \t]*\n)|\n(?=[ \t]{0,8}(?:[-*+>#|\ue000]|\d{1,3}[.)])))"
)
_LONGEST_SENTENCE = 400
_FIXED_IN = re.compile(
    r"\b(?:(?:fixed|resolved|addressed|solved|patched|closed|merged|implemented|superseded)\s"
    r"(?:already\s|now\s|upstream\s)?(?:in|by|with|via|as of|on)\s(?:the\s)?"
    rf"(?:{_REFERENCE}|{_ID}|(?:commit|PR|pull request)\b)"
    r"|(?:fixed|resolved|solved|patched)\s(?:already\s|now\s|upstream\s)?"
    r"(?:in|by|with|as of|on)\s(?:the\s)?(?:(?:next|latest|current|upcoming|new)\s)?"
    r"(?:v?\d{1,9}\.\d|version|release|master|main|trunk|HEAD)\b)"
    r"|\b(?:PR|pull request|patch|fix)\s(?:is\s)?"
    r"(?:incoming|coming|underway|on (?:its|the) way|to follow|will follow|follows)\b"
    r"|\b(?:I|we)(?:'ll|'ve|'m|\s(?:will|can|could|have|am|would|just))\s(?:\w{1,20}\s){0,6}"
    r"(?:PR|pull request|patch)\b"
    r"|\bhappy to (?:\w{1,20}\s){0,5}(?:PR|pull request|patch)\b"
    r"|\bworking on (?:a|the) (?:fix|PR|pull request|patch)\b",
    re.IGNORECASE,
)
# What follows tells of the fault: it was mended once, or never.
_NOT_AT_ALL = re.compile(
    r"\b(?:but|again|however|still|although|though|except|yet|not|never|regress\w*|reappear\w*|"
    r"broke\w*|back|until|before)\b|n't\b",
    re.IGNORECASE,
)


def without_promises(text: str, removed: Counter[str]) -> str:
    """Leave out sentences on where or when it is fixed, and on who will do it."""
    pieces = _SENTENCES.split(text)
    for index in range(0, len(pieces), 2):
        sentence = " ".join(pieces[index].split())
        if (
            len(sentence) <= _LONGEST_SENTENCE
            and _FIXED_IN.search(sentence)
            and not _NOT_AT_ALL.search(sentence)
        ):
            pieces[index] = ""
            removed[Removed.FIXED_IN] += 1
    return "".join(pieces)


def without_traces(text: str, removed: Counter[str]) -> str:
    """Leave out references to issues, and links to and ids of commits and pull requests."""
    return "\n".join(_line(line, removed) for line in text.split("\n"))


def _line(line: str, removed: Counter[str]) -> str:
    if not _WORTH_A_LOOK.search(line):
        return line
    # Links first: their addresses in brackets look like references.
    text = _MARKDOWN_LINK.sub(lambda found: _said_by(found, removed), line)
    text = _without_references(text, removed)
    text = _counted(_LINK, "", text, removed, Removed.LINKS)
    text = _without_ids(text, removed)
    return "" if text != line and _LEFT_OVER.fullmatch(text) else text


def _without_references(line: str, removed: Counter[str]) -> str:
    if _ALONE.fullmatch(line):
        removed[Removed.REFERENCES] += 1
        return ""
    text = _counted(_BRACKETED, "", line, removed, Removed.REFERENCES)
    leading = _LEADING.match(text)
    if leading:
        removed[Removed.REFERENCES] += 1
        text = leading["list"] + text[leading.end() :]
    text = _PHRASE.sub("\ue002", text)
    removed[Removed.REFERENCES] += text.count("\ue002")
    # A sentence that is gone takes its full stop with it.
    text = re.sub(r"(^[\s*+-]{0,8}|[.!?:])\ue002\s{0,3}[.;!]?", r"\1", text).replace("\ue002", "")
    return _counted(_INSIDE, r"\g<keep>the issue", text, removed, Removed.REFERENCES)


def _said_by(link: re.Match[str], removed: Counter[str]) -> str:
    removed[Removed.LINKS] += 1
    text = link["text"].strip(" `")
    return "" if _ANY_ID.fullmatch(text) else link["text"]


def _without_ids(line: str, removed: Counter[str]) -> str:
    """Addresses stay whole: one that holds an id is of use only with it."""
    pieces = []
    start = 0
    for address in _ADDRESS.finditer(line):
        pieces += [_IDS.sub(lambda f: _id(f, removed), line[start : address.start()]), address[0]]
        start = address.end()
    pieces.append(_IDS.sub(lambda found: _id(found, removed), line[start:]))
    return "".join(pieces)


def _id(found: re.Match[str], removed: Counter[str]) -> str:
    removed[Removed.COMMIT_IDS] += 1
    if found["lead"] is None and found["commit"] is None and not found[0].lower().startswith("com"):
        return ""
    return (found["lead"] or "") + "an earlier commit"


def _counted(
    pattern: re.Pattern[str], by: str, text: str, removed: Counter[str], kind: Removed
) -> str:
    text, count = pattern.subn(by, text)
    removed[kind] += count
    return text
