"""What a run was asked to do: flags first, then patchmark.toml, then defaults.

The environment is handed in, never read from here, so that a test can give any.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar

from core.errors import UsageError
from core.outlet import Command
from core.paths import PathRules
from core.redact import Redactor
from models.agent import AgentLimits
from models.command_presets import COMMANDS
from models.pricing import Price
from models.provider import Cloud
from models.registry import check_reviewer, check_rewriter
from models.spec import check, full_name
from patchmark.addresses import addresses, cloud, keys
from patchmark.choosing import chosen
from patchmark.config import NAME, Config, LimitsSection, PriceSection, load
from patchmark.sampling import Choice
from patchmark.secrets import redactor_for
from sandbox.engine import Limits
from sandbox.network import PASSED_ON, Network
from sandbox.recipe import EnvironmentSettings

DEFAULT_MODELS = ("reference", "empty")
DEFAULT_TASKS = 20
DEFAULT_BATCH_MINUTES = 60.0
T = TypeVar("T")

_CA_VARIABLES = ("PATCHMARK_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT")


@dataclass(frozen=True, kw_only=True)
class Flags:
    """What the command line said; None = not given."""

    repo: Path | None = None
    out: Path | None = None
    models: str | None = None
    attempts: int | None = None
    max_tasks: int | None = None
    budget_usd: str | None = None
    fail_under: float | None = None
    replay: Path | None = None
    record: Path | None = None
    issues: Path | None = None
    since: str | None = None
    until: str | None = None
    paths: str | None = None
    labels: str | None = None
    include_apart: bool | None = None
    rewrite_with: str | None = None
    probe: bool | None = None
    judge_model: str | None = None
    rubric: Path | None = None
    batch: bool | None = None
    batch_wait: float | None = None
    config: Path | None = None
    workers: int | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything a run needs to know, checked."""

    repo: Path
    out: Path
    models: tuple[str, ...]
    attempts: int
    max_tasks: int
    budget_usd: Decimal | None
    caps: Mapping[str, Decimal]
    """Entrant → US dollars that its answers may cost, within the budget."""
    fail_under: float | None
    replay: Path | None
    record: Path | None
    """Where questions and answers are copied to."""
    issues: Path | None
    choice: Choice
    path_rules: PathRules
    include_apart: bool
    """Whether tasks that are kept apart are run as well."""
    rewrite_with: str | None
    """The model that writes statements anew."""
    probe: bool
    """Whether models are asked for fixes from their titles alone."""
    judge_model: str | None
    """The model that judges the quality of what passed."""
    rubric: Path | None
    """Form that people fill in to judge it."""
    batch: bool
    """Whether questions are asked in batches, where that can be."""
    batch_wait: float
    """Seconds to wait for batches before the run ends without them."""
    cutoffs: Mapping[str, str]
    """Entrant → month or day up to which it was trained, before the table's."""
    workers: int
    validation_runs: int
    limits: Limits
    agent_limits: AgentLimits
    commands: Mapping[str, Command]
    """Coding agents that can be named: the file's, and those known."""
    environment: EnvironmentSettings
    max_output_tokens: int
    prices: Mapping[str, Price]
    network: Network
    ca_bundle: Path | None
    keys: Mapping[str, str] = field(repr=False)
    base_urls: Mapping[str, str] = field(repr=False)
    cloud: Cloud | None
    """Where Vertex AI is asked, and as whom; None where the environment does not say."""
    redactor: Redactor
    """What everything goes through that is written."""
    cache: Path
    registry: str | None
    """Where images are pulled from before they are built, as `host:5000/team`."""
    pythons: tuple[Path, ...]
    """Folders of interpreters on this machine."""
    runtime: str | None
    """What the engine runs containers with; None = what it would choose itself."""
    variables: Mapping[str, str] = field(repr=False)
    """The environment, for what talks to the engine and to GitHub."""


