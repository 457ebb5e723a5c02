"""Artifacts that whoever opened the pull request made: a report, or anything else."""

from __future__ import annotations

import json
import os
import random
import stat
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.report_data import demo

from core.errors import UsageError
from patchmark.artifact import LARGEST, MOST_FILES, NAME, read_report
from reports import markdown
from reports.tally import tally

REPORT = tally(demo())
TEXT = REPORT.model_dump_json()


def folder(tmp_path: Path, text: str = TEXT) -> Path:
    """A downloaded artifact."""
    there = tmp_path / "artifact"
    there.mkdir()
    (there / NAME).write_text(text, encoding="utf-8")
    return there


def zipped(tmp_path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    """The same as it comes from GitHub."""
    path = tmp_path / "artifact.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def changed(**values: Any) -> str:
    """The report with other values in it."""
    return json.dumps({**json.loads(TEXT), **values})


def first_row(**values: Any) -> str:
    """The report with other values in its first entrant."""
    entrants = json.loads(TEXT)["entrants"]
    return changed(entrants=[{**entrants[0], **values}, *entrants[1:]])


def test_a_report_is_read_from_a_folder_and_from_a_zip_file(tmp_path: Path) -> None:
    assert read_report(folder(tmp_path)) == REPORT
    assert read_report(zipped(tmp_path, ("x.html", b""), (NAME, TEXT.encode()))) == REPORT


def test_no_artifact_and_none_with_a_report_are_nothing(tmp_path: Path) -> None:
    assert read_report(tmp_path / "gone") is None
    assert read_report(tmp_path) is None
    assert read_report(zipped(tmp_path, ("other.json", TEXT.encode()))) is None


def as_link(there: Path) -> None:
    (there / "elsewhere").write_text(TEXT)
    (there / NAME).unlink()
    (there / NAME).symlink_to("elsewhere")


def as_pipe(there: Path) -> None:
    (there / NAME).unlink()
    os.mkfifo(there / NAME)


def as_folder(there: Path) -> None:
    (there / NAME).unlink()
    (there / NAME).mkdir()


def as_bomb(there: Path) -> None:
    os.truncate(there / NAME, LARGEST + 1)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("make", "why"),
    [
        (as_link, "cannot be read"),
        (as_pipe, "no plain file"),
        (as_folder, "no plain file"),
        (as_bomb, "larger than"),
    ],
)
def test_what_is_no_plain_file_of_a_bearable_size_is_refused(
    tmp_path: Path, make: Callable[[Path], None], why: str
) -> None:
    there = folder(tmp_path)
    make(there)
    with pytest.raises(UsageError, match=f"the artifact is refused: .*{why}"):
        read_report(there)


def test_an_artifact_that_is_a_link_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder(tmp_path))
    with pytest.raises(UsageError, match="refused"):
        read_report(tmp_path / "link")


def linking() -> zipfile.ZipInfo:
    """A link, as zip files have them."""
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../report.json", "leads out"),
        ("/etc/report.json", "leads out"),
        ("a/../../report.json", "leads out"),
        ("C:\\report.json", "leads out"),
        (linking(), "link"),
    ],
    ids=str,
)
def test_a_zip_file_with_a_name_that_leads_elsewhere_is_refused(
    tmp_path: Path, name: str | zipfile.ZipInfo, why: str
) -> None:
    path = zipped(tmp_path, (NAME, TEXT.encode()), (name, b"../../etc/passwd"))
    with pytest.raises(UsageError, match=why):
        read_report(path)


def test_a_zip_bomb_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    began = time.monotonic()
    bomb = zipped(tmp_path, (NAME, bytes(60 * LARGEST // 20)))
    assert bomb.stat().st_size < 100_000
    with pytest.raises(UsageError, match="larger than"):
        read_report(bomb)
    content = bytearray(bomb.read_bytes())
    at = content.rindex(b"PK\x01\x02") + 24  # the size that the directory claims
    content[at : at + 4] = struct.pack("<I", 1000)
    bomb.write_bytes(content)
    with pytest.raises(UsageError, match="refused"):
        read_report(bomb)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("what", ["no zip", "twice", "encrypted", "lzma", "many", "cut off"])
def test_other_zip_files_are_refused(tmp_path: Path, what: str) -> None:
    content = (NAME, TEXT.encode())
    path = zipped(tmp_path, content)
    if what == "no zip":
        path.write_bytes(b"PK\x05\x06 nothing")
    elif what == "twice":
        with pytest.warns(UserWarning, match="Duplicate"):
            zipped(tmp_path, content, content)
    elif what == "encrypted":
        raw = bytearray(path.read_bytes())
        raw[raw.rindex(b"PK\x01\x02") + 8] |= 1
        path.write_bytes(raw)
    elif what == "lzma":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
            archive.writestr(*content)
    elif what == "many":
        zipped(tmp_path, content, *((f"{number}", b"") for number in range(MOST_FILES)))
    else:
        path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UsageError, match="the artifact is refused"):
        read_report(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        "[]",
        changed(schema_version=99),
        changed(verdict=None),
        changed(made_at="soon"),
        changed(anything="more"),
        changed(verdict="x" * 1_000_001),
        changed(commits_seen=10**400),
        first_row(cost_usd="1E+999999999"),
        first_row(cost_usd="NaN"),
        first_row(seconds_p50=1e300),
        TEXT.replace('"seconds_p50":', '"seconds_p50":NaN,"x":', 1),
        changed(entrants=json.loads(TEXT)["entrants"] * 100),
        changed(entrants=json.loads(TEXT)["entrants"][:1]),
        changed(head="no commit"),
    ],
    ids=lambda text: f"{len(text)} {text[:20]}",
)
def test_what_is_no_report_that_can_be_shown_is_refused(tmp_path: Path, text: str) -> None:
    """A cost of `1E+999999999` would have been a text of a gigabyte, and attempts of an entrant
    that is not in the table ended in a traceback.
    """
    with pytest.raises(UsageError, match="the artifact is refused") as refused:
        read_report(folder(tmp_path, text))
    assert len(str(refused.value)) < 200


def test_random_damage_is_refused_or_can_be_shown(tmp_path: Path) -> None:
    """Sixty reports with one value exchanged for another of the same report."""
    chosen = random.Random(7)  # noqa: S311 - the same damage each time
    there, shown = folder(tmp_path), 0
    for _ in range(60):
        data = json.loads(TEXT)
        spots = list(_spots(data))
        holder, key = chosen.choice(spots)
        other, at = chosen.choice(spots)
        holder[key] = other[at]
        (there / NAME).write_text(_dumped(data))
        try:
            report = read_report(there)
        except UsageError:
            continue
        assert report
        assert markdown.comment(report)
        shown += 1
    assert shown > 5


def _spots(value: Any) -> list[tuple[Any, Any]]:
    """All places of a JSON value."""
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    return [pair for key in keys for pair in ((value, key), *_spots(value[key]))]


def _dumped(data: Any) -> str:
    try:
        return json.dumps(data)
    except (ValueError, RecursionError):  # it holds itself
        return "{}"
