"""The commands that exchange tasks and patches with tools of others."""

from __future__ import annotations

import typer

from patchmark import exporting, importing
from patchmark.exporting import CODE


def add_to(app: typer.Typer) -> None:
    """Add them to the command line."""
    app.command("export", epilog=f"{exporting.EPILOG}\n\n{CODE}")(exporting.export)
    app.command("import", epilog=f"{importing.EPILOG}\n\n{CODE}")(importing.import_)
