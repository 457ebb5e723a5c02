"""Whatever a model writes: edits do to the file what they say, and git agrees."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.tasks import CALC, FIX, Folder

from core.types import Stop
from models.answer import read_answer
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
