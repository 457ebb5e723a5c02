"""What a file defines, a line each: its classes, functions and methods with their signatures."""

from __future__ import annotations

from collections.abc import Sequence

from miner.expects_tree import Definition, definitions


def outline(path: str, text: str) -> Sequence[str]:
    """In the order of the file; nothing for languages that are not parsed."""
    made = definitions(path, text, range(text.count("\n") + 1))
    return [_line(one) for one in made if one.kind != "value"]


def _line(one: Definition) -> str:
    indent = "    " if one.holder else ""
    return f"{indent}{'class ' if one.kind == 'class' else ''}{one.full}{one.signature}"
