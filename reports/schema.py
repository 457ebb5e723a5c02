"""The JSON Schema of `report.json`, as published in docs/report.schema.json."""

from __future__ import annotations

import json

from core.mined import SCHEMA_VERSION
from core.report import Report


def schema() -> str:
    """The text of the published file.

    A field may be added within a schema version; none changes its meaning or goes.
    """
    made = Report.model_json_schema(mode="serialization")
    return json.dumps(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"patchmark report, schema version {SCHEMA_VERSION}",
            **{name: value for name, value in made.items() if name != "title"},
        },
        indent=1,
        ensure_ascii=False,
    ) + "\n"  # fmt: skip
