"""The agent's tools as plain text, for models that are not asked through tools.

An answer holds one fenced `sh` block, or SEARCH/REPLACE edits, or the word SUBMIT on a line of
its own.
"""

from __future__ import annotations

import re

from models.blocks import HEAD, Block, MalformedBlockError, find_blocks
from models.dialog import Call

_OPEN = re.compile(r"```(?:sh|bash|shell)[ \t]*$")
_SUBMIT = re.compile(r"^[ \t*`]*SUBMIT[ \t*`]*$", re.MULTILINE)


class UnclearError(Exception):
    """An answer that says neither what to do nor that all is done; the model is told so."""


def calls_of(text: str) -> tuple[Call, ...]:
    """What an answer asks to be done. Raises UnclearError."""
    plain = text.replace("\r\n", "\n")
    commands = _commands(plain)
    edits = HEAD in plain
    if len(commands) > 1 or (commands and edits):
        raise UnclearError("one step at a time: one sh block, or edits, and not both")
    if commands:
        return (Call(id="1", name="shell", arguments={"command": commands[0]}),)
    if edits:
        return _edits(plain)
    if _SUBMIT.search(plain):
        return (Call(id="1", name="submit"),)
    raise UnclearError("answer with one ```sh block, with SEARCH/REPLACE edits, or with SUBMIT")


def _commands(text: str) -> list[str]:
    """What stands in sh blocks; one without an end is none."""
    found: list[str] = []
    body: list[str] | None = None
    for line in text.split("\n"):
        if body is None:
            body = [] if _OPEN.match(line) else None
        elif line.rstrip(" \t") == "```":
            found.append("".join(body))
            body = None
        else:
            body.append(f"{line}\n")
    return found


def _edits(text: str) -> tuple[Call, ...]:
    try:
        blocks = find_blocks(text, ())
    except MalformedBlockError as error:
        raise UnclearError(str(error)) from error
    if not blocks:
        raise UnclearError(f"{HEAD} must stand alone on its line")
    return tuple(_edit(str(number), block) for number, block in enumerate(blocks, 1))


def _edit(number: str, block: Block) -> Call:
    search, replace = next(block.readings())
    old, new = "\n".join(search), "\n".join(replace)
    if not old.strip():
        text = f"{new}\n" if new else ""
        return Call(id=number, name="create", arguments={"path": block.path, "text": text})
    return Call(id=number, name="edit", arguments={"path": block.path, "old": old, "new": new})
