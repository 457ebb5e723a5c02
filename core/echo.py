"""How much of a patch repeats the real fix in the fix's own words.

Two people who fix the same bug write much that is the same, because the change forces it: the
names in the code around, what the statement and the tests ask for, the language's own words.
What nothing forces are names of new variables and helpers, the words of comments and of texts,
and the order in which they come. A patch that has those too was hardly thought up anew.

**Own words** of a fix are the words of its added lines, three characters and longer, each counted
once, where it first stands, that are in none of: the title and the statement; what the tests
expect; the fix's file names, hunk headings, context lines and removed lines; `EVERYDAY`. Upper
case and a plural's `s` make no difference, and a name that is put together of such words
(`parse_date` where parse and dates were spoken of) is no own word either.

**Echo** = own words that the added lines of the patch hold in the same order, as a share of all.
None where the fix has fewer than `FEWEST_WORDS` own words: a name or two are shared by chance.

Example. Told is "Rounding of half cents differs"; the fix is

    @@ -3,2 +3,4 @@ def total(items):
     def total(items):
    -    return sum(items)
    +    # Half cents go to the even neighbour.
    +    exact = sum(item.price for item in items)
    +    return exact.quantize(CENT, ROUND_HALF_EVEN)

Its own words are even, neighbour, exact, price, quantize, ROUND_HALF_EVEN: six. (`item` and
`CENT` are known as items and cents.) A copy of it has all six: 1.0. A patch that adds

    +    amount = sum(entry.price for entry in items)
    +    return amount.quantize(Decimal("0.01"), ROUND_HALF_EVEN)

has price, quantize and ROUND_HALF_EVEN: 0.5, since the library's names are what the fix takes.
A patch that rounds by hand has none of them: 0.0.

What this cannot know: the base files are seen only where the fix touches them. A helper of the
repository that stands elsewhere and is called by the fix counts as an own word, although anybody
could have found it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from core.diff import split
from core.everyday import EVERYDAY
from core.types import Candidate

FEWEST_WORDS = 5
"""Own words a fix must have for an echo to be told from chance."""
HIGH = 0.8
"""From here on a patch repeats the fix. A convention: above what the right library calls give."""
_LONGEST_PATCH = 1_000_000
"""Characters of a patch that are looked at."""
_TELLING = 2
"""Own words that a line must hold to be one that nobody writes by chance."""
_WORD = re.compile(r"\w{3,}")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\dA-Za-z_]+")


@dataclass(frozen=True)
class Echo:
    """What a patch and the real fix have in common that nothing forces."""

    own: int
    """Own words of the fix."""
    repeated: tuple[str, ...]
    """Those that the patch has too, in the same order."""
    lines: tuple[str, ...]
    """Added lines that are equal, white space aside, and hold two own words or more."""

    @property
    def share(self) -> float:
        """Repeated own words over all, 0 to 1."""
        return len(self.repeated) / self.own


@dataclass(frozen=True)
class OwnWords:
    """What in a fix nothing forces; made by `own_words`."""

    words: tuple[str, ...]
    """In the order in which they first stand."""
    lines: tuple[str, ...]
    """Added lines with two own words or more, white space made even."""

    @property
    def enough(self) -> bool:
        """False where an echo would say nothing."""
        return len(self.words) >= FEWEST_WORDS

    def echo(self, diff: str) -> Echo | None:
        """How much of this a patch repeats; None where there is too little to repeat."""
        if not self.enough:
            return None
        added = list(_lines(diff[:_LONGEST_PATCH], "+"))
        mine = set(self.words)
        theirs = dict.fromkeys(w for line in added for w in _WORD.findall(line) if w in mine)
        place = {word: at for at, word in enumerate(self.words)}
        kept = _rising([place[word] for word in theirs])
        equal = {_even(line) for line in added}
        return Echo(
            own=len(self.words),
            repeated=tuple(self.words[at] for at in kept),
            lines=tuple(line for line in self.lines if line in equal),
        )


def own_words(task: Candidate) -> OwnWords:
    """The own words of a task's fix, in the order of its files' names and their lines."""
    known = _known(task)
    added = list(_lines(task.gold_patch, "+"))
    words = dict.fromkeys(
        word for line in added for word in _WORD.findall(line) if not _derivable(word, known)
    )
    telling = dict.fromkeys(
        _even(line) for line in added if len(words.keys() & set(_WORD.findall(line))) >= _TELLING
    )
    return OwnWords(tuple(words), tuple(telling))


def _known(task: Candidate) -> frozenset[str]:
    """All words that somebody who has not seen the fix can know of, in their plain form."""
    texts = [task.title, task.statement, *task.source_files, *_lines(task.gold_patch, " -@")]
    for name in task.expects:
        texts += [name.name, name.signature, name.path]
    found = {word for text in texts for word in re.findall(r"\w+", text)}
    parts = {part for word in found for part in _PART.findall(word)}
    return frozenset(_plain(word) for word in found | parts) | EVERYDAY


def _derivable(word: str, known: frozenset[str]) -> bool:
    if _plain(word) in known or word.lower() in known:
        return True
    parts = _PART.findall(word)
    return all(len(part) < 3 or _plain(part) in known or part.lower() in known for part in parts)


def _plain(word: str) -> str:
    lower = word.lower().strip("_")
    return lower.removesuffix("s") if len(lower) > 3 else lower


def _lines(diff: str, marks: str) -> Iterator[str]:
    """Lines of a diff's hunks that begin with one of these marks, without it, file by file."""
    for section in sorted(split(diff), key=lambda section: sorted(section.paths)):
        if section.binary:
            continue
        hunks = section.text[section.text.find("\n@@") + 1 :]
        for line in hunks.split("\n"):
            if line[:1] and line[0] in marks:
                # Of `@@ -3,2 +3,4 @@ def total(items):` only the heading says anything.
                yield line.rpartition("@@")[2] if line[0] == "@" else line[1:]


def _even(line: str) -> str:
    return " ".join(line.split())


def _rising(places: Sequence[int]) -> list[int]:
    """A longest rising part of a sequence of different numbers."""
    ends: list[int] = []
    """The smallest last number of a rising part, by its length."""
    before: dict[int, int | None] = {}
    for place in places:
        length = bisect_left(ends, place)
        before[place] = ends[length - 1] if length else None
        ends[length : length + 1] = [place]
    return list(reversed(list(_back(ends[-1] if ends else None, before))))


def _back(place: int | None, before: dict[int, int | None]) -> Iterable[int]:
    while place is not None:
        yield place
        place = before[place]
