"""Which Python a commit ran on when it was made."""

from __future__ import annotations

import re
from datetime import date, timedelta

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from sandbox.ci import Workflow
from sandbox.ecosystems.python_syntax import needs_python_2
from sandbox.facts import Facts, table

RELEASED = {
    "2.7": date(2010, 7, 3),
    "3.6": date(2016, 12, 23),
    "3.7": date(2018, 6, 27),
    "3.8": date(2019, 10, 14),
    "3.9": date(2020, 10, 5),
    "3.10": date(2021, 10, 4),
    "3.11": date(2022, 10, 24),
    "3.12": date(2023, 10, 2),
    "3.13": date(2024, 10, 7),
    "3.14": date(2025, 10, 7),
}
"""First final releases, by the release schedules of Python (PEP 494 and its followers)."""
_PREFERRED = "3.11"
"""Where a commit leaves the choice: one Python for all means fewer images."""
_SETTLED = timedelta(days=90)
"""By then the packages that a project needs have come out for a new Python."""
_MOST = 2


def versions(facts: Facts, workflow: Workflow) -> list[str]:
    """Pythons to try, best first."""
    told = facts.settings.python or facts.settings.version
    if told:
        return [told]
    required = _required(facts)
    allowed = _allowed(required)
    named = {*_declared(facts), *workflow.versions.get("python", ())}
    if "3.6" in allowed and needs_python_2(facts, named):
        # Said first of all: syntax that no Python 3 reads decides, whatever came out by then.
        return ["2.7", "3.6"] if "2.7" in allowed else ["3.6"]
    declared = [v for v in allowed if v in map(_known, named)]
    day = facts.committed_at.date()
    settled = [v for v in allowed if RELEASED[v] + _SETTLED <= day]
    # A project of 2019 that says 3.6 and 3.7 means those; one that says nothing means its day's.
    pool = [v for v in declared if RELEASED[v] <= day] or declared or settled or allowed[:1]
    newest = pool[-1]
    best = _PREFERRED if _PREFERRED in pool else newest
    # What fails on one Python mostly needs an older one.
    older, newer = pool[: pool.index(best)], pool[pool.index(best) + 1 :]
    # A machine without 2.7 has the next one.
    spare = [v for v in allowed if v == "3.6"] if best == "2.7" else []
    return list(dict.fromkeys([best, *older[::-1], *newer, *spare]))[:_MOST]


def _known(version: str) -> str:
    """The Python that we have nearest to one that a project names."""
    major, _, minor = version.partition(".")
    if major == "2":
        return "2.7"
    return "3.6" if minor.isdigit() and int(minor) < 6 else version


def _allowed(requires: str) -> list[str]:
    """Known Pythons that fit, oldest first; all of them where none does."""
    try:
        spec = SpecifierSet(requires)
    except InvalidSpecifier:
        spec = SpecifierSet()
    return [v for v in RELEASED if spec.contains(f"{v}.99")] or list(RELEASED)


def _required(facts: Facts) -> str:
    """What pip would be told; poetry's own language is put into its."""
    pyproject, setup_cfg = facts.toml("pyproject.toml"), facts.ini("setup.cfg")
    poetry = table(pyproject, "tool", "poetry", "dependencies").get("python")
    return str(
        table(pyproject, "project").get("requires-python")
        or setup_cfg.get("options", "python_requires", fallback=None)
        or _first(r"python_requires\s*=\s*['\"]([^'\"]+)", facts.text("setup.py"))
        or _as_specifier(poetry)
    )


def _declared(facts: Facts) -> set[str]:
    """Versions named by classifiers, tox and pyenv."""
    manifests = "\n".join(facts.text(name) for name in ("pyproject.toml", "setup.cfg", "setup.py"))
    found = set(re.findall(r"Programming Language :: Python :: ([23]\.\d+)", manifests))
    listed = re.search(r"^env_?list\s*=((?:.*\n)(?:[ \t].*\n)*)", facts.text("tox.ini"), re.M)
    for group in re.findall(r"py\{?([\d,.]+)", listed.group(1) if listed else ""):
        numbers = re.findall(r"\b([23])\.?(\d{1,2})\b", group)
        found |= {f"{major}.{minor}" for major, minor in numbers}
    pinned = re.match(r"\s*([23]\.\d+)", facts.text(".python-version"))
    # Where a file pins one, that is the one that developers use.
    return {pinned.group(1)} if pinned else found


def _first(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text)
    return found.group(1) if found else None


def _as_specifier(poetry: object) -> str:
    """Poetry's carets and tildes in pip's language; the next major one is never meant."""
    text = poetry if isinstance(poetry, str) else ""
    return re.sub(r"^~(\d+\.\d+)$", r"==\1.*", text.replace("^", ">="))
