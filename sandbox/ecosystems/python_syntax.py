"""Whether sources can be read by no Python 3."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date

from sandbox.facts import Facts

_END = date(2020, 1, 1)
"""Of Python 2.7; who wrote its syntax later wrote examples of it."""
_MOST = 40
_ASIDE = re.compile(r"(^|/)(tests?|testing|docs?|examples?|vendor|packages|fixtures|data)/")
_TEXTS = re.compile(r'("""|\'\'\')[\s\S]*?\1|#[^\n]*')
_OLD = re.compile(
    r"^[ \t]*(?:print[ \t]+(?:[\w\"'%]|>>)"
    r"|except[ \t]+[\w.()]+(?:,[ \t]*[\w.]+\))?[ \t]*,[ \t]*\w+[ \t]*:"
    r"|raise[ \t]+[\w.]+[ \t]*,"
    r"|exec[ \t]+\w)",
    re.MULTILINE,
)


def needs_python_2(facts: Facts, named: Collection[str]) -> bool:
    """Whether the sources are Python 2, given the versions that the commit names.

    A project that names a 3 beside it keeps old syntax in odd corners, or has it converted
    when it is installed, which only `use_2to3` tells.
    """
    if facts.committed_at.date() >= _END:
        return False
    if any(version.startswith("3") for version in named):
        return bool(re.search(r"\buse_2to3\b\s*['\"]?\s*[=:\]]", facts.text("setup.py")))
    paths = [p for p in facts.names if p.endswith(".py") and not _ASIDE.search(p)]
    nearest = sorted(paths, key=lambda path: (path.count("/"), path))[:_MOST]
    return any(has_old_syntax(facts.text(path)) for path in nearest)


def has_old_syntax(source: str) -> bool:
    """Whether a source prints without brackets or catches with a comma, outside of texts."""
    return _OLD.search(_TEXTS.sub("''", source)) is not None
