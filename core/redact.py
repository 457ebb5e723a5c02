"""Taking secrets out of whatever is written for other eyes.

A secret is found as it is, cut off at an end of the text, and in the forms that programs give it:
percent-encoded, escaped for JSON, HTML, Markdown, shells or Python, in hexadecimal, and inside of
base64 wherever it starts there.
"""

from __future__ import annotations

import base64
import operator
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar, cast

from pydantic import BaseModel

SHORTEST = 8
"""Characters; blanking out a shorter word would spoil texts and hide nothing."""
MARK = "***"
"""What stands where a secret was."""

_SHORT, _MOST_CLEAN = 200, 10_000
"""Characters and number of the texts that are known to hold no secret."""
_NO_TEXT = (Enum, bool, int, float, Decimal, date)

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class Redactor:
    """Knows secrets, and never tells them. Safe from many threads."""

    def __init__(self, secrets: Iterable[str]):
        """`secrets` of fewer than SHORTEST characters are left alone."""
        stripped = {secret.strip() for secret in secrets}
        # The longest first: one may be a part of another.
        self._secrets = sorted((s for s in stripped if len(s) >= SHORTEST), key=len, reverse=True)
        self._forms = [re.compile(form) for secret in self._secrets for form in _forms(secret)]
        self._clean = set[str]()
        """Short texts without a secret: names come again with every record."""

    def text(self, text: str) -> str:
        """The text without the secrets."""
        if len(text) < SHORTEST or text in self._clean:
            return text
        new = text
        for form in self._forms:
            new = form.sub(MARK, new)
        for secret in self._secrets:
            new = _without_cut_off(new, secret)
        if len(text) <= _SHORT and new == text:
            if len(self._clean) >= _MOST_CLEAN:
                self._clean.clear()
            self._clean.add(text)
        return new

    def data(self, content: bytes) -> bytes:
        """The same for bytes, whether they are UTF-8 or not."""
        text = content.decode("utf-8", "surrogateescape")
        return self.text(text).encode("utf-8", "surrogateescape")

    def record(self, record: M) -> M:
        """A record without secrets in any of its texts: itself where there are none."""
        if not self._secrets:
            return record
        changes = {name: new for name, old, new in self._parts(record) if new is not old}
        return record.model_copy(update=changes) if changes else record

    def _parts(self, record: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any, Any]]:
        for name, old in record:
            yield name, old, self._value(old)

    def _value(self, value: T) -> T:
        # Exactly texts: the words of a closed set are texts too, and have to stay as they are.
        if isinstance(value, str) and type(value) is str:
            new = self.text(value)
            return value if new == value else cast(T, new)
        if value is None or isinstance(value, _NO_TEXT):
            return value
        return cast(T, self._changed(value))

    def _changed(self, value: object) -> object:
        """A value made of others: itself where none of them has changed."""
        if isinstance(value, BaseModel):
            return self.record(value)
        if isinstance(value, Mapping):
            changed = {self._value(key): self._value(item) for key, item in value.items()}
            return value if changed == value else changed
        if isinstance(value, tuple | list | frozenset):
            items = [self._value(item) for item in value]
            same = all(map(operator.is_, items, value))
            return value if same else type(value)(items)
        if is_dataclass(value) and not isinstance(value, type):
            named = ((field.name, getattr(value, field.name)) for field in fields(value))
            changes = {name: new for name, old, new in self._parts(named) if new is not old}
            return replace(value, **changes) if changes else value
        return value


NOTHING = Redactor(())
"""For where there are no secrets."""


def _forms(secret: str) -> Iterator[str]:
    """Patterns. Each starts with a character, by which the search skips what cannot match."""
    yield "".join(_escaped(char, first=not at) for at, char in enumerate(secret))
    yield "".join(f"[{d}{d.upper()}]" if d.isalpha() else d for d in secret.encode().hex())
    for shift in range(3):
        inside = _base64(secret.encode(), shift)
        if len(inside) >= SHORTEST:
            # Mail and `base64` break it into lines.
            yield r"(?:\\+[rn]|\s)*".join(_base64_char(char) for char in inside)


def _escaped(char: str, *, first: bool) -> str:
    """A character as it is or in any of its escaped forms."""
    units = char.encode("utf-16-be")
    code = "".join(rf"\\\\*u{_hex(units[at : at + 2])}" for at in range(0, len(units), 2))
    number = ord(char)
    forms = [
        re.escape(char),
        "".join(rf"%(?:25)*{_hex(bytes([byte]))}" for byte in char.encode()),
        code,
        rf"&#0*{number};",
        rf"&#[xX]0*{_hex(number.to_bytes(3)).lstrip('0')};",
    ]
    if number < 256:
        forms.append(rf"\\\\*x{_hex(bytes([number]))}")
    if not char.isalnum() and not first:
        forms.append(rf"\\\\*{re.escape(char)}")
    names = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos", " ": "nbsp"}
    if char in names:
        forms.append(f"&{names[char]};")
    if char == " ":
        forms.append(r"\+")
    return f"(?:{'|'.join(forms)})"


def _hex(content: bytes) -> str:
    return "".join(f"[{d}{d.upper()}]" if d.isalpha() else d for d in content.hex())


def _base64(secret: bytes, shift: int) -> str:
    """What stands in base64 text for certain where `shift` bytes come before, of any content."""
    whole = base64.b64encode(bytes(shift) + secret).decode().rstrip("=")
    end = len(whole) if (shift + len(secret)) % 3 == 0 else -1
    return whole[(0, 2, 3)[shift] : end]


def _base64_char(char: str) -> str:
    others = {"+": r"(?:\+|-|%2[bB])", "/": r"(?:/|_|\\/|%2[fF])"}
    return others.get(char, re.escape(char))


def _without_cut_off(text: str, secret: str) -> str:
    """Without a secret's beginning at the text's end, and its end at the text's beginning."""
    if (
        secret[:SHORTEST] not in text[-len(secret) :]
        and secret[-SHORTEST:] not in text[: len(secret)]
    ):
        return text
    lengths = range(min(len(secret) - 1, len(text)), SHORTEST - 1, -1)
    for length in lengths:
        if text.endswith(secret[:length]):
            text = text[:-length] + MARK
            break
    for length in lengths:
        if text.startswith(secret[-length:]):
            return MARK + text[length:]
    return text
