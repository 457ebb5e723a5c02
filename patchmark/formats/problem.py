"""The text that others' models are shown: the statement, and the names that the tests expect."""

from __future__ import annotations

from core.types import Task
from models.prompt import described

FRAME = (
    "The repository in `/repo` has the problem that is described below. Change its source files so "
    "that it is solved.\nTests that you do not see decide; changes of tests and of what steers "
    "them do not count.\n\n"
)
"""For agents: where they are, and by what they are judged."""
_HEADING = "The tests expect these names, which do not exist yet:"


def problem_statement(task: Task) -> str:
    """What our own prompts say of the problem, as Markdown."""
    if not task.expects:
        return task.statement
    names = "\n".join(f"- {described(name, where=True)}" for name in task.expects)
    return f"{task.statement.rstrip()}\n\n{_HEADING}\n\n{names}\n"
