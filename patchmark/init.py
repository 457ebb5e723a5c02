"""`patchmark init`: a settings file and workflows, ready to be read and committed."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from core.errors import UsageError
from core.programs import work_tree
from models.spec import BASELINE_NAMES, check
from patchmark.config import NAME, load
from patchmark.enterprise import RUNNER, for_enterprise, is_enterprise
from patchmark.options import CurrentModel, Models, Repo
from patchmark.pinning import OPEN, given, known
from patchmark.under_test import open_repository
from patchmark.workflow_files import WAYS, secrets_for, workflows

EPILOG = (
    "Example: `patchmark init --models anthropic:claude-opus-4-8 --how on-command,fork`\n\n"
    "Without a flag it asks, where it is started in a terminal. With --how alone it keeps the "
    "patchmark.toml that is there, and its models."
)
WORKFLOWS = Path(".github/workflows")
_USD = re.compile(r"(0|[1-9][0-9]{0,5})(\.[0-9]{1,4})?")
_WHO = (
    "Models to compare, as `patchmark models` names them: separated by commas, the one that you "
    "use now first (none: -)"
)
Ask = Callable[[str, str], str]
"""A question and the answer that Enter gives, to what was answered."""
Budget = Annotated[
    str | None, typer.Option(help="US dollars that the models may cost. [default: 5]")
]
How = Annotated[
    str | None,
    typer.Option(
        metavar="WAYS",
        help=f"{', '.join(WAYS)}: several separated by commas, or all. "
        f"[default: {next(iter(WAYS))}]",
    ),
]
Action = Annotated[
    str | None,
    typer.Option(
        metavar="OWNER/NAME@SHA",
        help="The commit of patchmark that the workflows use. [default: the one that runs, where "
        "that is known]",
    ),
]
Enterprise = Annotated[
    bool | None,
    typer.Option(
        "--enterprise/--no-enterprise",
        help="Write for a GitHub Enterprise Server: self-hosted runners, artifacts before v4. "
        "[default: as origin's address says]",
    ),
]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What goes into the files. Raises UsageError, when it is made, for what cannot."""

    models: tuple[str, ...] = BASELINE_NAMES
    current: str = ""
    budget_usd: str = "5"
    ways: tuple[str, ...] = (next(iter(WAYS)),)
    pin: str = ""
    """The commit of patchmark; "" = left open."""
    enterprise: bool = False
    """Whether a GitHub Enterprise Server runs them."""

    def __post_init__(self) -> None:
        for name in (*self.models, *([self.current] if self.current else [])):
            check(name)
        for way in self.ways:
            if way not in WAYS:
                raise UsageError(f"{way!r} is no way to run it; known: {', '.join(WAYS)}, all")
        if not _USD.fullmatch(self.budget_usd):
            raise UsageError(f"{self.budget_usd!r} is no amount of US dollars, such as 5 or 2.50")

    @property
    def entrants(self) -> list[str]:
        """All who take part: the current model too, and baselines where none is named."""
        first = [self.current] if self.current and self.current not in self.models else []
        names = list(dict.fromkeys([*first, *self.models]))
        return names if set(BASELINE_NAMES) & set(names) else [*BASELINE_NAMES, *names]

    def texts(self) -> dict[Path, str]:
        """Each workflow file, from the repository's root, and what it holds."""
        texts = {
            WORKFLOWS / name: text
            for way in self.ways
            for name, text in workflows(way, self.entrants, self.budget_usd, self.pin).items()
        }
        if not self.enterprise:
            return texts
        return {path: for_enterprise(text) for path, text in texts.items()}


