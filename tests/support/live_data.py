"""Results of a live trial, made from letters as `report_data` has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from support.report_data import CODES, START, sha

from core.live import LiveCell, LiveResult, Unmeasured

PRICES = {"anthropic:careful": ("0.31", 42.0), "google:hasty": ("0.02", 6.5)}


def cell(entrant: str, letter: str, **more: Any) -> LiveCell:
    """One attempt."""
    outcome, cause = CODES[letter]
    usd, seconds = PRICES.get(entrant, ("0", None))
    fields = {
        "entrant": entrant, "attempt": 1, "outcome": outcome, "cause": cause,
        "why": "" if letter == "P" else "still fails: tests/test_shop.py::test_total",
        "cost_usd": Decimal(usd), "seconds": seconds,
    }  # fmt: skip
    return LiveCell(**{**fields, **more})


def result(number: int, letters: Mapping[str, str] | None = None, **more: Any) -> LiveResult:
    """One pull request, merged a day after the one before; without letters it was no task."""
    head = sha("live", number)
    cells = tuple(cell(entrant, letter) for entrant, letter in (letters or {}).items())
    fields: dict[str, Any] = {
        "repository": "example/shop",
        "pull_request": number,
        "title": f"Mend part {number}",
        "base": sha("base", number),
        "head": head,
        "merged": True,
        "made_at": START + timedelta(days=number),
        "patchmark_version": "0.1.0",
        "task_id": head[:12] if cells else None,
        "statement_source": "pull_request" if cells else None,
        "unmeasured": None if cells else Unmeasured(reason="no_fail_to_pass"),
        "fail_to_pass": 2 if cells else 0,
        "cost_usd": sum((one.cost_usd or Decimal(0) for one in cells), Decimal(0)),
        "cells": cells,
    }
    return LiveResult(**{**fields, **more})


def both(number: int, careful: str, hasty: str, **more: Any) -> LiveResult:
    """The two models and the baselines."""
    letters = {"anthropic:careful": careful, "google:hasty": hasty, "reference": "P", "empty": "F"}
    return result(number, letters, **more)
