"""What a run was asked to do: flags first, then patchmark.toml, then defaults.

The environment is handed in, never read from here, so that a test can give any.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
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
from patchmark.amounts import money, price
from patchmark.change_check_plan import Plan
from patchmark.choosing import chosen
from patchmark.config import DEFAULT_OUTPUT_TOKENS, NAME, Config, LimitsSection, load
from patchmark.machine import ca_bundle, cache_folder, pythons
from patchmark.sampling import Choice
from patchmark.secrets import redactor_for
from patchmark.sharding import Shard, shard_of
from patchmark.subfolder import folder_within, in_folder
from patchmark.warm import SharedImages, kept_folder, shared_images
from reports.analysis import MARGIN
from reports.gates import Wanted
from sandbox.engine import Limits
from sandbox.network import PASSED_ON, Network
from sandbox.recipe import EnvironmentSettings

DEFAULT_MODELS = ("reference", "empty")
DEFAULT_TASKS = 20
DEFAULT_BATCH_MINUTES = 60.0
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Flags:
    """What the command line said; None = not given."""

    repo: Path | None = None
    out: Path | None = None
    models: str | None = None
    attempts: int | None = None
    max_tasks: int | None = None
    budget_usd: str | None = None
    current_model: str | None = None
    margin: float | None = None
    fail_under: float | None = None
    fail_if_worse_than: str | None = None
    max_cost_per_solve: str | None = None
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
    history: str | None = None
    batch: bool | None = None
    batch_wait: float | None = None
    config: Path | None = None
    workers: int | None = None
    time_limit: float | None = None
    shard: str | None = None
    cluster: str | None = None


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
    current_model: str | None
    """The model that the team uses."""
    margin: float
    """How much worse than it still counts as good as, a share."""
    wanted: Wanted
    """The gates."""
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
    history: str | None
    """Where earlier runs are kept, as `patchmark.shelf` takes it; None = none is shown or added."""
    batch: bool
    """Whether questions are asked in batches, where that can be."""
    batch_wait: float
    """Seconds to wait for batches before the run ends without them."""
    cutoffs: Mapping[str, str]
    """Entrant → month or day up to which it was trained, before the table's."""
    time_limit: float | None
    """Seconds after which the run has ended."""
    shard: Shard | None
    """The part of a run that this is; None = all of it."""
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
    kept: Path | None
    """Folder that goes with images, package caches and `cache` to the next machine, if any does."""
    registry: SharedImages | None
    """Where images are pulled from before they are built."""
    cluster: str | None
    """Of whose workers run the containers; never the repository's word, for it runs code here."""
    pythons: tuple[Path, ...]
    """Folders of interpreters on this machine."""
    runtime: str | None
    """What the engine runs containers with; None = what it would choose itself."""
    variables: Mapping[str, str] = field(repr=False)
    """The environment, for what talks to the engine and to GitHub."""
    change: Plan | None = None
    """The two versions that are compared, where this is a check of a change."""


def make(flags: Flags, environment: Mapping[str, str]) -> Settings:
    """Put flags, file and environment together. Raises UsageError naming what is wrong."""
    repo = (flags.repo or Path()).expanduser()
    flags, config = in_folder(folder_within(repo), flags, _config(flags.config, repo))
    bundle, kept = ca_bundle(environment), kept_folder(environment)
    part = shard_of(flags.shard, flags.history)
    budget = money("budget-usd", flags.budget_usd, config.budget_usd)
    return Settings(
        repo=repo,
        out=(flags.out or Path(part.folder if part else "patchmark-run")).expanduser(),
        models=_models(flags.models, config),
        attempts=flags.attempts or config.attempts or 1,
        max_tasks=flags.max_tasks or config.max_tasks or DEFAULT_TASKS,
        budget_usd=budget if budget is None or part is None else part.part(budget),
        caps={
            full_name(name): part.part(cap) if part else cap for name, cap in config.budgets.items()
        },
        current_model=_named(flags.current_model, config.current_model),
        margin=_first(flags.margin, _first(config.margin, MARGIN)),
        wanted=_wanted(flags, config),
        replay=flags.replay,
        record=flags.record,
        issues=flags.issues,
        choice=chosen(
            config.mine,
            since=flags.since,
            until=flags.until,
            paths=flags.paths,
            labels=flags.labels,
        ),
        path_rules=PathRules(tests=config.mine.tests, source=config.mine.source),
        include_apart=_first(flags.include_apart, config.mine.include_apart),
        rewrite_with=_rewriter(_first(flags.rewrite_with, config.mine.rewrite_with)),
        probe=_first(flags.probe, config.probe),
        judge_model=_reviewer(_first(flags.judge_model, config.judge_model)),
        rubric=flags.rubric,
        history=flags.history,
        batch=_first(flags.batch, config.batch),
        batch_wait=60 * (DEFAULT_BATCH_MINUTES if flags.batch_wait is None else flags.batch_wait),
        cutoffs=config.cutoffs,
        shard=part,
        time_limit=60 * flags.time_limit if flags.time_limit else None,
        workers=flags.workers or config.limits.workers or os.cpu_count() or 1,
        validation_runs=config.limits.validation_runs,
        limits=_limits(config.limits),
        agent_limits=AgentLimits(**dict(config.agent)),
        commands=_commands(config),
        environment=EnvironmentSettings(**dict(config.environment)),
        max_output_tokens=config.max_output_tokens or DEFAULT_OUTPUT_TOKENS,
        prices={name: price(section) for name, section in config.prices.items()},
        network=Network(
            {name: environment[name] for name in PASSED_ON if name in environment},
            bundle.read_bytes() if bundle else None,
        ),
        ca_bundle=bundle,
        keys=keys(environment),
        base_urls=addresses(environment),
        cloud=cloud(environment),
        redactor=redactor_for(environment),
        cache=kept / "cache" if kept else cache_folder(environment),
        kept=kept,
        registry=shared_images(environment, config.sandbox.registry),
        cluster=flags.cluster or environment.get("PATCHMARK_CLUSTER") or None,
        pythons=pythons(environment),
        # The repository's word comes second: it must not weaken what its user decided.
        runtime=environment.get("PATCHMARK_RUNTIME") or config.sandbox.runtime,
        variables=environment,
    )


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


def _named(flag: str | None, otherwise: str | None) -> str | None:
    name = _first(flag, otherwise)
    return full_name(name) if name else None


def _wanted(flags: Flags, config: Config) -> Wanted:
    return Wanted(
        fail_under=_first(flags.fail_under, config.fail_under),
        fail_if_worse_than=_named(flags.fail_if_worse_than, config.fail_if_worse_than),
        max_cost_per_solve=money(
            "max-cost-per-solve", flags.max_cost_per_solve, config.max_cost_per_solve
        ),
    )
