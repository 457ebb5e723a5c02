"""The formats that `patchmark export` and `patchmark import` know."""

from __future__ import annotations

from collections.abc import Mapping

from patchmark.formats import harbor, parquet, predictions, rows
from patchmark.formats.base import Format

FORMATS: Mapping[str, Format] = {
    one.name: one for one in (rows.FORMAT, parquet.FORMAT, harbor.FORMAT, predictions.FORMAT)
}
