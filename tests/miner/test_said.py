"""What a model is told: where it is from, as of when, and what is taken out of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.types import Link, StatementSource
from miner.clean import clean
from miner.history import without_merge
from miner.links import BY_MESSAGE, Texts
from miner.said import Statement, state
from miner.tracker import Comment, Edit, Issue, PullRequest

SHA = "0123456789abcdef0123456789abcdef01234567"
BEGAN = datetime(2026, 1, 10, tzinfo=UTC)
BEFORE, AFTER = BEGAN - timedelta(days=1), BEGAN + timedelta(days=1)
GOLD = ("    total = compute(values, strict)", "    return round(total, digits)")


def told(
    message: str = "Rounding",
    *,
    merged: Sequence[str] = (),
    pull: PullRequest | None = None,
    issues: Sequence[Issue] = (),
    gold: Sequence[str] = (),
    linked: Sequence[int] | None = None,
) -> Statement:
    numbers = [issue.number for issue in issues] if linked is None else linked
    return state(
        Texts(message, tuple(merged), pull),
        subject=message.partition("\n")[0],
        written_at=BEGAN,
        links=tuple(Link(issue=number, rule=BY_MESSAGE) for number in numbers),
        issues={issue.number: issue for issue in issues},
        gold_added=gold,
    )


# --- commit messages ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Read signs", "Read signs"),
        ("Read signs (#12)", "Read signs"),
        ("Read signs (GH-12)\n\nFixes #11.", "Read signs"),
        ("Read signs, closes #11, #12 and GH-13", "Read signs"),
        ("Read signs (fixes #11)\n\nRefs: #4\nSee #5", "Read signs"),
        ("Fix #12: read signs", "read signs"),
        ("Fixes #1 - read signs", "read signs"),
        ("Fixes #1, #2 and #3. More", "More"),
        ("Read signs\r\n\r\nFixes #11\r\n\r\nThey matter.\r\n", "Read signs\n\nThey matter."),
        ("Read signs\n\n\n\n\nThey matter.", "Read signs\n\nThey matter."),
        (f"Read signs\n\nBroken since {SHA}.", "Read signs\n\nBroken since an earlier commit."),
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
    assert told(message).text == expected


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
    assert told(message).text == message


@pytest.mark.parametrize(
    "message", ["", "\n\n", "Fixes #12", "(#12)", "Merge pull request #3 from a/b", SHA, "<!-- -->"]
)
def test_a_statement_is_never_empty(message: str) -> None:
    """Bug: that of a commit without a message was, and so was its title."""
    found = told(message)
    assert found.title
    assert found.text
    assert found.vagueness > 0.6


PIECES = ["Fixes #1", ":", " ", "\n", "x", "(#2)", SHA, "Cc: a", "<!--", "-->", "Merge branch 'x'"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_no_message_gives_an_empty_statement(message: str) -> None:
    found = told(message)
    assert found.title.strip() == found.title != ""
    assert "\n" not in found.title
    assert found.text.strip() == found.text != ""


def test_a_merge_without_words_is_told_by_what_it_brought() -> None:
    found = told("Merge branch 'x'", merged=("Round up\n\nFixes #7", "Test it", "Test it"))
    assert (found.title, found.text) == ("Round up", "Round up\n\nTest it")


# --- pull requests ------------------------------------------------------------------------

PULL = PullRequest(
    number=20,
    title="Round halves up (#19)",
    body="`total(2.5)` gives 2 and should give 3.\n\n## Checklist\n\n- [x] I ran the tests\n",
    created_at=BEGAN,
    labels=("bug",),
)


def test_the_pull_request_says_more_than_the_message() -> None:
    found = told("Round halves up (#20)", pull=PULL)
    assert found.source is StatementSource.PULL_REQUEST
    assert found.title == "Round halves up"
    assert found.text == "Round halves up\n\n`total(2.5)` gives 2 and should give 3."
    assert found.labels == ("bug",)


def test_a_message_that_says_more_is_taken() -> None:
    pull = PullRequest(number=20, title="Round halves up", body="")
    message = "Round halves up\n\n`total(2.5)` gives 2 instead of 3, which is wrong."
    found = told(message, pull=pull)
    assert (found.source, found.text) == (StatementSource.COMMIT_MESSAGE, message)


def test_a_pull_request_as_it_was_opened() -> None:
    edits = (Edit(at=BEGAN, text="It is wrong."), Edit(at=AFTER, text="Now with the solution."))
    pull = PULL.model_copy(update={"bodies": edits, "body": "Now with the solution."})
    assert told(pull=pull).text == "Round halves up\n\nIt is wrong."


# --- issues -------------------------------------------------------------------------------


def test_the_issue_is_the_best_source() -> None:
    body = f"<!-- form -->\r\nIt is `-1`.\r\n\r\n\r\n\r\nSince {SHA} it is.  \r\n"
    issue = Issue(number=7, title=" Add  is ", body=body, labels=("bug", "api"))
    found = told("Rounding\n\nFixes #7", pull=PULL, issues=[issue])
    assert found.source is StatementSource.ISSUE
    assert found.links == (Link(issue=7, rule=BY_MESSAGE),)
    assert found.title == "Add is"
    assert found.text == "Add is\n\nIt is `-1`.\n\nSince an earlier commit it is."
    assert found.removed == {"commit ids": 1, "templates": 1}
    assert found.labels == ("api", "bug")


def test_an_issue_without_a_body_is_its_title() -> None:
    assert told(issues=[Issue(number=7, title="Add is wrong", body=None)]).text == "Add is wrong"


def test_what_can_be_had_of_several_issues_is_told() -> None:
    """Missing ones and those without a title are passed over; the first that speaks is first."""
    known = [Issue(number=2, title=" "), Issue(number=3, title="Third", body="a"),
             Issue(number=5, title="Fifth", body="b")]  # fmt: skip
    found = told(issues=known, linked=[1, 2, 3, 4, 5])
    assert found.title == "Third"
    assert found.text == "Third\n\na\n\n## Fifth\n\nb"
    assert [link.issue for link in found.links] == [3, 5, 1, 2, 4]


def test_without_an_issue_the_message_speaks_and_the_number_is_kept() -> None:
    found = told("Rounding (#9)\n\nFixes #7", linked=[7])
    assert (found.title, found.text) == ("Rounding", "Rounding")
    assert found.source is StatementSource.COMMIT_MESSAGE
    assert [link.issue for link in found.links] == [7]


def test_an_issue_as_it_read_when_the_fix_was_opened() -> None:
    issue = Issue(
        number=7,
        title="Solved: use round()",
        body="Use round().",
        created_at=BEFORE,
        titles=(Edit(at=BEFORE, text="Wrong"), Edit(at=AFTER, text="Solved: use round()")),
        bodies=(Edit(at=BEFORE, text=""), Edit(at=BEFORE, text="It is 2."),
                Edit(at=AFTER, text="Use round().")),
    )  # fmt: skip
    assert told(issues=[issue]).text == "Wrong\n\nIt is 2."


def test_an_issue_that_is_younger_than_the_fix_is_not_what_it_was_made_from() -> None:
    issue = Issue(number=7, title="Wrong", body="How it was mended", created_at=AFTER)
    found = told(issues=[issue])
    assert (found.source, found.text) == (StatementSource.COMMIT_MESSAGE, "Rounding")
    assert found.removed == {"written after the fix": 1}
    assert [link.issue for link in found.links] == [7]


def test_an_issue_that_was_opened_between_first_commit_and_pull_request_counts() -> None:
    """People write the fix first and then the issue that it needs."""
    later = BEGAN + timedelta(hours=3)
    issue = Issue(number=7, title="Wrong", body="It is 2.", created_at=BEGAN + timedelta(hours=1))
    pull = PULL.model_copy(update={"created_at": later, "started_at": BEGAN})
    assert told(pull=pull, issues=[issue]).source is StatementSource.ISSUE


def test_comments_that_were_there_before_the_fix() -> None:
    issue = Issue(
        number=7,
        title="Wrong",
        body="It is 2.",
        created_at=BEFORE,
        comments=(
            Comment(at=BEFORE, text="It happens for all negative numbers too."),
            Comment(at=BEFORE, text="+1"),
            Comment(at=AFTER, text="It has to be rounded, as the fix does it now."),
        ),
    )
    found = told(issues=[issue])
    assert found.text == (
        "Wrong\n\nIt is 2.\n\n### A comment on this\n\nIt happens for all negative numbers too."
    )
    assert found.removed == {"review chatter": 1, "written after the fix": 1}


# --- what gives the answer away -----------------------------------------------------------


def test_code_of_the_fix_goes_and_what_stays_is_measured() -> None:
    body = (
        "It is wrong. A fix:\n\n```python\n    total = compute(values, strict)\n"
        "    return round(total, digits)\n```\n\nor `return round(total, digits)` alone."
    )
    found = told(issues=[Issue(number=7, title="Wrong", body=body)], gold=GOLD)
    assert "compute" not in found.text
    assert found.removed["code of the fix"] == 1
    assert found.leak == 0.5


@pytest.mark.parametrize(
    ("text", "kept", "kind"),
    [
        ("Bad.\n\n![shot](https://x.example/a.png)", "Bad.", "images"),
        ("Bad.\n\n<img src='a.png' width=10>", "Bad.", "images"),
        ("Bad. Fixed in #12.", "Bad.", "fixed in"),
        ("Bad. This was fixed in version 2.0.", "Bad.", "fixed in"),
        ("Bad. I'll open a PR tomorrow.", "Bad.", "fixed in"),
        ("Bad.\n\n```diff\n-a\n+b\n```", "Bad.", "diffs"),
        ("Bad.\n\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", "Bad.", "diffs"),
        (
            "Bad since [this](https://h.example/a/b/pull/3/files).",
            "Bad since this.",
            "links to commits and pull requests",
        ),
        ("Bad.\n\n### Steps\n\n_No response_\n\n### More\n\n", "Bad.", "templates"),
        ("Bad.\n\n-- \nAnn\nACME\n", "Bad.", "signatures"),
        ("Bad.\n\nSent from my phone", "Bad.", "signatures"),
    ],
)  # fmt: skip
def test_what_is_removed_is_counted(text: str, kept: str, kind: str) -> None:
    found = clean(text)
    assert (found.text, set(found.removed) - {"references"}) == (kept, {kind})


@pytest.mark.parametrize(
    "text",
    [
        "It worked in 1.2 and is broken in 1.3.",
        "This was fixed in 1.2 but is broken again.",
        "See https://docs.example/page#12 for how it should be.",
        '```\nTraceback (most recent call last):\n  File "x.py", line 3\nValueError: no\n```',
        "Steps:\n\n1. Call `f(1)`\n2. Look",
        "| a | b |\n|---|---|\n| 1 | 2 |",
    ],
)
def test_what_a_reporter_wrote_stays(text: str) -> None:
    assert clean(text).text == text


HOSTILE = [
    *("`", "[", "![", "<!--", "#1 ", "fixes #1 ", "@@ -1 +1 @@\n", "> ", "a" * 41 + " "),
    *("```\n", "- [ ] x\n", "## x\n", "https://a/b/commit/", "cc ", "<img ", "-- \n"),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_end(text: str) -> None:
    clean(text * (200_000 // len(text)), gold_added=GOLD, by_fixer=True)
    without_merge(text * (200_000 // len(text)))
