"""What programs read: report.json with its schema, report.csv, junit.xml, badge.svg, digests."""

from __future__ import annotations

import csv
import io
import json
import zlib
from base64 import b64encode
from functools import cache
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema  # type: ignore[import-untyped]
import pytest
from conftest import Golden
from junitparser import Error, Failure, JUnitXml, Skipped
from support.report_cases import NAMES, case

from reports.badge import badge
from reports.digest import LARGEST, digest_of, seal, unseal, without_tasks
from reports.junit import suites
from reports.rows import COLUMNS, table
from reports.schema import schema

SMALL = [name for name in NAMES if not name.startswith(("thirty", "10 MB"))]


@cache
def _validator() -> Any:
    return jsonschema.Draft202012Validator(json.loads(schema()))


def test_the_published_schema_is_that_of_the_program(golden: Golden) -> None:
    golden("../../docs/report.schema.json", schema())
    jsonschema.Draft202012Validator.check_schema(json.loads(schema()))


@pytest.mark.parametrize("name", SMALL)
def test_every_report_keeps_to_the_schema(name: str) -> None:
    _validator().validate(json.loads(case(name).model_dump_json()))


def test_the_schema_can_refuse() -> None:
    data = json.loads(case("demo").model_dump_json())
    del data["entrants"][0]["pass_rate"]
    with pytest.raises(jsonschema.ValidationError, match="'pass_rate' is a required property"):
        _validator().validate(data)


@pytest.mark.parametrize("name", NAMES)
def test_the_csv_has_a_row_for_each_attempt(name: str) -> None:
    report = case(name)
    head, *rows = csv.reader(io.StringIO(table(report), newline=""))
    assert tuple(head) == COLUMNS
    assert len(rows) == sum(len(task.cells) for task in report.tasks)
    passed = sum(row[COLUMNS.index("outcome")] == "passed" for row in rows)
    assert passed == sum(row.passed for row in report.entrants)


def test_no_cell_of_the_csv_is_a_formula() -> None:
    """A title such as `=HYPERLINK(…)` would be carried out by the spreadsheet that opens it."""
    rows = list(csv.reader(io.StringIO(table(case("hostile")), newline="")))
    cells = [cell for row in rows[1:] for cell in row]
    assert any(cell.startswith("'") for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_what_is_unknown_is_empty_in_the_csv() -> None:
    rows = csv.DictReader(io.StringIO(table(case("unknown prices")), newline=""))
    costs = {row["entrant"]: row["cost_usd"] for row in rows}
    assert "" in costs.values()
    assert "0" not in costs.values()


@pytest.mark.parametrize("name", NAMES)
def test_the_junit_file_counts_as_the_report_does(name: str) -> None:
    report = case(name)
    read = JUnitXml.fromstring(suites(report).encode())
    found = {suite.name: suite for suite in read}
    rows = [row for row in report.entrants if row.name != "empty"]
    assert len(list(read)) == len(rows)
    for row in rows:
        suite = found.get(row.name)
        if suite is None:  # a hostile name is shown in one visible line
            assert name == "hostile"
            continue
        kinds = [type(result) for one in suite for result in one.result]
        assert kinds.count(Failure) == suite.failures == row.scored - row.passed
        assert kinds.count(Error) + kinds.count(Skipped) == row.tasks - row.scored
        assert suite.errors + suite.skipped == row.tasks - row.scored
        assert suite.tests == row.tasks


def test_broken_infrastructure_is_no_failure_of_a_model() -> None:
    """Whose fault it is stands in the message, and the kind of result says it too."""
    text = suites(case("nothing scored"))
    assert "<failure" not in text
    assert "provider has to answer for it" in text


@pytest.mark.parametrize("name", NAMES)
def test_the_badge_is_an_image_and_nothing_else(name: str) -> None:
    root = ET.fromstring(badge(case(name)))  # noqa: S314 - ours
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags == {"svg", "title", "clipPath", "rect", "g", "text"}
    assert root.attrib["aria-label"].startswith("patchmark: ")
    assert int(root.attrib["width"]) < 700


def test_a_badge_of_invented_answers_says_so() -> None:
    assert "replay:careful 77 % of 13 (invented)" in badge(case("demo"))
    assert "tasks are broken" in badge(case("broken tasks"))


@pytest.mark.parametrize("name", NAMES)
def test_a_digest_comes_back_out_of_a_comment(name: str) -> None:
    digest = digest_of(case(name))
    sealed = seal(digest)
    assert unseal(f"Above\n{sealed}\nbelow") == digest
    assert len(sealed) < 10_000, "GitHub takes 65,536 characters for the whole comment"
    assert len(seal(without_tasks(digest))) < 2_000


@pytest.mark.parametrize("name", SMALL)
def test_a_digest_tells_results_task_by_task(name: str) -> None:
    report = case(name)
    for row in digest_of(report).rows:
        assert sum(scored for _, scored in row.results.values()) == row.scored
        assert sum(passed for passed, _ in row.results.values()) == row.passed


def _sealed(content: bytes) -> str:
    return f"<!-- patchmark:digest v1 {b64encode(zlib.compress(content)).decode()} -->"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="none"),
        pytest.param("<!-- patchmark:digest v1 AAAA -->", id="not packed"),
        pytest.param("<!-- patchmark:digest v1 A=== -->", id="not base64"),
        pytest.param(_sealed(b"{}"), id="nothing in it"),
        pytest.param(_sealed(b"[" * 100_000), id="deep"),
        pytest.param(_sealed(b" " * (LARGEST + 1)), id="a bomb"),
        pytest.param("> " + seal(digest_of(case("demo"))), id="quoted by a person"),
    ],
)
def test_what_people_made_of_a_digest_is_not_taken(text: str) -> None:
    assert unseal(text) is None


def test_a_digest_cannot_lie_about_its_form() -> None:
    data = json.loads(digest_of(case("demo")).model_dump_json())
    data["rows"][0]["results"] = {"0" * 12: [2, -1]}
    assert unseal(_sealed(json.dumps(data).encode())) is None
