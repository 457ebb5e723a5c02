"""A task's statement in a model's words: asked, kept and paid for like any other answer.

The model sees what the statement says and the names that the solver is told as well, and
never a patch: what it has not seen it cannot give away.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from core.redact import NOTHING
from core.types import Stop, Task
from models.budget import OverBudgetError
from models.exchange import Exchange, Failure, Slot
from models.exchange_store import ExchangeStore
from models.prompt import Prompt, described, fenced, templates
from models.provider import AskFailedError, Finish, Request
from models.spec import parse

_LONGEST_TITLE = 200
_HEADING = re.compile(r"(?:#{1,6} |\**title:\** )", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Rewritten:
    """What a model made of a statement, and what that took."""

    stop: Stop
    title: str = ""
    """One line; empty unless `stop` is `answered`, and so is `text`."""
    text: str = ""
    detail: str = ""
    cost_usd: Decimal | None
    """US dollars billed, all retries and failures included; None = unknown, never 0."""
    exchanges: tuple[str, ...] = ()
    """Files below the run folder that hold the raw requests and answers."""
    replayed: bool = False
    fiction: str | None = None
    """Set when the answer was written by hand; must be shown wherever the answer is."""


class Answers(Protocol):
    """Where answers come from: `Asker` for a model, `Recordings` for a replay."""

    def ask(self, slot: Slot, request: Request, key: str | None = None) -> Exchange:
        """The answer, on disk; `key` as in `Asker.ask`.

        Raises AskFailedError, OverBudgetError or UsageError.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Recordings:
    """Answers with what was recorded for the same rewriter and task; calls no one.

    The prompt is not compared: recordings outlive changes of it.
    """

    source: ExchangeStore
    store: ExchangeStore

    def ask(self, slot: Slot, request: Request, key: str | None = None) -> Exchange:  # noqa: ARG002
        """The recorded answer, also copied into this run's own folder."""
        exchange = self.source.answer(slot)
        if exchange is None:
            missing = self.source.path(slot)
            raise AskFailedError(f"no recorded answer: {missing} does not exist")
        self.store.adopt(slot, self.source)
        return exchange


@dataclass(frozen=True, kw_only=True)
class Rewriter:
    """A model that writes statements anew; made by `models.registry.rewriter`."""

    name: str
    answers: Answers
    store: ExchangeStore
    max_output_tokens: int
    prompt_budget_chars: int

    def rewrite(self, task: Task) -> Rewritten:
        """Ask for a task's statement as it stands, or take the answer paid for before.

        Whatever the provider does ends in a result whose `stop` says how. Raises UsageError
        for a rejected key, an unknown model or a damaged exchange file.
        """
        slot = slot_of(self.name, task.id)
        try:
            exchange = self.answers.ask(slot, self._request(task))
        except AskFailedError as error:
            return self._unanswered(slot, Stop.PROVIDER_FAILED, str(error))
        except OverBudgetError as error:
            return self._unanswered(slot, Stop.OVER_BUDGET, str(error))
        stop, title, text, detail = read_rewriting(exchange.text, exchange.finish)
        return Rewritten(
            stop=stop,
            title=title,
            text=text,
            detail=detail,
            cost_usd=_cost([*self.store.failures(slot), exchange]),
            exchanges=self.store.names(slot),
            replayed=isinstance(self.answers, Recordings),
            fiction=exchange.fiction,
        )

    def _unanswered(self, slot: Slot, stop: Stop, detail: str) -> Rewritten:
        cost = _cost(self.store.failures(slot))
        return Rewritten(stop=stop, detail=detail, cost_usd=cost, exchanges=self.store.names(slot))

    def _request(self, task: Task) -> Request:
        prompt = make_prompt(task, self.prompt_budget_chars)
        return parse(self.name).request(prompt.system, prompt.user, self.max_output_tokens)


def slot_of(name: str, task_id: str) -> Slot:
    """The place of a rewriting among the exchanges; no entrant's name begins like that."""
    return Slot(f"rewrite:{name}", task_id, 1)


def billed(exchanges: Path, name: str, task_ids: Iterable[str]) -> Decimal | None:
    """US dollars that the kept rewritings of these tasks by one model cost.

    Asks no one, so that a report can be made at any time. None where a part is not known.
    Raises StoreError for a damaged file.
    """
    store = ExchangeStore(exchanges, NOTHING)  # nothing is written
    kept: list[Failure | Exchange] = []
    for task_id in task_ids:
        slot = slot_of(name, task_id)
        answer = store.answer(slot)
        kept += [*store.failures(slot), *([answer] if answer else [])]
    return _cost(kept)


def make_prompt(task: Task, budget_chars: int) -> Prompt:
    """The question for a task; its statement is cut to `budget_chars` characters."""
    statement = f"{task.title}\n\n{task.statement}".strip()
    shown = statement[:budget_chars]
    user = (
        templates()
        .get_template("rewrite.md.j2")
        .render(
            statement=shown,
            statement_cut=len(shown) < len(statement),
            languages=task.difficulty.languages,
            # Without where the fix defines them: that would find its way into the statement.
            names="\n".join(described(name, where=False) for name in task.expects),
            fenced=fenced,
        )
    )
    return Prompt(templates().get_template("rewrite_system.md.j2").render(), user)


def read_rewriting(text: str, finish: Finish) -> tuple[Stop, str, str, str]:
    """How an answer ended, its title, its text and a detail; never raises."""
    if finish in ("refusal", "safety"):
        return Stop.REFUSED, "", "", f"{finish}: {_line(text)[:200]}".rstrip(": ")
    if finish == "length":
        return Stop.TRUNCATED, "", "", "the answer hit the length limit"
    plain = _unwrapped(_printable(text)).strip()
    if not plain:
        return Stop.EMPTY, "", "", "the answer has no text"
    first, _, rest = plain.partition("\n")
    title, body = _title(first), rest.strip()
    if not body and title.rstrip(".").upper() == "UNCLEAR":
        return Stop.UNREADABLE, "", "", "the model says that the statement is unclear"
    if not title or not body or len(title) > _LONGEST_TITLE:
        return Stop.UNREADABLE, "", "", "the answer is no title with a text below it"
    return Stop.ANSWERED, title, body, ""


def _title(first: str) -> str:
    line = _without_bold(_line(first))
    heading = _HEADING.match(line)
    return _without_bold(line[heading.end() :]) if heading else line


def _without_bold(line: str) -> str:
    bold = len(line) > 4 and line.startswith("**") and line.endswith("**")
    return line[2:-2].strip() if bold else line


def _unwrapped(text: str) -> str:
    """Without a fence around the whole of it."""
    lines = text.strip().split("\n")
    mark = lines[0].rstrip(string.ascii_letters)
    if len(mark) < 3 or mark != "`" * len(mark):
        return text
    closes = [at for at, line in enumerate(lines[1:], 1) if line.strip() == mark]
    return "\n".join(lines[1:-1]) if closes == [len(lines) - 1] else text


def _printable(text: str) -> str:
    """Without control characters, which no prompt and no report should carry on."""
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in unix if c in "\n\t" or unicodedata.category(c) != "Cc")


def _line(text: str) -> str:
    return " ".join(text.split())


def _cost(kept: Iterable[Failure | Exchange]) -> Decimal | None:
    """The sum; None as soon as one part of it is not known."""
    total = Decimal(0)
    for record in kept:
        if record.cost_usd is None:
            return None
        total += record.cost_usd
    return total
