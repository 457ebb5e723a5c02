"""The formats that `patchmark export` and `patchmark import` know."""

from __future__ import annotations

from collections.abc import Mapping

from patchmark.formats import harbor, inspect_eval, parquet, predictions, rows, swebench_repo
from patchmark.formats.base import Format

FORMATS: Mapping[str, Format] = {
    one.name: one
    for one in (
        rows.FORMAT,
        parquet.FORMAT,
        swebench_repo.FORMAT,
        harbor.FORMAT,
        inspect_eval.FORMAT,
        predictions.FORMAT,
    )
}
