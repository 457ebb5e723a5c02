"""How much of the real fix's own words a patch repeats: pairs made by hand, and the order."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tasks import make_task

import core.echo
from core.echo import FEWEST_WORDS, Echo, own_words
from core.types import Expected, Task

TOLD: dict[str, Any] = {"title": "Rounding of half cents differs", "statement": ""}
FIX = (
    "    # Half cents go to the even neighbour.",
    "    exact = sum(item.price for item in items)",
    "    return exact.quantize(CENT, ROUND_HALF_EVEN)",
)
OWN = ("even", "neighbour", "exact", "price", "quantize", "ROUND_HALF_EVEN")


def diff(*added: str, removed: str = "    return sum(items)", path: str = "shop/bill.py") -> str:
    """A change of one place in `total(items)`."""
    lines = "".join(f"+{line}\n" for line in added)
    return (
        f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n"
        f"@@ -3,2 +3,{len(added) + 1} @@ class Bill:\n def total(items):\n-{removed}\n{lines}"
    )


def task(*added: str, **changes: Any) -> Task:
    return make_task(**{**TOLD, "gold_patch": diff(*added), **changes})


def share(*added: str) -> float:
    echo = own_words(task(*FIX)).echo(diff(*added))
    assert echo is not None
    return echo.share


def test_the_example_of_the_docstring() -> None:
    """The figures that stand in `core.echo` are the ones it gives."""
    found = own_words(task(*FIX))
    assert found.words == OWN
    assert "Its own words are " + ", ".join(OWN) in " ".join((core.echo.__doc__ or "").split())
    assert found.echo(diff(*FIX)) == Echo(
        own=6,
        repeated=OWN,
        lines=tuple(line.strip() for line in FIX),
    )
    library = (
        "    amount = sum(entry.price for entry in items)",
        '    return amount.quantize(Decimal("0.01"), ROUND_HALF_EVEN)',
    )
    assert share(*library) == 0.5
    assert share("    return round_by_hand(total_of(items))") == 0.0


def test_the_same_fix_in_other_words_echoes_little() -> None:
    renamed = (
        "    # Banker's rounding, as the law wants it.",
        "    amount = sum(line.value for line in items)",
        "    return amount.quantize(CENT, ROUND_HALF_EVEN)",
    )
    echo = own_words(task(*FIX)).echo(diff(*renamed))
    assert echo is not None
    assert echo.repeated == ("quantize", "ROUND_HALF_EVEN")
    assert echo.lines == ()


def test_a_copy_counts_whatever_its_white_space_file_order_and_line_numbers() -> None:
    assert share(*(f"\t{line.strip()}  " for line in FIX)) == 1.0
    two = make_task(**TOLD, gold_patch=diff(*FIX) + diff("    audit_trail()", path="shop/log.py"))
    moved = diff("    audit_trail()", path="shop/log.py") + diff(*FIX)
    echo = own_words(two).echo(moved)
    assert echo is not None
    assert echo.share == 1.0


@pytest.mark.parametrize(
    "added",
    [
        ("    return sum(items) + 1",),
        ("    return math.fsum(items)",),
        ("    if not items: raise ValueError",),
        ("    alpha = bravo(charlie, delta)",),
    ],
)
def test_a_fix_with_hardly_a_word_of_its_own_is_not_measured(added: tuple[str, ...]) -> None:
    found = own_words(task(*added))
    assert len(found.words) < FEWEST_WORDS
    assert found.echo(diff(*added)) is None


def test_what_anybody_could_know_is_no_own_word() -> None:
    """Told words, expected names, context, removed lines, headings, paths, and their compounds."""
    known = task(
        "    totals = bill.parse_receipt(shop_item, CurrencyCode, retries=BillTotal)",
        title="Receipts are parsed wrongly",
        statement="The parser forgets the currency of an item.",
        expects=(Expected(kind="function", name="retry", signature="(code)", path="shop/bill.py"),),
        source_files=("shop/bill.py",),
    )
    assert own_words(known).words == ("parse_receipt", "retries")
    # `parse` is not `parsed`, nor `retries` the plural of `retry`, to something this simple.


def test_a_word_counts_once_and_in_its_order() -> None:
    names = ["alpha", "bravo", "charlie", "delta", "foxtrot", "golf"]
    gold = own_words(task(*(f"    {name} = {name} + {name}" for name in names)))
    assert gold.words == tuple(names)
    echo = gold.echo(diff("    golf = 1", *(f"    {name} = 2" for name in names[:4])))
    assert echo is not None
    assert echo.repeated == ("alpha", "bravo", "charlie", "delta")
    backwards = gold.echo(diff(*(f"    {name} = 2" for name in reversed(names))))
    assert backwards is not None
    assert len(backwards.repeated) == 1


def test_lines_are_repeated_only_where_they_tell_something() -> None:
    added = ("    result = []", "    quota = surplus.remainder(slack, ballast)")
    echo = own_words(task(*added)).echo(diff(*added))
    assert echo is not None
    assert echo.lines == ("quota = surplus.remainder(slack, ballast)",)


def test_only_added_lines_of_a_patch_count() -> None:
    gold = own_words(task(*FIX))
    taken_out = gold.echo(diff("    pass", removed=" ".join(FIX)))
    assert taken_out is not None
    assert taken_out.share == 0.0


def test_a_patch_of_any_size_is_read_in_no_time() -> None:
    """Ten megabytes, and the own words of the fix in every line."""
    gold = own_words(task(*FIX))
    started = time.monotonic()
    echo = gold.echo(diff(*[" ".join(reversed(OWN))] * 150_000))
    assert echo is not None
    assert time.monotonic() - started < 5


@given(st.permutations(range(7)).flatmap(lambda p: st.integers(0, 7).map(lambda n: p[:n])))
def test_no_longer_order_is_missed(places: list[int]) -> None:
    """Against all choices of words there are."""
    names = [f"name{'abcdefg'[n]}" for n in range(7)]
    gold = own_words(task(*(f"    {name}()" for name in names)))
    echo = gold.echo(diff("    pass", *(f"    {names[n]}()" for n in places)))
    assert echo is not None
    rising = [
        chosen
        for size in range(len(places) + 1)
        for chosen in itertools.combinations(places, size)
        if list(chosen) == sorted(chosen)
    ]
    assert len(echo.repeated) == max(map(len, rising))
    assert [names.index(word) for word in echo.repeated] in [list(one) for one in rising]
