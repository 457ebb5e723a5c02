"""Which samples the tests of this session are about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import pytest

Sample = TypeVar("Sample")


def chosen(samples: Mapping[str, Sample], request: pytest.FixtureRequest) -> dict[str, Sample]:
    """Those of `samples` by whose `name` a test of the fixture's module was collected."""
    ours = (item for item in request.session.items if item.path == request.path)
    names = {item.callspec.params.get("name") for item in ours if hasattr(item, "callspec")}
    return {name: sample for name, sample in samples.items() if name in names}
