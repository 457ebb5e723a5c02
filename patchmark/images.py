"""`patchmark images`: what is kept on this machine, and how it gets smaller or elsewhere."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from core.errors import UsageError
from patchmark.options import Json
from patchmark.settings import Flags, make
from patchmark.warm import CACHE_BYTES, marks
from sandbox.discover import connect
from sandbox.sizes import Kept, total_bytes
from sandbox.stock import CACHE, KINDS, Stock

DEFAULT_DISK_GB = 20.0
_GB = 1e9
_SAVED = ("base", "dependencies")

app = typer.Typer(
    help="The images that patchmark keeps: list, prune, save, load, push.",
    invoke_without_command=True,
    rich_markup_mode="markdown",
)


@contextmanager
def _stock() -> Iterator[Stock]:
    settings = make(Flags(), os.environ)
    engine = connect(settings.variables, settings.redactor)
    try:
        yield Stock(engine, marks(settings.variables))
    finally:
        engine.close()


@app.callback()
def show(context: typer.Context, as_json: Json = False) -> None:
    """List them with their sizes, the longest unused first."""
    if context.invoked_subcommand is not None:
        return
    with _stock() as stock:
        kept, caches = stock.kept(), stock.caches()
    if as_json:
        found = {"images": _rows(kept), "caches": _rows(caches)}
        typer.echo(json.dumps({**found, "bytes": total_bytes([*kept, *caches])}))
    else:
        _table(kept, caches)


@app.command(epilog="Example: `patchmark images prune --disk 5`")
def prune(
    disk: Annotated[
        float, typer.Option(min=0, help="Gigabytes that images and caches may take together.")
    ] = DEFAULT_DISK_GB,
    cache: Annotated[
        float, typer.Option(min=0, help="Gigabytes that one repository's package cache may take.")
    ] = CACHE_BYTES / _GB,
) -> None:
    """Remove images and package caches, the longest unused first, until the rest fits.

    First goes each cache that grew beyond its own limit, and what killed runs left; what another
    run uses stays.
    """
    with _stock() as stock:
        before = total_bytes([*stock.kept(), *stock.caches()])
        removed = [*stock.prune_caches(int(cache * _GB)), *stock.prune(int(disk * _GB))]
        after = total_bytes([*stock.kept(), *stock.caches()])
    for one in removed:
        typer.echo(f"removed {one.tag}")
    counts = Counter("cache" if one.kind == CACHE else "image" for one in removed)
    words = f"{counts['image']} images and {counts['cache']} caches removed"
    typer.echo(f"{words}, {_size(before - after)} freed, {_size(after)} left")


@app.command(epilog="Example: `patchmark images save images.tar.gz`")
def save(file: Path) -> None:
    """Write base and dependency images to an archive, as for a workflow's cache."""
    with _stock() as stock:
        tags = [one.tag for one in stock.kept() if one.kind in _SAVED]
        stock.save(file, tags)
    typer.echo(f"{file}: {len(tags)} images, {_size(file.stat().st_size)}")


@app.command(epilog="Example: `patchmark images load images.tar.gz`")
def load(file: Path) -> None:
    """Read such an archive."""
    if not file.is_file():
        raise UsageError(f"{file}: no such file")
    with _stock() as stock:
        found = stock.load(file)
    typer.echo(f"{file}: {len(found)} new images")


@app.command(epilog="Example: `patchmark images push registry.example.org/team`")
def push(registry: str) -> None:
    """Push base and dependency images; runs with PATCHMARK_REGISTRY pull them from there."""
    with _stock() as stock:
        pushed = stock.push(registry, [k.tag for k in stock.kept() if k.kind in _SAVED])
    typer.echo(f"{registry}: {len(pushed)} images")


def _rows(kept: list[Kept]) -> list[dict[str, object]]:
    return [{"tag": k.tag, "own_bytes": k.own_bytes, "used_at": str(k.used_at)} for k in kept]


def _table(kept: list[Kept], caches: list[Kept]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("image", "adds", "last used"):
        table.add_column(name, justify="right" if name == "adds" else "left")
    for one in (*kept, *caches):
        table.add_row(one.tag, _size(one.own_bytes), f"{one.used_at:%Y-%m-%d %H:%M}")
    console = Console()
    console.print(table)
    counts = Counter(one.kind for one in kept)
    words = ", ".join(f"{counts[kind]} {kind}" for kind in KINDS if counts[kind])
    size = _size(total_bytes([*kept, *caches]))
    found = f"{len(kept)} images ({words or 'none'}), {len(caches)} caches, {size} together"
    console.print(found, soft_wrap=True)


def _size(count: int) -> str:
    return f"{count / _GB:.1f} GB" if count >= _GB else f"{count / 1e6:.0f} MB"
