"""What may be spent: on all, on each entrant, and as far as one can tell beforehand."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.fake_anthropic import FakeAnthropic
from support.local_bench import LocalBenches
from support.loopback import Behaviour, in_order
from support.tasks import CALC, FIX, make_task

from core.errors import UsageError
from core.redact import NOTHING
from core.types import Stop
from models.agent import AgentLimits
from models.budget import Budget, OverBudgetError
from models.desk import Desk
from models.estimate import Estimate, estimate
from models.pricing import Price
from models.registry import build
from models.spec import parse

CLAUDE = "anthropic:claude-opus-4-8"
GOOD = Behaviour(text=FIX, input_tokens=1000, output_tokens=100)
COST = Decimal("0.0075")


def desk(folder: Path, url: str = "http://127.0.0.1:9", **changes: Any) -> Desk:
    fields: dict[str, Any] = {
        "exchanges": folder / "exchanges",
        "budget": Budget(None),
        "redactor": NOTHING,
        "keys": {"anthropic": "k"},
        "base_urls": {"anthropic": url, "server": url},
        "timeout_seconds": 20,
        "benches": LocalBenches(folder, {"a.py": "1\n"}),
    }
    return Desk(**{**fields, **changes})


def test_a_budget_within_another() -> None:
    all_of_it = Budget(Decimal(10))
    mine = Budget(Decimal(3), Decimal(1), within=all_of_it, of=" for me")
    with mine.reserve(Decimal(2)) as reservation:
        reservation.settle(Decimal("0.5"))
    assert (mine.spent, all_of_it.spent) == (Decimal("1.5"), Decimal("0.5"))
    with (
        pytest.raises(OverBudgetError, match=r"\$1\.5000 of \$3 for me are spent"),
        mine.reserve(Decimal(2)),
    ):
        pass
    rich = Budget(Decimal(100), within=all_of_it, of=" for me")
    with pytest.raises(OverBudgetError, match=r"of \$10 are spent"), rich.reserve(Decimal(20)):
        pass
    assert (rich.spent, all_of_it.spent) == (Decimal(0), Decimal("0.5"))
    with rich.reserve(Decimal(4)):
        pass  # never settled: all of it counts
    assert (rich.spent, all_of_it.spent) == (Decimal(4), Decimal("4.5"))


def test_many_threads_never_go_beyond_either_budget() -> None:
    all_of_it = Budget(Decimal(50))
    two = [Budget(Decimal(30), within=all_of_it) for _ in range(2)]
    lock, seen = threading.Lock(), []

    def spend(number: int) -> None:
        try:
            with two[number % 2].reserve(Decimal(2)) as reservation:
                reservation.settle(Decimal(1))
                with lock:
                    seen.append(number)
        except OverBudgetError:
            pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(spend, range(100)))
    # One is refused as soon as a worst case no longer fits: at 29 of 30, or at 49 of 50.
    assert 48 < all_of_it.spent <= 50
    assert all(budget.spent <= 30 for budget in two)
    assert len(seen) == all_of_it.spent


def test_each_entrant_has_its_own_cap(tmp_path: Path) -> None:
    other = f"{CLAUDE}+effort=low"
    with FakeAnthropic(in_order(GOOD)) as server:
        caps = {CLAUDE: Decimal("0.41")}  # a worst case is 16,000 tokens of answer, $0.40
        mine = desk(tmp_path, server.url, caps=caps)
        stops = [build(CLAUDE, mine).solve(make_task(n), CALC, 1).stop for n in (1, 2)]
        again = build(CLAUDE, mine).solve(make_task(3), CALC, 1)  # a new run of the same folder
        assert build(other, mine).solve(make_task(1), CALC, 1).stop is Stop.ANSWERED
        assert len(server.asked) == 2
    assert stops == [Stop.ANSWERED, Stop.OVER_BUDGET]
    assert again.stop is Stop.OVER_BUDGET
    assert f"of $0.41 for {CLAUDE} are spent" in again.detail


def test_a_cap_needs_a_price(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be kept without knowing the model's price"):
        build("server:qwen", desk(tmp_path, caps={"server:qwen": Decimal(1)}))


def test_the_worst_case_counts_what_has_no_word_of_its_own() -> None:
    """Bug: text that is not English may take a token a letter, and was counted as half of one."""

    def most(text: str) -> int:
        return parse(CLAUDE).request("", text, 256).tokens_at_most

    assert most("x" * 100) == 50
    assert most("中" * 100) == 300
    assert most("中" * 100 + "x" * 100) == 350


def test_what_one_answer_may_cost(tmp_path: Path) -> None:
    entrant = build(CLAUDE, desk(tmp_path))
    found = estimate(entrant, make_task(), CALC)
    assert found is not None
    assert Decimal("0.01") < found.least < Decimal("0.02")
    assert Decimal("0.80") < found.most < Decimal("0.84")  # twice 16,000 tokens of answer
    once = estimate(build(f"{CLAUDE}+repair=off", desk(tmp_path)), make_task(), CALC)
    assert once == Estimate(found.least, found.most / 2)


def test_what_an_agent_may_cost(tmp_path: Path) -> None:
    def of(**limits: Any) -> Estimate:
        mine = desk(tmp_path, agent_limits=AgentLimits(**limits))
        found = estimate(build(f"{CLAUDE}+agent", mine), make_task(), CALC)
        assert found is not None
        return found

    step = Decimal(200_000) * 5 / 10**6 + Decimal(16_000) * 25 / 10**6  # window and answer full
    assert of(steps=10).most == 10 * step
    assert of(usd=Decimal(2)).most == 2 + step
    assert of().least < of(usd=Decimal(2)).most


def test_what_nobody_can_tell_and_what_costs_nothing(tmp_path: Path) -> None:
    assert estimate(build("server:qwen", desk(tmp_path)), make_task(), CALC) is None
    free = Price(input_usd_per_mtok=Decimal(0), output_usd_per_mtok=Decimal(0))
    priced = desk(tmp_path, prices={"server:qwen": free})
    assert estimate(build("server:qwen", priced), make_task(), CALC) == Estimate(
        Decimal(0), Decimal(0)
    )
    assert estimate(build("reference", desk(tmp_path)), make_task(), CALC) == Estimate(
        Decimal(0), Decimal(0)
    )
