"""`patchmark init`: a settings file and a workflow, ready to be read and committed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from core.errors import UsageError
from models.services import KEY_VARIABLES
from models.spec import check, needs_key
from patchmark.config import NAME
from patchmark.options import Models, Repo
from patchmark.under_test import open_repository

EPILOG = "Example: `patchmark init --models anthropic:claude-opus-4-8`"
WORKFLOW = Path(".github/workflows/patchmark.yml")
_DEFAULT = "reference,empty"
_SECRETS = {
    "anthropic": "          anthropic-api-key: ${{ secrets.ANTHROPIC_API_KEY }}\n",
    "google": "          google-api-key: ${{ secrets.GEMINI_API_KEY }}\n",
    "openai": "          openai-api-key: ${{ secrets.OPENAI_API_KEY }}\n",
}


def init(
    repo: Repo = None,
    models: Models = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
) -> None:
    """Write patchmark.toml and a workflow file for this repository."""
    for path in write_files(repo or Path(), models, force=force):
        typer.echo(f"wrote {path}")


def write_files(repo: Path, models: str | None, *, force: bool) -> list[Path]:
    """Write both files. Raises UsageError, before writing anything, if one exists."""
    open_repository(repo)
    names = [name.strip() for name in (models or _DEFAULT).split(",") if name.strip()]
    for name in names:
        check(name)
    if not {"reference", "empty"} & set(names):
        names = ["reference", "empty", *names]
    wanted = {repo / NAME: _settings(names), repo / WORKFLOW: _workflow(names)}
    there = [str(path) for path in wanted if path.exists()]
    if there and not force:
        raise UsageError(f"{', '.join(there)} exists; --force replaces it")
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(wanted)


def _settings(names: list[str]) -> str:
    return f"""\
# What patchmark runs on this repository. `patchmark doctor` checks it.
models = {json.dumps(names)}
max-tasks = 20        # newest first
budget-usd = 5.00     # never spend more in one run

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


def _workflow(names: list[str]) -> str:
    providers = sorted({p for name in names if (p := needs_key(name)) is not None})
    secrets = "".join(_SECRETS.get(provider, "") for provider in providers)
    inputs = f"        with:\n{secrets}" if secrets else ""
    # Services without an input of their own are given their keys by the job's environment.
    others = [name for p in providers if p not in _SECRETS for name in KEY_VARIABLES[p]]
    lines = "".join(f"          {name}: ${{{{ secrets.{name} }}}}\n" for name in others)
    inputs += f"        env:\n{lines}" if lines else ""
    return f"""\
name: patchmark
on:
  workflow_dispatch:
  pull_request:
    paths: [patchmark.toml]
permissions: {{}}
jobs:
  compare:
    runs-on: ubuntu-latest
    timeout-minutes: 60
    permissions:
      contents: read         # to mine the history
      issues: read           # to read what was reported
      pull-requests: write   # to post the report
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          fetch-depth: 0
          persist-credentials: false
      - uses: patchmark/patchmark@v0
{inputs}"""