def make(flags: Flags, environment: Mapping[str, str]) -> Settings:
    """Put flags, file and environment together. Raises UsageError naming what is wrong."""
    repo = (flags.repo or Path()).expanduser()
    config = _config(flags.config, repo)
    ca_bundle = _ca_bundle(environment)
    return Settings(
        repo=repo,
        out=(flags.out or Path("patchmark-run")).expanduser(),
        models=_models(flags.models, config),
        attempts=flags.attempts or config.attempts or 1,
        max_tasks=flags.max_tasks or config.max_tasks or DEFAULT_TASKS,
        budget_usd=_money(flags.budget_usd) if flags.budget_usd else config.budget_usd,
        caps={full_name(name): cap for name, cap in config.budgets.items()},
        fail_under=config.fail_under if flags.fail_under is None else flags.fail_under,
        replay=flags.replay,
        record=flags.record,
        issues=flags.issues,
        choice=_choice(flags, config),
        path_rules=PathRules(tests=config.mine.tests, source=config.mine.source),
        include_apart=_first(flags.include_apart, config.mine.include_apart),
        rewrite_with=_rewriter(_first(flags.rewrite_with, config.mine.rewrite_with)),
        probe=_first(flags.probe, config.probe),
        judge_model=_reviewer(_first(flags.judge_model, config.judge_model)),
        rubric=flags.rubric,
        batch=_first(flags.batch, config.batch),
        batch_wait=60 * (DEFAULT_BATCH_MINUTES if flags.batch_wait is None else flags.batch_wait),
        cutoffs=config.cutoffs,
        workers=flags.workers or config.limits.workers or os.cpu_count() or 1,
        validation_runs=config.limits.validation_runs,
        limits=_limits(config.limits),
        agent_limits=AgentLimits(**dict(config.agent)),
        commands=_commands(config),
        environment=EnvironmentSettings(**dict(config.environment)),
        max_output_tokens=config.max_output_tokens or 16_000,
        prices={name: _price(price) for name, price in config.prices.items()},
        network=Network(
            {name: environment[name] for name in PASSED_ON if name in environment},
            ca_bundle.read_bytes() if ca_bundle else None,
        ),
        ca_bundle=ca_bundle,
        keys=keys(environment),
        base_urls=addresses(environment),
        cloud=cloud(environment),
        redactor=redactor_for(environment),
        cache=cache_folder(environment),
        registry=environment.get("PATCHMARK_REGISTRY") or None,
        pythons=_pythons(environment),
        # The repository's word comes second: it must not weaken what its user decided.
        runtime=environment.get("PATCHMARK_RUNTIME") or config.sandbox.runtime,
        variables=environment,
    )


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Where validations are remembered between runs."""
    home = environment.get("XDG_CACHE_HOME") or f"{environment.get('HOME', '/tmp')}/.cache"  # noqa: S108
    return Path(home) / "patchmark"


def _pythons(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Where pyenv and a workflow runner's tool cache keep theirs."""
    pyenv = environment.get("PYENV_ROOT") or f"{environment.get('HOME', '')}/.pyenv"
    found = [Path(pyenv, "versions")]
    if cache := environment.get("RUNNER_TOOL_CACHE"):
        found.append(Path(cache, "Python"))
    return tuple(folder for folder in found if folder.is_dir())


def _first(given: T | None, otherwise: T) -> T:
    return otherwise if given is None else given


def _rewriter(name: str | None) -> str | None:
    if not name:
        return None
    check_rewriter(name)
    return full_name(name)


def _reviewer(name: str | None) -> str | None:
    if not name:
        return None
    check_reviewer(full_name(name))
    return full_name(name)


def _choice(flags: Flags, config: Config) -> Choice:
    return chosen(
        config.mine,
        since=flags.since,
        until=flags.until,
        paths=flags.paths,
        labels=flags.labels,
    )


def _limits(section: LimitsSection) -> Limits:
    return Limits(
        seconds=section.test_seconds,
        idle_seconds=section.idle_seconds,
        memory_mib=section.memory_mib,
        cpus=section.cpus,
        processes=section.processes,
        disk_mib=section.disk_mib,
        output_mib=section.output_mib,
    )


def _config(given: Path | None, repo: Path) -> Config:
    if given is not None:
        return load(given)
    usual = repo / NAME
    return load(usual) if usual.is_file() else Config()


def _models(given: str | None, config: Config) -> tuple[str, ...]:
    asked = [n.strip() for n in given.split(",")] if given is not None else config.models
    names = tuple(dict.fromkeys(full_name(name) for name in asked or DEFAULT_MODELS if name))
    if not names:
        raise UsageError("--models: name at least one, for example reference,empty")
    for name in names:
        check(name)
    return names


def _commands(config: Config) -> dict[str, Command]:
    own = {name: Command(**dict(section)) for name, section in config.commands.items()}
    return dict(COMMANDS) | own


def _money(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise UsageError(f"--budget-usd: {text!r} is no amount of US dollars") from error
    if not amount.is_finite() or amount < 0:
        raise UsageError(f"--budget-usd: {text!r} is no amount of US dollars")
    return amount


def _price(section: PriceSection) -> Price:
    return Price(
        input_usd_per_mtok=section.input,
        output_usd_per_mtok=section.output,
        cache_read_usd_per_mtok=section.cache_read,
        cache_write_usd_per_mtok=section.cache_write,
    )


def _ca_bundle(environment: Mapping[str, str]) -> Path | None:
    for name in _CA_VARIABLES:
        if value := environment.get(name):
            path = Path(value)
            if path.is_file():
                return path
            if name == "PATCHMARK_CA_BUNDLE":
                raise UsageError(f"{name}: {value}: no such file")
    return None
