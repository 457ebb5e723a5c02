"""Workflow files for a repository: those of `examples/workflows/`, with its own models and budget.

The examples are part of what is installed, so what is shown and what `init` writes cannot differ.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from core.errors import UsageError
from models.services import KEY_VARIABLES
from models.spec import needs_key
from patchmark.pinning import pinned

FOLDER = Path(__file__).parents[1] / "examples" / "workflows"


@dataclass(frozen=True)
class Way:
    """One way to use the Action."""

    what: str
    """When it runs, in a few words."""
    files: tuple[str, ...]
    """Names of its workflows in `examples/workflows/`, without `.yml`."""


WAYS = {
    "backtest": Way("by hand and once a month, on the default branch", ("backtest",)),
    "live": Way("on what is merged or labelled `patchmark`, as a trial with an end", ("live",)),
    "change-check": Way("on a change of AGENTS.md, rules or patchmark.toml", ("change-check",)),
    "on-command": Way("on `/patchmark run` under a pull request", ("on-command",)),
    "fork": Way("on a fork's pull request, without secrets", ("fork-run", "fork-report")),
    "sharded": Way("by hand, many tasks over several jobs", ("sharded",)),
}
"""A line for each."""
MODELS = "reference,empty,anthropic:claude-opus-4-8,google:gemini-3.5-flash"
"""Who takes part in the examples."""
SECRETS = {
    "anthropic": "ANTHROPIC_API_KEY",
    "google": "GEMINI_API_KEY",
    "openai": "OPENAI_API_KEY",
}
"""Services whose key is an input of the Action, and what the secret is called."""
_KEYS = re.compile(r"(?: +[a-z]+-api-key: .*\n)+")
_CALLED_WITH = re.compile(r" {4}secrets:\n(?: {6}[A-Z_]+: \{ required: false \}\n)+")
_BUDGET = re.compile(
    r'(budget-usd: (?:\{ type: string, default: )?|budget-usd:\n(?: {8}.*\n)* {8}default: )"[^"]*"'
)
_SAFE = re.compile(r"[A-Za-z0-9._:/@+=-]+")


def workflows(way: str, models: Sequence[str], budget_usd: str, pin: str = "") -> dict[str, str]:
    """Name of each file of a way → its text. Raises UsageError as `workflow` does."""
    return {
        f"patchmark-{name}.yml": pinned(workflow(name, models, budget_usd), pin)
        for name in WAYS[way].files
    }


def workflow(name: str, models: Sequence[str], budget_usd: str) -> str:
    """The text of an example. Raises UsageError for a name that YAML would not keep."""
    for model in models:
        if not _SAFE.fullmatch(model):
            raise UsageError(f"entrant {model!r} cannot be written into a workflow")
    text = (FOLDER / f"{name}.yml").read_text(encoding="utf-8")
    text = text.replace(MODELS, ",".join(models))
    text = _BUDGET.sub(lambda found: _budget(found, budget_usd), text)
    secrets = secrets_for(models)
    called = "".join(f"      {secret}: {{ required: false }}\n" for secret in secrets)
    text = _CALLED_WITH.sub(f"    secrets:\n{called}" if called else "", text)
    return _KEYS.sub(_keys(secrets), text)


def _budget(found: re.Match[str], wanted: str) -> str:
    """What was wanted for a run; of what is spent anew again and again, no more than it says."""
    usual = found[0].removeprefix(found[1]).strip('"')
    again = found.string.startswith(" # for each pull request", found.end())
    return f'{found[1]}"{min(wanted, usual, key=Decimal) if again else wanted}"'


def secrets_for(models: Sequence[str]) -> list[str]:
    """The secrets that these entrants need, by the names that the workflow gives them."""
    services = sorted({name for model in models if (name := needs_key(model)) is not None})
    return [SECRETS.get(service, KEY_VARIABLES[service][0]) for service in services]


def _keys(secrets: Sequence[str]) -> str:
    """The end of a step: inputs with keys, then keys of services that have no input."""
    inputs = {secret: service for service, secret in SECRETS.items()}
    text = "".join(
        f"          {inputs[name]}-api-key: ${{{{ secrets.{name} }}}}\n"
        for name in secrets
        if name in inputs
    )
    if others := [name for name in secrets if name not in inputs]:
        text += "        env:\n"
        text += "".join(f"          {name}: ${{{{ secrets.{name} }}}}\n" for name in others)
    return text
