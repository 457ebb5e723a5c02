"""SWE-bench rows as Parquet; needs pyarrow, which the extra `parquet` brings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import UsageError
from patchmark.formats.base import Format, Problem, Read, Source
from patchmark.formats.rows import COLUMNS, gathered, row_of

_AT_ONCE = 8
"""Rows that are decoded at once."""
_MOST = 4 << 30
"""Bytes of all rows: a small file can say a long text many times."""


def write(source: Source, to: Path) -> list[Problem]:
    """One row a task, every column a text. Raises UsageError."""
    pa, pq = _pyarrow()
    rows = [row_of(source, task) for task in source.tasks]
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), to)
    except OSError as error:
        raise UsageError(f"{to}: cannot be written: {error}") from error
    return []


def read(path: Path) -> Read:
    """All rows of a file."""
    return gathered((f"{path}: row {n}", lambda row=row: row) for n, row in _rows(path))  # type: ignore[misc]


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    pa, pq = _pyarrow()
    if not path.is_file():
        raise UsageError(f"{path}: a Parquet file was expected")
    try:
        with pq.ParquetFile(path) as file:
            number = size = 0
            for batch in file.iter_batches(batch_size=_AT_ONCE):
                size += batch.nbytes
                if size > _MOST:
                    raise UsageError(
                        f"{path}: holds more than {_MOST >> 30} GiB, which is the most"
                    )
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (OSError, ValueError, pa.ArrowException) as error:
        raise UsageError(f"{path}: cannot be read as Parquet: {str(error)[:300]}") from error


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow: install patchmark with its extra, `patchmark[parquet]`"
        ) from error
    return pa, pq


FORMAT = Format(
    name="swebench-parquet",
    about="the same as Parquet (with the extra `parquet`)",
    write=write,
    read=read,
)
