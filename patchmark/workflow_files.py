"""Workflow files for a repository: those of `examples/workflows/`, with its own models and budget.

The examples are part of what is installed, so what is shown and what `init` writes cannot differ.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from core.errors import UsageError
from models.services import KEY_VARIABLES
from models.spec import needs_key

FOLDER = Path(__file__).parents[1] / "examples" / "workflows"
WAYS = {
    "backtest": "by hand and once a month, on the default branch",
    "on-command": "when somebody writes `/patchmark run` under a pull request",
}
MODELS = "reference,empty,anthropic:claude-opus-4-8,google:gemini-3.5-flash"
"""Who takes part in the examples."""
SECRETS = {
    "anthropic": "ANTHROPIC_API_KEY",
    "google": "GEMINI_API_KEY",
    "openai": "OPENAI_API_KEY",
}
"""Services whose key is an input of the Action, and what the secret is called."""
_KEYS = re.compile(r"(?: +[a-z]+-api-key: .*\n)+")
_BUDGET = re.compile(r'(budget-usd: )"[^"]*"')
_SAFE = re.compile(r"[A-Za-z0-9._:/@+=-]+")


def workflow(way: str, models: Sequence[str], budget_usd: str) -> str:
    """The text of a workflow file. Raises UsageError for a name that YAML would not keep."""
    for name in models:
        if not _SAFE.fullmatch(name):
            raise UsageError(f"entrant {name!r} cannot be written into a workflow")
    text = (FOLDER / f"{way}.yml").read_text(encoding="utf-8")
    text = text.replace(MODELS, ",".join(models))
    text = _BUDGET.sub(rf'\g<1>"{budget_usd}"', text)
    return _KEYS.sub(_keys(secrets_for(models)), text)


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
