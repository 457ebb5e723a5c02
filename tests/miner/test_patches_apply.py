"""The promise of every candidate: its patches, in any order, make the fix commit's tree."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.mining import candidates
from support.repos import ENVIRONMENT, Entry, File, Repo

from core.types import Candidate

LINES = st.sampled_from(
    [
        *(f"line {n}\n".encode() for n in range(6)),
        b"\n",
        b"  \n",
        b"-- a/x\n",
        b"++ b/x\n",
        b"diff --git a/x b/x\n",
        b"@@ -1 +1 @@\n",
        b"form\x0cfeed\n",
        b"crlf\r\n",
        b"bare\rreturn\n",
        b"trailing \t\n",
        "größe \u2028\n".encode(),
        b"\x1e" + b"a" * 40 + b"\x1f\n",
        b"no end",
        b"\x00\x01\x02\n",
        b"#[cfg(test)]\nmod tests {\n    fn t() {}\n}\n",
        b"[tool.pytest.ini_options]\n",
    ]
)
CONTENTS = st.lists(LINES, max_size=30).map(b"".join)
NAMES = [
    "src/calc.py",
    "src/lib.rs",
    "pyproject.toml",
    "src/with space.py",
    'src/quo"te.py',
    "src/new\nline.py",
    "größe.py",
    "b/b.py",
    "README.md",
    "tox.ini",
    "src/data.bin",
    "tests/test_calc.py",
    "tests/conftest.py",
    "tests/tab\there.txt",
    "docs/a b/a.md",
]
FILES: st.SearchStrategy[File] = st.one_of(
    CONTENTS,
    CONTENTS,
    CONTENTS.map(lambda content: Entry("100755", content)),
    st.sampled_from([Entry("120000", b"calc.py"), None]),
)
CHANGES = st.dictionaries(st.sampled_from(NAMES), FILES, max_size=5)
ATTRIBUTES = st.sampled_from(["", "* text eol=crlf\n", "*.py -diff\n*.md diff=x\n", "* -text\n"])


def tree_of_patches(repo: Repo, candidate: Candidate, *patches: str) -> str:
    """The id of the tree that the patches make of the base commit, one after the other."""
    environment = {**ENVIRONMENT, "GIT_INDEX_FILE": str(repo.path / ".git" / "try-index")}

    def git(*arguments: str, stdin: str = "") -> str:
        command = ["git", "-C", str(repo.path), *arguments]
        content = stdin.encode("utf-8", "surrogateescape")
        done = subprocess.run(command, input=content, capture_output=True, env=environment)
        assert done.returncode == 0, done.stderr.decode(errors="replace") + stdin
        return os.fsdecode(done.stdout).strip()

    git("read-tree", candidate.base_commit)
    for patch in patches:
        git("apply", "--cached", "--whitespace=nowarn", "-", stdin=patch)
    return git("write-tree")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    start=CHANGES,
    steps=st.lists(st.tuples(CHANGES, st.booleans()), min_size=1, max_size=4),
    attributes=ATTRIBUTES,
)
def test_the_patches_make_the_fix(
    start: dict[str, File], steps: list[tuple[dict[str, File], bool]], attributes: str
) -> None:
    """For any history, merges included; every step has a line of source and one of tests."""
    with tempfile.TemporaryDirectory() as folder:
        repo = Repo(Path(folder))
        tip = repo.commit("Start", {**start, ".gitattributes": attributes})
        for number, (files, merge) in enumerate(steps):
            more: dict[str, File] = {
                "src/always.py": f"x = {number}\n",
                "tests/test_always.py": f"assert {number}\n",
            }
            parents: tuple[str, ...] = (tip,)
            if merge:
                side = repo.commit("side", files, parents=(tip,), branch="side")
                parents = (tip, side)
            tip = repo.commit(f"Step {number}", {**files, **more}, parents=parents)
        repo.checkout()
        found = candidates(repo)
        assert len(found) == len(steps)
        for candidate in found:
            tests, fix = candidate.test_patch, candidate.gold_patch
            for order in ((tests, fix), (fix, tests)):
                made = tree_of_patches(repo, candidate, *order)
                assert made == repo.tree(candidate.fix_commit)
