"""The issues file, and the tracker of those who have none."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import UsageError
from miner.file_tracker import FileTracker, NoTracker, read_tracker
from miner.tracker import Comment, Tracker

COMMIT = "a" * 40


def write(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "issues.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def read(tmp_path: Path, *entries: object) -> FileTracker:
    return read_tracker(write(tmp_path, list(entries)), "o/r")


def test_number_title_and_body_are_enough(tmp_path: Path) -> None:
    tracker: Tracker = read(
        tmp_path,
        {"number": 1, "title": "ü", "body": None, "state": "closed"},
        {"number": 2, "title": "t"},
    )
    found = tracker.issues([1, 2, 3])
    assert {n: (issue.title, issue.body) for n, issue in found.items()} == {
        1: ("ü", None),
        2: ("t", ""),
    }
    assert (tracker.pull_requests([1], [COMMIT]), tracker.slug, tracker.missed) == ({}, "o/r", 0)


def test_all_that_an_entry_can_say(tmp_path: Path) -> None:
    tracker = read(
        tmp_path,
        {
            "number": 1,
            "title": "t",
            "labels": ["bug"],
            "created_at": "2024-01-01T00:00:00",
            "comments": [{"at": "2024-01-02T00:00:00Z", "author": "ann", "text": "hi"}],
            "bodies": [{"at": "2024-01-01T00:00:00Z", "text": "first"}],
            "closed_by": [COMMIT, "#2"],
        },
        {
            "number": 2,
            "title": "p",
            "pull_request": True,
            "commits": [COMMIT],
            "closes": [1],
            "labels": [{"name": "fix"}],
        },
    )
    issue = tracker.issues([1, 2])[1]
    assert issue.created_at == datetime(2024, 1, 1, tzinfo=UTC)
    when = datetime(2024, 1, 2, tzinfo=UTC)
    assert issue.comments == (Comment(at=when, author="ann", text="hi"),)
    assert (issue.labels, issue.closed_by) == (("bug",), (COMMIT, "#2"))
    assert issue.bodies[0].text == "first"
    pulls = tracker.pull_requests([1, 2], [COMMIT, "b" * 40])
    assert {key: pull.closes for key, pull in pulls.items()} == {2: (1,), COMMIT: (1,)}
    assert pulls[2].labels == ("fix",)


def test_what_githubs_rest_api_lists_can_be_used_as_it_is(tmp_path: Path) -> None:
    """There, `comments` is a number, users are objects, and pull requests may be open."""
    usual = {"title": "t", "body": None, "comments": 7, "closed_by": {"login": "kim"}}
    merged = {"merged_at": "2024-01-01T00:00:00Z"}
    tracker = read(
        tmp_path,
        {**usual, "number": 1, "labels": [{"name": "bug", "color": "f00"}]},
        {**usual, "number": 2, "pull_request": merged, "merge_commit_sha": COMMIT},
        {**usual, "number": 3, "pull_request": {"merged_at": None}, "merge_commit_sha": "b" * 40},
        {
            "number": 4,
            "title": "t",
            "closed_by": None,
            "comments": [
                {"user": {"login": "ann"}, "body": "a", "created_at": "2024-01-01T00:00:00Z"},
                {"user": None, "body": None, "created_at": "2024-01-01T00:00:00Z"},
            ],
        },
    )
    found = tracker.issues([1, 2, 3, 4])
    assert set(found) == {1, 4}
    assert found[1].labels == ("bug",)
    assert [(c.author, c.text) for c in found[4].comments] == [("ann", "a"), ("", "")]
    assert set(tracker.pull_requests([1, 2, 3], [COMMIT, "b" * 40])) == {2, COMMIT}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "Expecting value"),
        ("{'a': 1}", "Expecting property name"),
        ("[" * 100_000, "recursion"),
        ({"number": 1}, "expected a JSON list of issues"),
        ([{"number": 1, "title": "t"}, {"number": 2}], "entry 1: title: Field required"),
        ([{"title": "t"}], "entry 0: number: Field required"),
        ([{"number": "x", "title": "t"}], "entry 0: number: "),
        ([{"number": 1, "title": "t", "body": 5}], "entry 0: body: "),
        ([{"number": 1, "title": "t"}, 7], "entry 1: Input should be"),
        ([{"number": 1, "title": "t", "created_at": "soon"}], "entry 0: created_at: "),
        ([{"number": 1, "title": "t", "comments": ["hi"]}], "entry 0: comments: 0: "),
        ([{"number": 1, "title": "t", "comments": [{"body": "x"}]}], "entry 0: comments: 0: at: "),
        ([{"number": 1, "pull_request": True}], "entry 0: title: Field required"),
        ([{"number": 1, "title": "t", "pull_request": True, "commits": 5}], "entry 0: commits: "),
    ],
)
def test_a_wrong_issues_file_names_itself_and_the_entry(
    tmp_path: Path, content: object, words: str
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(UsageError) as caught:
        read_tracker(path)
    assert f"--issues {path}: " in str(caught.value)
    assert words in str(caught.value)


def test_an_issues_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    (tmp_path / "latin.json").write_bytes(b'["\xe9"]')
    for name in ("missing.json", "latin.json", "."):
        with pytest.raises(UsageError, match="--issues"):
            read_tracker(tmp_path / name)


def test_no_tracker_counts_what_it_does_not_have() -> None:
    tracker: Tracker = NoTracker()
    assert tracker.issues([1, 2]) == {}
    assert tracker.pull_requests([2, 3], [COMMIT]) == {}
    assert (tracker.missed, tracker.slug) == (4, "")
