"""The live trial in the Action: what to try, trying it, and telling what came of it.

Three commands, so that each step holds no more than it needs: `live-plan` asks GitHub, `live` asks
models and needs no token, and `trial` writes to GitHub, in a job without keys.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from core.errors import PatchmarkError, UsageError
from core.git import Repository
from core.live import LiveResult
from patchmark.commands import errors
from patchmark.events import Event, payload_of
from patchmark.live_event import targets
from patchmark.live_result import read_all
from patchmark.live_run import Live
from patchmark.live_targets import Finder, NothingToTryError, Target
from patchmark.posting import repository_at
from patchmark.progress import Show
from patchmark.settings import Flags, Settings, make
from patchmark.shelf import USUAL, live_shelf
from patchmark.under_test import open_repository
from patchmark.workflow import Workflow
from reports import live as text
from reports.escape import prose

if TYPE_CHECKING:
    from patchmark.action_inputs import ActionInputs

T = TypeVar("T")


def run(
    inputs: ActionInputs, environment: Mapping[str, str], event: Event, workflow: Workflow
) -> int:
    """Do what the input `command` says, and return the exit code. Raises PatchmarkError."""
    if inputs.command == "live-plan":
        _plan(inputs, environment, event, workflow)
    elif inputs.command == "live":
        _try(inputs, workflow)
    else:
        from patchmark.live_telling import tell

        tell(inputs, environment, workflow, settings_of(inputs), _found(inputs))
    return 0


def settings_of(inputs: ActionInputs) -> Settings:
    """The settings that the inputs, the file and the process's environment make."""
    flags = Flags(
        repo=Path(inputs.repo_path),
        out=Path(inputs.run_folder),
        models=inputs.models or None,
        budget_usd=inputs.budget_usd or None,
        current_model=inputs.current_model or None,
        margin=_number("margin", inputs.margin),
        rewrite_with=inputs.rewrite_with or None,
        judge_model=inputs.judge_model or None,
        replay=Path(inputs.replay) if inputs.replay else None,
        config=config_of(inputs),
        time_limit=_number("time-limit", inputs.time_limit),
    )
    return make(flags, os.environ)


def config_of(inputs: ActionInputs) -> Path | None:
    """The settings file that is named."""
    return Path(inputs.config) if inputs.config else None


def _plan(
    inputs: ActionInputs, environment: Mapping[str, str], event: Event, workflow: Workflow
) -> None:
    settings, said = settings_of(inputs), list[str]()
    trying = _trying(settings, said)
    known = live_shelf(USUAL, settings.repo).read()
    ended = trying.ended(known, config_of(inputs))

    def begin() -> None:
        git = open_repository(settings.repo)
        try:
            found = [] if ended else _targets(inputs, environment, event, git)
        except NothingToTryError as reason:
            said.append(f"Nothing was tried: {reason}.")
            found = []
        trying.begin(found, known)

    _deaf(workflow, begin)
    if told := [*([ended] if ended else []), *said]:
        _quietly(workflow, told)


def _targets(
    inputs: ActionInputs, environment: Mapping[str, str], event: Event, git: Repository
) -> Sequence[Target]:
    if not inputs.github_token:
        raise UsageError("the input `github-token` is empty: GitHub knows what was merged")
    with repository_at(environment, inputs.github_token, inputs.ca_bundle) as github:
        return targets(event, payload_of(environment), Finder(git, github))


def _try(inputs: ActionInputs, workflow: Workflow) -> None:
    trying = _trying(settings_of(inputs), [])
    results, failed = _deaf(workflow, trying.attempt)
    for result in results:
        workflow.summary(text.section(result))
    if failed is not None:
        raise failed


def _found(inputs: ActionInputs) -> list[LiveResult]:
    folder = Path(inputs.run_folder)
    return read_all(folder) if folder.is_dir() else []


def _trying(settings: Settings, said: list[str]) -> Live:
    console = errors()

    def tell(words: str) -> None:
        said.append(words)
        console.print(words, markup=False, highlight=False, soft_wrap=True)

    return Live(settings, tell, lambda budget: Show(console, lambda: budget.spent))


def _quietly(workflow: Workflow, told: Sequence[str]) -> None:
    """What is worth a sentence, and no failure."""
    for words in told:
        workflow.notice(words)
    lines = "".join(f"- {prose(words, 400)}\n" for words in told)
    workflow.summary(f"## patchmark, live\n\n{lines}")


def _deaf(workflow: Workflow, work: Callable[[], T]) -> T:
    """Do what prints others' text; an error is raised when the runner listens again."""
    failed: PatchmarkError | None = None
    with workflow.deaf():
        try:
            return work()
        except PatchmarkError as error:
            failed = error
    raise failed


def _number(name: str, given: str) -> float | None:
    try:
        return float(given) if given else None
    except ValueError as error:
        raise UsageError(f"input `{name}` is {given!r}, which is no number") from error
