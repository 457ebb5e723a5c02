"""Reading answers: every form a model may use, and every way it can go wrong."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.tasks import CALC, FIX, Folder

import core.diff
from core.types import Stop
from models.answer import read_answer

HEAD, MIDDLE, TAIL = "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE"


def block(path: str, search: str, replace: str) -> str:
    return f"{path}\n{HEAD}\n{search}{MIDDLE}\n{replace}{TAIL}\n"


def apply(folder: Path, files: Folder, diff: str) -> dict[str, bytes]:
    """What git makes of a diff on top of these files."""
    for path, content in files.contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes((content or "").encode())
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    done = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"],
        cwd=folder,
        input=diff.encode(),
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode() + diff
    found = [p for p in folder.rglob("*") if p.is_file() and ".git" not in p.parts]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


def change(tmp_path: Path, files: Folder, text: str) -> dict[str, bytes]:
    edit = read_answer(text, "stop", files)
    assert edit.stop is Stop.ANSWERED, edit
    return apply(tmp_path, files, edit.diff)


def test_a_block_becomes_a_git_diff() -> None:
    edit = read_answer(FIX, "stop", CALC)
    assert edit.stop is Stop.ANSWERED
    assert edit.diff == (
        "diff --git a/src/calc.py b/src/calc.py\n--- a/src/calc.py\n+++ b/src/calc.py\n"
        "@@ -1,5 +1,5 @@\n def add(a, b):\n-    return a - b\n+    return a + b\n \n \n"
        " def sub(a, b):\n"
    )


@pytest.mark.parametrize(
    "path",
    [
        "./src/calc.py",
        "`src/calc.py`",
        "**src/calc.py**",
        "**`src/calc.py`**:",
        "src/calc.py:",
        "### src/calc.py",
        "src/calc.py\n```python",
        "```\nsrc/calc.py",
        "src/calc.py\n\n~~~",
    ],
)
def test_dress_around_the_path_is_ignored(path: str) -> None:
    plain = read_answer(FIX, "stop", CALC)
    assert read_answer(FIX.replace("src/calc.py", path), "stop", CALC) == plain
    assert read_answer(FIX.replace("src/calc.py", path) + "```\n", "stop", CALC) == plain


def test_an_answer_with_crlf_fits_a_file_without() -> None:
    crlf = FIX.replace("\n", "\r\n")
    assert read_answer(crlf, "stop", CALC) == read_answer(FIX, "stop", CALC)


def test_a_file_with_crlf_keeps_it(tmp_path: Path) -> None:
    files = Folder({"a.py": "one\r\ntwo\r\nthree\r\n"})
    done = change(tmp_path, files, block("a.py", "two\n", "2\n2b\n"))
    assert done["a.py"] == b"one\r\n2\r\n2b\r\nthree\r\n"


def test_a_byte_order_mark_stays(tmp_path: Path) -> None:
    files = Folder({"a.py": "\ufeffone\ntwo\n"})
    assert (
        change(tmp_path, files, block("a.py", "one\n", "1\n"))["a.py"].decode() == "\ufeff1\ntwo\n"
    )


@pytest.mark.parametrize(
    ("content", "search", "replace", "wanted"),
    [
        ("a\nb", "b\n", "c\n", "a\nc"),
        ("a\nb", "a\n", "c\n", "c\nb"),
        ("a\nb", "b\n", "b\nc\n", "a\nb\nc"),
        ("a\nb\n", "b\n", "", "a\n"),
        ("a\n", "a\n", "", ""),
        ("a  \nb\n", "a\n", "x\n", "x\nb\n"),
        ("a\fb\nc\n", "c\n", "d\n", "a\fb\nd\n"),
        ("a\u2028b\nc\n", "c\n", "d\n", "a\u2028b\nd\n"),
    ],
)
def test_line_ends_and_last_lines(
    tmp_path: Path, content: str, search: str, replace: str, wanted: str
) -> None:
    done = change(tmp_path, Folder({"a.py": content}), block("a.py", search, replace))
    assert done["a.py"].decode() == wanted


def test_an_exact_place_goes_before_one_that_differs_at_line_ends(tmp_path: Path) -> None:
    files = Folder({"a.py": "x  \ny\nx\nz\n"})
    assert change(tmp_path, files, block("a.py", "x\n", "w\n"))["a.py"] == b"x  \ny\nw\nz\n"


def test_an_empty_search_creates_a_file(tmp_path: Path) -> None:
    done = change(tmp_path, CALC, block("src/deep/new file.py", "", "x = 1\n").replace(" f", "_f"))
    assert done["src/deep/new_file.py"] == b"x = 1\n"


def test_an_empty_file_can_be_created_and_filled(tmp_path: Path) -> None:
    files = Folder({"pkg/__init__.py": ""})
    text = block("pkg/__init__.py", "", "x = 1\n") + block("pkg/py.typed", "", "")
    done = change(tmp_path, files, text)
    assert done == {"pkg/__init__.py": b"x = 1\n", "pkg/py.typed": b""}


def test_edits_of_one_file_apply_in_order(tmp_path: Path) -> None:
    text = block("a.py", "one\n", "two\n") + f"then\n{HEAD}\ntwo\n{MIDDLE}\nthree\n{TAIL}\n"
    assert change(tmp_path, Folder({"a.py": "one\n"}), text)["a.py"] == b"three\n"


def test_a_file_whose_name_has_a_space_can_be_edited(tmp_path: Path) -> None:
    done = change(tmp_path, Folder({"a b.py": "x\n"}), block("a b.py", "x\n", "y\n"))
    assert done["a b.py"] == b"y\n"


def test_a_name_that_git_quotes_can_be_edited(tmp_path: Path) -> None:
    files = Folder({'a"b\\.py': "x\n"})
    edit = read_answer(block('a"b\\.py', "x\n", "y\n"), "stop", files)
    assert core.diff.split(edit.diff)[0].paths == {'a"b\\.py'}
    assert apply(tmp_path, files, edit.diff)['a"b\\.py'] == b"y\n"


def test_a_line_of_equals_signs_may_be_content(tmp_path: Path) -> None:
    files = Folder({"d.rst": "Project\n=======\ntext\n"})
    text = block("d.rst", "Project\n=======\n", "Renamed\n=======\n")
    assert change(tmp_path, files, text)["d.rst"] == b"Renamed\n=======\ntext\n"


@pytest.mark.parametrize(
    ("text", "finish", "stop", "detail"),
    [
        ("", "stop", Stop.EMPTY, "no text"),
        (" \n\t", "stop", Stop.EMPTY, "no text"),
        (FIX, "length", Stop.TRUNCATED, "length limit"),
        ("I cannot\nhelp", "refusal", Stop.REFUSED, "refusal: I cannot help"),
        ("", "safety", Stop.REFUSED, "safety"),
        ("It works for me.", "stop", Stop.UNREADABLE, "no SEARCH/REPLACE block"),
        (f"a.py\n{HEAD}\nx\n{TAIL}\n", "stop", Stop.UNREADABLE, "line 2: the block has no ======="),
        (f"a.py\n{HEAD}\nx\n{MIDDLE}\ny\n", "stop", Stop.UNREADABLE, "has no >>>>>>> REPLACE"),
        (f"a.py\n{HEAD}\nx\n{HEAD}\n", "stop", Stop.UNREADABLE, "line 4: a block starts within"),
        (f"{HEAD}\nx\n{MIDDLE}\ny\n{TAIL}\n", "stop", Stop.UNREADABLE, "line 1: no file path"),
        (f"My fix:\n{block('', '', 'x = 1' + chr(10))}", "stop", Stop.UNREADABLE, "no file path"),
        (block("/etc/passwd", "", "x\n"), "stop", Stop.UNREADABLE, "'/etc/passwd' is not a path"),
        (block("../x.py", "", "x\n"), "stop", Stop.UNREADABLE, "'../x.py' is not a path"),
        (block("a/../../x.py", "", "x\n"), "stop", Stop.UNREADABLE, "is not a path"),
        (block(".git/hooks/x", "", "x\n"), "stop", Stop.UNREADABLE, "git's own folder"),
        (block("sub/.GIT/config", "", "x\n"), "stop", Stop.UNREADABLE, "git's own folder"),
        (block("src/calc.py", "nope\n", "x\n"), "stop", Stop.MISPLACED, "'nope' is not in the"),
        (
            block("src/calc.py", "    return a - b\n", "x\n"),
            "stop",
            Stop.MISPLACED,
            "src/calc.py: the block 'return a - b' is there 2 times",
        ),
        (block("src/gone.py", "x\n", "y\n"), "stop", Stop.MISPLACED, "not in the repository"),
        (block("src/calc.py", "", "y\n"), "stop", Stop.MISPLACED, "is there already"),
        (block("logo.png", "x\n", "y\n"), "stop", Stop.MISPLACED, "not a text file"),
        (block("src/util.py", "def clean(text):\n", "def clean(text):\n"), "stop", Stop.EMPTY, ""),
    ],
)
def test_why_there_is_no_diff(text: str, finish: str, stop: Stop, detail: str) -> None:
    files = Folder({**CALC.contents, "logo.png": None})
    edit = read_answer(text, finish, files)  # type: ignore[arg-type]
    assert (edit.stop, edit.diff) == (stop, "")
    assert detail in edit.detail


GIT_DIFF = """diff --git a/src/util.py b/src/util.py
--- a/src/util.py
+++ b/src/util.py
@@ -1,2 +1,2 @@
 def clean(text):
