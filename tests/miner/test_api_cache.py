"""What an API said, kept between runs: real files, damaged ones and other people's too."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.redact import NOTHING
from miner.api_cache import OVERLAP, ApiCache, Kept, New, Position

URL = "https://ghe.example/api/v3"
NOW = datetime(2024, 5, 1, tzinfo=UTC)
OLD = NOW - timedelta(days=9)


def opened(folder: Path, url: str = URL, slug: str = "o/r") -> tuple[ApiCache, list[str]]:
    told: list[str] = []
    return ApiCache(folder, url, slug, told.append, NOTHING), told


def test_answers_are_there_the_next_time(tmp_path: Path) -> None:
    cache, _ = opened(tmp_path / "a" / "b")
    cache.write("issue", {"1": New('"ü"', OLD), "2": New(None, None)}, NOW)
    cache.write("pull", {"1": New("{}", OLD)}, NOW)
    cache.position = Position(NOW, 'W/"x"', "o/new")
    cache.close()
    again, told = opened(tmp_path / "a" / "b")
    assert again.read("issue", ["1", "2", "3"]) == {"1": Kept('"ü"', True), "2": Kept(None, True)}
    assert again.read("commit", ["1"]) == {}
    assert again.position == Position(NOW, 'W/"x"', "o/new")
    assert told == []


def test_thousands_of_keys_at_once(tmp_path: Path) -> None:
    cache, _ = opened(tmp_path)
    cache.write("issue", {str(n): New(str(n), OLD) for n in range(40_000)}, NOW)
    assert len(cache.read("issue", [str(n) for n in range(50_000)])) == 40_000


def test_every_api_and_repository_has_a_file_of_its_own(tmp_path: Path) -> None:
    caches = [
        opened(tmp_path, url, slug)[0]
        for url in (URL, "https://ghe.example:8443/api/v3", "https://api.github.com")
        for slug in ("o/r", "o/r.x", "o_r/x", "o/r_x", "../../r")
    ]
    caches[0].write("issue", {"1": New("{}", OLD)}, NOW)
    assert [len(cache.read("issue", ["1"])) for cache in caches] == [1, *[0] * 14]
    assert {cache.path.parent for cache in caches} == {tmp_path}
    assert opened(tmp_path, URL + "/", "O/R")[0].read("issue", ["1"])


@pytest.mark.parametrize(
    ("updated", "read", "changed", "fresh"),
    [
        (OLD, NOW - OVERLAP, NOW, False),
        (OLD, NOW - timedelta(days=1), NOW, False),
        (NOW, NOW - timedelta(days=1), NOW, True),
        (OLD, NOW + OVERLAP, NOW, True),
        (None, NOW - timedelta(days=1), NOW, False),
        (None, NOW + OVERLAP, NOW, True),
    ],
)
def test_what_changed_after_it_was_read_is_not_fresh(
    tmp_path: Path, updated: datetime | None, read: datetime, changed: datetime, fresh: bool
) -> None:
    """Unless it is what was read; the last minutes before the reading count as after it."""
    cache, _ = opened(tmp_path)
    for kind in ("issue", "pull", "commit"):
        cache.write(kind, {"1": New("{}", updated), "2": New("{}", updated)}, read)
    cache.outdate({1: changed})
    assert cache.read("issue", ["1"])["1"].fresh is fresh
    assert cache.read("pull", ["1", "2"]) == {"1": Kept("{}", fresh), "2": Kept("{}", True)}
    assert cache.read("commit", ["1"])["1"].fresh
    cache.outdate_all()
    assert not cache.read("pull", ["2"])["2"].fresh
    assert cache.read("commit", ["1"])["1"].fresh


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE entries (something TEXT)")
    file.close()


def later(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA user_version = 99")
    file.close()


def of_another(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("UPDATE facts SET value = 'https://elsewhere o/r' WHERE name = 'of'")
    file.close()


def other_columns(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("ALTER TABLE entries DROP COLUMN fresh")
    file.close()


def torn(path: Path) -> None:
    content = path.read_bytes()
    # Another change counter, or SQLite would go on with the pages that it holds in memory.
    head = content[:24] + b"\xff\xff\xff\xff" + content[28:100]
    path.write_bytes(head + bytes(range(256)) * (len(content) // 256))


def text(path: Path) -> None:
    path.write_text("not a database " * 100, encoding="utf-8")


@pytest.mark.parametrize("spoil", [later, of_another, other_columns, torn, text])
def test_a_file_that_is_not_ours_is_set_aside(tmp_path: Path, spoil: object) -> None:
    cache, _ = opened(tmp_path)
    cache.write("issue", {"1": New("{}", OLD)}, NOW)
    cache.position = Position(NOW)
    cache.close()
    assert callable(spoil)
    spoil(cache.path)
    again, told = opened(tmp_path)
    assert (again.read("issue", ["1"]), again.position) == ({}, None)
    again.write("issue", {"1": New("[]", OLD)}, NOW)
    again.close()
    (words,) = told
    assert words.startswith(f"{cache.path} cannot be read (")
    assert words.endswith(f"): set aside as {cache.path.stem}.broken")
    assert (tmp_path / f"{cache.path.stem}.broken").is_file()
    assert opened(tmp_path)[0].read("issue", ["1"]) == {"1": Kept("[]", True)}


def test_somebody_elses_database_is_set_aside(tmp_path: Path) -> None:
    path = opened(tmp_path)[0].path
    path.unlink()
    foreign(path)
    _, told = opened(tmp_path)
    assert "not patchmark's" in told[0]


def test_a_file_that_is_damaged_while_in_use_costs_its_answers_alone(tmp_path: Path) -> None:
    cache, told = opened(tmp_path)
    cache.write("issue", {str(n): New("x" * 999, OLD) for n in range(999)}, NOW)
    torn(cache.path)
    cache.read("issue", [str(n) for n in range(999)])
    cache.write("issue", {"1": New("{}", OLD)}, NOW)
    cache.write("issue", {"2": New("{}", OLD)}, NOW)
    assert cache.read("issue", ["2"]) == {"2": Kept("{}", True)}
    assert len(told) == 1


@pytest.mark.parametrize("kind", ["a file is in the way", "a folder is in the way"])
def test_where_nothing_can_be_kept_answers_last_as_long_as_the_process(
    tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "github"
    if kind == "a file is in the way":
        folder.write_text("")
    else:
        path = opened(folder)[0].path
        path.unlink()
        path.mkdir()
    cache, told = opened(folder)
    cache.write("issue", {"1": New("{}", OLD)}, NOW)
    assert cache.read("issue", ["1"]) == {"1": Kept("{}", True)}
    (words,) = told
    assert words.endswith("GitHub's answers are not kept")


def test_nonsense_in_the_file_is_not_there(tmp_path: Path) -> None:
    cache, _ = opened(tmp_path)
    cache.position = Position(NOW)
    cache.close()
    with sqlite3.connect(cache.path) as file:
        file.execute("UPDATE facts SET value = 'soon' WHERE name = 'since'")
        file.execute("INSERT INTO entries VALUES ('issue', '1', x'ff', '', '', 1)")
    file.close()
    again, told = opened(tmp_path)
    assert (again.position, again.read("issue", ["1"]), told) == (None, {}, [])


def test_threads_and_processes_share_a_file(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from datetime import datetime, UTC\n"
        "from core.redact import NOTHING; from miner.api_cache import ApiCache, New\n"
        "cache = ApiCache(pathlib.Path(sys.argv[1]), sys.argv[2], 'o/r', sys.exit, NOTHING)\n"
        "for n in range(100): cache.write('pull', {str(n): New('{}', None)}, datetime.now(UTC))\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path), URL]
    others = [subprocess.Popen(command) for _ in range(2)]

    def write() -> None:
        cache, told = opened(tmp_path)
        for n in range(50):
            cache.write("issue", {str(n): New("{}", None)}, NOW)
        assert told == []

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait() for other in others] == [0, 0]
    cache, told = opened(tmp_path)
    keys = [str(n) for n in range(100)]
    assert (len(cache.read("issue", keys)), len(cache.read("pull", keys)), told) == (50, 100, [])
