"""Asking for a fix by its title: what is said, what is compared, and that it is paid once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.fake_anthropic import FakeAnthropic
from support.fake_google import FakeGoogle
from support.loopback import Behaviour, Loopback, in_order
from support.tasks import make_task

from core.redact import NOTHING
from core.types import Expected, Probe, Stop
from models.budget import Budget
from models.desk import Desk
from models.probe import Prober
from models.registry import prober
from models.spent import spent

CLAUDE, GEMINI = "anthropic:claude-opus-4-8", "google:gemini-3.5-flash"
HEAD = "diff --git a/shop/bill.py b/shop/bill.py\n--- a/shop/bill.py\n+++ b/shop/bill.py\n"
ADDED = (
    "+    # Half cents go to the even neighbour.\n"
    "+    exact = sum(item.price for item in items)\n"
    "+    return exact.quantize(CENT, ROUND_HALF_EVEN)\n"
)
GOLD = f"{HEAD}@@ -3,2 +3,4 @@\n def total(items):\n-    return sum(items)\n{ADDED}"
TASK = make_task(
    title="Rounding of half cents differs",
    statement="Seen in version 7.",
    gold_patch=GOLD,
    test_patch="diff --git a/tests/test_hidden.py b/tests/test_hidden.py\n+hidden_line\n",
    expects=(Expected(kind="function", name="expected_name", path="shop/bill.py"),),
)
COST = Decimal("0.010")  # 1,000 in at $5 and 200 out at $25 a million


def made(run: Path, server: Loopback, name: str = CLAUDE, **changes: Any) -> Prober:
    fields: dict[str, Any] = {
        "exchanges": run / "exchanges",
        "budget": Budget(None),
        "keys": {"anthropic": "k", "google": "k"},
        "base_urls": {"anthropic": server.url, "google": server.url},
        "timeout_seconds": 20,
        "redactor": NOTHING,
    }
    found = prober(name, Desk(**{**fields, **changes}))
    assert found is not None
    return found


def ask(tmp_path: Path, behaviour: Behaviour) -> Probe:
    with FakeAnthropic(in_order(behaviour)) as server:
        return made(tmp_path, server).probe(TASK, "example/shop")


def test_a_model_is_told_repository_and_title_and_nothing_else(tmp_path: Path) -> None:
    with FakeAnthropic(in_order(Behaviour(text=GOLD))) as server:
        made(tmp_path, server).probe(TASK, "example/shop")
    said = server.asked[0].text
    assert "example/shop" in said
    assert TASK.title in said
    for hidden in ("version 7", "shop/bill.py", "quantize", "hidden", "expected_name", "calc"):
        assert hidden not in said


def test_one_who_remembers_is_told_from_one_who_does_not(tmp_path: Path) -> None:
    known = ask(tmp_path / "known", Behaviour(text=f"From memory:\n\n```diff\n{GOLD}```\n"))
    assert (known.stop, known.similarity, len(known.verbatim)) == (Stop.ANSWERED, 1.0, 3)
    assert known.verbatim[1] == "exact = sum(item.price for item in items)"
    guess = f"{HEAD}@@ -1,1 +1,1 @@\n-    return cents\n+    return round(cents, 2)\n"
    other = ask(tmp_path / "other", Behaviour(text=guess))
    assert (other.stop, other.similarity, other.verbatim) == (Stop.ANSWERED, 0.0, ())


@pytest.mark.parametrize(
    ("behaviour", "stop"),
    [
        (Behaviour(text="I do not remember that change."), Stop.UNREADABLE),
        (Behaviour(text=""), Stop.EMPTY),
        (Behaviour(text=GOLD, finish="max_tokens"), Stop.TRUNCATED),
        (Behaviour(text="no", finish="refusal"), Stop.REFUSED),
        (Behaviour(kind="error", status=529), Stop.PROVIDER_FAILED),
    ],
)
def test_what_is_no_diff_is_not_compared(tmp_path: Path, behaviour: Behaviour, stop: Stop) -> None:
    found = ask(tmp_path, behaviour)
    assert (found.stop, found.similarity) == (stop, None)


def test_it_is_paid_once_and_counts_against_the_cap(tmp_path: Path) -> None:
    budget = Budget(Decimal(5))
    with FakeAnthropic(in_order(Behaviour(text=GOLD))) as server:
        first = made(tmp_path, server, budget=budget).probe(TASK, "example/shop")
        assert made(tmp_path, server).probe(TASK, "example/shop") == first
        assert len(server.asked) == 1
        assert first.cost_usd == COST == budget.spent == spent(tmp_path / "exchanges")
        assert first.usage is not None
        assert first.usage.output_tokens == 200
        poor = made(tmp_path / "poor", server, budget=Budget(Decimal("0.01")))
        assert poor.probe(TASK, "example/shop").stop is Stop.OVER_BUDGET
        assert len(server.asked) == 1
    assert (tmp_path / first.exchanges[0]).is_file()


def test_another_title_is_another_question(tmp_path: Path) -> None:
    with FakeGoogle(in_order(Behaviour(text=GOLD))) as server:
        asks = made(tmp_path, server, GEMINI)
        asks.probe(TASK, "example/shop")
        asks.probe(TASK.model_copy(update={"title": "Another"}), "example/shop")
        asks.probe(TASK, "example/shop")
        assert len(server.asked) == 2


def test_recorded_probes_are_replayed_and_missing_ones_said(tmp_path: Path) -> None:
    with FakeAnthropic(in_order(Behaviour(text=GOLD))) as server:
        first = made(tmp_path / "old", server).probe(TASK, "example/shop")
        again = made(tmp_path / "new", server, replay=tmp_path / "old")
        replayed = again.probe(TASK, "example/shop")
        assert replayed == first.model_copy(update={"replayed": True})
        missing = again.probe(make_task(2), "example/shop")
        assert len(server.asked) == 1
    assert missing.stop is Stop.PROVIDER_FAILED
    assert "no recorded answer" in missing.detail
    assert missing.cost_usd == 0


def test_baselines_remember_nothing(tmp_path: Path) -> None:
    desk = Desk(exchanges=tmp_path, budget=Budget(None), redactor=NOTHING)
    assert prober("reference", desk) is None
    assert prober("empty", desk) is None
