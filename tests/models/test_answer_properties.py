"""Whatever a model writes: edits do to the file what they say, and git agrees."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue
from support.tasks import CALC, FIX, Folder

import core.diff
from core.types import Stop
from models.agent_text import UnclearError, calls_of
from models.answer import Form, read_answer
from models.dialog import Call, Turn, call_of, storable_json
from models.unified import file_diff

LINES = st.lists(st.sampled_from(["", "a", "b", "  a", "a ", "-- x", "++ y", "\t", "@@", "é\f"]))
CONTENT = st.builds(
    lambda lines, end, last: end.join(lines) + (end if last and lines else ""),
    LINES,
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)


def applied(old: str | None, diff: str) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if old is not None:
            (folder / "f.py").write_bytes(old.encode())
        done = subprocess.run(
            ["git", "apply", "--whitespace=nowarn", "-"],
            cwd=folder,
            input=diff.encode(),
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr.decode() + diff
        return (folder / "f.py").read_bytes()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.none() | CONTENT, CONTENT)
def test_git_applies_every_diff_to_the_byte(old: str | None, new: str) -> None:
    if old != new:
        assert applied(old, file_diff("f.py", old, new)) == new.encode()


@settings(max_examples=150, deadline=None)
@given(CONTENT.filter(bool), st.data())
def test_an_edit_replaces_the_one_place_or_says_why_not(content: str, data: st.DataObject) -> None:
    lines = content.replace("\r\n", "\n").removesuffix("\n").split("\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    size = data.draw(st.integers(1, len(lines) - at))
    search, replace = lines[at : at + size], data.draw(LINES)
    parts = ["f.py", "<<<<<<< SEARCH", *search, "=======", *replace, ">>>>>>> REPLACE"]
    edit = read_answer("\n".join(parts), "stop", Folder({"f.py": content}))
    if edit.stop is not Stop.ANSWERED:
        assert edit.stop in (Stop.MISPLACED, Stop.EMPTY)
        return
    wanted = [*lines[:at], *replace, *lines[at + size :]]
    found = applied(content, edit.diff).decode().replace("\r\n", "\n")
    assert found.rstrip("\n") == "\n".join(wanted).rstrip("\n")


@settings(max_examples=300, deadline=None)
@given(st.text() | st.lists(st.sampled_from([*FIX.split("\n"), *"+-@ \r\t"])).map("\n".join))
def test_no_answer_makes_the_reader_fail(text: str) -> None:
    edit = read_answer(text, "stop", CALC)
    assert bool(edit.diff) == (edit.stop is Stop.ANSWERED)


PATHS = st.sampled_from(
    ["src/calc.py", "new.py", "../up.py", "/etc/passwd", ".git/config", "a/../../b", "a//b", "~/x",
     ".GIT/hooks/x", "a\\..\\b", "é/\u202e.py", "src/calc.py\0", "C:\\x.py", "..", ".", "-rf.py"]
)  # fmt: skip
PIECES = st.sampled_from(
    ["```", "````", "```python", "~~~", "```sh", "SUBMIT", "ls", "", "  ", "\ud800", "=======",
     "<<<<<<< SEARCH", ">>>>>>> REPLACE", "return a - b", "--- a/x.py", "+++ b/../x.py",
     "@@ -1 +1 @@"]
)  # fmt: skip
ANSWERS = st.lists(PIECES | PATHS | st.text(max_size=9), max_size=30).map("\n".join)


def inside(path: str) -> bool:
    parts = path.split("/")
    return not path.startswith("/") and not {"..", ""} & set(parts) and ".git" not in path.lower()


@settings(max_examples=300, deadline=None)
@given(ANSWERS, st.sampled_from(get_args(Form)))
def test_no_form_of_answer_leads_out_of_the_repository(text: str, form: Form) -> None:
    edit = read_answer(text, "stop", CALC, form)
    assert bool(edit.diff) == (edit.stop is Stop.ANSWERED)
    for section in core.diff.split(edit.diff):
        assert all(inside(path) for path in section.paths), edit.diff


@settings(max_examples=300, deadline=None)
@given(ANSWERS)
def test_an_agents_words_are_a_call_or_unclear(text: str) -> None:
    try:
        calls = calls_of(text)
    except UnclearError:
        return
    assert calls
    assert {call.name for call in calls} <= {"shell", "edit", "create", "submit"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
HALF = st.text(st.characters(), max_size=20)  # half surrogate pairs included


@settings(max_examples=300, deadline=None)
@given(HALF, HALF, HALF | JSON.map(json.dumps))
def test_every_call_of_a_tool_can_be_kept_and_read_again(id: str, name: str, text: str) -> None:  # noqa: A002
    turn = Turn(text="", calls=(call_of(id, name, text),))
    assert Turn.model_validate_json(turn.model_dump_json()).calls[0].name == turn.calls[0].name


@pytest.mark.parametrize(
    "arguments",
    ['{"command": "\\ud800"}', "[" * 100_000, '{"a":' * 5_000 + "1" + "}" * 5_000,
     '{"a":' * 200 + "1" + "}" * 200, '{"a": 1', "7", "9" * 5_000],
    ids=["half a pair", "deep list", "deep object", "200 levels", "cut off", "no object", "long"],
)  # fmt: skip
def test_arguments_that_cannot_be_kept_are_unreadable(arguments: str) -> None:
    """Half a surrogate pair, or deep nesting, in a tool's arguments ended the run, and the paid
    answer was lost; 200 levels were kept, and then could not be read.
    """
    call = call_of("1", "shell", arguments)
    assert call.arguments == {}
    assert Call.model_validate_json(call.model_dump_json()).unreadable == call.unreadable != ""


def test_what_a_provider_wants_back_can_be_kept() -> None:
    """The same in the provider's own form of an answer."""
    deep: JsonValue = "x"
    for _ in range(300):
        deep = {"a": deep}
    turn = Turn(text="", said=storable_json([{"text": "a\ud800b", "input": deep}]))
    said = Turn.model_validate_json(turn.model_dump_json()).said
    assert isinstance(said, list)
    assert isinstance(said[0], dict)
    assert said[0]["text"] == "a?b"


