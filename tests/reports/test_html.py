"""The page: whole, closed to the network, and with nobody's markup but ours."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from support.hostile import HOSTILE
from support.report_cases import NAMES, case

from reports.html import page
from reports.words import SIGNS

VOID = {"meta", "br", "input"}
ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "main", "header", "nav", "section", "div"),
    *("h1", "h2", "h3", "p", "b", "a", "ul", "li", "br", "pre", "code", "details", "summary"),
    *("table", "thead", "tbody", "tr", "th", "td", "svg", "rect", "span", "noscript", "script"),
    *("form", "label", "input", "select", "option", "output", "button"),
    *("figure", "figcaption", "desc", "g", "line", "path", "circle", "text", "polyline", "polygon"),
}

WORDS = {sign.word for sign in SIGNS.values()}


class Page(HTMLParser):
    """Checks nesting while it reads; collects what a test asks about."""

    def __init__(self, html: str):
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self._pieces: list[str] = []
        self.feed(html)
        self.close()
        self.text = "".join(self._pieces)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self._pieces.append(data)

    def values(self, name: str) -> list[str]:
        """All values of an attribute."""
        return [value for _, key, value in self.attributes if key == name]


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_well_formed_and_uses_known_elements_only(name: str) -> None:
    html = page(case(name))
    found = Page(html)
    assert html.startswith("<!doctype html>\n<html lang=")
    assert found.stack == []
    assert set(found.tags) <= ALLOWED
    assert len(html) < 20_000_000


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_fetched_and_nothing_runs(name: str) -> None:
    found = Page(page(case(name)))
    assert not {"src", "style", "srcset", "action"} & {key for _, key, _ in found.attributes}
    assert not [key for _, key, _ in found.attributes if key.startswith("on")]
    assert all(link.startswith("#") for link in found.values("href"))
    kinds = [value for tag, key, value in found.attributes if (tag, key) == ("script", "type")]
    assert found.tags.count("script") == kinds.count("application/x-packed") + 3


def test_the_policy_allows_this_style_and_these_scripts_alone() -> None:
    html = page(case("demo"))
    styles = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    allowed = "; ".join(
        f"{kind} {' '.join(f'&#39;sha256-{digest(text)}&#39;' for text in texts)}"
        for kind, texts in (("script-src", scripts), ("style-src", styles))
    )
    policy = f"default-src &#39;none&#39;; {allowed}; base-uri &#39;none&#39;;"
    assert f'content="{policy}' in html
    assert (len(styles), len(scripts)) == (1, 3)
    for word in ("url(", "@import", "innerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert word not in "".join(styles + scripts)


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_links_inside_the_page_lead_somewhere() -> None:
    found = Page(page(case("demo")))
    ids = found.values("id")
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in found.values("href")} <= set(ids)


def test_the_demo_shows_everything() -> None:
    report = case("demo")
    text = Page(page(report)).text
    assert report.verdict in text
    assert "fiction written for the demo" in text
    assert "no model was called" in text
    for task in report.tasks:
        assert task.statement in text
        for cell in task.cells:
            assert cell.diff.strip() in text
    for words in ("77 % (10/13)", "49–92 %", "$0.039", "made by a bot", "seen them while"):
        assert words in text


def test_invented_answers_are_labelled_wherever_they_are_shown() -> None:
    text = Page(page(case("demo"))).text
    answers = sum(
        not cell.entrant.startswith(("ref", "emp")) for t in case("demo").tasks for cell in t.cells
    )
    assert text.count("fiction: written by hand") == answers


def test_signs_have_words_for_those_who_cannot_see_colours() -> None:
    found = Page(page(case("demo")))
    labels = [value for tag, key, value in found.attributes if key == "aria-label"]
    labels = [label for label in labels if label in WORDS]
    assert len(labels) == 14 * 4
    assert set(labels) >= {"passed", "failed", "over budget"}


def test_a_bar_shows_the_interval() -> None:
    """10 of 13 is 0.497 to 0.918 by Wilson: a bar from 49.7 that is 42.1 wide."""
    assert re.search(r'class="range" x="49\.7\d?" y="3" width="42\.\d+"', page(case("demo")))


def test_hostile_texts_are_shown_and_do_nothing() -> None:
    text = " ".join(Page(page(case("hostile"))).text.split())
    for words in (HOSTILE[1], HOSTILE[3], HOSTILE[4], HOSTILE[25]):
        assert words in text
    assert "\u202e" not in text
    assert "⟨U+202E⟩" in text


def test_long_patches_are_cut_and_counted() -> None:
    text = Page(page(case("10 MB patches"))).text
    assert re.search(r"1[34]\d,\d{3} more lines of this patch in report\.json", text)


@pytest.mark.parametrize("name", ["no tasks", "nothing at all"])
def test_without_tasks_there_is_no_empty_table(name: str) -> None:
    assert "matrix" not in Page(page(case(name))).values("class")
