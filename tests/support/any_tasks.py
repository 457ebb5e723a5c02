"""Tasks of any content that one can have, for property tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st
from support.tasks import make_task

from core.mined import Difficulty, Expected, Link, StatementSource
from core.paths import PathRules
from core.types import Environment, Task, Unstable

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
"""What files in UTF-8 can hold: line ends of every kind, byte order marks, quotes, blanks."""
WORDS = TEXT.filter(bool)
NAMES = st.lists(WORDS, max_size=4, unique=True).map(tuple)
SHARE = st.floats(0, 1)
COUNT = st.integers(0, 9)
PAIR = st.tuples(COUNT, COUNT)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=-7)), timezone(timedelta(minutes=330))])
MOMENT = st.tuples(st.integers(3 * 10**14, 4 * 10**15), ZONES).map(
    lambda it: datetime.fromtimestamp(0, it[1]) + timedelta(microseconds=it[0])
)
DIFF = st.tuples(st.sampled_from(["a.py", "b c.py", "ü.rs"]), TEXT).map(
    lambda it: (
        f"diff --git a/{it[0]} b/{it[0]}\n--- a/{it[0]}\n+++ b/{it[0]}\n@@ -1 +1 @@\n-x\n+{it[1]}"
    )
)
_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "committed_at": MOMENT,
    "patch_id": TEXT,
    "pull_request": st.none() | COUNT,
    "links": st.lists(st.builds(Link, issue=COUNT, rule=TEXT), max_size=2).map(tuple),
    "labels": NAMES,
    "title": TEXT,
    "statement": TEXT,
    "statement_source": st.sampled_from(StatementSource),
    "original_statement": st.none() | TEXT,
    "expects": st.lists(
        st.builds(
            Expected,
            kind=st.sampled_from(["function", "parameter", "message"]),
            name=TEXT, signature=TEXT, path=TEXT,
        ),
        max_size=2,
    ).map(tuple),
    "removed": st.dictionaries(WORDS, COUNT, max_size=2),
    "leak": SHARE,
    "vagueness": SHARE,
    "difficulty": st.builds(
        Difficulty, files=COUNT, hunks=COUNT, lines=COUNT, languages=NAMES, distance=COUNT
    ),
    "gold_patch": DIFF,
    "test_patch": DIFF,
    "source_files": NAMES,
    "test_files": NAMES,
    "runner_files": NAMES,
    "path_rules": st.builds(PathRules, tests=NAMES, source=NAMES),
    "fail_to_pass": st.lists(WORDS, min_size=1, max_size=4, unique=True).map(tuple),
    "pass_to_pass": NAMES,
    "unstable": st.lists(
        st.builds(Unstable, test=TEXT, before=PAIR, after=PAIR), max_size=2
    ).map(tuple),
    "scope": st.sampled_from(["suite", "files"]),
    "left_out": NAMES,
    "image": WORDS,
    "environment": st.builds(
        Environment, recipe=TEXT, toolchain=TEXT, resolved=NAMES, cpus=st.floats(0.1, 64),
        fixed=st.dictionaries(st.sampled_from(["TZ", "LANG", "CI"]), TEXT, max_size=3),
    ),
    "tripwires": NAMES,
    "habits": NAMES,
    # Of a runner that all formats know, with anything behind it.
    "test_command": TEXT.map("/opt/venv/bin/python /patchmark/in/start.py -q {}".format),
    "key": TEXT,
}  # fmt: skip
TASK = st.fixed_dictionaries(_FIELDS).map(lambda fields: make_task(**fields))


def tasks(most: int = 3) -> st.SearchStrategy[list[Task]]:
    """Some tasks, each with an id of its own."""
    return st.lists(TASK, min_size=1, max_size=most).map(
        lambda found: [
            task.model_copy(update={"id": f"{n:012x}", "fix_commit": f"{n:012x}" + "b" * 28})
            for n, task in enumerate(found)
        ]
    )
