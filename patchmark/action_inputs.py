"""What the Action is given: its inputs and the providers' keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from core.errors import UsageError
from models.services import KEY_VARIABLES
from models.spec import needs_key
from patchmark import action_shards, live_event
from reports.quiet import Mode

INPUT_PREFIX = "PATCHMARK_INPUT_"
RUN = "patchmark-run"
"""The run folder's name, where none is given."""
TRACKING = "patchmark: which coding model is best here"
"""Title of the tracking issue, where none is given."""


@dataclass(frozen=True, kw_only=True)
class ActionInputs:
    """What `with:` says, one field an input; empty = not given. Paths are absolute."""

    models: str
    repo_path: str
    max_tasks: str
    since: str
    until: str
    paths: str
    labels: str
    rewrite_with: str
    judge_model: str
    batch: bool
    budget_usd: str
    current_model: str
    margin: str
    fail_under: str
    fail_if_worse_than: str
    max_cost_per_solve: str
    replay: str
    config: str
    comment: Mode | Literal["off"]
    tracking_issue: str
    """Its title; empty = there is none."""
    github_token: str
    anthropic_api_key: str
    google_api_key: str
    openai_api_key: str
    run_folder: str
    ca_bundle: str
    command: str
    shards: str
    shard: str
    merge_from: str
    time_limit: str
    guidance: str
    registry: str
    registry_push: bool
    cache_folder: str

    def flags(self) -> dict[str, str]:
        """The command line's flags, some of them empty. Keys and tokens are none."""
        return {
            "--repo": self.repo_path,
            "--models": self.models,
            "--out": self.run_folder,
            "--max-tasks": self.max_tasks,
            "--since": self.since,
            "--until": self.until,
            "--paths": self.paths,
            "--labels": self.labels,
            "--rewrite-with": self.rewrite_with,
            "--judge-model": self.judge_model,
            "--budget-usd": self.budget_usd,
            "--current-model": self.current_model,
            "--margin": self.margin,
            "--fail-under": self.fail_under,
            "--fail-if-worse-than": self.fail_if_worse_than,
            "--max-cost-per-solve": self.max_cost_per_solve,
            "--replay": self.replay,
            "--config": self.config,
            "--shard": self.shard,
            "--time-limit": self.time_limit,
        }

    def arguments(self) -> list[str]:
        """The command line this stands for."""
        flags = self.flags()
        if self.command != "run":
            return action_shards.arguments(self, flags)
        # Joined by `=`: a value that starts with a dash stays a value.
        given = [f"{flag}={value}" for flag, value in flags.items() if value]
        return ["run", *given, *(["--batch"] if self.batch else [])]

    def lacks_a_key(self, keys: Mapping[str, str]) -> bool:
        """True where a model's API has to be called and its key is not among `keys`."""
        if self.replay or self.command not in ("run", "live", "change-check"):
            return False
        names = [*self.models.split(","), self.rewrite_with, self.judge_model]
        needed = {needs_key(name.strip()) for name in names if name} - {None}
        return any(
            not any(variable in keys for variable in KEY_VARIABLES[provider])
            for provider in needed
            if provider
        )


def comment_mode(environment: Mapping[str, str]) -> Mode | Literal["off"]:
    """What the input `comment` says. Raises UsageError for anything else."""
    given = environment.get(f"{INPUT_PREFIX}COMMENT", "").strip()
    modes: tuple[Mode, ...] = get_args(Mode)
    if given in ("", "auto"):  # what it was called when there were two
        return "always"
    if given == "off":
        return "off"
    for mode in modes:
        if given == mode:
            return mode
    raise UsageError(f"input `comment` is {given!r}; it can be {', '.join([*modes, 'off'])}")


def tracking_title(given: str) -> str:
    """The title that the input `tracking-issue` asks for."""
    if given.casefold() in ("", "false"):
        return ""
    return TRACKING if given.casefold() == "true" else given


def parse_inputs(environment: Mapping[str, str]) -> ActionInputs:
    """Read the inputs. Raises UsageError, naming the input, for a value it cannot have."""

    def value(name: str) -> str:
        return environment.get(INPUT_PREFIX + name, "").strip()

    workspace = Path(environment.get("GITHUB_WORKSPACE") or Path.cwd())
    temporary = Path(environment.get("RUNNER_TEMP") or workspace)

    def path(name: str) -> str:
        return str(workspace / value(name)) if value(name) else ""

    def one_of(name: str, *choices: str) -> str:
        given = value(name.replace("-", "_")) or choices[0]
        if given not in choices:
            can = " or ".join(map(repr, choices))
            raise UsageError(f"input `{name.lower()}` is {given!r}; it can be {can}")
        return given

    return ActionInputs(
        models=value("MODELS"),
        repo_path=path("REPO_PATH") or str(workspace),
        max_tasks=value("MAX_TASKS"),
        since=value("SINCE"),
        until=value("UNTIL"),
        paths=value("PATHS"),
        labels=value("LABELS"),
        rewrite_with=value("REWRITE_WITH"),
        judge_model=value("JUDGE_MODEL"),
        batch=one_of("BATCH", "false", "true") == "true",
        budget_usd=value("BUDGET_USD"),
        current_model=value("CURRENT_MODEL"),
        margin=value("MARGIN"),
        fail_under=value("FAIL_UNDER"),
        fail_if_worse_than=value("FAIL_IF_WORSE_THAN"),
        max_cost_per_solve=value("MAX_COST_PER_SOLVE"),
        replay=path("REPLAY"),
        config=path("CONFIG"),
        comment=comment_mode(environment),
        tracking_issue=tracking_title(value("TRACKING_ISSUE")),
        github_token=value("GITHUB_TOKEN"),
        anthropic_api_key=value("ANTHROPIC_API_KEY"),
        google_api_key=value("GOOGLE_API_KEY"),
        openai_api_key=value("OPENAI_API_KEY"),
        run_folder=path("RUN_FOLDER") or str(Path(path("CACHE_FOLDER") or temporary) / RUN),
        ca_bundle=path("CA_BUNDLE"),
        command=one_of("COMMAND", *action_shards.COMMANDS, *live_event.COMMANDS),
        shards=action_shards.count(value("SHARDS")),
        shard=value("SHARD"),
        merge_from=path("MERGE_FROM") or str(temporary / "patchmark-shards"),
        time_limit=value("TIME_LIMIT"),
        guidance=value("GUIDANCE"),
        registry=value("REGISTRY"),
        registry_push=one_of("REGISTRY-PUSH", "false", "true") == "true",
        cache_folder=path("CACHE_FOLDER"),
    )


def keys_in(environment: Mapping[str, str]) -> dict[str, str]:
    """Providers' keys by the variable the program reads them from; inputs go before the job's."""
    found = {}
    for provider, variables in KEY_VARIABLES.items():
        found.update({name: environment.get(name, "").strip() for name in variables})
        if given := environment.get(f"{INPUT_PREFIX}{provider.upper()}_API_KEY", "").strip():
            found.update(dict.fromkeys(variables, given))
    return {name: key for name, key in found.items() if key}
