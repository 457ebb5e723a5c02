"""Choosing what a model sees of the repository: a listing, and the files that matter most.

Plain lexical ranking (BM25) of the statement's words against paths and contents: no network,
no index, the same choice every time.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from core.paths import Kind, kind_of
from core.types import Task
from models.base import Files

MOST_READ = 300
"""Files whose contents are looked at; each costs a git process."""
LARGEST_FILE = 200_000
"""Characters; larger files are generated or data."""
OUTLINE_SHARE = 0.1
"""Part of the budget for what the files define that are not shown."""
LISTING_SHARE = 0.15
"""Part of the budget that the listing may take."""

_K1, _B = 1.2, 0.75
_PATH_WEIGHT = 3.0
_DEFINITION_WEIGHT = 4.0
_NAMED_WEIGHT = 50.0
_WEIGHTS = {
    Kind.SOURCE: 1.0,
    Kind.OTHER: 0.6,
    Kind.TEST: 0.5,
    Kind.RUNNER: 0.5,
    Kind.DOCUMENTATION: 0.3,
}
_NOT_TEXT = re.compile(
    r"\.(png|jpe?g|gif|ico|svg|webp|pdf|zip|gz|bz2|xz|tar|whl|jar|so|dll|exe|pyc|woff2?|ttf|otf|eot"
    r"|mp[34]|wav|np[yz]|pkl|parquet|db|sqlite3?|lock|mo|po|csv|map)$",
    re.IGNORECASE,
)
_WORTH_SHOWING = 0.1
"""Part of the best file's score; what matches less is noise that has to be paid for."""


Outline = Callable[[str, str], Sequence[str]]
"""From a file's path and text to a line for each thing that it defines."""


@dataclass(frozen=True)
class ShownFile:
    """A file that is shown in full."""

    path: str
    text: str


@dataclass(frozen=True)
class Context:
    """What a model is shown of the repository."""

    listing: tuple[str, ...]
    """Paths, sorted."""
    left_out: int
    """How many paths the listing had no room for."""
    files: tuple[ShownFile, ...]
    """Best match first."""
    outlines: tuple[ShownFile, ...] = ()
    """Of those that come next, what they define."""


@dataclass(frozen=True)
class Listing:
    """Paths of the repository, sorted."""

    paths: tuple[str, ...]
    left_out: int
    """How many there was no room for."""


def listing(files: Files, room: int) -> Listing:
    """As many paths as fit into a number of characters."""
    paths = [path for path in files.files() if _showable(path)]
    shown = _listing(paths, room)
    return Listing(tuple(shown), len(paths) - len(shown))


def choose(task: Task, files: Files, budget_chars: int, outline: Outline | None = None) -> Context:
    """Choose a listing, whole files, and what more of them define, that fit into a number of
    characters together.
    """
    paths = [path for path in files.files() if _showable(path)]
    listing = _listing(paths, int(budget_chars * LISTING_SHARE))
    room = budget_chars - sum(len(path) + 1 for path in listing)
    statement = f"{task.title}\n{task.statement}"
    ranked = _rank(statement, paths, files)
    kept = int(budget_chars * OUTLINE_SHARE) if outline is not None else 0
    shown = tuple(_fitting(ranked, room - kept))
    rest = [file for file in ranked if file not in shown]
    outlines = tuple(_outlines(rest, kept, outline)) if outline is not None else ()
    return Context(tuple(listing), len(paths) - len(listing), shown, outlines)


def is_shown(path: str) -> bool:
    """True for paths of what may be text, and that cannot break out of a listing."""
    return _showable(path) and not _NOT_TEXT.search(path)


def _showable(path: str) -> bool:
    """False for names that are no UTF-8, or could break out of a listing."""
    return path.isprintable()


def _listing(paths: list[str], room: int) -> list[str]:
    """As many paths as fit, source files and short paths first."""
    kept = []
    for path in sorted(paths, key=lambda p: (-_WEIGHTS[kind_of(p)], p.count("/"), p)):
        room -= len(path) + 1
        if room < 0:
            break
        kept.append(path)
    return sorted(kept)


