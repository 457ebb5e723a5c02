"""The comment on one pull request: who would have solved it, why not, at what cost."""

from __future__ import annotations

import pytest
from conftest import Golden
from support.live_data import both, cell, result

from core.live import REASONS, Unmeasured
from reports.live import MARKER, plain, text, verdict

CAREFUL, HASTY = "anthropic:careful", "google:hasty"


def test_the_whole_comment(golden: Golden) -> None:
    new = cell("openai:new", "V", why="HTTP 529 from the service", cost_usd=None)
    one = both(12, "P", "F")
    golden("reports/live.md", text(one.model_copy(update={"cells": (*one.cells, new)})))


def test_one_that_was_no_task(golden: Golden) -> None:
    golden("reports/live-unmeasured.md", text(result(12)))


def test_in_a_terminal(golden: Golden) -> None:
    golden("reports/live.txt", plain(both(12, "P", "F")))


@pytest.mark.parametrize(
    ("letters", "words"),
    [
        ({CAREFUL: "P", HASTY: "P"}, f"Solved by 2 of 2 models: {CAREFUL} and {HASTY}."),
        ({CAREFUL: "F", HASTY: "N"}, "Solved by none of 2 models."),
        ({CAREFUL: "P", HASTY: "V"}, f"{CAREFUL} would have solved this."),
        ({CAREFUL: "F", HASTY: "B"}, f"{CAREFUL} would not have solved this."),
        ({CAREFUL: "E"}, "Nothing could be scored. This says nothing about any model."),
        ({"reference": "P", "empty": "F"}, "A sound task, and no model took part."),
    ],
)
def test_the_line_on_top(letters: dict[str, str], words: str) -> None:
    assert plain(result(12, letters)).splitlines()[1].strip().startswith(words)


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_every_reason_has_words_and_blames_nobody(reason: str) -> None:
    said = verdict(result(12, unmeasured=Unmeasured(reason=reason)))
    assert said.startswith("This could not be made a task: ")
    assert "This says nothing about any model" in said
    assert "&#95;" not in said  # an underscore: the reason's own name


def test_what_models_and_people_wrote_stays_text() -> None:
    evil = "</details>\n<!-- patchmark:live v1 --> | @everyone [x](http://y) `a`"
    said = text(both(12, "F", "F", title=evil, cells=(cell(CAREFUL, "F", why=evil),)))
    assert said.count(MARKER) == 1
    assert "</details>" not in said
    assert "@everyone" not in said
    assert "http://y" not in said


def test_a_recording_says_that_it_is_one() -> None:
    one = both(12, "P", "F", cells=(cell(CAREFUL, "P", replayed=True),))
    assert "> [!WARNING]" in text(one)