-    return text.strip()
+    return text.strip().lower()
"""
PLAIN_DIFF = GIT_DIFF.split("\n", 1)[1]


@pytest.mark.parametrize(
    "text",
    [
        GIT_DIFF,
        GIT_DIFF.rstrip("\n"),
        PLAIN_DIFF,
        f"Here:\n```diff\n{PLAIN_DIFF}```\nDone.",
        f"Here:\n```diff\n{GIT_DIFF}```\n\n- a list\n",
        PLAIN_DIFF.replace("a/src", "src").replace("b/src", "src"),
        PLAIN_DIFF.replace("util.py\n@@", "util.py\t2026-01-01 00:00:00\n@@"),
    ],
)
def test_a_unified_diff_is_taken_as_it_stands(tmp_path: Path, text: str) -> None:
    edit = read_answer(text, "stop", CALC)
    assert edit.stop is Stop.ANSWERED
    assert [section.paths for section in core.diff.split(edit.diff)] == [{"src/util.py"}]
    assert b"lower()" in apply(tmp_path, CALC, edit.diff)["src/util.py"]


def test_a_plain_diff_of_several_files_can_be_told_apart(tmp_path: Path) -> None:
    text = PLAIN_DIFF + "--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+x = 1\n"
    text += "--- a/README.md\n+++ /dev/null\n@@ -1 +0,0 @@\n-# calc\n"
    edit = read_answer(text, "stop", CALC)
    sections = core.diff.split(edit.diff)
    assert [s.paths for s in sections] == [{"src/util.py"}, {"new.py"}, {"README.md"}]
    done = apply(tmp_path, CALC, edit.diff)
    assert done["new.py"] == b"x = 1\n"
    assert "README.md" not in done


def test_a_git_diff_that_forgets_the_mode_of_a_new_file_applies(tmp_path: Path) -> None:
    text = "diff --git a/n.py b/n.py\n--- /dev/null\n+++ b/n.py\n@@ -0,0 +1 @@\n+x = 1\n"
    assert change(tmp_path, CALC, text)["n.py"] == b"x = 1\n"


@pytest.mark.parametrize("path", ["../x.py", "/etc/passwd", ".git/config"])
def test_a_diff_must_stay_within_the_repository(path: str) -> None:
    edit = read_answer(PLAIN_DIFF.replace("src/util.py", path), "stop", CALC)
    assert edit.stop is Stop.UNREADABLE
    assert path in edit.detail


def test_a_diff_without_any_change_is_empty() -> None:
    text = "--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n # calc\n"
    assert read_answer(text, "stop", CALC).stop is Stop.EMPTY
