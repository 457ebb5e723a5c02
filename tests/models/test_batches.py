"""Batches under the real SDKs: half price, found again after a crash, never paid for twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.fake_anthropic_batch import FakeAnthropicBatch
from support.fake_batches import FakeBatches, How, Kept
from support.fake_google_batch import FakeGoogleBatch
from support.fake_openai_batch import FakeOpenAIBatch
from support.tasks import CALC, FIX, make_task

from core.errors import UsageError
from core.redact import NOTHING
from core.types import Stop
from models import batching
from models.batch_store import BatchStore, pledged
from models.batching import LAG, Question
from models.budget import Budget
from models.desk import Desk
from models.estimate import estimate
from models.exchange import Slot
from models.exchange_store import ExchangeStore
from models.oneshot import OneShot
from models.pricing import Price
from models.registry import batcher, build
from models.spent import spent

NAMES = {
    FakeAnthropicBatch: "anthropic:claude-opus-4-8",
    FakeGoogleBatch: "google:gemini-3.5-flash",
    FakeOpenAIBatch: "openai:gpt-4o",
}
HALF = {  # 10,000 tokens in and 1,000 out, at half of $5/$25, $1.50/$9 and $2.50/$10 a million
    FakeAnthropicBatch: Decimal("0.0375"),
    FakeGoogleBatch: Decimal("0.012"),
    FakeOpenAIBatch: Decimal("0.0175"),
}
EACH = pytest.fixture(params=list(NAMES), ids=lambda fake: NAMES[fake].partition(":")[0])


class Team:
    """Someone with a run folder, whose process can be thought to have died at any line."""

    def __init__(self, folder: Path, server: FakeBatches, cap: str | None = None):
        self.folder, self.server, self.cap = folder / "exchanges", server, cap
        self.name = NAMES[type(server)]
        self.start()

    def start(self, **changes: Any) -> None:
        """A new process over the same folder."""
        already = spent(self.folder) + pledged(self.folder)
        self.budget = Budget(None if self.cap is None else Decimal(self.cap), already)
        service = self.name.partition(":")[0]
        desk = Desk(
            exchanges=self.folder, budget=self.budget, redactor=NOTHING, keys={service: "k"},
            base_urls={service: self.server.url}, timeout_seconds=20, **changes,
        )  # fmt: skip
        entrant = build(self.name, desk)
        assert isinstance(entrant, OneShot)
        made = batcher(entrant, desk)
        assert made is not None
        self.entrant, self.batcher = entrant, made

    @property
    def store(self) -> ExchangeStore:
        return self.entrant.asker.store

    def questions(self, count: int = 3) -> list[Question]:
        return [
            (Slot(self.name, make_task(n).id, 1), self.entrant.request(make_task(n), CALC))
            for n in range(count)
        ]

    def send(self, count: int = 3) -> list[Question]:
        return self.batcher.send(self.questions(count))


@EACH
def team(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Team]:
    with request.param() as server:
        server.ways.text = FIX
        yield Team(tmp_path, server)


@pytest.fixture
def claude(tmp_path: Path) -> Iterator[Team]:
    """One of them, where it does not matter which."""
    with FakeAnthropicBatch() as server:
        server.ways.text = FIX
        yield Team(tmp_path, server)


def test_answers_come_at_half_price_and_without_a_time(team: Team) -> None:
    assert team.send() == []
    assert (len(team.server.batches), len(team.server.questions)) == (1, 3)
    assert team.batcher.look() == 0
    assert {slot.task_id for slot in team.batcher.awaited()} == {make_task(n).id for n in range(3)}
    team.server.finish()
    assert team.batcher.look() == 1
    assert team.batcher.awaited() == set()
    half = HALF[type(team.server)]
    for n in range(3):
        patch = team.entrant.solve(make_task(n), CALC, 1)
        assert (patch.stop, patch.batched, patch.cost_usd) == (Stop.ANSWERED, True, half)
        assert (patch.seconds, patch.first_token_seconds) == (None, None)
        assert "return a + b" in patch.diff
        kept = json.loads((team.folder.parent / patch.exchanges[0]).read_text())
        assert kept["price"]["batch"] is True
        assert kept["served_model"] == kept["requested_model"]
    assert team.budget.spent == spent(team.folder) == 3 * half
    assert team.server.direct == []
    assert team.send() == []  # all is on disk
    assert len(team.server.batches) == 1


def test_a_users_own_price_is_halved_too(claude: Team) -> None:
    own = Price(input_usd_per_mtok=Decimal(100), output_usd_per_mtok=Decimal(1000))
    claude.start(prices={claude.name: own})
    claude.server.ways.at_once = True
    claude.send(1)
    claude.batcher.look()
    patch = claude.entrant.solve(make_task(0), CALC, 1)
    assert patch.cost_usd == Decimal(1)  # half of 0.01 × 100 and 0.001 × 1000


def test_a_batch_its_requests_and_ids_are_on_disk_before_it_is_sent(team: Team) -> None:
    seen: list[tuple[set[str], set[str | None]]] = []

    def look() -> None:
        (batch,) = BatchStore(team.folder).open()
        sent = [team.store.sent(batch.slot(item)) for item in batch.items]
        seen.append(({item.id for item in batch.items}, {one.batch for one in sent if one}))

    team.server.before_taken = look
    team.send()
    (ids, batches) = seen[0]
    (kept,) = BatchStore(team.folder).open()
    assert ids == set(team.server.batches[0].questions)
    assert batches == {kept.name}
    assert kept.remote is not None


@pytest.mark.parametrize("over", [False, True])
def test_a_batch_whose_id_was_never_noted_is_found_again(team: Team, over: bool) -> None:
    """The reply to its sending was lost, or the process killed before it could note the id."""
    strange = Kept("batch_0", "theirs", {key: {"model": "m"} for key in "abc"}, over=True)
    team.server.batches.append(strange)  # another's, as large as ours
    team.server.ways.lose_reply = True
    team.send()
    assert "not known yet" in team.batcher.trouble[0]
    team.start()  # the process was killed
    if over:
        team.server.finish()
    team.batcher.look()
    if not over:  # of a batch under way not every API tells whose it is
        assert len(team.batcher.awaited()) == 3
        team.server.finish()
        team.batcher.look()
    patches = [team.entrant.solve(make_task(n), CALC, 1) for n in range(3)]
    assert [patch.stop for patch in patches] == [Stop.ANSWERED] * 3
    assert len(team.server.batches) == 2, "paid for twice"
    assert team.server.direct == []


def die(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_batch_that_was_never_sent_is_sent(claude: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the batch was written down and before it was to be sent: nobody is asked."""
    with monkeypatch.context() as dying:
        dying.setattr(batching.Batcher, "_post", die)
        with pytest.raises(KeyboardInterrupt):
            claude.send()
    claude.start()
    claude.server.ways.unlisted = 1
    assert len(claude.batcher.awaited()) == 3
    assert claude.batcher.look() == 1
    assert claude.batcher.awaited() == set()
    assert claude.server.ways.unlisted == 1
    assert claude.budget.spent == 0


