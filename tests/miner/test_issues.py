"""Which issues a message closes, and the issues file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import UsageError
from miner.issues import NoIssues, closed_by, read_issues


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Fixes #1", [1]),
        ("fix #1, closes: #2 and Resolved GH-3", [1, 2, 3]),
        ("close #1 closed #2 fixed #3 fixes #4 resolve #5 resolves #6", [1, 2, 3, 4, 5, 6]),
        ("fixes\n#12", [12]),
        ("Fixes #1\nFixes #1", [1]),
        ("(FIXES #7)", [7]),
        ("See #1, refs #2, #3", []),
        ("prefixes #1, unclosed #2, fixing #3", []),
        ("Fixes owner/repo#3", []),
        ("fixes other#3 and closes owner/our-repo#4", []),
        ("Fixes `#3` and `fixes #4`", []),
        ("Text\n```\nfixes #5\n```\nfixes #6", [6]),
        ("<!-- for example: fixes #1 -->\nfixes #2", [2]),
        ("<!-- fixes\n#1 --> closes #2 <!-- closes #3 -->", [2]),
        ("fixes #12ab and fixes #1_000", []),
        ("Fixes #" + "9" * 5000, []),
        ("", []),
    ],
)
def test_what_a_message_closes(message: str, expected: list[int]) -> None:
    """Bugs: a number of some thousand digits ended the mining; `#12ab` was issue 12."""
    assert closed_by(message) == expected


def write(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "issues.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_an_issues_file(tmp_path: Path) -> None:
    entries = [
        {"number": 1, "title": "ü", "body": None, "state": "closed"},
        {"number": 2, "title": "t"},
    ]
    found = read_issues(write(tmp_path, entries))
    one = found.get(1)
    assert one is not None
    assert (one.number, one.title, one.body) == (1, "ü", None)
    assert found.get(3) is None
    assert NoIssues().get(1) is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "Expecting value"),
        ("{'a': 1}", "Expecting property name"),
        ({"number": 1}, "expected a JSON list of issues"),
        ([{"number": 1, "title": "t"}, {"number": 2}], "entry 1: title: Field required"),
        ([{"title": "t"}], "entry 0: number: Field required"),
        ([{"number": "x", "title": "t"}], "entry 0: number: "),
        ([{"number": 1, "title": "t", "body": 5}], "entry 0: body: "),
        ([{"number": 1, "title": "t"}, 7], "entry 1: Input should be"),
    ],
)
def test_a_wrong_issues_file_names_itself_and_the_entry(
    tmp_path: Path, content: object, words: str
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(UsageError) as caught:
        read_issues(path)
    assert f"--issues {path}: " in str(caught.value)
    assert words in str(caught.value)


def test_an_issues_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    (tmp_path / "latin.json").write_bytes(b'["\xe9"]')
    for name in ("missing.json", "latin.json", "."):
        with pytest.raises(UsageError, match="--issues"):
            read_issues(tmp_path / name)
