"""Throws bytes at everything that reads what a model wrote, guided by what code they reach.

    python benchmarks/fuzz.py [SECONDS]

Needs the `atheris` package, which is in no lock: install it into an environment that has pydantic
and jinja2 as well. Answers in each form, an agent's words and a tool's arguments must end in what
their readers promise; no diff may name a path outside of the repository. Ends with 0 where nothing
broke that promise, else with the input that did.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import get_args

ROOT = Path(__file__).resolve().parent.parent
# In place of this folder, whose statistics.py is not the library's.
sys.path[:1] = [str(ROOT), str(ROOT / "tests")]

import atheris  # type: ignore[import-untyped]  # noqa: E402 - the path above first

with atheris.instrument_imports(include=["models", "core"]):
    import core.diff
    from core.types import Stop
    from models.agent_text import UnclearError, calls_of
    from models.answer import Form, read_answer
    from models.dialog import call_of, storable, storable_json
    from models.rewrite import read_rewriting
from support.tasks import CALC  # noqa: E402

FORMS = get_args(Form)


def one(data: bytes) -> None:
    """One input, read in every way."""
    text = data.decode("utf-8", "surrogatepass" if len(data) % 2 else "replace") if data else ""
    for form in FORMS:
        edit = read_answer(text, "stop", CALC, form)
        assert bool(edit.diff) is (edit.stop is Stop.ANSWERED)
        paths = {path for section in core.diff.split(edit.diff) for path in section.paths}
        assert not any(p.startswith("/") or ".." in p.split("/") for p in paths), paths
    with contextlib.suppress(UnclearError):
        assert calls_of(text)
    call = call_of("1", "shell", text)
    assert isinstance(call.arguments, dict)
    storable_json(call.arguments)
    storable(text).encode()
    read_rewriting(text, "stop")


def safely(data: bytes) -> None:
    """As `one`; bytes that are no text under any reading are skipped."""
    try:
        one(data)
    except UnicodeDecodeError:
        one(data.decode("utf-8", "replace").encode())


def main() -> None:
    """Fuzz for a number of seconds."""
    seconds = sys.argv[1] if len(sys.argv) > 1 else "60"
    arguments = [sys.argv[0], f"-max_total_time={seconds}", "-max_len=4000", "-timeout=5"]
    atheris.Setup(arguments, safely)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
