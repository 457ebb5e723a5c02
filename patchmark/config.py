"""`patchmark.toml`: what it may say, and errors that name the line.

The file lies in the repository under test, so it holds nothing that could lead a key
astray: no addresses of providers, no keys, no paths to write to.
"""

from __future__ import annotations

import re
import tomllib
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from core.errors import UsageError
from models.command import OURS
from models.cutoffs import last_day
from patchmark.sampling import DEFAULT_MAX_LEAK, DEFAULT_MAX_VAGUENESS
from sandbox.registry import ADDRESS

NAME = "patchmark.toml"
DEFAULT_OUTPUT_TOKENS = 16_000


class _Section(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=lambda name: name.replace("_", "-"),
    )


def _day(value: object) -> object:
    """A month or a day as text; TOML's own dates are taken as well."""
    text = value.isoformat() if type(value) is date else value
    if isinstance(text, str):
        last_day(text)
    return text


Money = Annotated[Decimal, Field(ge=0, strict=False)]
Day = Annotated[str, BeforeValidator(_day)]
Strings = Annotated[tuple[str, ...], Field(strict=False)]
CommandName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")]
AptName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]+$")]


class EnvironmentSection(_Section):
    """How the repository's tests are run, where detection is not enough."""

    ecosystem: Literal["python", "node", "go", "rust", "java", "ruby", "php", "cmake"] | None = None
    version: str | None = Field(default=None, pattern=r"^\d+(\.\d+)?$")
    python: str | None = Field(default=None, pattern=r"^(2\.7|3\.\d+)$")
    image: str | None = None
    dockerfile: str | None = Field(default=None, pattern=r"^[\w.-]+(/[\w.-]+)*$")
    workdir: str = Field(default=".", pattern=r"^[\w.-]+(/[\w.-]+)*$")
    apt: Annotated[tuple[AptName, ...], Field(strict=False)] = ()
    packages: Strings = ()
    setup: Strings = ()
    pytest_args: Strings = ()
    test: Strings = ()
    results: str = Field(default="", pattern=r"^(|tap|exit-code|[\w*?./-]+\.(xml|tap))$")
    services: Strings = ()
    variables: dict[str, str] = Field(default_factory=dict)

    @field_validator("test", mode="before")
    @classmethod
    def _one_command(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("workdir")
    @classmethod
    def _inside(cls, value: str) -> str:
        if ".." in value.split("/"):
            raise ValueError("must lie inside of the repository")
        return value

    @model_validator(mode="after")
    def _results_fit(self) -> Self:
        if self.image and self.dockerfile:
            raise ValueError("image and dockerfile exclude each other")
        if self.test and not self.results:
            raise ValueError("test needs results: a JUnit or TAP file, 'tap' or 'exit-code'")
        if self.results and not self.test:
            raise ValueError("results needs test: the commands that leave them")
        return self


class MineSection(_Section):
    """Which changes become tasks, and what a test is here."""

    tests: Strings = ()
    source: Strings = ()
    since: str | datetime | date | None = None
    until: str | datetime | date | None = None
    paths: Strings = ()
    labels: Strings = ()
    max_leak: float = Field(default=DEFAULT_MAX_LEAK, ge=0, le=1, strict=False)
    max_vagueness: float = Field(default=DEFAULT_MAX_VAGUENESS, ge=0, le=1, strict=False)
    include_apart: bool = False
    rewrite_with: str | None = None


class LimitsSection(_Section):
    """What a test run may take."""

    test_seconds: float = Field(default=300, gt=0, strict=False)
    idle_seconds: float = Field(default=300, ge=0, strict=False)
    memory_mib: int = Field(default=4096, ge=64)
    cpus: float = Field(default=1.0, gt=0, strict=False)
    processes: int = Field(default=512, ge=16)
    disk_mib: int = Field(default=4096, ge=16)
    output_mib: int = Field(default=256, ge=8)
    validation_runs: int = Field(default=3, ge=1, le=20)
    workers: int | None = Field(default=None, ge=1, le=256)


class AgentSection(_Section):
    """What one attempt of an agent may take."""

    steps: int = Field(default=50, ge=1, le=1000)
    seconds: float = Field(default=1800, gt=0, strict=False)
    command_seconds: float = Field(default=300, gt=0, strict=False)
    usd: Money | None = None


class CommandSection(_Section):
    """A coding agent's command line. Where it asks, and as whom, is not said here."""

    install: Strings = ()
    run: str = Field(min_length=1)
    variables: dict[str, str] = Field(default_factory=dict)

    @field_validator("variables")
    @classmethod
    def _not_ours(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                raise ValueError(f"{name!r} is no name of a variable")
            if name in OURS or name.startswith("PATCHMARK_"):
                raise ValueError(f"{name} is set by patchmark")
        return value


class SandboxSection(_Section):
    """What containers run on, and where their images may come from."""

    runtime: str | None = Field(default=None, pattern=r"^[\w.-]+$")
    registry: str | None = Field(default=None, pattern=rf"^{ADDRESS.pattern}$")


class TrialSection(_Section):
    """From when to when pull requests are tried live."""

    since: Day | None = None
    until: Day | None = None
    weeks: float | None = Field(default=None, gt=0, le=520, strict=False)

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.until and self.weeks:
            raise ValueError("until and weeks exclude each other")
        return self


class PriceSection(_Section):
    """US dollars per million tokens."""

    input: Money
    output: Money
    cache_read: Money | None = None
    cache_write: Money | None = None


class Config(_Section):
    """The whole file."""

    models: Strings | None = None
    attempts: int | None = Field(default=None, ge=1, le=100)
    max_tasks: int | None = Field(default=None, ge=1)
    budget_usd: Money | None = None
    current_model: str | None = None
    margin: float | None = Field(default=None, gt=0, lt=1, strict=False)
    fail_under: float | None = Field(default=None, ge=0, le=1, strict=False)
    fail_if_worse_than: str | None = None
    max_cost_per_solve: Money | None = None
    max_output_tokens: int | None = Field(default=None, ge=256)
    probe: bool = False
    batch: bool = False
    judge_model: str | None = None
    mine: MineSection = MineSection()
    environment: EnvironmentSection = EnvironmentSection()
    limits: LimitsSection = LimitsSection()
    agent: AgentSection = AgentSection()
    sandbox: SandboxSection = SandboxSection()
    trial: TrialSection = TrialSection()
    commands: dict[CommandName, CommandSection] = Field(default_factory=dict)
    budgets: dict[str, Money] = Field(default_factory=dict)
    prices: dict[str, PriceSection] = Field(default_factory=dict)
    cutoffs: dict[str, Day] = Field(default_factory=dict)


def load(path: Path) -> Config:
    """Read a configuration file. Raises UsageError naming file and line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    return read(text, str(path))


def read(text: str, path: str) -> Config:
    """Read a configuration; `path` is what messages call it. Raises UsageError naming the line."""
    try:
        return Config.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at line (\d+), column \d+\)| \(at end of document\)", str(error))
        line = place.group(1) if place and place.group(1) else len(text.splitlines())
        words = str(error).replace(place.group(0), "") if place else str(error)
        raise UsageError(f"{path}:{line}: {words.lower()}") from error
    except ValidationError as error:
        problems = sorted(_problem(text, found) for found in error.errors(include_url=False))
        line, words = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise UsageError(f"{path}:{line}: {words}{more}") from error


def _problem(text: str, found: ErrorDetails) -> tuple[int, str]:
    where = tuple(str(part) for part in found["loc"])
    name = ".".join(where)
    if found["type"] == "extra_forbidden":
        return line_of(text, where), f"{name}: unknown setting"
    got = "" if found["type"] == "missing" else f", got {found['input']!r}"
    return line_of(text, where), f"{name}: {found['msg'].lower()}{got}"


def line_of(text: str, where: tuple[str, ...]) -> int:
    """The line of a setting, or of the nearest table around it; 1 where nothing fits."""
    table: tuple[str, ...] = ()
    best, depth = 1, 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+\s*(.+?)\s*\]+\s*(#.*)?$", line):
            table = _keys(header.group(1))
            path = table
        elif setting := re.match(
            r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*[\w-]+)*)\s*=", line
        ):
            path = (*table, *_keys(setting.group(1)))
        else:
            continue
        if len(path) > depth and where[: len(path)] == path:
            best, depth = number, len(path)
    return best


def _keys(dotted: str) -> tuple[str, ...]:
    parts = re.findall(r"\"([^\"]*)\"|'([^']*)'|([\w-]+)", dotted)
    return tuple(next(part for part in found if part) for found in parts if any(found))
