"""A patch's edits to tests and runner files are taken out, however they are written."""

from __future__ import annotations

import pytest
from support.tasks import make_task

from core.paths import PathRules
from core.types import Patch, Stop, Task
from sandbox.engine import Limits
from sandbox.judge import verdict_key
from sandbox.protected import SteersTestsError, protects, without_protected

HUNK = "@@ -1 +1 @@\n-a\n+b\n"
SOURCE = f"diff --git a/src/a.py b/src/a.py\n--- a/src/a.py\n+++ b/src/a.py\n{HUNK}"


def git_section(path: str) -> str:
    return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n{HUNK}"


def rename(old: str, new: str) -> str:
    return (
        f"diff --git a/{old} b/{new}\nsimilarity index 100%\nrename from {old}\nrename to {new}\n"
    )


DELETED = (
    "diff --git a/test_a.py b/test_a.py\ndeleted file mode 100644\n"
    "--- a/test_a.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"
)
QUOTED = '"a/tests/\\303\\244.py" "b/tests/\\303\\244.py"'
QUOTED_EDIT = (
    f'diff --git {QUOTED}\n--- "a/tests/\\303\\244.py"\n+++ "b/tests/\\303\\244.py"\n{HUNK}'
)


@pytest.mark.parametrize(
    ("section", "dropped"),
    [
        (git_section("tests/test_a.py"), ["tests/test_a.py"]),
        (git_section("src/conftest.py"), ["src/conftest.py"]),
        (git_section("setup.cfg"), ["setup.cfg"]),
        (git_section("tox.ini"), ["tox.ini"]),
        (git_section("src/evil.pth"), ["src/evil.pth"]),
        (f"--- a/tests/test_a.py\n+++ b/tests/test_a.py\n{HUNK}", ["tests/test_a.py"]),
        (f"--- tests/test_a.py\n+++ tests/test_a.py\n{HUNK}", ["tests/test_a.py"]),
        (f"--- /dev/null\n+++ b/conftest.py\n{HUNK}", ["conftest.py"]),
        (rename("tests/test_a.py", "src/b.py"), ["tests/test_a.py"]),
        (rename("src/b.py", "tests/test_a.py"), ["tests/test_a.py"]),
        (
            "diff --git a/tests/run.py b/tests/run.py\nold mode 100644\nnew mode 100755\n",
            ["tests/run.py"],
        ),
        (DELETED, ["test_a.py"]),
        (QUOTED_EDIT, ["tests/ä.py"]),
        (f"diff --git {QUOTED}\nold mode 100644\nnew mode 100755\n", ["tests/ä.py"]),
    ],
)
def test_protected_edits_go_and_the_rest_stays(section: str, dropped: list[str]) -> None:
    for diff in (section + SOURCE, SOURCE + section):
        assert without_protected(diff) == (SOURCE, tuple(dropped))


def test_what_the_project_says_is_a_test_is_one_here_too() -> None:
    """Bug: a project's own globs steered the miner alone, so a patch could edit those tests."""
    rules = PathRules(tests=("checks/**",), source=("tests/tool.py",))
    edits = git_section("checks/one.py") + git_section("tests/tool.py")
    of_task = protects(make_task(path_rules=rules))
    assert without_protected(edits, of_task) == (git_section("tests/tool.py"), ("checks/one.py",))
    assert without_protected(edits) == (git_section("checks/one.py"), ("tests/tool.py",))
    patch = Patch(task_id="0" * 12, entrant="m", attempt=1, diff=edits, stop=Stop.ANSWERED,
                  cost_usd=None, usage=None, seconds=None)  # fmt: skip
    keys = {verdict_key(make_task(path_rules=r), patch, Limits()) for r in (rules, PathRules())}
    assert len(keys) == 2


def test_nothing_protected_is_left_to_the_byte() -> None:
    assert without_protected(SOURCE) == (SOURCE, ())
    assert without_protected("") == ("", ())


def test_text_without_an_edit_is_left_for_git_to_refuse() -> None:
    """Bug: it was cut down to nothing, which applies, and the tests ran without a patch."""
    assert without_protected("no diff\n") == ("no diff\n", ())


@pytest.mark.parametrize(
    "diff",
    [
        # -p1 takes off `docs`, and what is left is a test.
        f"--- docs/tests/helper.py\n+++ docs/tests/helper.py\n{HUNK}",
        f"--- docs/tests/helper.py\n+++ docs/tests/helper.py\n{HUNK}{SOURCE}",
    ],
)
def test_what_git_reads_otherwise_is_refused(diff: str) -> None:
    with pytest.raises(SteersTestsError, match=r"tests/helper\.py"):
        without_protected(diff)


def test_a_line_in_a_hunk_that_looks_like_a_header_is_content() -> None:
    """SQL comments look like this; a reader that splits here would tear the file's section."""
    diff = (
        "diff --git a/src/q.sql b/src/q.sql\n--- a/src/q.sql\n+++ b/src/q.sql\n"
        "@@ -1,2 +1,2 @@\n--- a/tests/test_a.py\n+++ b/tests/test_a.py\n x\n"
    )
    assert without_protected(diff) == (diff, ())


def test_a_dropped_name_that_is_no_utf8_can_be_written_down() -> None:
    """Bug: such a name in a model's patch gave a verdict that no file could hold."""
    name = '"a/tests/\\377.py"'
    _, dropped = without_protected(f"--- {name}\n+++ {name}\n{HUNK}")
    assert dropped == ("tests/?.py",)


PATCH = Patch(
    task_id="0" * 11 + "1",
    entrant="e",
    attempt=1,
    diff=SOURCE,
    stop=Stop.ANSWERED,
    cost_usd=None,
    usage=None,
    seconds=None,
)


@pytest.mark.parametrize(
    "changed",
    [
        make_task(2),
        make_task(gold_patch="x"),
        make_task(test_patch="x"),
        make_task(fail_to_pass=("tests/test_calc.py::test_b",)),
        make_task(pass_to_pass=("tests/test_calc.py::test_b",)),
        make_task(image="sha256:" + "1" * 64),
        make_task(test_command="pytest -x"),
    ],
)
def test_the_key_follows_the_task(changed: Task) -> None:
    known = verdict_key(make_task(), PATCH, Limits())
    assert verdict_key(changed, PATCH, Limits()) != known


def test_the_key_follows_patch_and_limits_and_nothing_else() -> None:
    task = make_task()
    known = verdict_key(task, PATCH, Limits())
    assert verdict_key(task, PATCH.model_copy(update={"diff": ""}), Limits()) != known
    assert verdict_key(task, PATCH.model_copy(update={"stop": Stop.REFUSED}), Limits()) != known
    assert verdict_key(task, PATCH, Limits(seconds=1)) != known
    assert verdict_key(task, PATCH.model_copy(update={"entrant": "other"}), Limits()) == known
    assert verdict_key(make_task(title="other", statement="other"), PATCH, Limits()) == known
