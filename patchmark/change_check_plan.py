"""What a change check is about, as settings carry it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.change_check import ChangeCheck
from models.guidance import Version


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Two versions, and who is asked with both."""

    about: ChangeCheck
    """Without any result yet."""
    versions: Mapping[str, Version]
    """By what entrants' names call them."""
