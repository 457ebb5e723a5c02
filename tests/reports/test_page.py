"""The page in a real browser: nothing hostile runs, and everything can be reached and read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.big_report import big
from support.browser import Browser, NoBrowserError, Tab, browser
from support.hostile import HOSTILE
from support.npm import NotInstalledError, installed
from support.report_cases import case

from core.report import Report
from reports.html import page
from reports.rows import table
from reports.trail import AttemptTrail, Key, Spoken, Trail

PLANTED: tuple[str, ...] = (
    "<script>window.owned = 1</script>",
    "</script><script>window.owned = 2</script>",
    "</noscript><img src=x onerror='window.owned = 3'>",
    '"><svg onload="window.owned = 4">',
    "</pre></details><iframe srcdoc='<script>parent.owned = 5</script>'></iframe>",
    "<a href='javascript:window.owned=6' autofocus onfocus='window.owned = 6'>x</a>",
    "<!--<script>", "]]><script>window.owned = 7</script>",
    "\u202e<script>window.owned = 8</script>\u200b\u2066",
    "diff --git a/<b>x b/<b>x\n--- a/<b>x\n+++ b/<img src=x onerror=window.owned=9>\n"
    "@@ -1 +1 @@ <script>window.owned = 10</script>\n-</span><script>window.owned = 11</script>\n"
    "+`${window.owned = 12}` // <script>window.owned = 13</script>\n",
    "__proto__", "constructor",
)  # fmt: skip


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    try:
        with browser() as started:
            yield started
    except NoBrowserError as error:
        pytest.fail(str(error))


@pytest.fixture(scope="module")
def small() -> tuple[Report, str]:
    """Twelve tasks and three models with all that a run folder holds, and earlier runs."""
    report, trail, trends = big(12, 3)
    return report, page(report, trail, trends)


@pytest.fixture
def tab(chromium: Browser) -> Tab:
    found = chromium.tab()
    found.size(1400)
    return found


def show(tab: Tab, folder: Path, html: str, part: str = "") -> None:
    path = folder / "report.html"
    path.write_text(html, encoding="utf-8")
    tab.open(path.as_uri() + part)


def open_all(tab: Tab) -> None:
    """Every task and attempt, as a very curious reader would."""
    tab.run("document.querySelectorAll('details.task').forEach((box) => { box.open = true; })")
    tab.until("!document.querySelector('pre.fix')")
    tab.until("[...document.querySelectorAll('.attempts')].every((b) => b.children.length > 1)")
    tab.run("document.querySelectorAll('details.attempt').forEach((box) => { box.open = true; })")
    tab.until("[...document.querySelectorAll('details.attempt')].every((b) => b.dataset.filled)")
    tab.run("document.querySelectorAll('details').forEach((box) => { box.open = true; })")


def complaints(tab: Tab) -> list[dict[str, Any]]:
    """Errors, violations of the policy, dialogs, and requests for anything but the page."""
    bad = ("Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening")
    asked = [e for e in tab.events if e["method"] == "Network.requestWillBeSent"][1:]
    return [e for e in tab.events if e["method"] in bad] + asked


def hostile() -> tuple[Report, Trail]:
    """Planted scripts in every text of report and trail that a stranger can write."""
    report = case("hostile")
    tasks = []
    attempts: dict[Key, AttemptTrail] = {}
    for number, (task, word) in enumerate(zip(report.tasks, PLANTED, strict=False)):
        words = {"diff": word, "detail": word, "not_fixed": PLANTED, "broken": HOSTILE}
        cells = tuple(cell.model_copy(update=words) for cell in task.cells[:2])
        planted = {"title": word, "statement": word, "gold_patch": word, "cells": cells}
        tasks.append(task.model_copy(update=planted | {"id": f"{number:012x}"}))
        calls = tuple(
            Spoken(asked=one, answered=one, error=one, file=one, left_out=1, seconds=1.0)
            for one in (word, *(PLANTED if number == 0 else ()))
        )
        known = AttemptTrail(calls=calls, applied=word, did=PLANTED)
        attempts |= {(tasks[-1].id, c.entrant, c.attempt): known for c in cells}
    names = {task.id: PLANTED for task in tasks}
    return report.model_copy(update={"tasks": tuple(tasks)}), Trail(
        fail_to_pass=names, attempts=attempts
    )


def test_planted_scripts_do_not_run(tab: Tab, tmp_path: Path) -> None:
    """Everything opened: no script but ours ran, nothing was asked for, no element came of text."""
    show(tab, tmp_path, page(*hostile()))
    open_all(tab)
    assert tab.run("window.owned") is None
    assert complaints(tab) == []
    assert (
        tab.run("document.querySelectorAll('img, iframe, object, embed, a[href^=java]').length")
        == 0
    )
    shown = tab.run("document.body.textContent")
    assert "<script>window.owned = 1</script>" in shown
    assert "\u202e" not in shown
    assert "\u200b" not in shown
    assert "⟨U+202E⟩" in shown


def test_the_policy_stops_what_would_be_inserted(tab: Tab, tmp_path: Path) -> None:
    """Even markup that got past us runs nothing: the check above can fail for one reason less."""
    html = page(case("one task")).replace(
        "<main id=", "<script>window.owned = 1</script><b onclick='window.owned = 2'>x</b><main id="
    )
    show(tab, tmp_path, html)
    tab.run("document.querySelector('b[onclick]').click()")
    assert tab.run("window.owned") is None
    assert len(complaints(tab)) == 2
    with pytest.raises(AssertionError, match="TrustedHTML"):
        tab.run("document.body.innerHTML = '<p>x'")


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (390, "dark")])
def test_axe_finds_nothing(
    tab: Tab, tmp_path: Path, small: tuple[Report, str], width: int, scheme: str
) -> None:
    try:
        axe = installed(Path(__file__).parent) / "axe-core/axe.min.js"
    except NotInstalledError as error:
        pytest.fail(str(error))
    tab.size(width)
    tab.colours(scheme)
    show(tab, tmp_path, small[1], "#task-2-3")
    tab.until("document.querySelector('#task-2-3[data-filled]')")
    tab.run("document.querySelectorAll('#task-2 details').forEach((box) => { box.open = true; })")
    tab.run(axe.read_text(encoding="utf-8") + ";0")
    found = tab.run("axe.run({resultTypes: ['violations']}).then((r) => r.violations)")
    told = [(one["impact"], one["id"], one["nodes"][0]["failureSummary"]) for one in found]
    assert told == []


def test_an_attempt_is_reached_with_keys_alone(
    tab: Tab, tmp_path: Path, small: tuple[Report, str]
) -> None:
    show(tab, tmp_path, small[1])
    tab.run("document.querySelector('.tall tbody tr:nth-child(2) th a').focus()")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        tab.press(key)
    link = tab.run("document.activeElement.getAttribute('href')")
    assert link.startswith("#task-3-")
    tab.press("Enter")
    tab.until(f"document.querySelector('{link}[open][data-filled] .part')")
    assert "#" + tab.run("document.activeElement.parentElement.id") == link
    tab.press("Escape")
    assert tab.run(f"document.querySelector('{link}').open") is False
    assert tab.run("document.activeElement.getAttribute('href')") == link


def test_an_attempt_shows_tests_times_and_what_was_said(
    tab: Tab, tmp_path: Path, small: tuple[Report, str]
) -> None:
    report, html = small
    show(tab, tmp_path, html, "#task-1-3")
    tab.until("document.querySelector('#task-1-3[data-filled]')")
    text = tab.run("document.querySelector('#task-1-3').textContent")
    cell = report.tasks[0].cells[2]
    added = next(line for line in cell.diff.split("\n") if line.startswith("+    "))
    for words in (
        added,
        "that must keep passing",
        "tests ",
        "first token",
        "exchanges/",
        "4,000 characters left out",
    ):
        assert words in text, words
    assert tab.run("document.querySelectorAll('#task-1-3 .timeline rect').length") >= 3
    assert tab.run("document.querySelectorAll('#task-1-3 option').length") == 3
    tab.run(
        "(() => { const s = document.querySelector('#task-1-3 select'); s.value = '0';"
        " s.dispatchEvent(new Event('change')); })()"
    )
    other = next(c for c in report.tasks[0].cells[3:] if c.diff)
    line = next(line for line in other.diff.split("\n") if line.startswith("-    "))
    assert line in tab.run("document.querySelector('#task-1-3 .pane').textContent")


def test_the_matrix_is_sorted_and_filtered(
    tab: Tab, tmp_path: Path, small: tuple[Report, str]
) -> None:
    show(tab, tmp_path, small[1])
    column = "[...document.querySelectorAll('.tall tbody tr')].map((r) => r.cells[2].dataset.v)"
    tab.run("document.querySelector('.tall th.solved button').click()")
    first = tab.run(column)
    assert first == sorted(first)
    tab.run("document.querySelector('.tall th.solved button').click()")
    assert tab.run(column) == sorted(first, reverse=True)
    assert tab.run("document.querySelector('.tall th.solved').ariaSort") == "descending"
    tab.run(
        "(() => { const f = document.querySelector('#filters'); f.elements.which.value = 'all';"
        " f.dispatchEvent(new Event('input')); })()"
    )
    left = tab.run("document.querySelectorAll('.tall tbody tr:not([hidden])').length")
    assert left == first.count("3")
    assert tab.run("document.querySelectorAll('details.task:not([hidden])').length") == left
    assert tab.run("document.querySelector('#filters output').value") == f"{left} of 12 tasks"


def test_the_sheet_is_saved_as_a_file(tab: Tab, tmp_path: Path, small: tuple[Report, str]) -> None:
    show(tab, tmp_path, small[1])
    folder = str(tmp_path)
    tab.call("Page.setDownloadBehavior", behavior="allow", downloadPath=folder)
    tab.run("document.querySelector('#save').click()")
    tab.wait_for("Page.downloadProgress")
    path = tmp_path / "patchmark.csv"
    for _ in range(100):
        if path.exists():
            break
        tab.run("new Promise((done) => setTimeout(done, 20))")
    assert path.read_bytes().decode("utf-8-sig") == table(small[0])
    assert complaints(tab) == []


@pytest.mark.parametrize("width", [320, 390, 1400])
def test_the_page_never_scrolls_sideways(
    tab: Tab, tmp_path: Path, small: tuple[Report, str], width: int
) -> None:
    tab.size(width)
    show(tab, tmp_path, small[1], "#task-2-3")
    tab.until("document.querySelector('#task-2-3[data-filled]')")
    assert tab.run("document.documentElement.scrollWidth") == width


def test_colours_follow_the_system_and_the_button(
    tab: Tab, tmp_path: Path, small: tuple[Report, str]
) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    tab.colours("dark")
    show(tab, tmp_path, small[1])
    dark = tab.run(ground)
    tab.run("document.querySelector('#theme').click()")
    assert tab.run(ground) == "rgb(255, 255, 255)" != dark
    tab.run("document.querySelector('#theme').click()")
    assert tab.run(ground) == dark
    tab.call("Emulation.setEmulatedMedia", media="print")
    assert tab.run(ground) == "rgb(255, 255, 255)"
    assert tab.run("document.querySelector('nav').checkVisibility()") is False
    assert tab.printed().startswith(b"%PDF")


def test_without_scripts_everything_can_still_be_read(
    tab: Tab, tmp_path: Path, small: tuple[Report, str]
) -> None:
    report, html = small
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    show(tab, tmp_path, html)
    document = tab.call("DOM.getDocument", depth=-1)["root"]
    text = "\n".join(texts(document))
    for task in report.tasks:
        assert task.gold_patch.strip() in text
        for cell in task.cells[2:]:
            assert cell.diff.strip() in text
    assert "This browser runs no scripts" in text


def texts(node: dict[str, Any]) -> Iterator[str]:
    """What stands in a document, scripts left out."""
    if node["nodeName"] in ("SCRIPT", "STYLE"):
        return
    if node["nodeName"] == "#text":
        yield node["nodeValue"]
    for child in node.get("children", ()):
        yield from texts(child)


def test_three_hundred_tasks_stay_light(tab: Tab, tmp_path: Path) -> None:
    """What makes a page slow to open is bounded; benchmarks/html.py has the seconds."""
    report, trail, trends = big()
    html = page(report, trail, trends)
    assert len(html) < 14_000_000
    # Too much to stand on the page twice: without scripts it says where each patch is.
    assert "Patch and tests: tasks[299] and cells[7] in report.json." in html
    show(tab, tmp_path, html)
    assert tab.run("document.querySelectorAll('*').length") < 20_000
    tab.run("location.hash = '#task-300-8'")
    tab.until("document.querySelector('#task-300-8[data-filled]')")
    assert complaints(tab) == []
