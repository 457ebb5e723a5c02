"""What a model is told: where it is from, and what is taken out of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.types import StatementSource
from miner.history import Change
from miner.issues import FileIssues, Issue, NoIssues
from miner.statement import clean_message, state

SHA = "0123456789abcdef0123456789abcdef01234567"


def change(message: str) -> Change:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Change("a" * 40, ("b" * 40,), now, "Ann", "ann@example.org", message, ())


def issues(*found: Issue) -> FileIssues:
    return FileIssues({issue.number: issue for issue in found})


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Read signs", "Read signs"),
        ("Read signs (#12)", "Read signs"),
        ("Read signs (GH-12)\n\nFixes #11.", "Read signs"),
        ("Read signs, closes #11, #12 and GH-13", "Read signs,"),
        ("Read signs (fixes #11)\n\nRefs: #4\nSee #5", "Read signs"),
        ("Fix #12: read signs", "read signs"),
        ("Fixes #1 - read signs", "read signs"),
        ("Fixes #1, #2 and #3. More", "More"),
        ("Read signs\r\n\r\nFixes #11\r\n\r\nThey matter.\r\n", "Read signs\n\nThey matter."),
        ("Read signs\n\n\n\n\nThey matter.", "Read signs\n\nThey matter."),
        (f"Read signs\n\nBroken since {SHA}.", "Read signs\n\nBroken since ."),
        ("Read signs\n\n* [abc1234]\n* 12abcde\n", "Read signs"),
        ("Read signs\n\nSigned-off-by: A <a@b>\nCo-authored-by: C\nCc: D", "Read signs"),
        (f"Read signs\n\n(cherry picked from commit {SHA})", "Read signs"),
        ("Merge pull request #3 from a/b\n\nRead signs", "Read signs"),
        ("Merge branch 'main' into dev\n\nRead signs", "Read signs"),
        ("Merge remote-tracking branch 'origin/x'\n\nRead signs", "Read signs"),
        ("Read signs\n\n# Conflicts:\n#\tsrc/a.py\n#\tb.py\n\nMore", "Read signs\n\nMore"),
        ("Read signs\n\nConflicts:\n\tsrc/a.py\n", "Read signs"),
        ("Read signs\n<!-- what\ndid you do? -->\nMore", "Read signs\n\nMore"),
    ],
)
def test_a_message_without_what_nobody_could_know(message: str, expected: str) -> None:
    """Bugs: `Fix #12: x` gave `: x`, a list of ids `[]`; comments of the pull request's form and
    git's own list of conflicts stayed.
    """
    assert clean_message(message) == expected


@pytest.mark.parametrize(
    "message",
    [
        "ccache is not found",
        "CC is read from the environment",
        "Pull-request handling is broken",
        "Reviewed-by is a trailer, not a title",
        "`1e1000000` is not 12345e6",
        "#ff00ff80 is a colour, 550e8400-e29b-41d4-a716-446655440000 a UUID",
        "0x1234abcd and 0xdeadbeef1 differ",
        "deadbeef and 1234567 stay",
        "Take 12 of (3) things",
        "Merge sorted lists in one pass",
        "# Heading\n\n- one\n- two\n\n---\n\n...",
    ],
)
def test_words_that_only_look_so_stay(message: str) -> None:
    """Bugs: any line that began with `cc` was taken for a trailer, numbers and colours for ids."""
    assert clean_message(message) == message


@pytest.mark.parametrize(
    "message", ["", "\n\n", "Fixes #12", "(#12)", "Merge pull request #3 from a/b", SHA, "<!-- -->"]
)
def test_a_statement_is_never_empty(message: str) -> None:
    """Bug: that of a commit without a message was, and so was its title."""
    found = state(change(message), list, NoIssues())
    assert found.title
    assert found.text


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "Fixes #1",
                ":",
                " ",
                "\n",
                "x",
                "(#2)",
                SHA,
                "Cc: a",
                "<!--",
                "-->",
                "Merge branch 'x'",
            ]
        ),
        max_size=8,
    ).map("".join)
)
def test_no_message_gives_an_empty_statement(message: str) -> None:
    found = state(change(message), list, NoIssues())
    assert found.title.strip() == found.title != ""
    assert "\n" not in found.title
    assert found.text.strip() == found.text != ""


def test_the_issue_is_the_best_source() -> None:
    body = f"<!-- form -->\r\nIt is `-1`.\r\n\r\n\r\n\r\nSince {SHA} it is.  \r\n"
    found = state(
        change("Rounding\n\nFixes #7"), list, issues(Issue(number=7, title=" Add  is ", body=body))
    )
    assert (found.source, found.issue) == (StatementSource.ISSUE, 7)
    assert found.link_rule == "closing keyword in commit message"
    assert found.title == "Add is"
    assert found.text == "Add  is\n\nIt is `-1`.\n\nSince  it is."


def test_an_issue_without_a_body_is_its_title() -> None:
    found = state(
        change("x\n\nFixes #7"), list, issues(Issue(number=7, title="Add is wrong", body=None))
    )
    assert found.text == "Add is wrong"


def test_the_first_issue_that_can_be_had() -> None:
    """Missing ones and those without a title are passed over."""
    known = issues(Issue(number=2, title=" "), Issue(number=3, title="Third"))
    found = state(change("x\n\nFixes #1, fixes #2, fixes #3, fixes #4"), list, known)
    assert (found.title, found.issue) == ("Third", 3)


def test_without_an_issue_the_message_speaks_and_the_number_is_kept() -> None:
    found = state(change("Rounding (#9)\n\nFixes #7"), list, NoIssues())
    assert (found.title, found.text) == ("Rounding", "Rounding")
    assert (found.source, found.issue) == (StatementSource.COMMIT_MESSAGE, 7)
    assert state(change("Rounding"), list, NoIssues()).link_rule is None
