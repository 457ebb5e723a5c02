"""Services that break off, hang, lie, or change their model: what becomes of a task, what is kept.

The same from the SDK's side, service by service, is in `test_providers.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from support.fake_anthropic import FakeAnthropic
from support.fake_google import FakeGoogle
from support.fake_openai import FakeChat, FakeResponses
from support.local_bench import LocalBenches, LocalOpenBenches
from support.loopback import Behaviour, Loopback, in_order
from support.report_data import facts
from support.tasks import CALC, FIX, make_task

from core.outlet import Command
from core.redact import NOTHING
from core.types import Patch, Stop
from models.budget import Budget
from models.desk import Desk
from models.exchange import Exchange, Failure, Slot
from models.exchange_store import ExchangeStore
from models.registry import build
from reports.tally import tally
from reports.words import label

EACH = pytest.mark.parametrize(
    ("fake", "name"),
    [
        (FakeAnthropic, "anthropic:claude-opus-4-8"),
        (FakeGoogle, "google:gemini-3.5-flash"),
        (FakeResponses, "openai:gpt-4o"),
        (FakeChat, "server:qwen"),
    ],
)


def solved(folder: Path, name: str, server: Loopback, seconds: float = 20) -> Patch:
    desk = Desk(
        exchanges=folder / "exchanges",
        budget=Budget(None),
        redactor=NOTHING,
        keys=dict.fromkeys(("anthropic", "google", "openai"), "k"),
        base_urls={name.partition(":")[0]: server.url},
        timeout_seconds=seconds,
    )
    return build(name, desk).solve(make_task(), CALC, 1)


def kept(folder: Path, name: str) -> tuple[Exchange | None, list[Failure]]:
    store, slot = ExchangeStore(folder / "exchanges", NOTHING), Slot(name, make_task().id, 1)
    return store.answer(slot), store.failures(slot)


@EACH
def test_half_an_answer_is_no_answer_and_is_kept(
    tmp_path: Path, fake: type[Loopback], name: str
) -> None:
    """Asked four times, not the model's fault, and all parts that came are on disk."""
    text = "one two three four five six seven"
    with fake(in_order(Behaviour(kind="reset", text=text))) as server:
        patch = solved(tmp_path, name, server)
        assert len(server.asked) == 4
    answer, failures = kept(tmp_path, name)
    assert (patch.stop, patch.diff, patch.failed_requests) == (Stop.PROVIDER_FAILED, "", 4)
    assert not patch.stop.final
    assert (answer, len(failures)) == (None, 4)
    assert all(failure.text and text.startswith(failure.text) for failure in failures)
    assert all(failure.seconds is not None for failure in failures)


@EACH
def test_an_overload_within_a_stream_is_asked_again(
    tmp_path: Path, fake: type[Loopback], name: str
) -> None:
    plan = in_order(Behaviour(kind="overload_in_stream"), Behaviour(text=FIX))
    with fake(plan) as server:
        patch = solved(tmp_path, name, server)
        assert len(server.asked) == 2
    answer, (failure,) = kept(tmp_path, name)
    assert (patch.stop, patch.failed_requests) == (Stop.ANSWERED, 1)
    assert "overload" in failure.error.lower()
    assert answer is not None


def test_a_service_that_hangs_ends_at_the_time_limit(tmp_path: Path) -> None:
    name = "server:qwen"
    with FakeChat(in_order(Behaviour(seconds=0.5), Behaviour(text=FIX))) as server:
        patch = solved(tmp_path, name, server, seconds=0.2)
    _, (failure,) = kept(tmp_path, name)
    assert patch.stop is Stop.ANSWERED
    assert patch.cost_usd is None  # what hung may have been billed
    assert failure.seconds is not None
    assert failure.seconds >= 0.2
    assert patch.seconds is not None
    assert patch.seconds < failure.seconds + 0.2


