"""A cap is held whoever asks, for whatever purpose, and over runs that were killed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.fake_anthropic import FakeAnthropic
from support.fake_openai import FakeChat
from support.fake_whole import WholeAnthropic
from support.local_bench import LocalBenches, LocalOpenBenches
from support.loopback import Behaviour, Loopback, in_order
from support.tasks import CALC, FIX, make_task

from core.outlet import Command
from core.redact import NOTHING
from core.types import Patch, Stop
from models.budget import Budget, OverBudgetError
from models.desk import Desk
from models.pricing import Price
from models.registry import build, prober, repairer, reviewer, rewriter
from models.repair import Broken
from models.review import Pair
from models.spent import spent

CLAUDE = "anthropic:claude-opus-4-8"
FILES = {path: text for path, text in CALC.contents.items() if text}
GOOD = Behaviour(text=FIX, input_tokens=1000, output_tokens=100)
COST = Decimal("0.0075")
ASKS = (
    "curl -s $ANTHROPIC_BASE_URL/v1/messages -H content-type:application/json -d "
    '\'{"model":"m","max_tokens":16000,"messages":[{"role":"user","content":"hello"}]}\''
)


def desk(folder: Path, server: Loopback, cap: str | None = None, **changes: Any) -> Desk:
    exchanges = folder / "exchanges"
    fields: dict[str, Any] = {
        "exchanges": exchanges,
        "budget": Budget(None if cap is None else Decimal(cap), spent(exchanges)),
        "redactor": NOTHING,
        "keys": {"anthropic": "k"},
        "base_urls": {"anthropic": server.url},
        "timeout_seconds": 20,
        "benches": LocalBenches(folder, FILES),
        "open_benches": LocalOpenBenches(folder / "open", FILES),
        "commands": {"tiny": Command(run=ASKS)},
    }
    return Desk(**{**fields, **changes})


def solving(more: str) -> Callable[[Desk], Stop]:
    return lambda desk: build(f"{CLAUDE}{more}", desk).solve(make_task(), CALC, 1).stop


def reviewing(desk: Desk) -> Stop:
    patch = Patch(
        task_id=make_task().id, entrant="x:y", attempt=1, diff="diff\n", stop=Stop.ANSWERED,
        cost_usd=None, usage=None, seconds=None,
    )  # fmt: skip
    return reviewer(CLAUDE, desk).compare(Pair(make_task(), patch), 1).stop


def probing(desk: Desk) -> Stop:
    made = prober(CLAUDE, desk)
    assert made is not None
    return made.probe(make_task(), "example/shop").stop


def repairing(desk: Desk) -> Stop:
    broken = Broken(commit="a" * 40, recipe="", trouble="", files=())
    try:
        repairer(CLAUDE, desk).next(broken, [])
    except OverBudgetError:
        return Stop.OVER_BUDGET
    return Stop.ANSWERED


KINDS: dict[str, Callable[[Desk], Stop]] = {
    "oneshot": solving(""),
    "long-context": solving("+long-context"),
    "agent": solving("+agent"),
    "command": solving("+command=tiny"),
    "judge": reviewing,
    "rewriting": lambda desk: rewriter(CLAUDE, desk).rewrite(make_task()).stop,
    "probe": probing,
    "repair": repairing,
}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_sent_that_might_go_beyond_the_cap(tmp_path: Path, kind: str) -> None:
    """The longest answer, 16,000 tokens, costs $0.40, to which the question is added."""
    (tmp_path / "open").mkdir()
    with WholeAnthropic(in_order(GOOD)) as server:
        assert KINDS[kind](desk(tmp_path, server, "0.40")) is Stop.OVER_BUDGET
        assert server.asked == []
        assert spent(tmp_path / "exchanges") == 0


def test_what_a_killed_run_had_under_way_counts_with_its_worst_case(tmp_path: Path) -> None:
    """Bug: what a run that was killed may have been billed was free for the next one's cap."""
    with FakeAnthropic(in_order(GOOD)) as server:
        build(CLAUDE, desk(tmp_path, server)).solve(make_task(), CALC, 1)
        assert spent(tmp_path / "exchanges") == COST
        (answer,) = (tmp_path / "exchanges").glob("*/*.1.1.json")
        answer.unlink()  # killed while it was awaited
        assert Decimal("0.40") < spent(tmp_path / "exchanges") < Decimal("0.45")
        poor = build(CLAUDE, desk(tmp_path, server, "0.80")).solve(make_task(), CALC, 1)
        assert (poor.stop, len(server.asked)) == (Stop.OVER_BUDGET, 1)
        # Noted as a failure by now, it counts the same, and once.
        assert Decimal("0.40") < spent(tmp_path / "exchanges") < Decimal("0.45")
        rich = build(CLAUDE, desk(tmp_path, server, "0.90")).solve(make_task(), CALC, 1)
        assert (rich.stop, len(server.asked)) == (Stop.ANSWERED, 2)


def test_what_broke_off_counts_with_its_worst_case_in_the_next_run(tmp_path: Path) -> None:
    """Bug: within a run it did, and was free for the next one."""
    plan = in_order(Behaviour(seconds=0.5), Behaviour(kind="error", status=400))
    price = Price(input_usd_per_mtok=Decimal(5), output_usd_per_mtok=Decimal(25))
    with FakeChat(plan) as server:
        urls = {"server": server.url}
        mine = desk(
            tmp_path, server, timeout_seconds=0.2, prices={"server:qwen": price}, base_urls=urls
        )
        patch = build("server:qwen", mine).solve(make_task(), CALC, 1)
        assert (patch.stop, patch.cost_usd) == (Stop.PROVIDER_FAILED, None)
        assert Decimal("0.40") < mine.budget.spent == spent(tmp_path / "exchanges")


def test_an_entrants_probes_are_within_its_cap(tmp_path: Path) -> None:
    """Bug: what an entrant cost held its probes, what its cap held did not."""
    with FakeAnthropic(in_order(replace(GOOD, output_tokens=1000))) as server:
        for order in ((probing, KINDS["oneshot"]), (KINDS["oneshot"], probing)):
            folder = tmp_path / f"{len(server.asked)}"
            mine = desk(folder, server, caps={CLAUDE: Decimal("0.41")})
            assert [ask(mine) for ask in order][1] is Stop.OVER_BUDGET
            again = desk(folder, server, caps={CLAUDE: Decimal("0.41")})  # the next run
            assert order[1](again) is Stop.OVER_BUDGET
        assert len(server.asked) == 2
