"""Two numbers on a statement: what it gives away, and how little it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miner.scores import leak, telling_lines, vagueness

GOLD = [
    "    total = compute(values, strict)",
    "    return round(total, digits)",
    "import math",
    "    pass",
    "}",
    "    return None",
]


def test_only_lines_that_nobody_writes_by_chance_count() -> None:
    assert telling_lines(GOLD) == {
        "total = compute(values, strict)",
        "return round(total, digits)",
    }


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("It is wrong.", 0.0),
        ("Use `total = compute(values, strict)` there.", 0.5),
        ("total   =\n compute(values, strict) and return round(total, digits)", 1.0),
        ("subtotal = compute(values, strict)", 0.0),
        ("import math\npass\n}", 0.0),
    ],
)
def test_the_share_of_the_fix_that_a_statement_holds(statement: str, expected: float) -> None:
    assert leak(statement, GOLD) == expected


def test_a_fix_without_a_telling_line_cannot_leak() -> None:
    assert leak("pass return None", ["    pass", "    return None"]) == 0.0
    assert leak("", []) == 0.0


def test_what_says_more_is_less_vague() -> None:
    """From nothing to a full report, each a little better than the one before."""
    texts = [
        "",
        "Fix",
        "Sort help args to make them reproducible",
        "Sort help args, they are in another order each time when read from `params`",
        "`total([2.5])` gives 2 and 3 was expected, since 1.2",
        "`total([2.5])` in src/calc.py gives 2, expected 3.\n\n```\nTraceback\nValueError\n```\n"
        + " ".join(f"word{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(60)),
    ]
    numbers = [vagueness(text) for text in texts]
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[:2] == [1.0, 1.0]
    assert len(set(numbers[1:])) == len(numbers[1:])
    assert numbers[-1] < 0.1


@given(st.text(max_size=300), st.text(max_size=100))
def test_more_text_is_never_vaguer(text: str, more: str) -> None:
    assert 0 <= vagueness(f"{text} {more}") <= vagueness(text) <= 1