def test_a_batch_that_a_list_does_not_show_yet_is_not_sent_again(team: Team) -> None:
    """Bug: what the list lacked counted as never sent, and was paid for twice where that lags."""
    team.server.ways.lose_reply, team.server.ways.unlisted = True, 2
    team.send()
    team.start()  # the process was killed
    for _ in range(2):
        assert team.batcher.look() == 0
        assert "is not listed: before it is handed in anew" in team.batcher.trouble[-1]
        assert len(team.batcher.awaited()) == 3
    assert team.budget.spent > 0
    team.server.finish()
    assert team.batcher.look() == 1
    assert all(team.store.answer(slot) for slot, _ in team.questions())
    assert len(team.server.batches) == 1, "paid for twice"


def test_a_batch_that_no_list_shows_for_long_was_never_sent(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while it was sent, and it never arrived."""
    with monkeypatch.context() as dying:
        dying.setattr(team.batcher.api, "send", die)
        with pytest.raises(KeyboardInterrupt):
            team.send()
    team.start()
    assert team.batcher.look() == 0
    later = datetime.now(UTC) + LAG
    monkeypatch.setattr(batching, "_now", lambda: later)
    assert team.batcher.look() == 1
    assert team.batcher.awaited() == set()
    assert team.budget.spent == 0
    failures = team.store.failures(team.questions(1)[0][0])
    assert [failure.cost_usd for failure in failures] == [0]
    team.server.ways.at_once = True
    team.send()
    team.batcher.look()
    assert team.entrant.solve(make_task(0), CALC, 1).stop is Stop.ANSWERED
    assert len(team.server.batches) == 1


@pytest.mark.parametrize(("how", "cost"), [("errored", 0), ("expired", 0), ("missing", None)])
def test_what_was_not_answered_costs_nothing_and_is_asked_again(
    team: Team, how: How, cost: int | None
) -> None:
    team.server.ways.how = lambda question: how if "task-001" in json.dumps(question) else "done"
    team.send()
    team.server.finish()
    team.batcher.look()
    slot = team.questions()[1][0]
    assert [failure.cost_usd for failure in team.store.failures(slot)] == [cost]
    answered = [n for n in range(3) if team.store.answer(team.questions()[n][0])]
    assert answered == [0, 2]
    team.server.ways.how = lambda _: "done"
    team.send()
    assert len(team.server.questions) == 4
    team.server.finish()
    team.batcher.look()
    assert team.store.answer(slot) is not None
    assert team.server.direct == []


def test_killed_while_answers_are_kept(claude: Team) -> None:
    """Half of the answers are on disk, the batch is still open: the rest comes, no cost twice."""
    claude.send()
    claude.server.finish()
    (batch,) = BatchStore(claude.folder).open()
    claude.batcher.look()
    BatchStore(claude.folder).keep(batch)  # as it was before the last line of `look`
    claude.store.path(claude.questions()[2][0]).unlink()
    claude.start()
    assert claude.budget.spent > 3 * HALF[type(claude.server)]
    claude.batcher.look()
    assert all(claude.store.answer(slot) for slot, _ in claude.questions())
    assert claude.budget.spent == 3 * HALF[type(claude.server)]


def test_what_is_awaited_is_not_asked_at_once(claude: Team) -> None:
    claude.send(1)
    patch = claude.entrant.solve(make_task(0), CALC, 1)
    assert patch.stop is Stop.PROVIDER_FAILED
    assert "awaited" in patch.detail
    assert claude.server.direct == []


def test_another_question_at_the_same_place_loses_nothing(claude: Team) -> None:
    """An answer that comes to an old prompt must not replace the one to the new prompt."""
    claude.send(1)
    (slot, old) = claude.questions(1)[0]
    new = old.model_copy(update={"user": "another question"})
    claude.server.ways.at_once = True
    claude.batcher.send([(slot, new)])
    claude.batcher.look()
    assert len(claude.batcher.awaited()) == 1
    claude.server.finish()
    claude.batcher.look()
    for request in (new, old):
        kept = claude.entrant.asker.ask(slot, request)
        assert kept.request_sha256 == request.sha256
    assert len(claude.server.questions) == 2


def test_the_worst_case_of_all_is_set_aside_before_a_batch_is_sent(claude: Team) -> None:
    worst = [
        claude.batcher.asker.worst_case(request) or Decimal(0) for _, request in claude.questions()
    ]
    full = [
        claude.entrant.asker.worst_case(request) or Decimal(0) for _, request in claude.questions()
    ]
    assert [2 * usd for usd in worst] == full
    claude.cap = str(worst[0] + worst[1])
    claude.start()
    left = claude.send()
    assert [slot for slot, _ in left] == [claude.questions()[2][0]]
    assert claude.budget.spent == worst[0] + worst[1]
    claude.start()  # a run that ends meanwhile does not free the money
    assert claude.budget.spent == worst[0] + worst[1]
    claude.server.finish()
    claude.batcher.look()
    assert claude.budget.spent == 2 * HALF[type(claude.server)]
    assert claude.send() == []  # now there is room


def test_a_dry_run_tells_of_half_the_price_for_the_first_question(claude: Team) -> None:
    asked = (claude.entrant, make_task(0), CALC)
    whole, half = estimate(*asked), estimate(*asked, claude.batcher.asker)
    assert whole is not None
    assert half is not None
    assert half.least * 2 == whole.least
    assert (
        half.most * 4 == whole.most * 3
    )  # a second answer, where the first is of no use, is whole


def test_a_refused_batch_costs_nothing(team: Team) -> None:
    team.server.ways.refuse = 400
    team.send()
    assert "was not taken" in team.batcher.trouble[0]
    assert team.budget.spent == 0
    assert team.batcher.awaited() == set()
    team.send()
    assert len(team.server.batches) == 1


def test_a_rejected_key_ends_the_run(team: Team) -> None:
    team.server.ways.refuse = 401
    with pytest.raises(UsageError, match="rejected the API key"):
        team.send()
    assert team.batcher.awaited() == set()


def test_a_batch_that_nobody_knows_any_more_has_an_unknown_cost(team: Team) -> None:
    team.send(1)
    team.server.batches.clear()
    team.batcher.look()
    assert [f.cost_usd for f in team.store.failures(team.questions(1)[0][0])] == [None]
    assert team.budget.spent > 0


def test_large_batches_are_parted(claude: Team) -> None:
    claude.batcher.api.most_items = 2
    claude.send(5)
    assert [len(batch.questions) for batch in claude.server.batches] == [2, 2, 1]
    claude.server.finish()
    assert claude.batcher.look() == 3


def test_who_is_not_asked_in_batches(tmp_path: Path) -> None:
    desk = Desk(exchanges=tmp_path, budget=Budget(None), redactor=NOTHING, keys={"azure": "k"},
                base_urls={"azure": "http://127.0.0.1:9"})  # fmt: skip
    for name in ("reference", "ollama:qwen", "azure:mine"):
        assert batcher(build(name, desk), desk) is None
