"""What expressions of a workflow file come to, as far as the file itself tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_INPUT = re.compile(
    r"\$\{\{\s*(?:inputs|github\.event\.inputs)\.([\w-]+)(?:\s*\|\|\s*'([^']*)')?\s*\}\}"
)


@dataclass(frozen=True)
class Given:
    """The defaults of a workflow's own inputs, by name."""

    defaults: Mapping[str, str]

    @classmethod
    def of(cls, on: object) -> Given:
        """From what stands under `on`; what a person is asked goes before what a caller is."""
        defaults: dict[str, str] = {}
        for event in ("workflow_call", "workflow_dispatch"):
            inputs = _table(_table(_table(on).get(event)).get("inputs"))
            for name, entry in inputs.items():
                default = _table(entry).get("default")
                if isinstance(default, str | int | float):
                    text = str(default).lower() if isinstance(default, bool) else str(default)
                    defaults[str(name)] = text
        return cls(defaults)

    def value(self, text: str) -> str:
        """The text, or what it comes to where it is one input of the workflow and nothing else."""
        found = _INPUT.fullmatch(text.strip())
        if found is None:
            return text
        return self.defaults.get(found[1]) or found[2] or text


def named(value: object) -> list[str]:
    """One name or a list of them."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _table(value: object) -> Mapping[object, object]:
    return value if isinstance(value, dict) else {}
