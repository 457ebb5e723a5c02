"""Which issues a change closes, by which rule, and which it only speaks of."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.types import Link
from miner.links import (
    BY_BODY,
    BY_COMMIT_TIMELINE,
    BY_MERGED,
    BY_MESSAGE,
    BY_PULL_REQUEST,
    BY_PULL_TIMELINE,
    BY_TITLE,
    MOST_MENTIONS,
    Texts,
    links,
    named,
    pull_number,
)
from miner.tracker import Issue, PullRequest

COMMIT = "c" * 40


def closed(message: str, slug: str = "me/tool") -> list[int]:
    return [number for number, rule in named(Texts(message), slug).items() if rule]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Fixes #1", [1]),
        ("fix #1, closes: #2 and Resolved GH-3", [1, 2, 3]),
        ("close #1 closed #2 fixed #3 fixes #4 resolve #5 resolves #6", [1, 2, 3, 4, 5, 6]),
        ("fixes\n#12", [12]),
        ("Fixes #1\nFixes #1", [1]),
        ("(FIXES #7)", [7]),
        ("fixes #1, #2 and #3", [1, 2, 3]),
        ("Fixes:\n- #4\n- #5", [4, 5]),
        ("Fixes [#6]", [6]),
        ("See #1, refs #2, #3", []),
        ("prefixes #1, unclosed #2, fixing #3", []),
        ("Fixes owner/repo#3", []),
        ("fixes other#3 and closes owner/our-repo#4", []),
        ("Fixes me/tool#3, closes Me/Tool#4", [3, 4]),
        ("Closes https://github.example/me/tool/issues/8", [8]),
        ("Closes https://github.example/me/tool/issues/8#issuecomment-12", [8]),
        ("Closes https://github.example/you/tool/issues/8", []),
        ("Fixes `#3` and `fixes #4`", []),
        ("Text\n```\nfixes #5\n```\nfixes #6", [6]),
        ("~~~\nfixes #5\n~~~\nfixes #6", [6]),
        ("<!-- for example: fixes #1 -->\nfixes #2", [2]),
        ("<!-- fixes\n#1 --> closes #2 <!-- closes #3 -->", [2]),
        ("> fixes #9\n\nfixes #10", [10]),
        ("This does not fix #5", []),
        ("fixes #12ab and fixes #1_000", []),
        ("Fixes #" + "9" * 5000, []),
        ("", []),
    ],
)
def test_what_a_message_closes(message: str, expected: list[int]) -> None:
    """Bugs: a number of some thousand digits ended the mining; `#12ab` was issue 12."""
    assert closed(message) == expected


def test_with_an_unknown_repository_only_plain_numbers_count() -> None:
    assert closed("Fixes #1, fixes me/tool#2", slug="") == [1]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Read signs (#12)", 12),
        ("Read signs (GH-12)\n\n(#13)", 12),
        ("Merge pull request #3 from a/b\n\nRead (#4)", 3),
        ("Auto merge of #77 - a:b, r=c", 77),
        ("Merge PR #8: x", 8),
        ("Merged in a/b (pull request #5)", 5),
        ("Read #12", None),
        ("Read (#12) signs", None),
        ("", None),
    ],
)
def test_the_pull_request_that_a_message_names(message: str, expected: int | None) -> None:
    assert pull_number(message) == expected


def test_each_link_records_the_strongest_rule() -> None:
    pull = PullRequest(number=20, title="Fix #1", body="Closes #2\nand fixes #3", closes=(3, 4))
    texts = Texts("Read signs (#20)\n\nFixes #5", ("wip, resolves #6", "fixes #5"), pull)
    found = named(texts, "me/tool")
    assert found == {
        3: BY_PULL_REQUEST, 4: BY_PULL_REQUEST, 1: BY_TITLE, 2: BY_BODY, 5: BY_MESSAGE, 6: BY_MERGED
    }  # fmt: skip
    issues = {
        1: Issue(number=1, title="x", closed_by=(COMMIT,)),
        7: Issue(number=7, title="x", closed_by=("#20",)),
        8: Issue(number=8, title="x", closed_by=("#21", "d" * 40)),
    }
    linked = links(found, issues, texts, {COMMIT, "#20"})
    assert linked == (
        Link(issue=3, rule=BY_PULL_REQUEST),
        Link(issue=4, rule=BY_PULL_REQUEST),
        Link(issue=1, rule=BY_COMMIT_TIMELINE),
        Link(issue=7, rule=BY_PULL_TIMELINE),
        Link(issue=2, rule=BY_BODY),
        Link(issue=5, rule=BY_MESSAGE),
        Link(issue=6, rule=BY_MERGED),
    )


def test_a_mention_counts_only_where_the_timeline_says_so() -> None:
    texts = Texts("Rounding, see #3 and #4")
    found = named(texts, "me/tool")
    assert found == {3: "", 4: ""}
    issues = {
        3: Issue(number=3, title="x", closed_by=(COMMIT.upper(),)),
        4: Issue(number=4, title="x", closed_by=("#9",)),
    }
    assert links(found, issues, texts, {COMMIT}) == (Link(issue=3, rule=BY_COMMIT_TIMELINE),)


def test_mentions_without_end_are_not_all_looked_up() -> None:
    many = " ".join(f"#{number}" for number in range(1, 1000))
    assert len(named(Texts(f"Release notes\n\n{many}"), "")) == MOST_MENTIONS


def test_its_own_pull_request_is_no_issue_of_it() -> None:
    pull = PullRequest(number=20, title="x", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert named(Texts("Fixes #20 (#20)", (), pull), "") == {}
    assert named(Texts("Merge pull request #3 from a/b\n\nFixes #3"), "") == {}


def test_a_number_that_may_be_an_issues_needs_the_tracker() -> None:
    """`Read signs (#12)` names a pull request, or else the issue: only who has it can tell."""
    texts = Texts("Fix #12: read signs (#12)")
    found = named(texts, "")
    assert links(found, {}, texts, ()) == ()
    issue = Issue(number=12, title="Signs")
    assert links(found, {12: issue}, texts, ()) == (Link(issue=12, rule=BY_MESSAGE),)


def test_a_revert_does_not_close_what_it_quotes() -> None:
    assert closed('Revert "Fix signs, fixes #3"\n\nThis reverts commit x.') == []


@pytest.mark.parametrize(
    "text", ["`", "[", "<!--", "#1 ", "fixes ", "fixes #1, ", "> ", "https://"]
)
def test_hostile_texts_end(text: str) -> None:
    named(Texts(text * (300_000 // len(text))), "me/tool")
