"""`patchmark init`: a settings file and a workflow, ready to be read and committed."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from core.errors import UsageError
from core.programs import work_tree
from models.spec import BASELINE_NAMES, check
from patchmark.config import NAME
from patchmark.options import CurrentModel, Models, Repo
from patchmark.under_test import open_repository
from patchmark.workflow_files import WAYS, secrets_for, workflow

EPILOG = (
    "Example: `patchmark init --models anthropic:claude-opus-4-8 --how on-command`\n\n"
    "Without a flag it asks, where it is started in a terminal."
)
WORKFLOW = Path(".github/workflows/patchmark.yml")
_USD = re.compile(r"(0|[1-9][0-9]{0,5})(\.[0-9]{1,4})?")
Ask = Callable[[str, str], str]
"""A question and the answer that Enter gives, to what was answered."""
Budget = Annotated[
    str | None, typer.Option(help="US dollars that the models may cost. [default: 5]")
]
How = Annotated[
    str | None,
    typer.Option(metavar="WAY", help=f"{' or '.join(WAYS)}. [default: {next(iter(WAYS))}]"),
]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What goes into the two files. Raises UsageError, when it is made, for what cannot."""

    models: tuple[str, ...] = BASELINE_NAMES
    current: str = ""
    budget_usd: str = "5"
    way: str = next(iter(WAYS))

    def __post_init__(self) -> None:
        for name in (*self.models, *([self.current] if self.current else [])):
            check(name)
        if self.way not in WAYS:
            raise UsageError(f"{self.way!r} is no way to run it; known: {', '.join(WAYS)}")
        if not _USD.fullmatch(self.budget_usd):
            raise UsageError(f"{self.budget_usd!r} is no amount of US dollars, such as 5 or 2.50")

    @property
    def entrants(self) -> list[str]:
        """All who take part: the current model too, and baselines where none is named."""
        names = list(dict.fromkeys([*([self.current] if self.current else []), *self.models]))
        return names if set(BASELINE_NAMES) & set(names) else [*BASELINE_NAMES, *names]


def init(
    repo: Repo = None,
    models: Models = None,
    current_model: CurrentModel = None,
    budget_usd: Budget = None,
    how: How = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
) -> None:
    """Write patchmark.toml and a workflow file for this repository."""
    # Where GitHub looks for workflows, whichever folder of the repository this is started in.
    folder = work_tree(repo or Path())
    refuse_existing(folder, force=force)
    if (models, current_model, budget_usd, how) == (None,) * 4 and _on_a_terminal():
        wanted = asked(lambda question, usual: str(typer.prompt(question, default=usual)))
    else:
        usual = Wanted()
        wanted = Wanted(
            models=_names(models) if models else usual.models,
            current=current_model or "",
            budget_usd=budget_usd or usual.budget_usd,
            way=how or usual.way,
        )
    for path in write_files(folder, wanted):
        typer.echo(f"wrote {path}")
    if secrets := secrets_for(wanted.entrants):
        typer.echo(f"next: add {', '.join(secrets)} to the repository's secrets")
    typer.echo("then: patchmark doctor --action")


def asked(ask: Ask) -> Wanted:
    """Ask what is wanted; what cannot be is said and asked again."""
    wanted = Wanted()
    wanted = _until_it_can_be(
        ask,
        ("The model you use now, as `patchmark models` names it (none: -)", "-"),
        lambda said: replace(wanted, current="" if said == "-" else said),
    )
    wanted = _until_it_can_be(
        ask,
        ("Models to compare it with, separated by commas (none: -)", "-"),
        lambda said: replace(wanted, models=BASELINE_NAMES if said == "-" else _names(said)),
    )
    wanted = _until_it_can_be(
        ask,
        ("US dollars that they may cost", wanted.budget_usd),
        lambda said: replace(wanted, budget_usd=said),
    )
    ways = "; ".join(f"{way}: {what}" for way, what in WAYS.items())
    return _until_it_can_be(
        ask, (f"How to run it ({ways})", wanted.way), lambda said: replace(wanted, way=said)
    )


def refuse_existing(repo: Path, *, force: bool) -> None:
    """Raise UsageError where a file would be replaced that nobody gave up, or a link followed."""
    open_repository(repo)
    ways = (repo / NAME, repo / WORKFLOW, *(repo / parent for parent in WORKFLOW.parents))
    if links := [str(path) for path in ways if path != repo and path.is_symlink()]:
        raise UsageError(f"{', '.join(links)}: a link, which may lead out of the repository")
    there = [str(path) for path in (repo / NAME, repo / WORKFLOW) if path.exists()]
    if there and not force:
        raise UsageError(f"{', '.join(there)} exists; --force replaces it")


def write_files(repo: Path, wanted: Wanted) -> list[Path]:
    """Write both files; where they are."""
    texts = {
        repo / NAME: _settings(wanted),
        repo / WORKFLOW: workflow(wanted.way, wanted.entrants, wanted.budget_usd),
    }
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(texts)


def _until_it_can_be(ask: Ask, question: tuple[str, str], made: Callable[[str], Wanted]) -> Wanted:
    while True:
        try:
            return made(ask(*question).strip())
        except UsageError as error:
            typer.echo(str(error), err=True)


def _on_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _settings(wanted: Wanted) -> str:
    current = f"current-model = {json.dumps(wanted.current)}\n" if wanted.current else ""
    return f"""\
# What patchmark runs on this repository. `patchmark doctor` checks it.
models = {json.dumps(wanted.entrants)}
{current}max-tasks = 20        # spread over time and over the size of fixes
budget-usd = {wanted.budget_usd}{" " * 8}# never spend more in a run folder

[environment]
# Detected from the repository where left out.
# python = "3.12"
# packages = ["pytest-asyncio"]      # requirements to install beside what was detected
# setup = ["make fixtures"]          # shell commands, as root, in the repository
# pytest-args = ["-m 'not slow'"]    # words added to pytest's command
# test = "make check"                # where detection finds no tests, and …
# results = "build/junit.xml"        # … where they leave their results

[limits]
test-seconds = 300    # one run of the whole suite
memory-mib = 4096
"""