def init(
    repo: Repo = None,
    models: Models = None,
    current_model: CurrentModel = None,
    budget_usd: Budget = None,
    how: How = None,
    action: Action = None,
    enterprise: Enterprise = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
) -> None:
    """Write patchmark.toml and workflow files for this repository."""
    # Where GitHub looks for workflows, whichever folder of the repository this is started in.
    folder = work_tree(repo or Path())
    pin = given(action) if action else known()
    asking = (models, current_model, budget_usd, how) == (None,) * 4 and _on_a_terminal()
    keeping = (models, current_model, budget_usd) == (None,) * 3 and not asking and not force
    kept = kept_settings(folder) if keeping and how else None
    if kept is None:
        refuse_existing(folder, [Path(NAME)], force=force)
    server = is_enterprise(folder) if enterprise is None else enterprise
    usual = replace(kept or Wanted(), pin=pin, enterprise=server)
    if asking:
        wanted = asked(lambda question, usual: str(typer.prompt(question, default=usual)), usual)
    else:
        wanted = replace(
            usual,
            models=_names(models) if models else usual.models,
            current=current_model or usual.current,
            budget_usd=budget_usd or usual.budget_usd,
            ways=_ways(how) if how else usual.ways,
        )
    refuse_existing(folder, list(wanted.texts()), force=force)
    for path in write_files(folder, wanted, settings=kept is None):
        typer.echo(f"wrote {path}")
    _next_steps(wanted)


def _next_steps(wanted: Wanted) -> None:
    if wanted.enterprise:
        typer.echo(
            f"written for a GitHub Enterprise Server, runs-on: {RUNNER} (docs/everywhere.md)"
        )
    written = "".join(wanted.texts().values())
    if secrets := [name for name in secrets_for(wanted.entrants) if f"secrets.{name} " in written]:
        typer.echo(f"next: add {', '.join(secrets)} to the repository's secrets")
    if not wanted.pin:
        typer.echo(
            f"next: put the commit of a release in place of @{OPEN}; its page has that line, and "
            "--action OWNER/NAME@SHA writes it"
        )
    typer.echo("then: patchmark doctor --action")


def asked(ask: Ask, usual: Wanted) -> Wanted:
    """Ask three things; what cannot be is said and asked again."""
    wanted = _until_it_can_be(
        ask,
        (_WHO, "-"),
        lambda said: _with_models(usual, _names(said)),
    )
    wanted = _until_it_can_be(
        ask,
        ("US dollars that they may cost", wanted.budget_usd),
        lambda said: replace(wanted, budget_usd=said),
    )
    ways = "".join(f"\n  {name}: {way.what}" for name, way in WAYS.items())
    return _until_it_can_be(
        ask,
        (f"How to run it; several separated by commas, or all{ways}\n ", wanted.ways[0]),
        lambda said: replace(wanted, ways=_ways(said)),
    )


def _with_models(usual: Wanted, names: tuple[str, ...]) -> Wanted:
    """The first is the one in use, unless it is a baseline or a dash."""
    others = tuple(name for name in names if name != "-")
    current = names[0] if names and names[0] not in ("-", *BASELINE_NAMES) else ""
    return replace(usual, models=others or BASELINE_NAMES, current=current)


def kept_settings(repo: Path) -> Wanted | None:
    """What the patchmark.toml there says; None where there is none."""
    path = repo / NAME
    if path.is_symlink() or not path.exists():
        return None
    config = load(path)
    return Wanted(
        models=config.models or BASELINE_NAMES,
        current=config.current_model or "",
        budget_usd=Wanted.budget_usd if config.budget_usd is None else f"{config.budget_usd:f}",
    )


def refuse_existing(repo: Path, files: Sequence[Path], *, force: bool) -> None:
    """Raise UsageError where a file would be replaced that nobody gave up, or a link followed."""
    open_repository(repo)
    ways = {repo / above for file in files for above in (file, *file.parents)} - {repo}
    if links := [str(path) for path in sorted(ways) if path.is_symlink()]:
        raise UsageError(f"{', '.join(links)}: a link, which may lead out of the repository")
    there = [str(repo / file) for file in files if (repo / file).exists()]
    if there and not force:
        raise UsageError(f"{', '.join(there)} exists; --force replaces it")


def write_files(repo: Path, wanted: Wanted, *, settings: bool = True) -> list[Path]:
    """Write the workflows, and the settings file unless it is kept; where they are."""
    texts = {Path(NAME): _settings(wanted)} if settings else {}
    texts |= wanted.texts()
    for path, text in texts.items():
        (repo / path).parent.mkdir(parents=True, exist_ok=True)
        (repo / path).write_text(text, encoding="utf-8")
    return [repo / path for path in texts]


def _ways(said: str) -> tuple[str, ...]:
    return tuple(WAYS) if said.strip() == "all" else tuple(dict.fromkeys(_names(said)))


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
