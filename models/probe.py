"""Whether a model remembers a fix: it is told the title alone, and asked for the diff."""

from __future__ import annotations

from dataclasses import dataclass

from core.echo import Echo, OwnWords, own_words
from core.types import Probe, Stop, Task
from models.budget import OverBudgetError
from models.exchange import Exchange, Failure, Slot
from models.exchange_store import ExchangeStore
from models.patches import cost_of, usage_of
from models.prompt import fenced, templates
from models.provider import AskFailedError, Finish, Request
from models.rewrite import Answers, Recordings
from models.spec import parse
from models.unified import find_diff

_LONGEST_TITLE = 300


@dataclass(frozen=True, kw_only=True)
class Prober:
    """Asks one entrant's model; made by `models.registry.prober`."""

    name: str
    """The entrant's."""
    answers: Answers
    store: ExchangeStore
    max_output_tokens: int

    def probe(self, task: Task, repository: str) -> Probe:
        """Ask about a task's fix, or take the answer that was paid for before.

        Whatever the provider does ends in a Probe whose `stop` says how. Raises UsageError for
        a rejected key, an unknown model or a damaged exchange file.
        """
        slot = slot_of(self.name, task.id)
        try:
            exchange = self.answers.ask(slot, self._request(task, repository))
        except AskFailedError as error:
            return self._probe(slot, None, Stop.PROVIDER_FAILED, str(error))
        except OverBudgetError as error:
            return self._probe(slot, None, Stop.OVER_BUDGET, str(error))
        stop, echo, detail = read_probe(exchange.text, exchange.finish, own_words(task))
        return self._probe(slot, exchange, stop, detail, echo)

    def _probe(
        self,
        slot: Slot,
        exchange: Exchange | None,
        stop: Stop,
        detail: str,
        echo: Echo | None = None,
    ) -> Probe:
        billed: list[Failure | Exchange] = [
            *self.store.failures(slot),
            *([exchange] if exchange else []),
        ]
        return Probe(
            task_id=slot.task_id,
            entrant=self.name,
            stop=stop,
            detail=detail,
            similarity=echo.share if echo else None,
            verbatim=echo.lines if echo else (),
            cost_usd=cost_of(billed),
            usage=usage_of(billed),
            replayed=isinstance(self.answers, Recordings),
            fiction=exchange.fiction if exchange else None,
            exchanges=self.store.names(slot),
        )

    def _request(self, task: Task, repository: str) -> Request:
        ask = templates().get_template("probe.md.j2")
        user = ask.render(
            repository=repository,
            title=" ".join(task.title.split())[:_LONGEST_TITLE],
            fenced=fenced,
        )
        system = templates().get_template("probe_system.md.j2").render()
        return parse(self.name).request(system, user, self.max_output_tokens)


def slot_of(name: str, task_id: str) -> Slot:
    """The place of a probe among the exchanges; no entrant's name begins like that."""
    return Slot(f"probe:{name}", task_id, 1)


def read_probe(text: str, finish: Finish, own: OwnWords) -> tuple[Stop, Echo | None, str]:
    """How an answer ended, what of the fix it holds, and a detail; never raises."""
    if finish in ("refusal", "safety"):
        return Stop.REFUSED, None, finish
    if finish == "length":
        return Stop.TRUNCATED, None, "the answer hit the length limit"
    diff = find_diff(text)
    if diff is None:
        return (Stop.UNREADABLE if text.strip() else Stop.EMPTY), None, "no diff in the answer"
    return Stop.ANSWERED, own.echo(diff), ""
