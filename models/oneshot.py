"""The entrant that asks a model once: context, prompt, answer, diff; and what mends that."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.types import Patch, Stop, Task
from models.answer import Edit, read_answer
from models.asker import Asker
from models.base import Files
from models.budget import OverBudgetError
from models.context import Outline
from models.dialog import Turn
from models.exchange import Exchange, Slot
from models.guidance import Guidance
from models.instructions import WithoutInstructions, instructions
from models.long_context import whole_repository
from models.patches import answered, unanswered
from models.prompt import make_long_prompt, make_prompt, templates
from models.provider import AskFailedError, Request
from models.spec import Spec

MENDABLE = (Stop.UNREADABLE, Stop.MISPLACED)
"""What a second answer may mend: not a refusal, and not an answer that was too long."""


@dataclass(frozen=True, kw_only=True)
class OneShot:
    """A model that sees the problem and part of the repository, and answers once.

    Where its answer cannot be read or placed, it is told so and may answer once more.
    """

    name: str
    spec: Spec
    asker: Asker
    max_output_tokens: int
    prompt_budget_chars: int
    outline: Outline | None = None
    """Tells what files define that there is no room for."""
    window_chars: int | None = None
    """Room for the whole repository; None = what fits best to the problem is shown instead."""
    guidance: Guidance | None = None
    """What stands in place of the repository's own words to coding agents; None = nothing."""

    def solve(self, task: Task, files: Files, attempt: int) -> Patch:
        """Ask the model, or take the answer that was paid for before.

        Raises UsageError for a rejected key, an unknown model or a damaged exchange file.
        """
        slots = [Slot(self.name, task.id, attempt)]
        store = self.asker.store
        request = self.request(task, files)
        files = self.guidance.over(files) if self.guidance else files
        try:
            exchange = self.asker.ask(slots[0], request)
            edit = read_answer(exchange.text, exchange.finish, files, self.spec.form)
            if self.spec.repair and edit.stop in MENDABLE:
                slots.append(slots[0].next)
                exchange = self.asker.ask(slots[1], _once_more(request, exchange, edit))
                again = read_answer(exchange.text, exchange.finish, files, self.spec.form)
                edit = after_mending(edit, again)
        except AskFailedError as error:
            return unanswered(store, slots, Stop.PROVIDER_FAILED, str(error), self.spec.model)
        except OverBudgetError as error:
            return unanswered(store, slots, Stop.OVER_BUDGET, str(error), self.spec.model)
        if self.guidance:
            edit = _without_guidance(edit, self.guidance)
        return answered(store, slots, edit, replayed=False)

    def request(self, task: Task, files: Files) -> Request:
        """What is asked of a task; the same whenever it is asked."""
        spec = self.spec
        if self.guidance:
            said = self.guidance.said() if spec.instructions else {}
            seen: Files = WithoutInstructions(files, self.guidance.covers)
        else:
            said = instructions(files) if spec.instructions else {}
            seen = files if spec.instructions is None else WithoutInstructions(files)
        if self.window_chars is None:
            prompt = make_prompt(
                task, seen, self.prompt_budget_chars, spec.form, said, self.outline
            )
        else:
            whole = whole_repository(seen, self.window_chars)
            prompt = make_long_prompt(task, whole, spec.form, said)
        return spec.request(prompt.system, prompt.user, self.max_output_tokens, prompt.prefix)


def after_mending(first: Edit, second: Edit) -> Edit:
    """The second answer's edit, and what was wrong with the first."""
    detail = "; ".join(filter(None, (second.detail, f"asked once more: {first.detail}")))
    return replace(second, detail=detail)


def _without_guidance(edit: Edit, guidance: Guidance) -> Edit:
    """What is changed of what was only laid over the repository is no part of a patch."""
    diff = guidance.without(edit.diff)
    if edit.diff and not diff:
        return replace(edit, stop=Stop.EMPTY, diff="", detail="only guidance was changed")
    return replace(edit, diff=diff)


def _once_more(request: Request, exchange: Exchange, edit: Edit) -> Request:
    """The same question, with what was answered and why that is of no use."""
    reply = templates().get_template("mend.md.j2").render(trouble=edit.detail)
    turn = Turn(text=exchange.text, reply=reply)
    return request.model_copy(update={"turns": (turn,)})
