"""The run folder: what was appended is there, whatever happens to the process."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from support.tasks import make_task

from core.confinement import Confinement
from core.errors import StoreError
from core.opinion import Opinion
from core.paths import PathRules
from core.redact import NOTHING
from core.store import FILES, RunFolder
from core.types import (
    Candidate,
    Cause,
    Difficulty,
    Dropped,
    DropReason,
    Expected,
    Link,
    Outcome,
    Patch,
    Probe,
    Record,
    StatementSource,
    Stop,
    Usage,
    Verdict,
)

ROOT = Path(__file__).parents[2]

CANDIDATE = Candidate(
    id="0123456789ab",
    base_commit="a" * 40,
    fix_commit="b" * 64,
    committed_at=datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC),
    title="größe \u2028 is wrong",
    statement='"quoted"\r\n\tand\x0cmore\n',
    statement_source=StatementSource.COMMIT_MESSAGE,
    pull_request=8,
    links=(Link(issue=7, rule="a rule"),),
    labels=("bug", "größe"),
    expects=(Expected(kind="function", name="f", signature="(a, b)", path="a.py"),),
    removed={"images": 1},
    leak=0.25,
    difficulty=Difficulty(files=1, hunks=2, lines=3, languages=("python",)),
    path_rules=PathRules(tests=("checks/**",)),
    gold_patch="diff --git a/a.py b/a.py\n",
    test_patch="diff --git a/test_a.py b/test_a.py\n",
    source_files=("a.py",),
    test_files=("test_a.py", "tests/ü b.py"),
)
PATCH = Patch(
    task_id="0123456789ab",
    entrant="model",
    attempt=2,
    diff="",
    stop=Stop.REFUSED,
    cost_usd=Decimal("0.000000123"),
    usage=Usage(input_tokens=5, output_tokens=6),
    seconds=0.25,
    exchanges=("exchanges/a.json",),
)
VERDICT = Verdict(
    task_id="0123456789ab",
    entrant="model",
    attempt=2,
    key="k",
    outcome=Outcome.FAILED,
    cause=Cause.MODEL,
    broken=("tests/test_a.py::test[\x00-é]",),
)
PROBE = Probe(
    task_id="0123456789ab",
    entrant="model",
    stop=Stop.ANSWERED,
    similarity=0.75,
    verbatim=("a = b",),
    cost_usd=None,
    usage=None,
)
CONFINEMENT = Confinement(
    seconds=300, idle_seconds=0, memory_mib=4096, cpus=1, processes=512, disk_mib=4096,
    output_mib=256, network="none", user="10001", runtime="runc",
)  # fmt: skip

OPINION = Opinion(
    judge="model", task_id="0123456789ab", entrant="other", attempt=1, order=2, pair="ab",
    first="fix", stop=Stop.ANSWERED, better="tie", patch_scores={"fit": 3}, why="so\u2028so",
)  # fmt: skip


def dropped(number: int, detail: str = "") -> Dropped:
    return Dropped(
        commit=f"{number:040x}", title="t", stage="mine", reason=DropReason.EMPTY, detail=detail
    )


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    with RunFolder(tmp_path / "run", NOTHING) as opened:
        yield opened


@pytest.mark.parametrize(
    "record",
    [CANDIDATE, dropped(1, "why"), make_task(), PATCH, PROBE, VERDICT, CONFINEMENT, OPINION],
    ids=lambda r: type(r).__name__,
)
def test_every_record_comes_back_as_it_was(folder: RunFolder, record: Record) -> None:
    folder.append(record)
    folder.append(record)
    assert list(folder.read(type(record))) == [record, record]


def test_every_record_type_has_a_file() -> None:
    """The cases above are all there are."""
    tested = {Candidate, Dropped, type(make_task()), Patch, Probe, Verdict, Confinement, Opinion}
    assert set(FILES) == tested


def test_reading_what_was_never_written_gives_nothing(folder: RunFolder) -> None:
    assert list(folder.read(Patch)) == []


def test_the_latest_record_of_a_key_wins_in_the_place_of_the_first(folder: RunFolder) -> None:
    for number, detail in ((1, "old"), (2, "only"), (1, "new")):
        folder.append(dropped(number, detail))
    latest = folder.latest(Dropped, lambda record: record.commit)
    assert [record.detail for record in latest.values()] == ["new", "only"]


def _attempt(task: int, attempt: int, detail: str = "") -> Patch:
    names = {"task_id": f"{task:012x}", "attempt": attempt, "detail": detail}
    return PATCH.model_copy(update=names)


def test_the_latest_of_each_attempt_is_read_when_it_is_looked_at(folder: RunFolder) -> None:
    """Also after blank lines, and of what was appended since; a view stays as it was."""
    for record in (_attempt(1, 1, "old"), _attempt(2, 1, "ü"), _attempt(1, 1, "new")):
        folder.append(record)
    with (folder.path / "patches.jsonl").open("ab") as file:
        file.write(b"\n \n")
    folder.append(_attempt(3, 1, "third"))
    before = folder.attempts(Patch)
    assert [patch.detail for patch in before.values()] == ["new", "ü", "third"]
    assert list(before.values()) == list(
        folder.latest(Patch, lambda p: (p.task_id, p.attempt)).values()
    )
    folder.append(_attempt(2, 1, "newer"))
    folder.append_all([_attempt(4, 2), VERDICT, _attempt(3, 1, "last")])
    now = folder.attempts(Patch)
    assert [patch.detail for patch in now.values()] == ["new", "newer", "last", ""]
    assert [patch.detail for patch in before.values()] == ["new", "ü", "third"]
    assert list(folder.attempts(Verdict).values()) == [VERDICT]
    assert ("f" * 12, "model", 1) not in now


def test_attempts_name_file_and_line_of_what_is_damaged(folder: RunFolder) -> None:
    """In the middle of many, and although a later record of the same attempt is sound."""
    folder.append_all(_attempt(number, 1) for number in range(3000))
    path = folder.path / "patches.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1500] = lines[1500].replace(b'"refused"', b'"odd"')
    path.write_bytes(b"".join(lines))
    folder.append(_attempt(1500, 1))
    with pytest.raises(StoreError) as caught:
        folder.attempts(Patch)
    assert str(caught.value).startswith(f"{path}:1501: not a patch record: stop: ")


def test_a_file_that_somebody_else_changes_is_no_ones_record(folder: RunFolder) -> None:
    """What is known of a file is checked when it is read, and given up where a line is new."""
    folder.append_all([_attempt(1, 1), _attempt(2, 1)])
    view = folder.attempts(Patch)
    path = folder.path / "patches.jsonl"
    path.write_bytes(b"".join(reversed(path.read_bytes().splitlines(keepends=True))))
    with pytest.raises(StoreError, match="changed by another program while it was in use"):
        view[f"{1:012x}", "model", 1]
    with path.open("ab") as file:
        file.write(_attempt(3, 1).model_dump_json().encode() + b"\n")
    folder.append(_attempt(4, 1))
    assert [patch.task_id for patch in folder.attempts(Patch).values()] == [
        f"{number:012x}" for number in (2, 1, 3, 4)
    ]


@pytest.mark.parametrize("size", [3, 70_000, 200_000], ids=["short", "over a block", "three"])
@pytest.mark.parametrize("before", [0, 2])
def test_a_torn_last_line_is_set_aside(tmp_path: Path, size: int, before: int) -> None:
    """A crash in the middle of a write: the record is lost, the file is not."""
    with RunFolder(tmp_path, NOTHING) as folder:
        for number in range(before):
            folder.append(dropped(number))
    path = tmp_path / "dropped.jsonl"
    torn = b'{"' + b"x" * size
    with path.open("ab") as file:
        file.write(torn)
    with RunFolder(tmp_path, NOTHING) as folder:
        folder.append(dropped(9))
        kept = [int(record.commit, 16) for record in folder.read(Dropped)]
    assert kept == [*range(before), 9]
    assert (tmp_path / "dropped.jsonl.torn").read_bytes() == torn + b"\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"not json", "not a dropped record: Invalid JSON"),
        (b'{"a": \xff}', "not a dropped record"),
        (b"[]", "not a dropped record: Input should be an object"),
        (dropped(1).model_dump_json().encode()[:-1] + b',"new":1}', "not a dropped record: new: "),
        (dropped(1).model_dump_json().replace('"empty"', '"odd"').encode(), "reason: Input should"),
    ],
)
def test_an_unreadable_middle_line_names_file_and_line(
    folder: RunFolder, line: bytes, words: str
) -> None:
    folder.append(dropped(1))
    path = folder.path / "dropped.jsonl"
    path.write_bytes(path.read_bytes() + line + b"\n")
    folder.append(dropped(2))
    with pytest.raises(StoreError) as caught:
        list(folder.read(Dropped))
    assert str(caught.value).startswith(f"{path}:2: ")
    assert words in str(caught.value)


def test_another_schema_version_says_what_to_do(folder: RunFolder) -> None:
    """Also when the other version has other fields."""
    other = {**dropped(1).model_dump(mode="json"), "schema_version": 2, "new": 1, "title": None}
    (folder.path / "dropped.jsonl").write_text(json.dumps(other) + "\n", encoding="utf-8")
    with pytest.raises(StoreError, match=r"dropped\.jsonl:1: written with another schema version"):
        list(folder.read(Dropped))


def test_two_processes_cannot_hold_a_folder(folder: RunFolder) -> None:
    script = "import sys; from pathlib import Path; from core.store import RunFolder\n"
    script += "from core.redact import NOTHING\n"
    script += "RunFolder(Path(sys.argv[1]), NOTHING).__enter__()"
    command = [sys.executable, "-c", script, str(folder.path)]
    other = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert other.returncode == 1
    assert "StoreError" in other.stderr
    assert "another patchmark is using this run folder" in other.stderr
    folder.__exit__(None, None, None)
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0


def test_a_path_that_can_be_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be used as a run folder"):
        RunFolder(tmp_path / "file", NOTHING).__enter__()


def test_a_folder_in_place_of_a_file_is_a_store_error(tmp_path: Path) -> None:
    """Bug: this was an IsADirectoryError with a traceback, and the lock stayed held."""
    (tmp_path / "tasks.jsonl").mkdir()
    with pytest.raises(StoreError, match="cannot be used as a run folder"):
        RunFolder(tmp_path, NOTHING).__enter__()
    (tmp_path / "tasks.jsonl").rmdir()
    with RunFolder(tmp_path, NOTHING):
        pass


def test_many_threads_append_whole_lines(folder: RunFolder) -> None:
    def work(first: int) -> None:
        for number in range(first, first + 20):
            folder.append(dropped(number, "x" * number * 10))

    threads = [threading.Thread(target=work, args=(20 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(r.commit, 16) for r in folder.read(Dropped)) == list(range(80))


def test_a_full_disk_leaves_no_half_record(folder: RunFolder) -> None:
    """Bug: after a short write the next record continued the torn line and both were lost."""
    folder.append(dropped(1))
    limit = (folder.path / "dropped.jsonl").stat().st_size + 1000
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(StoreError, match=r"dropped\.jsonl: cannot be written: .*disk full"):
            folder.append(dropped(2, "x" * 5000))
        with pytest.raises(StoreError, match=r"dropped\.jsonl: cannot be written: .*disk full"):
            folder.append_all(dropped(number, "x" * 500) for number in range(4, 9))
        folder.append(dropped(3))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [int(record.commit, 16) for record in folder.read(Dropped)] == [1, 3]


APPENDER = """
import sys
from pathlib import Path
from core.redact import NOTHING
from core.store import RunFolder
from core.types import Dropped
with RunFolder(Path(sys.argv[1]), NOTHING) as folder:
    for number in range(int(sys.argv[2]), 10**9):
        folder.append(Dropped(commit=f"{number:040x}", title="t", stage="mine", reason="empty",
                              detail="x" * (number % 7) * 20_000))
        print(number, flush=True)
"""


def test_a_kill_loses_nothing_that_was_appended(tmp_path: Path) -> None:
    """`append` has returned = the record is there, whenever SIGKILL comes."""
    seed = time.time_ns()
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    promised: list[int] = []
    for turn in range(5):
        command = [sys.executable, "-c", APPENDER, str(tmp_path), str(turn * 10**6)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            promised.append(int(process.stdout.readline()))
            timer = threading.Timer(chance.uniform(0, 0.15), os.kill, (process.pid, signal.SIGKILL))
            timer.start()
            promised += [int(line) for line in process.stdout if line.endswith(b"\n")]
            timer.join()
        for line in (tmp_path / "dropped.jsonl").read_bytes().split(b"\n")[:-1]:
            Dropped.model_validate_json(line)
    with RunFolder(tmp_path, NOTHING) as folder:
        found = [int(record.commit, 16) for record in folder.read(Dropped)]
    assert set(promised) <= set(found), f"seed {seed}"
    assert len(found) == len(set(found))
    assert len(found) - len(promised) <= 5, "at most the one in flight is more than was promised"
