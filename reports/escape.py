"""Untrusted text made harmless for GitHub's Markdown: titles, test names, models' words.

GitHub looks for mentions, issue numbers and addresses in the *rendered* text, so a character
reference alone (`&#64;name`) does not stop a mention; a zero-width space behind the sign does.
Character references are used for everything else because they also hold inside `<summary>`
and table cells, where backslashes do not.
"""

from __future__ import annotations

import re
import unicodedata

ZERO_WIDTH_SPACE = "&#8203;"

_INVISIBLE = frozenset("\u00ad\u180e\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff")
_SPECIAL = re.compile(r"[&<>\\`*_~\[\]|#@$]")
_LEADING = re.compile(r"^(?:[-+=:]|\d+[.)](?= |$))")
_ADDRESS = re.compile(r"(:)(?=//)|(www)(?=\.)|(GH)(?=-\d)", re.IGNORECASE)
_BREAK = "\ue000"  # private use: `visible` lets none of them through
_BACKTICKS = re.compile(r"`+")


class Safe(str):
    """Markdown that is already escaped, or written by us."""

    __slots__ = ()


def visible(text: str) -> str:
    """The same text with nothing hidden in it; line breaks and tabs are kept.

    Zero-width characters are removed. Control characters and those that turn the direction
    of writing are shown by number, because in code they can hide what it does.
    """
    # Whole lines at once: a report may hold twenty megabytes of them, and nearly all are plain.
    return "\n".join(
        line if line.replace("\t", "").isprintable() else "".join(map(_shown, line))
        for line in text.split("\n")
    )


def _shown(character: str) -> str:
    if character in "\n\t" or character.isprintable():
        return character
    if character in _INVISIBLE or character == "\r":
        return ""
    kind = unicodedata.category(character)
    if kind == "Zs":
        return " "
    if kind in ("Zl", "Zp"):
        return "\n"
    return "\ufffd" if kind == "Cs" else f"⟨U+{ord(character):04X}⟩"


def one_line(text: str, limit: int | None = None) -> str:
    """Visible text with every run of white space turned into one space.

    Longer text than `limit` characters is cut and ends in `…`.
    """
    # A title may be a megabyte long; what is cut off anyway need not be looked at.
    start = text if limit is None else text[: 20 * limit + 100]
    flat = " ".join(visible(start).split())
    if limit is not None and len(flat) > limit:
        return flat[: limit - 1].rstrip() + "…"
    return flat


def prose(text: str, limit: int | None = None) -> Safe:
    """Untrusted words for any inline place: paragraph, table cell, list item, `<summary>`.

    The result has no line break, opens no Markdown or HTML, mentions nobody and links nothing.
    """
    flat = one_line(text, limit)
    escaped = _SPECIAL.sub(_reference, _ADDRESS.sub(rf"\g<0>{_BREAK}", flat))
    escaped = _LEADING.sub(lambda found: found[0][:-1] + _number(found[0][-1]), escaped)
    return Safe(escaped.replace(_BREAK, ZERO_WIDTH_SPACE))


def _reference(found: re.Match[str]) -> str:
    sign = found[0]
    return _number(sign) + (ZERO_WIDTH_SPACE if sign in "@#" else "")


def _number(sign: str) -> str:
    return {"&": "&amp;", "<": "&lt;", ">": "&gt;"}.get(sign) or f"&#{ord(sign)};"


def code(text: str, limit: int | None = None) -> Safe:
    """Untrusted words as inline code, to be copied as they stand.

    For paragraphs and list items; not for table cells, where `|` cannot be kept apart from a
    backslash before it, nor for `<summary>`, where Markdown does not work.
    """
    flat = one_line(text, limit)
    if not flat:
        return Safe("")
    ticks = "`" * (_longest_run(flat) + 1)
    pad = " " if flat[0] == "`" or flat[-1] == "`" else ""
    return Safe(f"{ticks}{pad}{flat}{pad}{ticks}")


def fence(text: str, language: str = "") -> Safe:
    """Untrusted lines as a fenced block, to stand at the start of a line.

    The fence is longer than any run of backticks inside.
    """
    body = visible(text)
    ticks = "`" * max(3, _longest_run(body) + 1)
    return Safe(f"{ticks}{language}\n{body}\n{ticks}")


def beginning(text: str, lines: int, characters: int) -> tuple[str, int]:
    """The first lines of a text, and how many further lines were left out.

    The last line may itself be cut, where it alone is longer than `characters`.
    """
    total = text.count("\n") + (not text.endswith("\n"))
    if total <= lines and len(text) <= characters:
        return text.rstrip("\n"), 0
    kept = text[:characters].split("\n")
    whole = kept[:lines] if len(text) <= characters else kept[:-1][:lines]
    if not whole:
        return kept[0] + "…", total - 1
    return "\n".join(whole), total - len(whole)


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)
