"""Patches made elsewhere: what is read, what is written, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.exported import clone, source
from support.interchange import FIX, lines, shop
from support.report_data import patch, task

from core.errors import UsageError
from core.types import Stop
from models.spec import check
from patchmark.cli import main
from patchmark.formats import predictions
from patchmark.formats.predictions import read

ONE = {"instance_id": "a__b-1", "model_name_or_path": "acme/wonder 7B+tools", "model_patch": FIX}
TWO = {"instance_id": "a__b-2", "model_name_or_path": "acme/wonder 7B+tools", "model_patch": None}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("list.json", [ONE, TWO]),
        ("by-name.json", {"a__b-1": ONE, "a__b-2": {**TWO, "instance_id": "a__b-2"}}),
        ("without-ids.json", {"a__b-1": {**ONE, "instance_id": "a__b-1"}, "a__b-2": TWO}),
    ],
)
def test_every_form_of_a_file_is_read(tmp_path: Path, name: str, value: Any) -> None:
    path = tmp_path / name
    path.write_text(json.dumps(value))
    same = lines(tmp_path / "lines.jsonl", ONE, TWO)
    for found, problems in (read(path), read(same)):
        assert problems == []
        assert [(one.name, one.entrant, one.diff) for one in found] == [
            ("a__b-1", "predictions:acme/wonder-7B-tools", FIX),
            ("a__b-2", "predictions:acme/wonder-7B-tools", ""),
        ]


def test_where_no_model_is_told_the_files_name_stands_in(tmp_path: Path) -> None:
    path = tmp_path / "wonder.json"
    path.write_text(json.dumps({"a__b-1": {"model_patch": FIX}}))
    (one,), problems = read(path)
    assert (one.entrant, problems) == ("predictions:wonder", [])


def test_what_is_wrong_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    bad = {
        "an object with instance_id": [1],
        "JSON was expected": b"{",
        "not UTF-8": b'"\xff"',
        "half a character": {**ONE, "model_patch": "\ud800"},
        "it lacks instance_id": {"model_patch": FIX},
        "model_patch: a git diff was expected": {"instance_id": "a__b-3"},
        "model_name_or_path: text": {**ONE, "model_name_or_path": 7},
        "is no usable name": {**ONE, "model_name_or_path": "n" * 200},
        "stands at": ONE,
        "is called like": {**ONE, "model_name_or_path": "acme/wonder 7B tools"},
    }
    path = lines(tmp_path / "p.jsonl", ONE, *bad.values(), TWO)
    found, problems = read(path)
    assert len(found) == 2
    assert [problem.where for problem in problems] == [f"{path}:{n}" for n in range(2, 12)]
    for words, problem in zip(bad, problems, strict=True):
        assert words in problem.what


@pytest.mark.parametrize("text", ["", "[]", "3", "{", "{}"])
def test_a_file_without_predictions(tmp_path: Path, text: str) -> None:
    there = shop(tmp_path)
    path = tmp_path / "p.json"
    path.write_text(text)
    assert main(["judge", f"--out={there.run}", f"--predictions={path}"]) == 2


def test_a_name_under_another_name(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"a__b-2": ONE}))
    assert "stands under 'a__b-2'" in read(path)[1][0].what


def test_each_entrant_and_attempt_is_written_to_a_file_of_its_own(tmp_path: Path) -> None:
    """The harness takes a file for one model's: of two patches of a task the last one would win."""
    one = task(1)
    patches = (
        patch(one, "openai:gpt-4o"),
        patch(one, "openai:gpt-4o", attempt=2),
        patch(one, "predictions:acme/wonder"),
        patch(one, "google:gemini", stop=Stop.PROVIDER_FAILED, diff=""),
        patch(task(2), "openai:gpt-4o"),  # of a task that is not exported
    )
    given = source(clone(tmp_path / "repo"), [one], patches=patches)
    problems = predictions.write(given, tmp_path / "all")
    assert [str(problem) for problem in problems] == [
        f"google:gemini: {given.names[one.id]}: no answer (provider_failed)"
    ]
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == [
        "acme__wonder.jsonl", "openai-gpt-4o.2.jsonl", "openai-gpt-4o.jsonl",
    ]  # fmt: skip
    (row,) = (tmp_path / "all" / "acme__wonder.jsonl").read_text("utf-8").splitlines()
    assert json.loads(row) == {
        "instance_id": given.names[one.id],
        "model_name_or_path": "acme/wonder",
        "model_patch": patches[2].diff,
    }
    with pytest.raises(UsageError, match="name a folder"):
        predictions.write(given, tmp_path / "all.jsonl")


def test_nobody_can_be_asked_for_more_of_them(tmp_path: Path) -> None:
    there = shop(tmp_path)
    check("predictions:acme/wonder-7B")
    code = main(["run", f"--repo={there.path}", f"--out={there.run}", "--models=predictions:x"])
    assert code == 2
    with pytest.raises(UsageError, match="usable name"):
        check("predictions:a+b")
