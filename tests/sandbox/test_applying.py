"""The ladder that applies a model's patch: what it mends, and what the host reads of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.patching import (
    APPLYING,
    CALC,
    FILE,
    FILES,
    FIX,
    FIXED,
    NEW,
    PLAIN,
    apply,
    git,
    repository,
)

from core.diff import split
from core.git import touched_paths


@dataclass(frozen=True)
class Mended:
    """A diff that means the same as FIX, or as `becomes` says."""

    diff: str
    words: list[str] = field(default_factory=list)
    rung: str = "exact"
    files: dict[str, str] = field(default_factory=dict)
    becomes: dict[str, str | None] = field(default_factory=lambda: {"calc.py": FIXED})


LOST_BLANKS = FIX.replace("\n \n \n", "\n\n\n")
ADDED: dict[str, str | None] = {"pkg/new.py": "x = 1\ny = 2\n"}
ONE_OF_TWO = FIX.replace("@@ -11,4 +11,4 @@", "@@ -11,9 +11,2 @@")

MENDED = {
    "as git wrote it": Mended(FIX),
    "fenced": Mended(f"```diff\n{FIX}```\n", ["fences"]),
    "fenced, and the fence never closed": Mended(f"~~~\n{FIX}", ["fences"]),
    "explained": Mended(
        f"Here is it:\n- one fix\n\n{FIX}\n- That was it.\n  Really.\nBye", ["prose"]
    ),
    "fenced and explained": Mended(f"So:\n```\n{FIX}```\n+ done\n", ["fences", "prose"]),
    "miscounted, fenced and explained": Mended(
        f"So:\n```diff\n{ONE_OF_TWO}```\n\nWhat it does:\n- `last` is right\n",
        ["counts", "fences", "prose"],
        "recount",
    ),
    "a mail": Mended(
        f"From: me\nSubject: x\n\n---\n calc.py | 2 +-\n\n{FIX}-- \n2.39.5\n\n", ["prose"]
    ),
    "counts too small": Mended(FIX.replace("-11,4 +11,4", "-11,2 +11,1"), ["counts"], "recount"),
    "counts too large": Mended(FIX.replace("-11,4 +11,4", "-11,9 +11,9"), ["counts"], "recount"),
    "counts that reach into the next file": Mended(
        "--- a/pkg/util.py\n+++ b/pkg/util.py\n@@ -2,3 +2,3 @@\n two\n-three\n+3\n" + NEW,
        ["counts", "headers"],
        "recount",
        becomes={"pkg/util.py": "one\ntwo\n3\n", **ADDED},
    ),
    "no numbers": Mended(FIX.replace("@@ -11,4 +11,4 @@", "@@"), ["counts", "offset"], "recount"),
    "no end": Mended(FIX.removesuffix("\n"), ["newline"]),
    "crlf": Mended(FIX.replace("\n", "\r\n"), ["crlf"]),
    "crlf and no end": Mended(FIX.replace("\n", "\r\n").removesuffix("\r\n"), ["crlf", "newline"]),
    "crlf in the file": Mended(
        FIX,
        ["crlf"],
        files={"calc.py": CALC.replace("\n", "\r\n")},
        becomes={"calc.py": FIXED.replace("\n", "\r\n")},
    ),
    "crlf in both": Mended(
        FIX.replace("\n", "\r\n"),
        ["crlf"],
        files={"calc.py": CALC.replace("\n", "\r\n")},
        becomes={"calc.py": FIXED.replace("\n", "\r\n")},
    ),
    "the file has no end": Mended(
        FIX,
        ["newline"],
        files={"calc.py": CALC.removesuffix("\n")},
        becomes={"calc.py": FIXED.removesuffix("\n")},
    ),
    "more after a last line without end": Mended(
        "--- a/pkg/util.py\n+++ b/pkg/util.py\n@@ -2,2 +2,3 @@\n two\n three\n+four\n",
        ["headers", "newline"],
        files={"pkg/util.py": "one\ntwo\nthree"},
        becomes={"pkg/util.py": "one\ntwo\nthree\nfour"},
    ),
    "no git header": Mended(PLAIN, ["headers"]),
    "no names": Mended(FIX.replace("--- a/calc.py\n+++ b/calc.py\n", ""), ["headers"]),
    "no prefix": Mended(
        PLAIN.replace("a/calc", "calc").replace("b/calc", "calc"), ["headers", "prefix"]
    ),
    "no prefix, git's header": Mended(
        FIX.replace("a/calc", "calc").replace("b/calc", "calc"), ["prefix"]
    ),
    "dot prefix": Mended(PLAIN.replace("a/", "./").replace("b/", "./"), ["headers", "prefix"]),
    "old and new": Mended(PLAIN.replace("a/", "old/").replace("b/", "new/"), ["headers", "prefix"]),
    "mnemonic": Mended(FIX.replace("a/", "i/").replace("b/", "w/"), ["prefix"]),
    "half a prefix": Mended(PLAIN.replace("b/", ""), ["headers", "prefix"]),
    "dated": Mended(
        PLAIN.replace("calc.py\n", "calc.py\t2024-05-06 07:08:09.000000000 +0200\n"), ["headers"]
    ),
    "dated after spaces": Mended(
        PLAIN.replace("calc.py\n", "calc.py  2024-05-06 07:08:09\n")
        .replace("a/", "")
        .replace("b/", ""),
        ["headers", "prefix"],
    ),
    "subversion": Mended(f"Index: calc.py\n{'=' * 40}\n{PLAIN}", ["headers", "prose"]),
    "blank context lost its space": Mended(LOST_BLANKS, ["blanks"]),
    "moved": Mended(FIX.replace("-11,4 +11,4", "-5,4 +3,4"), ["offset"]),
    "less context after than before": Mended(
        "--- a/pkg/util.py\n+++ b/pkg/util.py\n@@ -1,2 +1,2 @@\n one\n-two\n+TWO\n",
        ["headers"],
        becomes={"pkg/util.py": "one\nTWO\nthree\n"},
    ),
    "hunks that share context, in the wrong order": Mended(
        "--- a/pkg/util.py\n+++ b/pkg/util.py\n"
        "@@ -2,2 +2,2 @@\n two\n-three\n+3\n@@ -1,2 +1,2 @@\n-one\n+1\n two\n",
        ["headers"],
        becomes={"pkg/util.py": "1\ntwo\n3\n"},
    ),
    "context that is off, far out": Mended(
        FIX.replace(" \n \n def last", " # elsewhere\n \n def last"), [], "fuzz"
    ),
    "created": Mended(NEW, ["headers"], becomes=ADDED),
    "created, no prefix": Mended(NEW.replace("b/", ""), ["headers", "prefix"], becomes=ADDED),
    "created, in the manner of its neighbour": Mended(
        PLAIN.replace("a/", "old/").replace("b/", "new/") + NEW.replace("b/", "new/"),
        ["headers", "prefix"],
        becomes={"calc.py": FIXED, **ADDED},
    ),
    "created, but named as if it were there": Mended(
        NEW.replace("/dev/null", "a/pkg/new.py"), ["headers"], becomes=ADDED
    ),
    "created, by diff -N": Mended(
        NEW.replace("/dev/null", "a/pkg/new.py\t1970-01-01 01:00:00.000000000 +0100"),
        ["headers"],
        becomes=ADDED,
    ),
    "deleted": Mended(
        "--- pkg/util.py\n+++ /dev/null\n@@ -1,3 +0,0 @@\n-one\n-two\n-three\n",
        ["headers", "prefix"],
        becomes={"pkg/util.py": None},
    ),
    "two parts for one file": Mended(
        PLAIN + "--- a/calc.py\n+++ b/calc.py\n@@ -9,2 +9,2 @@\n def mul(a, b):\n"
        "-    return a * b\n+    return b * a\n",
        ["headers"],
        becomes={"calc.py": FIXED.replace("a * b", "b * a")},
    ),
    "renamed and changed": Mended(
        "diff --git a/pkg/util.py b/pkg/tools.py\nsimilarity index 60%\nrename from pkg/util.py\n"
        "rename to pkg/tools.py\n--- a/pkg/util.py\n+++ b/pkg/tools.py\n@@ -1,3 +1,3 @@\n one\n"
        "-two\n+2\n three\n",
        becomes={"pkg/util.py": None, "pkg/tools.py": "one\n2\nthree\n"},
    ),
    "copied": Mended(
        "diff --git a/pkg/util.py b/pkg/tools.py\nsimilarity index 100%\ncopy from pkg/util.py\n"
        "copy to pkg/tools.py\n",
        becomes={"pkg/tools.py": "one\ntwo\nthree\n"},
    ),
    "odd names": Mended(
        'diff --git "a/odd\\tname\\303\\251\\".py" "b/odd\\tname\\303\\251\\".py"\n'
        "new file mode 100644\n"
        '--- /dev/null\n+++ "b/odd\\tname\\303\\251\\".py"\n@@ -0,0 +1 @@\n+x\n',
        becomes={'odd\tnameé".py': "x\n"},
    ),
    "odd names, no prefix": Mended(
        '--- /dev/null\n+++ "odd\\nname.py"\n@@ -0,0 +1 @@\n+x\n',
        ["headers", "prefix"],
        becomes={"odd\nname.py": "x\n"},
    ),
    "a name that is no UTF-8, with spaces": Mended(
        "--- /dev/null\n+++ b/a b\udcff.py\t\n@@ -0,0 +1 @@\n+x\n",
        ["headers"],
        becomes={"a b\udcff.py": "x\n"},
    ),
    "attributes that would run a program": Mended(
        "--- /dev/null\n+++ b/.gitattributes\n@@ -0,0 +1,2 @@\n+* filter=evil text eol=crlf\n"
        f"+* working-tree-encoding=UTF-16 ident\n{PLAIN}",
        ["headers"],
        becomes={
            "calc.py": FIXED,
            ".gitattributes": "* filter=evil text eol=crlf\n* working-tree-encoding=UTF-16 ident\n",
        },
    ),
}


@pytest.mark.parametrize("case", MENDED.values(), ids=MENDED.keys())
def test_what_does_not_matter_is_mended_and_told(case: Mended, tmp_path: Path) -> None:
    files = {**FILES, **case.files}
    folder = repository(tmp_path / "repo", dict(files))
    told = apply(case.diff, folder)
    assert told == {"rung": case.rung, "mended": case.words, "paths": sorted(case.becomes)}
    for name, content in {**files, **case.becomes}.items():
        path = folder / name
        held = path.read_bytes() if path.exists() else None
        assert held == (None if content is None else content.encode())


@pytest.mark.parametrize("case", MENDED.values(), ids=MENDED.keys())
def test_the_host_reads_a_mended_diff_as_git_does(case: Mended) -> None:
    content = case.diff.encode("utf-8", "surrogateescape")
    text, words = APPLYING.mend(content)
    assert APPLYING.mend(text) == (text, [])
    assert set(words) <= {*case.words, "crlf"}
    decoded = text.decode("utf-8", "surrogateescape")
    named = {path for section in split(decoded) for path in section.paths}
    assert named == {*touched_paths(decoded)}
    assert {*case.becomes} <= named
    if not case.words:
        assert text == content


def test_an_older_blob_is_merged_where_the_file_went_on(tmp_path: Path) -> None:
    folder = repository(tmp_path / "repo", {"f": "".join(f"{n}\n" for n in range(30))})
    old = git(folder, "rev-parse", "HEAD:f").decode().strip()
    text = (folder / "f").read_text()
    (folder / "f").write_text(text.replace("\n14\n", "\nfourteen\n").replace("\n0\n", "\n"))
    git(folder, "commit", "--quiet", "--all", "--message=on")
    diff = f"diff --git a/f b/f\nindex {old}..{'1' * 40} 100644\n--- a/f\n+++ b/f\n"
    body = "".join(f" {n}\n" for n in range(10, 18)) + "-18\n+eighteen\n 19\n"
    told = apply(f"{diff}@@ -11,10 +11,10 @@\n{body}", folder)
    assert told == {"rung": "3way", "mended": [], "paths": ["f"]}
    merged = text.replace("\n14\n", "\nfourteen\n").replace("\n18\n", "\neighteen\n")
    assert (folder / "f").read_text() == merged
    git(folder, "checkout", "--quiet", ".")
    conflict = f"{diff}@@ -14,3 +14,3 @@\n 13\n-14\n+XIV\n 15\n"
    assert "no rung" in apply(conflict, folder)["refused"]


def test_counts_that_leave_out_a_line_do_not_leave_it_out(tmp_path: Path) -> None:
    """`git apply` alone ends a hunk where its counts say, and silently drops the lines after."""
    folder = repository(tmp_path / "repo", dict(FILES))
    head = "--- a/pkg/util.py\n+++ b/pkg/util.py\n@@ -1,2 +1,2 @@\n"
    told = apply(f"{head} one\n-two\n+2\n+2.5\n three\n", folder)
    assert told["rung"] == "recount"
    assert (folder / "pkg/util.py").read_text() == "one\n2\n2.5\nthree\n"


def test_counts_cannot_hide_a_file_from_the_judge() -> None:
    hidden = FIX.replace("-11,4 +11,4", "-11,20 +11,20") + FILE.format("tests/test_x.py", "100644")
    assert touched_paths(hidden) == []
    text = APPLYING.mend(hidden.encode())[0].decode()
    assert set(touched_paths(text)) == {"calc.py", "tests/test_x.py"}
    assert [section.paths for section in split(text)] == [{"calc.py"}, {"tests/test_x.py"}]
