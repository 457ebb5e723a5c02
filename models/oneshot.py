"""The entrant that asks a model once: context, prompt, answer, diff."""

from __future__ import annotations

from dataclasses import dataclass

from core.types import Patch, Stop, Task
from models.asker import Asker
from models.base import Files
from models.budget import OverBudgetError
from models.exchange import Slot
from models.patches import answered, unanswered
from models.prompt import make_prompt
from models.provider import AskFailedError, Request
from models.spec import Spec


@dataclass(frozen=True, kw_only=True)
class OneShot:
    """A model that sees the problem and part of the repository, and answers once."""

    name: str
    spec: Spec
    asker: Asker
    max_output_tokens: int
    prompt_budget_chars: int

    def solve(self, task: Task, files: Files, attempt: int) -> Patch:
        """Ask the model, or take the answer that was paid for before.

        Raises UsageError for a rejected key, an unknown model or a damaged exchange file.
        """
        slot = Slot(self.name, task.id, attempt)
        store = self.asker.store
        try:
            exchange = self.asker.ask(slot, self._request(task, files))
        except AskFailedError as error:
            return unanswered(store, slot, Stop.PROVIDER_FAILED, str(error), self.spec.model)
        except OverBudgetError as error:
            return unanswered(store, slot, Stop.OVER_BUDGET, str(error), self.spec.model)
        return answered(store, slot, exchange, files, replayed=False)

    def _request(self, task: Task, files: Files) -> Request:
        prompt = make_prompt(task, files, self.prompt_budget_chars)
        return self.spec.request(prompt.system, prompt.user, self.max_output_tokens)
