"""A model that finds out how tests are run: one question, and one block of an answer, at a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from models.exchange import Slot
from models.exchange_store import ExchangeStore
from models.prompt import fenced, templates
from models.provider import Request
from models.rewrite import Answers
from models.spec import parse

MOST_TURNS = 12
_OUTPUT_CHARS = 4000
_BLOCK = re.compile(r"^```(sh|bash|shell|toml)[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)

Kind = Literal["command", "recipe", "none"]


@dataclass(frozen=True)
class Turn:
    """One answer, and what came of it."""

    answer: str
    output: str
    failed: bool


@dataclass(frozen=True, kw_only=True)
class Broken:
    """What is to be repaired."""

    commit: str
    recipe: str
    """The detected recipe as text."""
    trouble: str
    files: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a model wants to be done."""

    kind: Kind
    text: str
    """Shell or TOML; of an answer without one block, why it cannot be used."""
    answer: str
    """All that the model said."""


@dataclass(frozen=True, kw_only=True)
class Repairer:
    """Asks one model; made by `models.registry.repairer`."""

    name: str
    answers: Answers
    store: ExchangeStore
    max_output_tokens: int

    def next(self, broken: Broken, turns: Sequence[Turn]) -> Step:
        """The model's next step. An answer of an earlier run to the same turn is taken again.

        Outputs hold times and so differ from run to run; a paid answer counts all the same.
        Raises AskFailedError, OverBudgetError or UsageError.
        """
        slot = Slot(f"repair:{self.name}", broken.commit[:12], 1, len(turns) + 1)
        exchange = self.store.answer(slot)
        if exchange is None:
            exchange = self.answers.ask(slot, self._request(broken, turns))
        kind, text = read_step(exchange.text)
        return Step(kind=kind, text=text, answer=exchange.text)

    def _request(self, broken: Broken, turns: Sequence[Turn]) -> Request:
        user = (
            templates()
            .get_template("repair.md.j2")
            .render(
                recipe=broken.recipe,
                trouble=broken.trouble,
                files="\n".join(broken.files),
                turns=[Turn(t.answer, t.output[-_OUTPUT_CHARS:], t.failed) for t in turns],
                left=MOST_TURNS - len(turns),
                fenced=fenced,
            )
        )
        system = templates().get_template("repair_system.md.j2").render()
        return parse(self.name).request(system, user, self.max_output_tokens)


def read_step(answer: str) -> tuple[Kind, str]:
    """The one block of an answer and its kind; never raises."""
    blocks = _BLOCK.findall(answer.replace("\r\n", "\n"))
    if len(blocks) != 1:
        return "none", f"the answer holds {len(blocks)} fenced blocks of sh or toml, not one"
    language, text = blocks[0]
    return ("recipe" if language == "toml" else "command"), text
