"""Cutting diffs: by hand for the odd forms, by git and chance for all the others."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.repos import Entry, File, Repo

from core.diff import FileDiff, split


def paths(diff: str) -> list[set[str]]:
    return [set(section.paths) for section in split(diff)]


def test_an_empty_diff_has_no_sections() -> None:
    assert split("") == []
    assert split("just words\nand --- dashes\n") == []


def test_text_before_the_first_section_is_dropped() -> None:
    diff = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
    assert [section.text for section in split("From: someone\n---\n 1 file\n\n" + diff)] == [diff]


def test_plain_diffs_are_cut_at_their_names() -> None:
    one = "--- src/a.py\t2026-01-01 00:00:00\n+++ src/a.py\t2026-01-02\n@@ -1 +1,2 @@\n-a\n+b\n+c\n"
    two = "--- a/old b.py\n+++ b/new b.py\n@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n"
    new = "--- /dev/null\n+++ b/made.py\n@@ -0,0 +1 @@\n+x\n"
    sections = split(one + two + new)
    assert [section.text for section in sections] == [one, two, new]
    assert [set(s.paths) for s in sections] == [
        {"src/a.py"},
        {"old b.py", "new b.py"},
        {"made.py"},
    ]
    assert [(s.added, s.removed) for s in sections] == [(2, 1), (1, 0), (1, 0)]


def test_a_plain_section_after_a_git_one() -> None:
    one = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
    two = "--- a/y\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n"
    assert [section.text for section in split(one + two)] == [one, two]


def test_lines_of_a_hunk_that_look_like_headers_start_nothing() -> None:
    """Removed `-- a/x` and added `++ b/x` read `--- a/x` and `+++ b/x` in a diff."""
    hunk = "--- a/x\n+++ b/x\n diff --git a/y b/y\n-diff --git a/z b/z\n+@@ -1 +1 @@\n \n\n"
    diff = f"diff --git a/q b/q\n--- a/q\n+++ b/q\n@@ -1,5 +1,5 @@\n{hunk}"
    assert [(set(s.paths), s.added, s.removed) for s in split(diff)] == [({"q"}, 2, 2)]


def test_renames_and_copies_have_both_paths() -> None:
    head = "diff --git a/a.py b/tests/b.py\nsimilarity index 100%\n"
    assert paths(head + "rename from a.py\nrename to tests/b.py\n") == [{"a.py", "tests/b.py"}]
    assert paths(head + "copy from a.py\ncopy to tests/b.py\n") == [{"a.py", "tests/b.py"}]


def test_the_old_spelling_of_a_rename_has_both_paths_too() -> None:
    """Bug: git applies `rename old`, and we read one path `a/conftest.py b/src/x.py`."""
    diff = "diff --git a/conftest.py b/src/x.py\nrename old conftest.py\nrename new src/x.py\n"
    assert paths(diff) == [{"conftest.py", "src/x.py"}]


@pytest.mark.parametrize("end", ["\r", "\r\t", "\v", "\f x", "\t"])
def test_names_end_where_git_ends_them(end: str) -> None:
    r"""Bug: in a diff with CRLF line ends the name was `conftest.py\r`, which is protected by
    nothing; git applies it to `conftest.py`.
    """
    names = f'--- a/conftest.py{end}\n+++ "b/conf\\164est.py"{end}\n'
    assert paths(f"diff --git a/x b/x\n{names}@@ -1 +1 @@\n-a\n+b\n") == [{"conftest.py"}]


def test_a_mode_change_with_crlf_names_its_file() -> None:
    diff = "diff --git a/tox.ini b/tox.ini\r\nold mode 100644\r\nnew mode 100755\r\n"
    assert paths(diff) == [{"tox.ini"}]


def test_quoted_names() -> None:
    diff = 'diff --git "a/t\\ta\\"b\\303\\274\\\\n" "b/t\\ta\\"b\\303\\274\\\\n"\nold mode 100644\n'
    assert paths(diff) == [{'t\ta"bü\\n'}]


def test_a_deleted_and_a_binary_file() -> None:
    gone = (
        "diff --git a/x b/x\ndeleted file mode 100644\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"
    )
    image = "diff --git a/p.png b/p.png\nindex 1..2 100644\nGIT binary patch\nliteral 1\nA@@+\n\n"
    other = "diff --git a/q b/q\nBinary files a/q and b/q differ\n"
    first, second, third = split(gone + image + other)
    assert (first.deleted, first.binary, first.removed) == (True, False, 1)
    assert (second.deleted, second.binary, second.added) == (False, True, 0)
    assert third == FileDiff(other, frozenset({"q"}), 0, 0, binary=True, deleted=False)


LINES = st.sampled_from(
    [
        b"one\n",
        b"two\n",
        b"\n",
        b" \n",
        b"-- a/x\n",
        b"++ b/x\n",
        b"--- a/x\n",
        b"+++ b/x\n",
        b"diff --git a/x b/x\n",
        b"@@ -1 +1 @@\n",
        b"-\n",
        b"+\n",
        b"form\x0cfeed\n",
        b"crlf\r\n",
        b"\r\n",
        b"bare\rreturn\n",
        b"\x1c\x85\xe2\x80\xa8\n",
        b"\\ No newline at end of file\n",
        b"GIT binary patch\n",
        b"rename from x\n",
        b"latin \xe9\n",
        b"no end",
        b"\x00\x01\n",
    ]
)
CONTENTS = st.lists(LINES, max_size=8).map(b"".join)
NAMES = [
    "a.py",
    "b b/c d.py",
    "b/b",
    "größe.py",
    'quo"te',
    "tab\there",
    "new\nline",
    "back\\slash",
    " lead",
    "trail ",
    "a b/a",
    os.fsdecode(b"\xff\xfe"),
    "-dash",
    "dev/null",
    "form\x0cfeed",
]
FILES: st.SearchStrategy[File] = st.one_of(
    CONTENTS,
    CONTENTS.map(lambda content: Entry("100755", content)),
    st.sampled_from([Entry("120000", b"a.py"), Entry("120000", b"b b"), b"", None]),
)
TREES = st.dictionaries(st.sampled_from(NAMES), FILES, max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(old=TREES, new=TREES, quote=st.booleans())
def test_sections_of_what_git_says(old: dict[str, File], new: dict[str, File], quote: bool) -> None:
    """Joined they are the diff again; each has git's own path, and its count of lines."""
    with tempfile.TemporaryDirectory() as folder:
        repo = Repo(Path(folder))
        before = repo.commit(files=old, parents=(), branch="old")
        after = repo.commit(files=new, parents=(), branch="new")
        options = ("--no-renames", before, after)
        config = ("-c", f"core.quotePath={str(quote).lower()}", "diff")
        diff = os.fsdecode(repo.git(*config, "--binary", "--full-index", *options))
        names = os.fsdecode(repo.git("diff", "--name-only", "-z", *options)).split("\0")[:-1]
        counts = repo.git("diff", "--numstat", "-z", *options).split(b"\0")[:-1]
    sections = split(diff)
    assert "".join(section.text for section in sections) == diff
    assert list(dict.fromkeys(tuple(s.paths) for s in sections)) == [(name,) for name in names]
    for name, count in zip(names, counts, strict=True):
        mine = [section for section in sections if name in section.paths]
        added, removed, _ = count.split(b"\t", 2)
        if added != b"-" and len(mine) == 1:
            assert (mine[0].added, mine[0].removed) == (int(added), int(removed))
