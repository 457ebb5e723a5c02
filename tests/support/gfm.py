"""GitHub's Markdown turned into HTML, and the HTML into what a test can ask about."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

import cmarkgfm  # type: ignore[import-untyped]
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]

EXTENSIONS = ["table", "autolink", "strikethrough", "tasklist"]
OPTIONS = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES

# What GitHub itself turns into links after rendering, in text that is no code.
_MENTION = re.compile(r"(?<![\w])@[A-Za-z0-9]")
_ISSUE = re.compile(r"(?<!\w)(?:#|GH-)\d", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://|www\.", re.IGNORECASE)


class Parsed(HTMLParser):
    """Elements in order, comments, and the text outside of code."""

    def __init__(self, html: str):
        super().__init__(convert_charrefs=True)
        self.events: list[str] = []
        self.tags: Counter[str] = Counter()
        self.comments: list[str] = []
        self.text = ""
        self.code = ""
        self._code = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = ",".join(sorted(name for name, _ in attrs))
        self.events.append(f"<{tag} {names}>")
        self.tags[tag] += 1
        self._code += tag in ("code", "pre")

    def handle_endtag(self, tag: str) -> None:
        self.events.append(f"</{tag}>")
        self._code -= tag in ("code", "pre")

    def handle_data(self, data: str) -> None:
        if self._code:
            self.code += data
        else:
            self.text += data

    def handle_comment(self, data: str) -> None:
        self.events.append("<!-- -->")
        self.comments.append(data)

    def handle_decl(self, decl: str) -> None:
        self.events.append(f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        self.events.append(f"<?{data}>")

    @property
    def links_made_by_github(self) -> list[str]:
        """Mentions, issue numbers and addresses that GitHub would act on."""
        found = _MENTION.findall(self.text) + _ISSUE.findall(self.text)
        return found + _ADDRESS.findall(self.text) + ["a"] * self.tags["a"]


def render(markdown: str) -> Parsed:
    """Markdown as GitHub renders it, raw HTML included."""
    html = cmarkgfm.markdown_to_html_with_extensions(
        markdown, options=OPTIONS, extensions=EXTENSIONS
    )
    return Parsed(html)
