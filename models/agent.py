"""The entrant that works in a container, a step at a time, until it submits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from core.bench import BenchEndedError, Benches, Workbench
from core.errors import EngineError
from core.types import Patch, Stop, Task
from models.agent_text import UnclearError, calls_of
from models.agent_tools import SUBMIT, TOOLS, do
from models.base import Files
from models.budget import OverBudgetError
from models.compaction import compacted
from models.dialog import Call, Result, Turn
from models.exchange import Exchange, Slot
from models.exchange_store import ExchangeStore
from models.guidance import Guidance, prepare
from models.instructions import (
    WithoutInstructions,
    instructions,
    is_instruction,
    without_them,
)
from models.patches import Ended, of_dialog, unanswered
from models.prompt import make_agent_prompt
from models.provider import AskFailedError, Request
from models.rewrite import Answers, Recordings
from models.spec import Spec

_BENCHES = 2
"""How often a container that fails is made anew; what was answered so far is not paid again."""


@dataclass(frozen=True, kw_only=True)
class AgentLimits:
    """What one attempt of an agent may take; at each limit its work so far is judged."""

    steps: int = 50
    seconds: float = 1800
    """Of thinking and of commands together."""
    command_seconds: float = 300
    usd: Decimal | None = None
    """What one attempt may cost; the step that goes beyond it is the last."""


@dataclass(frozen=True, kw_only=True)
class Agent:
    """A model with tools in a workbench."""

    name: str
    spec: Spec
    answers: Answers
    store: ExchangeStore
    benches: Benches
    limits: AgentLimits
    max_output_tokens: int
    prompt_budget_chars: int
    window_chars: int
    """How much of a dialog is sent at most; what is older is left out."""
    tools: bool
    """False = the tools are described in words, and asked for in words."""
    guidance: Guidance | None = None
    """See OneShot."""

    def solve(self, task: Task, files: Files, attempt: int) -> Patch:
        """Let the model work. Answers that were paid for before are taken again, and what they
        asked for is done again. Raises UsageError as OneShot.
        """
        for _ in range(_BENCHES):
            try:
                return self._in_a_bench(task, files, attempt)
            except EngineError as error:
                broken = str(error)
        slots = [Slot(self.name, task.id, attempt)]
        return unanswered(self.store, slots, Stop.ENVIRONMENT_BROKEN, broken, self.spec.model)

    def _in_a_bench(self, task: Task, files: Files, attempt: int) -> Patch:
        with self.benches(task) as bench:
            first = self.first(task, files, bench.tests)
            given = self.spec.instructions is not False
            if self.guidance or not given:
                prepare(bench, files, self.guidance, given=given)
            work = _Work(self, Slot(self.name, task.id, attempt), first, bench)
            ended = work.to_the_end()
            return of_dialog(
                self.store,
                work.slots,
                ended,
                self.spec.model,
                replayed=isinstance(self.answers, Recordings),
            )

    def first(self, task: Task, files: Files, tests: str) -> Request:
        """What a dialog begins with; `tests` is how the tests are run where it takes place."""
        given, guidance = self.spec.instructions, self.guidance
        said = guidance.said() if guidance else instructions(files)
        seen = guidance.over(files) if guidance else files
        if given is False:
            seen = WithoutInstructions(files, guidance.covers if guidance else is_instruction)
        prompt = make_agent_prompt(
            task,
            seen,
            self.prompt_budget_chars,
            steps=self.limits.steps,
            text=not self.tools,
            tests=tests,
            instructions=said if given else {},
        )
        request = self.spec.request(prompt.system, prompt.user, self.max_output_tokens)
        return request.model_copy(update={"tools": TOOLS}) if self.tools else request


@dataclass
class _Work:
    """One attempt under way."""

    agent: Agent
    start: Slot
    first: Request
    bench: Workbench
    turns: list[Turn] = field(default_factory=list)
    asked: int = 1
    """Questions so far; what lies behind them on disk is of another dialog."""
    key: str = ""
    seconds: float = 0.0
    spent: Decimal = Decimal(0)

    @property
    def slots(self) -> list[Slot]:
        """Those of all answers, and of the one that was asked for last."""
        return [self._slot(number) for number in range(1, self.asked + 1)]

    def to_the_end(self) -> Ended:
        """Step after step, until it submits or reaches a limit."""
        try:
            return self._steps()
        except BenchEndedError as error:
            return self._ended(Stop.EMPTY, str(error))

    def _steps(self) -> Ended:
        while True:
            try:
                exchange = self._ask()
            except AskFailedError as error:
                return self._ended(Stop.PROVIDER_FAILED, str(error))
            except OverBudgetError as error:
                return self._ended(Stop.OVER_BUDGET, str(error))
            if exchange.finish in ("refusal", "safety"):
                words = " ".join(exchange.text.split())[:200]
                return self._ended(Stop.REFUSED, f"{exchange.finish}: {words}")
            self._count(exchange)
            calls = self._carry_out(exchange)
            if any(call.name == SUBMIT for call in calls):
                return self._handed_in("")
            if limit := self._limit():
                return self._handed_in(limit)

    def _ask(self) -> Exchange:
        self.asked = number = len(self.turns) + 1
        turns = compacted(self.turns, self.agent.window_chars - self.first.characters)
        request = self.first.model_copy(update={"turns": turns})
        # By the answers so far: what commands print differs from run to run.
        said = [(t.text, [c.model_dump() for c in t.calls]) for t in self.turns[-1:]]
        chain = f"{self.key or self.first.sha256}\0{json.dumps(said, sort_keys=True)}"
        self.key = hashlib.sha256(chain.encode()).hexdigest()
        return self.agent.answers.ask(self._slot(number), request, self.key)

    def _carry_out(self, exchange: Exchange) -> Sequence[Call]:
        """Do what an answer asks for, and note what came of it as the next turn."""
        calls, reply = exchange.calls, ""
        if exchange.finish == "length":
            # A call that was cut off may look whole; what it would do is not what was meant.
            calls, reply = (), "Your answer was cut off at its length limit. Take a smaller step."
        elif not self.agent.tools:
            try:
                calls = calls_of(exchange.text)
            except UnclearError as error:
                reply = f"Nothing was done: {error}."
        elif not calls:
            reply = "Nothing was done. Use a tool, or `submit` if the problem is solved."
        results = tuple(self._do(call) for call in calls)
        self.turns.append(self._turn(exchange, results, reply))
        return calls

    def _do(self, call: Call) -> Result:
        result, seconds = do(call, self.bench, self.agent.limits.command_seconds)
        self.seconds += seconds
        return result

    def _turn(self, exchange: Exchange, results: tuple[Result, ...], reply: str) -> Turn:
        if self.agent.tools:
            cut = exchange.finish == "length" and exchange.calls
            return Turn(
                text=exchange.text,
                calls=() if cut else exchange.calls,
                said=None if cut else exchange.said,
                results=results,
                reply=reply,
            )
        shown = [f"{'failed: ' if r.failed else ''}{r.content}" for r in results]
        return Turn(text=exchange.text, reply="\n\n".join([*shown, reply]).strip() or "done")

    def _count(self, exchange: Exchange) -> None:
        self.seconds += exchange.seconds or 0.0
        self.spent += exchange.cost_usd or 0

    def _limit(self) -> str:
        limits = self.agent.limits
        if len(self.turns) >= limits.steps:
            return f"stopped after {limits.steps} steps"
        if self.seconds > limits.seconds:
            return f"stopped after {self.seconds:.0f} s"
        if limits.usd is not None and self.spent > limits.usd:
            return f"stopped after ${self.spent:.4f}"
        return ""

    def _handed_in(self, detail: str) -> Ended:
        diff = self.bench.diff()
        if self.agent.guidance:
            diff = self.agent.guidance.without(diff)
        elif self.agent.spec.instructions is False:
            diff = without_them(diff)
        if not diff:
            return self._ended(Stop.EMPTY, "; ".join(filter(None, (detail, "nothing changed"))))
        return Ended(Stop.ANSWERED, detail, diff, self.seconds)

    def _ended(self, stop: Stop, detail: str) -> Ended:
        return Ended(stop, detail, "", self.seconds)

    def _slot(self, turn: int) -> Slot:
        return Slot(self.start.entrant, self.start.task_id, self.start.attempt, turn)
