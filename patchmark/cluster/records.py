"""What goes from a run to its workers and back: bytes of JSON, and nothing secret."""

from __future__ import annotations

import hashlib
import json
import platform
import zlib
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import TypeAdapter

import core
import sandbox
from patchmark import __version__
from sandbox.engine import Limits
from sandbox.recipe import EnvironmentSettings


@dataclass(frozen=True, kw_only=True)
class Made:
    """What code is at one end."""

    patchmark: str
    code: str
    """Of all that verdicts depend on: between two releases the number stays the same."""
    python: str
    distributed: str

    def __str__(self) -> str:
        return (
            f"patchmark {self.patchmark} (code {self.code}), Python {self.python}, "
            f"distributed {self.distributed}"
        )


@dataclass(frozen=True, kw_only=True)
class Setup:
    """How one run has things done. No key and no token: models are asked by the run itself."""

    session: str
    """This run of the program."""
    lease: float
    """Seconds without a word of the run after which a worker ends all that it does for it."""
    repository: str
    """`copy_name` of the repository."""
    environment: EnvironmentSettings
    limits: Limits
    validation_runs: int
    runtime: str | None
    registry: str | None
    push: bool
    """Whether what a worker builds goes to that registry."""


Kind = Literal["did", "wants", "elsewhere", "down", "ended", "not installed", "failed", "refuses"]


class Reply(NamedTuple):
    """What a worker answers to an order."""

    kind: Kind
    """`wants` the repository; cannot do this one, which may go `elsewhere`; is `down` with its
    engine; of a workbench: it `ended` at a limit, what was wanted in it is `not installed`, or it
    `failed`; `refuses`, for it is made otherwise."""
    at: str
    """The worker's address."""
    content: bytes
    """Packed JSON, or packed words."""


_MADE = TypeAdapter(Made)
_SETUP = TypeAdapter(Setup)


@lru_cache(maxsize=1)
def made() -> bytes:
    """What this end is made of, as it is compared."""
    known = hashlib.sha256()
    for package in (core, sandbox, Path(__file__).parent):
        folder = package if isinstance(package, Path) else Path(str(package.__file__)).parent
        for path in sorted(folder.rglob("*.py")):
            known.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    python = ".".join(platform.python_version_tuple()[:2])
    return pack(
        _MADE.dump_json(
            Made(
                patchmark=__version__,
                code=known.hexdigest()[:12],
                python=python,
                distributed=version("distributed"),
            )
        )
    )


def read_made(content: bytes) -> Made:
    """The same, to be shown."""
    return _MADE.validate_json(unpack(content))


def write_setup(setup: Setup) -> bytes:
    """As it is sent."""
    return pack(TypeAdapter(dict).dump_json(asdict(setup)))


@lru_cache(maxsize=8)
def read_setup(content: bytes) -> Setup:
    """As it was sent, to the letter: keys of proofs and verdicts are of how limits are written."""
    text = unpack(content)
    return replace(_SETUP.validate_json(text), limits=Limits(**json.loads(text)["limits"]))


def pack(content: bytes | str) -> bytes:
    """Names of tests and texts of patches repeat each other."""
    return zlib.compress(content.encode() if isinstance(content, str) else content, 1)


def unpack(content: bytes) -> bytes:
    """What was packed."""
    return zlib.decompress(content)
