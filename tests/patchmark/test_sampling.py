"""Which tasks a run takes: the same ones everywhere, spread, and still the same ones later."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.tasks import make_task

from core.errors import UsageError
from core.types import Difficulty, Expected, Task
from patchmark.sampling import Choice, in_order
from patchmark.settings import Flags, make

START = datetime(2020, 1, 1, tzinfo=UTC)


def at(day: int, lines: int = 3, **changes: object) -> Task:
    difficulty = Difficulty(files=1, hunks=1, lines=lines)
    date = START + timedelta(days=day)
    return make_task(day + 1, committed_at=date, difficulty=difficulty, **changes)


def days(tasks: list[Task]) -> list[int]:
    return [(task.committed_at - START).days for task in tasks]


def test_the_order_of_what_is_given_does_not_matter() -> None:
    tasks = [at(day, lines=day * 7 % 200) for day in range(100)]
    expected = in_order(tasks)
    for seed in range(5):
        random.Random(seed).shuffle(tasks)  # noqa: S311 - no secret
        assert in_order(tasks) == expected


def test_any_sample_is_spread_over_the_whole_time() -> None:
    order = days(in_order([at(day) for day in range(128)]))
    assert sorted(order) == list(range(128))
    for size in (4, 8, 16, 20, 50):
        quarters = {day // 32 for day in order[:size]}
        assert quarters == {0, 1, 2, 3}


def test_among_equals_the_newest_goes_first() -> None:
    assert days(in_order([at(day) for day in range(7)])) == [3, 5, 1, 6, 4, 2, 0]


def test_each_band_of_difficulty_gives_its_share() -> None:
    small = [at(day, lines=2) for day in range(60)]
    large = [at(day + 60, lines=500) for day in range(20)]
    for size in (8, 20, 40):
        of_large = sum(task.difficulty.lines == 500 for task in in_order(small + large)[:size])
        assert of_large == size // 4


@pytest.mark.parametrize("more", [1, 5, 30])
def test_a_grown_history_keeps_nearly_all_of_a_sample(more: int) -> None:
    """A benchmark that changed with each merge could not be compared with that of last week."""
    before = {task.id for task in in_order([at(day) for day in range(100)])[:20]}
    after = {task.id for task in in_order([at(day) for day in range(100 + more)])[:20]}
    assert len(before & after) >= 20 - more // 4 - 1


def test_filters() -> None:
    task = at(10, labels=("Bug", "area: api"), source_files=("src/api/read.py", "src/util.py"))
    ten = START + timedelta(days=10)
    assert Choice().wants(task)
    assert Choice(since=ten).wants(task)
    assert not Choice(since=ten + timedelta(seconds=1)).wants(task)
    assert not Choice(until=ten).wants(task)
    assert Choice(until=ten + timedelta(seconds=1)).wants(task)
    for paths in ("src/api", "src/api/", "src/api/*.py", "**/util.py", "src", "src/util.py"):
        assert Choice(paths=(paths,)).wants(task), paths
    for paths in ("api", "src/ap", "tests", "src/*/x.py", "util.py"):
        assert not Choice(paths=(paths,)).wants(task), paths
    assert Choice(labels=("question", "bug")).wants(task)
    assert not Choice(labels=("area",)).wants(task)


def test_what_gives_itself_away_or_says_nothing_is_kept_apart() -> None:
    choice = Choice(max_leak=0.5, max_vagueness=0.9)
    assert choice.apart(at(1, leak=0.5, vagueness=0.9)) == ""
    assert choice.apart(at(1, leak=0.51)) == (
        "the statement holds 51 % of the lines that the fix adds"
    )
    assert "says next to nothing" in choice.apart(at(1, vagueness=0.91))
    name = Expected(kind="function", name="f")
    assert choice.apart(at(1, vagueness=0.91, expects=(name,))) == ""


# --- how it is asked for ------------------------------------------------------------------


def test_days_are_whole_days(tmp_path: Path) -> None:
    choice = make(Flags(repo=tmp_path, since="2026-01-31", until="2026-01-31"), {}).choice
    assert choice.since == datetime(2026, 1, 31, tzinfo=UTC)
    assert choice.until == datetime(2026, 2, 1, tzinfo=UTC)
    moment = make(Flags(repo=tmp_path, until="2026-01-31T12:00:00+02:00"), {}).choice.until
    assert moment == datetime(2026, 1, 31, 10, tzinfo=UTC)


@pytest.mark.parametrize("day", ["2026-13-01", "yesterday", "31.1.2026"])
@pytest.mark.parametrize("flag", ["since", "until"])
def test_a_day_that_is_none_names_its_flag(tmp_path: Path, flag: str, day: str) -> None:
    flags = Flags(repo=tmp_path, since=day) if flag == "since" else Flags(repo=tmp_path, until=day)
    with pytest.raises(UsageError, match=f"^--{flag} {day}: "):
        make(flags, {})


def test_flags_go_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "patchmark.toml").write_text(
        "[mine]\nsince = 2024-02-01\nuntil = '2025-01-01'\npaths = ['src']\nlabels = ['bug']\n"
        "tests = ['checks/**']\nsource = ['tests/tool.py']\nmax-leak = 0.2\n"
        "max-vagueness = 1\ninclude-apart = true\nrewrite-with = 'google:gemini-3.5-flash'\n"
    )
    plain = make(Flags(repo=tmp_path), {})
    assert plain.choice == Choice(
        since=datetime(2024, 2, 1, tzinfo=UTC),
        until=datetime(2025, 1, 2, tzinfo=UTC),
        paths=("src",),
        labels=("bug",),
        max_leak=0.2,
        max_vagueness=1.0,
    )
    assert (plain.include_apart, plain.rewrite_with) == (True, "google:gemini-3.5-flash")
    assert plain.path_rules.tests == ("checks/**",)
    assert plain.path_rules.source == ("tests/tool.py",)
    flags = Flags(repo=tmp_path, since="", labels="a, b", include_apart=False, rewrite_with="")
    given = make(flags, {})
    assert (given.choice.since, given.choice.labels) == (None, ("a", "b"))
    assert (given.include_apart, given.rewrite_with) == (False, None)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("max-leak = 2", "patchmark.toml:2: mine.max-leak: "),
        ("test = ['x']", "patchmark.toml:2: mine.test: unknown setting"),
        ("since = 7", "patchmark.toml:2: mine.since"),
        ("rewrite-with = 'reference'", "--rewrite-with reference: a baseline"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path: Path, line: str, words: str) -> None:
    (tmp_path / "patchmark.toml").write_text(f"[mine]\n{line}\n")
    with pytest.raises(UsageError) as caught:
        make(Flags(repo=tmp_path), {})
    assert words in str(caught.value)