@pytest.mark.parametrize("lie", ["less than nothing", "nothing asked", "nothing written"])
@EACH
def test_counts_that_cannot_be_are_unknown_and_the_answer_counts(
    tmp_path: Path, fake: type[Loopback], name: str, lie: str
) -> None:
    """Bug: a service that counted nothing had answered for nothing."""
    behaviour = Behaviour(text=FIX, output_tokens=0)
    if lie == "nothing asked":
        behaviour = Behaviour(text=FIX, input_tokens=0)
    if lie == "less than nothing":
        wrong = (-7, 0) if fake is FakeAnthropic else (10, 999)
        behaviour = Behaviour(text=FIX, input_tokens=wrong[0], cached_tokens=wrong[1])
    with fake(in_order(behaviour)) as server:
        patch = solved(tmp_path, name, server)
        assert len(server.asked) == 1
    answer, _ = kept(tmp_path, name)
    assert (patch.stop, patch.usage, patch.cost_usd) == (Stop.ANSWERED, None, None)
    assert answer is not None
    assert (answer.text, answer.usage) == (FIX, None)
    assert answer.raw_usage


@EACH
def test_a_model_that_is_changed_midway_is_shown(
    tmp_path: Path, fake: type[Loopback], name: str
) -> None:
    """Between a first answer and the one that mends it; the report names both beside the row."""
    plan = in_order(Behaviour(text="no idea", model="m-1"), Behaviour(text=FIX, model="m-2"))
    with fake(plan) as server:
        patch = solved(tmp_path, name, server)
    assert (patch.stop, patch.served_model) == (Stop.ANSWERED, "m-1, m-2")
    first, _ = kept(tmp_path, name)
    assert first is not None
    assert (first.requested_model, first.served_model) == (name.partition(":")[2], "m-1")
    report = tally(facts({name: "P"}, adjust=lambda given: given.model_copy(
        update={"served_model": patch.served_model, "requested_model": patch.requested_model}
    )))  # fmt: skip
    assert label(report.entrants[0]) == "answered by m-1, m-2"


ASKS = (
    "for n in 1 2; do curl -s $OPENAI_BASE_URL/chat/completions -H content-type:application/json "
    '-d \'{"model":"qwen","stream":true,"messages":[{"role":"user","content":"\'$n\'"}]}\'; '
    "done; echo fixed >> src/calc.py"
)
DIALOGS = pytest.mark.parametrize("strategy", ["agent", "command=asks"])


def worked(folder: Path, strategy: str, server: Loopback, seconds: float = 20) -> Patch:
    files = {path: text for path, text in CALC.contents.items() if text}
    (folder / "open").mkdir()
    desk = Desk(
        exchanges=folder / "exchanges",
        budget=Budget(None),
        redactor=NOTHING,
        base_urls={"server": server.url},
        timeout_seconds=seconds,
        benches=LocalBenches(folder, files),
        open_benches=LocalOpenBenches(folder / "open", files),
        commands={"asks": Command(run=ASKS)},
    )
    return build(f"server:qwen+{strategy}", desk).solve(make_task(), CALC, 1)


@DIALOGS
def test_a_service_that_hangs_in_a_dialog(tmp_path: Path, strategy: str) -> None:
    """Each question that it left is on disk, and its cost is not known."""
    with FakeChat(in_order(Behaviour(seconds=0.6))) as server:
        patch = worked(tmp_path, strategy, server, seconds=0.3)
        asked = len(server.asked)
    files = [path.read_text() for path in tmp_path.glob("exchanges/*/*.failed-*.json")]
    assert (patch.failed_requests, patch.cost_usd) == (asked, None)
    assert patch.stop is (Stop.PROVIDER_FAILED if strategy == "agent" else Stop.ANSWERED)
    assert len(files) == asked
    for failure in map(Failure.model_validate_json, files):
        assert failure.cost_usd is None
        assert failure.seconds is not None


@DIALOGS
def test_a_model_that_is_changed_within_a_dialog_is_shown(tmp_path: Path, strategy: str) -> None:
    done = ("```sh\necho fixed >> src/calc.py\n```", "SUBMIT")
    plan = [Behaviour(text=text, model=f"m-{n}") for n, text in enumerate(done, 1)]
    with FakeChat(in_order(*plan)) as server:
        patch = worked(tmp_path, strategy, server)
    assert (patch.stop, patch.served_model) == (Stop.ANSWERED, "m-1, m-2")