def _fitting(ranked: Iterable[ShownFile], room: int) -> Iterable[ShownFile]:
    for file in ranked:
        size = len(file.path) + len(file.text)
        if size <= room:
            room -= size
            yield file


def _outlines(files: Iterable[ShownFile], room: int, outline: Outline) -> Iterable[ShownFile]:
    for file in files:
        text = "\n".join(outline(file.path, file.text))
        size = len(file.path) + len(text)
        if text and size <= room:
            room -= size
            yield ShownFile(file.path, text)


def _rank(statement: str, paths: Sequence[str], files: Files) -> list[ShownFile]:
    """Files that have anything to do with the statement, best match first."""
    terms = frozenset(_terms(statement))
    by_path = dict(zip(paths, _bm25(terms, [_words(path) for path in paths]), strict=True))
    likely = sorted(paths, key=lambda p: (-by_path[p] * _WEIGHTS[kind_of(p)], _order(p)))
    candidates = [path for path in likely if not _NOT_TEXT.search(path)]
    shown = [file for path in candidates[:MOST_READ] if (file := _read(files, path)) is not None]
    contents = _bm25(terms, [_words(file.text) for file in shown])
    scored = []
    for file, content in zip(shown, contents, strict=True):
        score = content + _PATH_WEIGHT * by_path[file.path] + _defines(statement, file.text)
        score = score * _WEIGHTS[kind_of(file.path)] + _is_named(statement, file.path)
        scored.append((score, file))
    least = _WORTH_SHOWING * max((score for score, _ in scored), default=0.0)
    best_first = sorted(scored, key=lambda entry: (-entry[0], entry[1].path))
    return [file for score, file in best_first if score > least]


def _order(path: str) -> tuple[float, int, str]:
    return (-_WEIGHTS[kind_of(path)], path.count("/"), path)


def _read(files: Files, path: str) -> ShownFile | None:
    text = files.read(path)
    return ShownFile(path, text) if text and len(text) <= LARGEST_FILE else None


def _terms(text: str) -> Iterable[str]:
    """The words of a statement: identifiers whole and in their parts, lower case."""
    for word in re.findall(r"[A-Za-z_][A-Za-z0-9_]{2,}", text):
        yield word.lower()
        for part in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", word):
            if len(part) > 2:
                yield part.lower()


def _words(text: str) -> Counter[str]:
    """How often each word occurs; identifiers whole and in their parts."""
    lower = text.lower()
    counts = Counter(re.findall(r"[a-z0-9]{3,}", lower))
    counts.update(re.findall(r"[a-z0-9]*_[a-z0-9_]+", lower))
    return counts


def _bm25(terms: frozenset[str], documents: Sequence[Counter[str]]) -> list[float]:
    """The Okapi BM25 score of each document."""
    if not documents:
        return []
    lengths = [document.total() for document in documents]
    usual = sum(lengths) / len(documents) or 1.0
    found = [{term: document[term] for term in terms & document.keys()} for document in documents]
    spread = Counter(term for counts in found for term in counts)
    rarity = {t: math.log(1 + (len(documents) - n + 0.5) / (n + 0.5)) for t, n in spread.items()}
    return [
        sum(
            rarity[term] * n * (_K1 + 1) / (n + _K1 * (1 - _B + _B * length / usual))
            for term, n in sorted(counts.items())
        )
        for counts, length in zip(found, lengths, strict=True)
    ]


def _defines(statement: str, text: str) -> float:
    """Points for each function or class of the statement that the file defines."""
    wanted = set(re.findall(r"[A-Za-z_][A-Za-z0-9_]{3,}", statement))
    defined = set(re.findall(r"^\s*(?:async\s+)?(?:def|class)\s+(\w+)", text, re.MULTILINE))
    return _DEFINITION_WEIGHT * len(wanted & defined)


def _is_named(statement: str, path: str) -> float:
    """Points for a file that the statement names by path or as a dotted module."""
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    names = {path, module, module.removeprefix("src.")} if "/" in path else {path}
    found = any(re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", statement) for name in names)
    return _NAMED_WEIGHT if found else 0.0
