"""The commands that no person gives: what the Actions of this repository run."""

from __future__ import annotations

import os

import typer


def action() -> None:
    """What the GitHub Action runs; its inputs come from the environment."""
    from patchmark.action import run as run_action
    from patchmark.cli import main

    raise typer.Exit(run_action(os.environ, main))


def action_post() -> None:
    """What the second half of a fork's workflow runs; its inputs come from the environment."""
    from patchmark.fork_report import run as run_post

    raise typer.Exit(run_post(os.environ))


def on_command() -> None:
    """What the Action in `on-command/` runs: decides whether a comment is obeyed."""
    from patchmark.on_command import run as run_command

    raise typer.Exit(run_command(os.environ))
