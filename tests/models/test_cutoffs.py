"""Up to when a model was trained: only what is known, and the user's word before it."""

from __future__ import annotations

from datetime import date

import pytest

from models.cutoffs import READ_ON, SETTINGS, TABLE, cutoff, last_day

OPUS = "anthropic:claude-opus-4-8"


def test_a_month_lasts_to_its_end() -> None:
    found = cutoff(OPUS, [], {})
    assert found is not None
    assert (found.stated, found.day, found.read_on) == ("2026-01", date(2026, 1, 31), READ_ON)
    assert "platform.claude.com" in found.source


@pytest.mark.parametrize(
    "name",
    [
        "anthropic:claude-opus-9",
        "anthropic:claude-opus-4-8-experimental-x",
        "google:gemini-3.5-flash",
        "replay:careful",
    ],
)
def test_a_model_that_is_not_listed_has_no_cutoff(name: str) -> None:
    assert cutoff(name, [], {}) is None


def test_the_users_word_goes_first() -> None:
    own = cutoff(OPUS, [], {OPUS: "2025-06-15"})
    assert own is not None
    assert (own.day, own.source, own.read_on) == (date(2025, 6, 15), SETTINGS, None)
    assert cutoff("google:ours", [], {OPUS: "2025-06-15"}) is None


def test_who_answered_counts_and_not_who_was_asked() -> None:
    """gemini-3.5-flash is answered by its successor, which knows more."""
    served = cutoff("google:gemini-3.5-flash", ["gemini-3.6-flash", None], {})
    assert served is not None
    assert served.stated == "2026-03"
    dated = cutoff("anthropic:claude-haiku-4-5", ["claude-haiku-4-5-20251001"], {})
    assert dated is not None
    assert dated.stated == "2025-07"


def test_of_several_that_answered_the_latest_counts_and_an_unknown_one_spoils_it() -> None:
    both = cutoff("google:x", ["gemini-2.5-flash", "gemini-3.8-flash"], {})
    assert both is not None
    assert both.stated == "2026-03"
    assert cutoff("google:x", ["gemini-2.5-flash", "gemini-99"], {}) is None


def test_the_table_holds_dates_that_were_over_when_it_was_read() -> None:
    assert all(last_day(row.stated) < READ_ON for row in TABLE)
    names = [name for row in TABLE for name in row.models.split()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("text", ["2026", "2026-13", "2026-02-30", "January 2026", "0000-01", ""])
def test_what_is_no_month_and_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        last_day(text)
