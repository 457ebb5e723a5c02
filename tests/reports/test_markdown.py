"""The comment: what it says, that it fits, and that nobody can write in it but us."""

from __future__ import annotations

import pytest
from conftest import Golden
from support.gfm import render
from support.hostile import HOSTILE
from support.report_cases import NAMES, case

from reports.markdown import COMMENT_BYTES, MARKER, SMALLEST_LIMIT, SUMMARY_BYTES, comment, summary


def shown(text: str) -> str:
    """Without the packed numbers, which each version of zlib packs in its own way."""
    return "".join(
        line for line in text.splitlines(keepends=True) if "<!-- patchmark:digest" not in line
    )


def units(text: str) -> int:
    """Length in UTF-16 units: the largest of the ways to count characters."""
    return len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize(
    "name", ["demo", "no tasks", "broken tasks", "two attempts", "kept apart", "memory"]
)
def test_golden(name: str, golden: Golden) -> None:
    golden(f"reports/comment-{name.replace(' ', '-')}.md", shown(comment(case(name))))


@pytest.mark.parametrize("name", NAMES)
def test_every_comment_starts_with_marker_and_verdict(name: str) -> None:
    text = comment(case(name))
    lines = text.splitlines()
    assert lines[0] == MARKER
    assert text.count(MARKER) == 1
    first, *hidden = render(text).comments
    assert first == " patchmark:report v1 "
    assert [words.split()[0] for words in hidden] == ["patchmark:digest"]


@pytest.mark.parametrize("name", NAMES)
def test_details_and_tables_are_whole(name: str) -> None:
    found = render(comment(case(name)))
    assert found.events.count("<details >") + found.events.count(
        "<details open>"
    ) == found.events.count("</details>")
    assert found.links_made_by_github == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("limit", [SMALLEST_LIMIT, 4_000, 60_000])
def test_a_comment_is_never_longer_than_allowed(name: str, limit: int) -> None:
    text = comment(case(name), limit_chars=limit)
    assert units(text) <= limit
    assert text.startswith(MARKER)


def test_bytes_are_limited_whatever_the_characters() -> None:
    text = comment(case("thirty entrants, 300 tasks"), limit_chars=10**9)
    assert len(text.encode()) <= COMMENT_BYTES
    assert len(summary(case("thirty entrants, 300 tasks")).encode()) <= SUMMARY_BYTES


def test_detail_is_dropped_step_by_step_and_said() -> None:
    """From full to short: patches go first, the table of models and the verdict stay."""
    report = case("demo")
    full = comment(report)
    assert "Left out here" not in full
    shorter = comment(report, limit_chars=units(full) - 1)
    assert "Left out here because a comment holds only so much: patches." in shorter
    assert "What did not pass" in shorter
    short = comment(report, limit_chars=2_000)
    assert "the table of tasks" in short
    assert "| **replay:careful**" in short
    assert "fiction written for the demo" in short


def test_a_limit_that_holds_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="limit_chars is 999"):
        comment(case("demo"), limit_chars=SMALLEST_LIMIT - 1)


def test_the_table_of_models_says_it_all() -> None:
    row = next(line for line in comment(case("demo")).splitlines() if "**replay:careful**" in line)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == [
        "**replay:careful** (fiction, recorded answers)",
        "77 % (10/13)",
        "49–92 %",
        "&#36;0.39",
        "&#36;0.039",
        "51 s",
        "1 over budget; 71 % of all 14 passed",
    ]


def test_invented_and_recorded_answers_are_labelled() -> None:
    text = comment(case("demo"))
    assert "> [!WARNING]\n> Answers of replay:careful and replay:hasty are fiction written" in text
    assert "Made from recorded answers; no model was called." in text
    assert "WARNING" not in comment(case("all passed"))


def test_broken_tasks_are_shouted() -> None:
    text = comment(case("broken tasks"))
    assert "> [!CAUTION]\n> The tasks are broken" in text
    assert "TASKS ARE BROKEN" in text
    assert "<details open><summary>Tasks (3)" in text


def test_prices_nobody_knows_are_unknown_and_not_nothing() -> None:
    text = comment(case("unknown prices"))
    assert text.count("| unknown | unknown |") == 2
    assert "&#36;0" not in text


def test_hostile_texts_in_every_field_change_nothing() -> None:
    """The elements are the same as when each such text is one plain word."""
    report = case("hostile")
    found = render(summary(report))
    assert set(found.tags) <= set(render(summary(case("broken tasks"))).tags) | {
        "pre", "code", "ul", "li", "br"
    }  # fmt: skip
    assert found.links_made_by_github == []
    assert len(found.comments) == 1
    assert HOSTILE[4] in found.text.replace("\u200b", "")


def test_the_summary_is_the_comment_where_both_fit() -> None:
    assert summary(case("demo")).rstrip() == shown(comment(case("demo"))).rstrip()
