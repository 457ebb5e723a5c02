"""What a task's section is filled with: read back from the page as its script does."""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any

import pytest
from support.big_report import big
from support.report_cases import case
from support.report_data import facts

from core.report import Report
from reports.html import page
from reports.tally import tally
from reports.trail import AttemptTrail, Spoken, Trail

_PACKED = re.compile(r'<script type="application/x-packed" class="data">([\w+/=]+)</script>')


def sections(html: str) -> list[list[dict[str, Any]]]:
    """Each task's attempts."""
    return [
        json.loads(zlib.decompress(base64.b64decode(text, validate=True)))
        for text in _PACKED.findall(html)
    ]


def attempt(report: Report, trail: Trail) -> dict[str, Any]:
    (only,) = sections(page(report, trail))[0]
    return only


@pytest.mark.parametrize(
    ("letter", "bug", "others"),
    [("P", "✓", "✓"), ("F", "✗", "none seen to break"), ("R", "✓", "✓")],
)
def test_each_test_is_told_before_with_the_fix_and_with_the_patch(
    letter: str, bug: str, others: str
) -> None:
    report = tally(facts({"a": letter}))
    name = "tests/test_part_0.py::test_the_bug"
    for names in ((name,), ()):
        rows = attempt(report, Trail(fail_to_pass={report.tasks[0].id: names}))["tests"]
        told = name if names or letter == "F" else "1 other test that must start to pass"
        assert [told, "✗", "✓", bug] in rows
        broken = [row[0] for row in rows if row[1:] == ["✓", "✓", "✗"]]
        assert len(broken) == (2 if letter == "R" else 0)
        count = 12 - len(broken)
        assert rows[-1] == [f"{count} other tests that must keep passing", "✓", "✓", others]


def test_records_that_contradict_each_other_make_no_negative_count() -> None:
    """It said `-2 other tests` where a verdict names more tests than the task has."""
    report = case("hostile")
    for cells in sections(page(report)):
        assert not [row for cell in cells for row in cell["tests"] if row[0].startswith("-")
                    and "other test" in row[0]]  # fmt: skip


@pytest.mark.parametrize("letter", ["N", "A", "T", "E", "V", "B"])
def test_where_tests_did_not_run_none_is_said_to_have_passed(letter: str) -> None:
    assert attempt(tally(facts({"a": letter})), Trail())["tests"] == []


def test_calls_are_told_with_what_is_known_of_them() -> None:
    report = tally(facts({"a": "P"}))
    known = Spoken(
        asked="q", answered="a", seconds=12.3, first_token=2.0, waited=0.5, worked=4.0,
        input_tokens=6124, output_tokens=879, left_out=1200, file="exchanges/a/1.json",
    )  # fmt: skip
    failed = Spoken(asked="", answered="", error="overloaded", seconds=1.0, file="x")
    calls = AttemptTrail(calls=(known, failed), more_calls=3, test_seconds=9.0, applied="moved 2")
    shown = attempt(report, Trail(attempts={(report.tasks[0].id, "a", 1): calls}))
    heads = [call["head"] for call in shown["calls"]]
    assert heads == [
        "1. answered after 12 s · first token 2.0 s · 6,124 tokens in, 879 out · unknown",
        "2. failed after 1.0 s · unknown",
    ]
    assert shown["calls"][0]["file"] == "1,200 characters left out; all of it: exchanges/a/1.json"
    assert [bar[:2] for bar in shown["bars"]] == [
        ["working", 4.0], ["waiting", 0.5], ["first token", 2.0], ["answering", 10.3],
        ["failed", 1.0], ["tests", 9.0],
    ]  # fmt: skip
    assert shown["moreCalls"] == "3 requests in the middle: in the run folder only."
    assert "How the patch was laid: moved 2" in shown["notes"]


def test_baselines_are_shown_where_they_misbehave_alone() -> None:
    names = [{one["name"] for one in task} for task in sections(page(case("broken tasks")))]
    assert names == [{"a"}, {"a", "empty"}, {"a", "reference"}]


def test_every_sign_of_the_matrix_leads_to_its_attempt() -> None:
    for report, trail, _ in (big(9, 3), (case("two attempts"), Trail(), [])):
        html = page(report, trail)
        links = re.findall(r'<a class="sign \w+" href="#(task-\d+-\d+)"', html)
        places = re.findall(r'<details class="attempt" id="(task-\d+-\d+)"', html)
        assert sorted(links) == sorted(places)
        assert len(set(places)) == len(places)
