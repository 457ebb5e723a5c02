"""The Node that a commit's tests run on: what it declares, what its CI tests, and its date."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from sandbox.ci import Workflow
from sandbox.facts import Facts, table

# When each became a long-term release (github.com/nodejs/release).
_LTS = {
    8: date(2017, 10, 31),
    10: date(2018, 10, 30),
    12: date(2019, 10, 21),
    14: date(2020, 10, 27),
    16: date(2021, 10, 26),
    18: date(2022, 10, 25),
    20: date(2023, 10, 24),
    22: date(2024, 10, 29),
    24: date(2025, 10, 28),
}
_COMPARED = re.compile(r"(>=|<=|>|<|\^|~|=)?\s*v?(\d+)([.\w*-]*)")
_SPAN = re.compile(r"v?(\d+)\S*\s+-\s+v?(\d+)\S*")


def version(facts: Facts, workflow: Workflow, package: dict[str, Any]) -> str:
    """Its major number: the one pinned, else the last long-term one of the day that may serve."""
    if facts.settings.version:
        return facts.settings.version.split(".")[0]
    told = (facts.text(".nvmrc"), facts.text(".node-version"), table(package, "volta").get("node"))
    pinned = re.match(r"v?(\d+)", next((str(one).strip() for one in told if one), ""))
    if pinned:
        return pinned[1]
    day = facts.committed_at.date()
    settled = [major for major, since in _LTS.items() if since <= day] or [min(_LTS)]
    asked = str(table(package, "engines").get("node") or "*")
    served = [major for major in _LTS if admits(asked, major)]
    allowed = [major for major in settled if major in served] or served[:1] or settled
    tested = {one.split(".")[0] for one in workflow.versions.get("node", ())}
    known = [major for major in allowed if str(major) in tested]
    return str((known or allowed)[-1])


def admits(asked: str, major: int) -> bool:
    """Whether the last release of this major number fits a range such as `^18.2 || >=20 <23`."""
    return any(_fits(one, major) for one in asked.split("||"))


def _fits(asked: str, major: int) -> bool:
    if span := _SPAN.fullmatch(asked.strip()):
        return int(span[1]) <= major <= int(span[2])
    return all(
        {
            ">=": major >= int(number),
            ">": major >= int(number) if rest.strip(".x*") else major > int(number),
            "<=": major <= int(number),
            "<": major < int(number),
        }.get(sign, major == int(number))
        for sign, number, rest in _COMPARED.findall(asked)
    )
