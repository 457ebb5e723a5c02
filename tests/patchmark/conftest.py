"""What several tests of the Action begin with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.action_step import Step

from patchmark import posting
from reports.patience import Pace


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Step]:
    """A step without waiting, whose traces in our own environment are wiped afterwards."""
    monkeypatch.setattr(posting, "PACE", Pace(settle=0, again=0.01, unsaid=0.01))
    before = dict(os.environ)
    yield Step(tmp_path)
    os.environ.clear()
    os.environ.update(before)
