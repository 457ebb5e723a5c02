"""Untrusted text stays text, wherever in a comment it stands."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.gfm import render
from support.hostile import HOSTILE

from reports.escape import beginning, code, fence, one_line, prose, visible

_PIECES = [
    *(
        "<!--",
        "-->",
        "</details>",
        "<details>",
        "</summary>",
        "<b>",
        "<?",
        "<!",
        "<![CDATA[",
        "]]>",
    ),
    *(
        "<script>",
        "<x@y.zz>",
        "&",
        "&amp;",
        "&#64;",
        "@me",
        "@",
        "#",
        "#12",
        "GH-1",
        "gh-2",
        "xmpp:",
    ),
    *("http://", "https://x.y", "://x", "www.", "www.x.y", "a@b.cd", "`", "``", "```", "~", "~~~"),
    *("~~", "|", "\\", "\\|", "*", "**", "_", "__", "[x]", "[x](y)", "![", "[^1]", "]:", "(", ")"),
    *("-", "--", "---", "+", "=", "===", ":", ":-", ":-:", "1.", "1)", "10.", ">", "##", "$", "$$"),
    *("^", "!", '"', "'", "{", "}"),
]
_HOSTILE_TEXT = st.lists(
    st.one_of(
        st.sampled_from([*_PIECES, " ", "\n", "\t", "\r\n", "\u202e", "\u200b", "\ue000"]),
        st.sampled_from(HOSTILE),
        st.text(max_size=8),
    ),
    max_size=12,
).map("".join)

_FRAME = """before

| a | b |
|---|---|
| {0} | x{0} |
| **{0}** | {0}y |

{0}

- {0}
  - x: {0}

> [!WARNING]
> {0}

<details><summary>{0}</summary>

{0}

</details>

<sub>{0}</sub>

after
"""


@settings(max_examples=400, deadline=None)
@given(_HOSTILE_TEXT)
def test_prose_changes_no_structure_and_links_nothing(text: str) -> None:
    """The same elements as with a harmless word in every place, and no link of any kind."""
    escaped = prose(text)
    assert "\n" not in escaped
    found = render(_FRAME.replace("{0}", escaped or "x"))
    assert found.events == render(_FRAME.replace("{0}", "x")).events
    assert found.links_made_by_github == []
    assert found.comments == []


@settings(max_examples=200, deadline=None)
@given(_HOSTILE_TEXT)
def test_prose_still_says_what_was_said(text: str) -> None:
    """Without the zero-width spaces, the rendered words are the visible words."""
    words = one_line(text)
    shown = render(f"x {prose(text)} x").text.replace("\u200b", "")
    assert shown.strip() == f"x {words} x"


@settings(max_examples=300, deadline=None)
@given(_HOSTILE_TEXT)
def test_code_changes_no_structure_and_can_be_copied(text: str) -> None:
    span = code(text)
    found = render(f"x\n\n- a: {span or '`x`'}, b\n\nafter")
    assert found.events == render("x\n\n- a: `x`, b\n\nafter").events
    assert found.links_made_by_github == []
    assert found.code == (one_line(text) or "x")


@settings(max_examples=300, deadline=None)
@given(_HOSTILE_TEXT)
def test_a_fence_holds_what_it_holds(text: str) -> None:
    frame = "<details><summary>s</summary>\n\n{0}\n\n</details>\n\nafter"
    found = render(frame.replace("{0}", fence(text, "diff")))
    assert found.events == render(frame.replace("{0}", "```diff\nx\n```")).events
    assert found.code == visible(text) + "\n"


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_can_hide_or_turn_anything(text: str) -> None:
    bad = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
    for made in (visible(text), one_line(text), prose(text), code(text), fence(text)):
        assert not bad.search(made)


def test_what_could_mislead_is_shown_by_number() -> None:
    assert visible("a\u202eb\x1b[0m\tc\nd\u200be") == "a⟨U+202E⟩b⟨U+001B⟩[0m\tc\nde"


def test_a_mention_is_cut_and_still_reads_the_same() -> None:
    assert prose("@octocat fixes #12") == "&#64;&#8203;octocat fixes &#35;&#8203;12"


def test_ordinary_words_stay_readable_in_the_source() -> None:
    assert (
        prose("Rounding (half cents) isn't 1.5 % off!") == "Rounding (half cents) isn't 1.5 % off!"
    )


@pytest.mark.parametrize(
    ("text", "limit", "made"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("ab \n d", 4, "ab d")]
)
def test_long_text_is_cut(text: str, limit: int, made: str) -> None:
    assert one_line(text, limit) == made


def test_a_cut_never_splits_an_escape() -> None:
    assert prose("<" * 50, 4) == "&lt;&lt;&lt;…"


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a\nb\n", ("a\nb", 0)),
        ("a\nb\nc\n", ("a\nb", 1)),
        ("aaaaaaaaaa\nb", ("aaaaaaaa…", 1)),
        ("aaaa\nbbbbbbbb\nc\n", ("aaaa", 2)),
        ("", ("", 0)),
    ],
)
def test_the_beginning_of_a_text(text: str, made: tuple[str, int]) -> None:
    """Two lines, eight characters."""
    assert beginning(text, 2, 8) == made
