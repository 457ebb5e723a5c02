"""What a model is asked, as text: the same task always gives the same prompt."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.types import Expected, Task
from models.answer import Form
from models.base import Files
from models.context import Context, Outline, choose, listing

if TYPE_CHECKING:
    import jinja2

    from models.long_context import Whole


MOST_STATEMENT = 60_000
"""Characters, where the whole repository is sent as well."""
_MOST_WORD = 60_000
"""Bytes of a statement that is a word of a command line: the kernel takes twice as many."""
_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True)
class Prompt:
    """The two parts of a question."""

    system: str
    user: str
    prefix: str = ""
    """What stands before `user`, and is the same for all tasks of a commit."""


def make_prompt(
    task: Task,
    files: Files,
    budget_chars: int,
    form: Form = "blocks",
    instructions: Mapping[str, str] = _NOTHING,
    outline: Outline | None = None,
) -> Prompt:
    """The prompt for a task; its parts share `budget_chars` characters."""
    statement = f"{task.title}\n\n{task.statement}".strip()
    shown = statement[: budget_chars // 2]
    names = _expected(task.expects, budget_chars // 8)
    context = choose(task, files, budget_chars - len(shown) - len(names), outline)
    return render(
        shown,
        context,
        cut=len(shown) < len(statement),
        names=names,
        form=form,
        instructions=instructions,
    )


def make_long_prompt(
    task: Task,
    whole: Whole,
    form: Form = "blocks",
    instructions: Mapping[str, str] = _NOTHING,
) -> Prompt:
    """The prompt for a task after the repository itself, which comes first for all its tasks."""
    statement = f"{task.title}\n\n{task.statement}".strip()
    prompt = render(
        statement[:MOST_STATEMENT],
        Context((), whole.left_out, ()),
        cut=len(statement) > MOST_STATEMENT,
        names=_expected(task.expects, MOST_STATEMENT // 4),
        form=form,
        seen="whole",
        instructions=instructions,
    )
    return replace(prompt, prefix=f"{whole.text}\n")


def make_agent_prompt(
    task: Task,
    files: Files,
    budget_chars: int,
    *,
    steps: int,
    text: bool,
    tests: str,
    instructions: Mapping[str, str] = _NOTHING,
) -> Prompt:
    """The prompt of an agent, which reads files by itself; `text` = without tools."""
    statement = f"{task.title}\n\n{task.statement}".strip()
    shown = statement[: budget_chars // 2]
    names = _expected(task.expects, budget_chars // 8)
    listed = listing(files, budget_chars // 8)
    known = templates()
    user = known.get_template("agent.md.j2").render(
        statement=shown,
        statement_cut=len(shown) < len(statement),
        names=names,
        listing="\n".join(listed.paths),
        left_out=listed.left_out,
        tests=tests,
        instructions=instructions,
        fenced=fenced,
        fenced_name=fenced_name,
    )
    system = known.get_template("agent_system.md.j2").render(steps=steps, text=text)
    return Prompt(system, user)


def make_command_prompt(task: Task, tests: str) -> str:
    """What somebody else's agent is told; short enough for one word of a command line."""
    statement = f"{task.title}\n\n{task.statement}".strip()
    shown = statement.encode("utf-8", "replace")[:_MOST_WORD].decode(errors="ignore")
    return (
        templates()
        .get_template("command.md.j2")
        .render(
            statement=shown,
            statement_cut=len(shown) < len(statement),
            names=_expected(task.expects, MOST_STATEMENT // 4),
            tests=tests,
            fenced=fenced,
        )
    )


def described(name: Expected, *, where: bool) -> str:
    """One name that the tests expect, in a line; with `where`, its file as well."""
    if name.kind == "message":
        what = f"a message that holds: {_line(name.name)}"
    elif name.kind == "parameter":
        what = f"parameter {_line(name.name)} of {_line(name.signature)}"
    else:
        between = "" if name.signature.startswith("(") else " "
        what = f"{name.kind} {_line(name.name)}{between}{_line(name.signature)}".rstrip()
    return f"{what}, in {name.path}" if where and name.path else what


def _expected(names: Sequence[Expected], most: int) -> str:
    """As many whole lines as there is room for."""
    lines: list[str] = []
    for name in names:
        line = described(name, where=True)
        most -= len(line) + 1
        if most < 0:
            break
        lines.append(line)
    return "\n".join(lines)


def _line(text: str) -> str:
    return " ".join(text.split())


def render(
    statement: str,
    context: Context,
    *,
    cut: bool = False,
    names: str = "",
    form: Form = "blocks",
    seen: str = "files",
    instructions: Mapping[str, str] = _NOTHING,
) -> Prompt:
    """Put a statement and what is shown of the repository into the templates."""
    known = templates()
    user = known.get_template("prompt.md.j2").render(
        statement=statement,
        statement_cut=cut,
        names=names,
        format=form,
        seen=seen,
        instructions=instructions,
        listing="\n".join(context.listing),
        left_out=context.left_out,
        files=context.files,
        outlines=context.outlines,
        fenced=fenced,
        fenced_name=fenced_name,
    )
    return Prompt(known.get_template("system.md.j2").render(), user)


@functools.cache
def templates() -> jinja2.Environment:
    """The texts that models are sent."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("models"),
        autoescape=False,  # noqa: S701 -- plain text for a model, not HTML
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )


def fenced(text: str) -> str:
    """Text between fences longer than any in it, so that it cannot end its own fence."""
    fence = "`" * max(4, _longest_run(text) + 1)
    return f"{fence}\n{text.removesuffix(chr(10))}\n{fence}"


def fenced_name(path: str) -> str:
    """A path as inline code that it cannot end."""
    fence = "`" * (_longest_run(path) + 1)
    return f"{fence}{path}{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
