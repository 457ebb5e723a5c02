"""Entrants as the pipeline uses them: built by name, asked for tasks, against a paid server."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.fake_anthropic import FakeAnthropic
from support.fake_google import FakeGoogle
from support.loopback import Asked, Behaviour, Loopback, in_order
from support.tasks import CALC, FIX, Folder, make_task

from core.errors import UsageError
from core.redact import NOTHING
from core.types import Stop
from models.budget import Budget
from models.desk import Desk
from models.exchange import Exchange, Failure, Slot, slug
from models.exchange_store import ExchangeStore
from models.pricing import Price
from models.registry import build
from models.spec import check, needs_key
from models.spent import spent

CLAUDE = "anthropic:claude-opus-4-8"
GEMINI = "google:gemini-3.5-flash"
GOOD = Behaviour(text=FIX, input_tokens=10_000, output_tokens=1_000)
COST = Decimal("0.075")  # 10,000 in at $5 and 1,000 out at $25 a million
OVERLOADED = Behaviour(kind="error", status=529, error_type="overloaded_error")


def desk(run: Path, server: Loopback | None = None, **changes: Any) -> Desk:
    url = server.url if server else "http://127.0.0.1:9"
    fields: dict[str, Any] = {
        "exchanges": run / "exchanges",
        "budget": Budget(None),
        "redactor": NOTHING,
        "keys": {"anthropic": "k", "google": "k"},
        "base_urls": {"anthropic": url, "google": url},
        "timeout_seconds": 20,
    }
    return Desk(**{**fields, **changes})


def files_of(run: Path) -> set[str]:
    return {p.relative_to(run / "exchanges").as_posix() for p in run.rglob("*.json")}


def test_an_answer_becomes_a_patch(tmp_path: Path) -> None:
    with FakeAnthropic(in_order(GOOD)) as server:
        patch = build(CLAUDE, desk(tmp_path, server)).solve(make_task(), CALC, 1)
    assert patch.stop is Stop.ANSWERED
    assert "+    return a + b" in patch.diff
    assert patch.cost_usd == COST
    assert patch.usage is not None
    assert patch.usage.input_tokens == 10_000
    assert (patch.requested_model, patch.served_model) == ("claude-opus-4-8", "claude-opus-4-8")
    assert not patch.replayed
    assert patch.exchanges == ("exchanges/anthropic@claude-opus-4-8/000000000001.1.1.json",)
    assert (tmp_path / patch.exchanges[0]).exists()


def test_google_answers_too_and_is_priced_by_the_model_that_served(tmp_path: Path) -> None:
    behaviour = Behaviour(text=FIX, model="gemini-3.1-pro-preview", input_tokens=10**6)
    with FakeGoogle(in_order(behaviour)) as server:
        patch = build(GEMINI, desk(tmp_path, server)).solve(make_task(), CALC, 1)
    assert (patch.requested_model, patch.served_model) == (
        "gemini-3.5-flash",
        "gemini-3.1-pro-preview",
    )
    assert patch.cost_usd == 4 + 200 * Decimal(18) / 10**6  # above 200k tokens


def test_the_exchange_file_holds_exactly_the_promised_keys(tmp_path: Path) -> None:
    with FakeAnthropic(in_order(GOOD)) as server:
        patch = build(CLAUDE, desk(tmp_path, server)).solve(make_task(), CALC, 1)
    kept = json.loads((tmp_path / patch.exchanges[0]).read_text())
    promised = (
        "schema_version entrant task_id attempt turn fiction request_sha256 requested_model "
        "served_model text finish usage first_token_seconds seconds cost_usd recorded_at"
    )
    assert set(kept) == {
        *promised.split(),
        "raw_usage",
        "price",
        "request",
        "redacted",
        "calls",
        "said",
        "backoff_seconds",
        "queued_seconds",
        "batch",
        "worst_usd",
    }
    assert kept["cost_usd"] == "0.075"
    assert kept["text"] == FIX
    assert kept["price"]["model"] == "claude-opus-4-8"
    assert kept["price"]["source"].startswith("genai-prices ")
    assert kept["request"]["user"] == server.asked[0].body["messages"][0]["content"]


def test_the_request_is_on_disk_before_it_is_sent(tmp_path: Path) -> None:
    seen: list[set[str]] = []
    with FakeAnthropic() as server:

        def plan(_: Asked, __: int) -> Behaviour:
            seen.append(files_of(tmp_path))
            return GOOD

        server.plan = plan
        build(CLAUDE, desk(tmp_path, server)).solve(make_task(), CALC, 1)
    assert seen == [{"anthropic@claude-opus-4-8/000000000001.1.1.request.json"}]


def test_a_paid_answer_is_never_paid_for_twice(tmp_path: Path) -> None:
    with FakeAnthropic(in_order(GOOD)) as server:
        first = build(CLAUDE, desk(tmp_path, server)).solve(make_task(), CALC, 1)
        again = build(CLAUDE, desk(tmp_path, server)).solve(make_task(), CALC, 1)
        assert len(server.asked) == 1
        build(CLAUDE, desk(tmp_path, server)).solve(make_task(), CALC, 2)
        assert len(server.asked) == 2
    assert again == first


def test_an_answer_to_another_prompt_is_kept_and_comes_back_with_it(tmp_path: Path) -> None:
    other = Folder({**CALC.contents, "src/calc.py": "def add(a, b):\n    return a - b\n"})
    with FakeAnthropic(in_order(GOOD)) as server:
        entrant = build(CLAUDE, desk(tmp_path, server))
        first = entrant.solve(make_task(), CALC, 1)
        entrant.solve(make_task(), other, 1)
        assert len(server.asked) == 2
        assert len([name for name in files_of(tmp_path) if ".aside-" in name]) == 2
        assert entrant.solve(make_task(), CALC, 1) == first
        entrant.solve(make_task(), other, 1)
        assert len(server.asked) == 2
    assert spent(tmp_path / "exchanges") == 2 * COST


def test_retries_are_counted_and_billed(tmp_path: Path) -> None:
    plan = in_order(OVERLOADED, Behaviour(kind="cut", input_tokens=2_000, text="abc"), GOOD)
    with FakeAnthropic(plan) as server:
        patch = build(CLAUDE, desk(tmp_path, server)).solve(make_task(), CALC, 1)
        bill = sum(Decimal(5 * i + 25 * o) for i, o in server.billed) / 10**6
    assert patch.stop is Stop.ANSWERED
    assert len(server.asked) == 3
    assert patch.cost_usd == bill == COST + Decimal("0.010025")
    assert patch.usage is not None
    assert patch.usage.input_tokens == 12_000
    assert [Path(name).name for name in patch.exchanges] == [
        "000000000001.1.1.json",
        "000000000001.1.1.failed-1.json",
        "000000000001.1.1.failed-2.json",
    ]


def test_a_failed_request_of_unknown_cost_makes_the_cost_unknown(tmp_path: Path) -> None:
    with FakeGoogle(in_order(Behaviour(kind="no_usage", text=FIX))) as server:
        patch = build(GEMINI, desk(tmp_path, server)).solve(make_task(), CALC, 1)
    assert (patch.stop, patch.cost_usd, patch.usage) == (Stop.ANSWERED, None, None)


def test_a_request_that_was_under_way_when_the_run_was_killed_has_unknown_cost(
    tmp_path: Path,
) -> None:
    with FakeAnthropic(in_order(GOOD)) as server:
        entrant = build(CLAUDE, desk(tmp_path, server))
        entrant.solve(make_task(), CALC, 1)
        (tmp_path / "exchanges/anthropic@claude-opus-4-8/000000000001.1.1.json").unlink()
        patch = entrant.solve(make_task(), CALC, 1)
        assert len(server.asked) == 2
    assert patch.stop is Stop.ANSWERED
    assert patch.cost_usd is None
    assert "cost not known: the run ended" in patch.detail


def test_a_provider_that_stays_down_ends_in_a_patch_and_is_asked_again_later(
    tmp_path: Path,
) -> None:
    with FakeAnthropic(in_order(OVERLOADED)) as server:
        entrant = build(CLAUDE, desk(tmp_path, server))
        patch = entrant.solve(make_task(), CALC, 1)
        assert len(server.asked) == 4
        assert (patch.stop, patch.diff) == (Stop.PROVIDER_FAILED, "")
        assert patch.cost_usd == 0
        assert "529 overloaded_error" in patch.detail
        server.plan = in_order(GOOD)
        later = entrant.solve(make_task(), CALC, 1)
    assert (later.stop, later.cost_usd, len(later.exchanges)) == (Stop.ANSWERED, COST, 5)


def test_a_bad_request_is_not_asked_again(tmp_path: Path) -> None:
    bad = Behaviour(kind="error", status=400, error_type="invalid_request_error", message="long")
    with FakeAnthropic(in_order(bad)) as server:
        patch = build(CLAUDE, desk(tmp_path, server)).solve(make_task(), CALC, 1)
        assert len(server.asked) == 1
    assert (patch.stop, patch.cost_usd) == (Stop.PROVIDER_FAILED, Decimal(0))


@pytest.mark.parametrize(("status", "words"), [(401, "ANTHROPIC_API_KEY"), (404, "no model")])
def test_what_no_task_can_survive_stops_the_run(tmp_path: Path, status: int, words: str) -> None:
    with FakeAnthropic(in_order(Behaviour(kind="error", status=status))) as server:
        entrant = build(CLAUDE, desk(tmp_path, server))
        with pytest.raises(UsageError, match=words):
            entrant.solve(make_task(), CALC, 1)
        server.plan = in_order(GOOD)
        assert entrant.solve(make_task(), CALC, 1).cost_usd == COST


@pytest.mark.parametrize(
    ("behaviour", "stop"),
    [
        (Behaviour(text="", output_tokens=5), Stop.EMPTY),
        (Behaviour(text="no idea"), Stop.UNREADABLE),
        (Behaviour(text=FIX.replace("def add", "def plus")), Stop.MISPLACED),
        (Behaviour(text=FIX, finish="max_tokens"), Stop.TRUNCATED),
        (Behaviour(text="", finish="refusal"), Stop.REFUSED),
    ],
)
def test_every_bad_answer_is_final_and_costs(
    tmp_path: Path, behaviour: Behaviour, stop: Stop
) -> None:
    with FakeAnthropic(in_order(behaviour)) as server:
        patch = build(f"{CLAUDE}+repair=off", desk(tmp_path, server)).solve(make_task(), CALC, 1)
        assert len(server.asked) == 1
    assert (patch.stop, patch.diff) == (stop, "")
    assert patch.stop.final
    assert patch.cost_usd is not None
    assert patch.cost_usd > 0


def test_half_a_surrogate_pair_does_not_lose_an_answer(tmp_path: Path) -> None:
    with FakeGoogle(in_order(Behaviour(text=FIX + "\ud83d"))) as server:
        patch = build(GEMINI, desk(tmp_path, server)).solve(make_task(), CALC, 1)
    assert patch.stop is Stop.ANSWERED


def test_the_cap_is_kept_by_many_threads_and_used_up(tmp_path: Path) -> None:
    """Worst case $0.40 and a bit each; the cap fits that once, and the real cost many times."""
    budget = Budget(Decimal("0.80"))
    with FakeAnthropic(in_order(GOOD)) as server:
        entrant = build(CLAUDE, desk(tmp_path, server, budget=budget))
        with ThreadPoolExecutor(8) as pool:
            patches = list(pool.map(lambda n: entrant.solve(make_task(n), CALC, 1), range(1, 17)))
    answered = [patch for patch in patches if patch.stop is Stop.ANSWERED]
    refused = [patch for patch in patches if patch.stop is Stop.OVER_BUDGET]
    assert len(answered) + len(refused) == 16
    assert len(server.asked) == len(answered) == 6
    assert budget.spent == 6 * COST
    assert all(patch.cost_usd == 0 and "$0.80" in patch.detail for patch in refused)


def test_a_cap_over_an_unknown_price_is_refused(tmp_path: Path) -> None:
    name = "anthropic:claude-mystery"
    capped = desk(tmp_path, budget=Budget(Decimal(5)))
    with pytest.raises(UsageError, match=r"claude-mystery.*\[prices\]"):
        build(name, capped)
    price = Price(input_usd_per_mtok=Decimal(1), output_usd_per_mtok=Decimal(2))
    build(name, desk(tmp_path, budget=Budget(Decimal(5)), prices={name: price}))


def test_an_unknown_price_is_an_unknown_cost(tmp_path: Path) -> None:
    with FakeAnthropic(in_order(GOOD)) as server:
        patch = build("anthropic:mystery", desk(tmp_path, server)).solve(make_task(), CALC, 1)
    assert (patch.stop, patch.cost_usd) == (Stop.ANSWERED, None)


# --- baselines ---------------------------------------------------------------------------


def test_reference_answers_with_the_fix_and_empty_with_nothing(tmp_path: Path) -> None:
    task = make_task()
    reference = build("reference", desk(tmp_path)).solve(task, CALC, 1)
    empty = build("empty", desk(tmp_path)).solve(task, CALC, 2)
    assert (reference.diff, reference.stop) == (task.gold_patch, Stop.ANSWERED)
    assert (empty.diff, empty.stop, empty.attempt) == ("", Stop.ANSWERED, 2)
    for patch in (reference, empty):
        assert (patch.cost_usd, patch.usage, patch.seconds) == (Decimal(0), None, None)


# --- replay ------------------------------------------------------------------------------


def recorded(folder: Path, text: str = FIX, **changes: Any) -> Path:
    fields: dict[str, Any] = {
        "schema_version": 1,
        "entrant": "replay:careful",
        "task_id": "000000000001",
        "attempt": 1,
        "turn": 1,
        "fiction": "written by hand",
        "request_sha256": None,
        "requested_model": "careful",
        "served_model": "careful",
        "text": text,
        "finish": "stop",
        "usage": None,
        "first_token_seconds": 0.5,
        "seconds": 2.5,
        "cost_usd": "0.01",
        "recorded_at": "2026-11-01T00:00:00Z",
    }
    path = folder / "careful" / "000000000001.1.1.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**fields, **changes}))
    return path


@pytest.mark.parametrize("inner", ["", "exchanges"])
def test_a_recording_answers_and_is_copied(tmp_path: Path, inner: str) -> None:
    source = recorded(tmp_path / "old" / inner)
    entrant = build("replay:careful", desk(tmp_path / "new", replay=tmp_path / "old"))
    for _ in range(2):
        patch = entrant.solve(make_task(), CALC, 1)
        assert (patch.stop, patch.replayed, patch.fiction) == (
            Stop.ANSWERED,
            True,
            "written by hand",
        )
        assert (patch.cost_usd, patch.seconds) == (Decimal("0.01"), 2.5)
    copy = tmp_path / "new" / patch.exchanges[0]
    assert copy.read_bytes() == source.read_bytes()
    assert len(files_of(tmp_path / "new")) == 1


def test_replaying_a_paid_run_calls_no_one_and_gives_the_same(tmp_path: Path) -> None:
    with FakeAnthropic(in_order(OVERLOADED, GOOD)) as server:
        paid = build(CLAUDE, desk(tmp_path / "old", server)).solve(make_task(), CALC, 1)
    offline = desk(tmp_path / "new", replay=tmp_path / "old", keys={})
    again = build(CLAUDE, offline).solve(make_task(), CALC, 1)
    assert again == paid.model_copy(update={"replayed": True})
    assert all((tmp_path / "new" / name).exists() for name in again.exchanges)


def test_a_missing_recording_is_named(tmp_path: Path) -> None:
    recorded(tmp_path / "old")
    entrant = build(CLAUDE, desk(tmp_path / "new", replay=tmp_path / "old"))
    patch = entrant.solve(make_task(), CALC, 1)
    assert patch.stop is Stop.PROVIDER_FAILED
    assert str(tmp_path / "old/anthropic@claude-opus-4-8/000000000001.1.1.json") in patch.detail


@pytest.mark.parametrize(
    ("content", "words"),
    [("{", "damaged"), ('{"text": 1}', "entrant: Field required"), ("", "damaged")],
)
def test_a_damaged_recording_is_named(tmp_path: Path, content: str, words: str) -> None:
    path = recorded(tmp_path / "old")
    path.write_text(content)
    entrant = build("replay:careful", desk(tmp_path / "new", replay=tmp_path / "old"))
    with pytest.raises(UsageError, match=rf"careful/000000000001\.1\.1\.json: .*{words}"):
        entrant.solve(make_task(), CALC, 1)


def test_a_recording_of_another_task_is_refused(tmp_path: Path) -> None:
    recorded(tmp_path / "old", task_id="000000000002")
    entrant = build("replay:careful", desk(tmp_path / "new", replay=tmp_path / "old"))
    with pytest.raises(UsageError, match=r"is about 000000000002\.1\.1"):
        entrant.solve(make_task(), CALC, 1)


def test_a_replay_never_overwrites_a_paid_answer(tmp_path: Path) -> None:
    with FakeAnthropic(in_order(GOOD)) as server:
        build(CLAUDE, desk(tmp_path / "run", server)).solve(make_task(), CALC, 1)
        build(CLAUDE, desk(tmp_path / "other", server)).solve(make_task(), CALC, 1)
        build(CLAUDE, desk(tmp_path / "run", replay=tmp_path / "other")).solve(make_task(), CALC, 1)
    assert len([n for n in files_of(tmp_path / "run") if ".aside-" in n]) == 2


def test_a_hand_written_recording_is_never_taken_for_a_paid_answer(tmp_path: Path) -> None:
    source = recorded(tmp_path / "old")
    target = tmp_path / "run" / "exchanges" / slug(CLAUDE) / source.name
    target.parent.mkdir(parents=True)
    target.write_bytes(source.read_bytes())
    with FakeAnthropic(in_order(GOOD)) as server:
        patch = build(CLAUDE, desk(tmp_path / "run", server)).solve(make_task(), CALC, 1)
        assert len(server.asked) == 1
    assert patch.fiction is None


# --- names -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["reference", "empty", CLAUDE, GEMINI, "replay:careful", "google:models/x@1:free"]
)
def test_good_names(name: str) -> None:
    check(name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("antropic:claude", r"did you mean anthropic:…\?"),
        ("Reference", r"did you mean reference\?"),
        ("nobody:gpt", "known: reference, empty, anthropic:MODEL"),
        ("anthropic", "did you mean anthropic:…"),
        ("", "unknown entrant ''"),
        ("anthropic:", "'' is not a usable name"),
        ("anthropic:a b", "'a b' is not a usable name"),
        ("replay:../x", "is not a usable name"),
        ("replay:..", "is not a usable name"),
    ],
)
def test_bad_names(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        check(name)


def test_which_entrants_need_a_key(tmp_path: Path) -> None:
    names = ["reference", "replay:careful", CLAUDE, GEMINI]
    assert [needs_key(name) for name in names] == [None, None, "anthropic", "google"]
    with pytest.raises(UsageError, match="set ANTHROPIC_API_KEY"):
        build(CLAUDE, desk(tmp_path, keys={}))
    with pytest.raises(UsageError, match="GEMINI_API_KEY or GOOGLE_API_KEY"):
        build(GEMINI, desk(tmp_path, keys={"google": " "}))
    with pytest.raises(UsageError, match="--replay"):
        build("replay:careful", desk(tmp_path))
    with pytest.raises(UsageError, match="no such folder"):
        build(CLAUDE, desk(tmp_path, replay=tmp_path / "gone"))


def test_no_two_entrants_share_a_folder() -> None:
    names = [
        "anthropic:a/b",
        "anthropic:a%2Fb",
        "anthropic:a_b",
        "google:a/b",
        "replay:a",
        "google:a",
    ]
    assert len({slug(name) for name in names}) == len(names)
    assert all("/" not in slug(name) for name in names)


def test_a_desk_does_not_show_its_keys(tmp_path: Path) -> None:
    assert "sk-secret" not in repr(desk(tmp_path, keys={"anthropic": "sk-secret"}))


def test_records_survive_the_disk(tmp_path: Path) -> None:
    with FakeAnthropic(in_order(Behaviour(kind="cut"), GOOD)) as server:
        build(CLAUDE, desk(tmp_path, server)).solve(make_task(), CALC, 1)
    store = ExchangeStore(tmp_path / "exchanges", NOTHING)
    slot = Slot(CLAUDE, "000000000001", 1)
    assert isinstance(store.answer(slot), Exchange)
    assert [type(failure) for failure in store.failures(slot)] == [Failure]
