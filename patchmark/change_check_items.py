"""Guidance that differs between two versions, file by file, in words."""

from __future__ import annotations

from difflib import SequenceMatcher

from core.change_check import ChangedItem
from models.guidance import Guidance
from models.instructions import MOST
from patchmark.change_check_files import Side

_DIFFED = 2_000
"""Lines of a file up to which lines are counted as added and removed."""


def changed(base: Side, head: Side) -> list[ChangedItem]:
    """Guidance that differs and can be given."""
    ours, theirs = base.guidance, head.guidance
    found = []
    for path in sorted({*ours.files, *theirs.files, *ours.links, *theirs.links}):
        before, after = (g.files.get(path, _link(g, path)) for g in (ours, theirs))
        if before != after:
            how = _how(before, after)
            unsaid = _unsaid(path, ours, theirs)
            found.append(ChangedItem(name=path, how=how, why=unsaid))
    return found


def _link(guidance: Guidance, path: str) -> str | None:
    target = guidance.links.get(path)
    return f"link to {target}\n" if target is not None else None


def _how(before: str | None, after: str | None) -> str:
    if before is None or after is None:
        text = after if before is None else before
        size = len((text or "").splitlines())
        lines = f"{size} line{'' if size == 1 else 's'}"
        return f"{'new' if before is None else 'removed'}, {lines}"
    old, new = before.splitlines(), after.splitlines()
    if max(len(old), len(new)) > _DIFFED:
        return f"changed, {len(old)} → {len(new)} lines"
    same = sum(block.size for block in SequenceMatcher(None, old, new, False).get_matching_blocks())
    if same == len(old) == len(new):
        return "changed, in line ends alone"
    return f"changed, +{len(new) - same} −{len(old) - same} lines"


def _unsaid(path: str, ours: Guidance, theirs: Guidance) -> str:
    """Who does not get to see it, where somebody does not."""
    if path in ours.links or path in theirs.links:
        return "a link: agents alone find it"
    held = [guidance for guidance in (ours, theirs) if path in guidance.files]
    if all(path in guidance.said() for guidance in held):
        return ""
    return f"agents alone find it: a prompt has room for {MOST:,} characters of guidance"


def _sides(path: str, base: Side, head: Side) -> str:
    if path in base.unread and path in head.unread:
        return "both versions"
    return "the base" if path in base.unread else "the change"


def unread(base: Side, head: Side) -> list[ChangedItem]:
    """Guidance that no model can be given, where that is so in one version or differs."""
    paths = sorted({*base.unread, *head.unread})
    return [
        ChangedItem(
            name=path,
            how=f"in {_sides(path, base, head)}",
            why=head.unread.get(path) or base.unread[path],
        )
        for path in paths
    ]
