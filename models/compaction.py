"""Keeping a long dialog within a model's window: old results give way, the newest stay whole."""

from __future__ import annotations

from collections.abc import Sequence

from models.dialog import Turn

_KEPT = 4
"""Turns at the end that stay whole whatever they hold."""
_LEFT_OUT = "(left out: {} characters of an earlier result)"
_SHORT = 200


def compacted(turns: Sequence[Turn], room: int) -> tuple[Turn, ...]:
    """The turns, the results of old ones left out if all together are too long.

    So much is left out at once that what remains is half as long as it may be: a provider's
    cache holds until the dialog has grown by that much again. What the model said itself stays.
    """
    kept = list(turns)
    size = sum(_size(turn) for turn in kept)
    done = 0
    while size > room and done < len(kept) - _KEPT:
        goal = room // 2
        while size > goal and done < len(kept) - _KEPT:
            before = _size(kept[done])
            kept[done] = _bare(kept[done])
            size += _size(kept[done]) - before
            done += 1
    return tuple(kept)


def _bare(turn: Turn) -> Turn:
    results = tuple(r.model_copy(update={"content": _short(r.content)}) for r in turn.results)
    return turn.model_copy(update={"results": results, "reply": _short(turn.reply)})


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else _LEFT_OUT.format(len(text))


def _size(turn: Turn) -> int:
    return len(turn.model_dump_json())