SLOW = 3.0
"""Seconds; each takes a fifth of one at most."""
LONG = Folder({"a.py": "x = 1\n=======\n" * 2_500})


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("a.py\n<<<<<<< SEARCH\n" + "=======\n" * 5_000 + ">>>>>>> REPLACE\n", "blocks"),
        ("a.py\n<<<<<<< SEARCH\nno\n=======\nx\n>>>>>>> REPLACE\n" * 3_000, "blocks"),
        ("```sh\n" * 60_000, "whole"),
        ("a.py\n" + "`" * 300_000 + "x\n", "whole"),
        (":`" * 60_000 + "\n```\nx\n```\n", "whole"),
        ("--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n" * 10_000, "diff"),
    ],
    ids=["middles", "misplaced", "openings", "long fence", "long path", "many diffs"],
)
def test_huge_answers_are_read_in_bounded_time(text: str, form: Form) -> None:
    """A block full of `=======` lines took time with the square of their number and of the
    file's size, and so did sh blocks without an end.
    """
    before = time.monotonic()
    assert read_answer(text, "stop", LONG, form).stop in Stop
    with suppress(UnclearError):
        calls_of(text)
    assert time.monotonic() - before < SLOW


def test_a_shell_block_is_what_stands_between_its_fences() -> None:
    text = "I look.\n```bash \nls\n\ncat <<X\n```\nand then\n"
    assert calls_of(text)[0].arguments == {"command": "ls\n\ncat <<X\n"}
    with pytest.raises(UnclearError, match="one step at a time"):
        calls_of("```sh\nls\n```\n```sh\nls\n```\n")
    with pytest.raises(UnclearError):
        calls_of("```sh\nls\n")
