"""What an entrant's name says: `service:model`, and settings behind plus signs.

`openai:gpt-5.4-mini+agent+effort=high` asks one model, `openai:gpt-5.4-mini` the same one once
and with its own habits: two entrants, two rows.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast, get_args

from core.errors import UsageError
from models.answer import Form
from models.presets import PRESETS
from models.provider import Effort, Request
from models.services import SERVICES, Api, Service

BASELINE_NAMES = ("reference", "empty")
PREDICTIONS = "predictions"
"""What stands before the names of models whose patches were made elsewhere."""
FORMS = ", ".join(
    (*BASELINE_NAMES, *(f"{name}:MODEL" for name in SERVICES), "replay:NAME", *PRESETS)
)
_NAME = re.compile(r"[A-Za-z0-9][^\s\x00-\x1f\x7f+]{0,150}")
_PREDICTIONS_NAME = re.compile(r"[A-Za-z0-9_.:/@-]{1,150}")
_REPLAY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,150}")
STRATEGIES = ("oneshot", "long-context", "agent")
"""How a model is used; the first unless a name says otherwise."""
_COMMAND = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
_VERSION = re.compile(r"(base|head)-[0-9a-f]{8}")
_WITH_A_COMMAND = frozenset({"command", "instructions", "max-output-tokens", "window", "version"})
"""Settings that can be held whatever the agent asks."""
_SETTINGS = (
    "effort",
    "temperature",
    "max-output-tokens",
    "tools",
    "format",
    "repair",
    "instructions",
    "window",
    "command",
)
_EFFORTS: dict[Api, tuple[str, ...]] = {
    "anthropic": ("low", "medium", "high", "xhigh", "max"),
    "gemini": ("minimal", "low", "medium", "high", "xhigh"),
    "vertex": ("minimal", "low", "medium", "high", "xhigh"),
    "responses": get_args(Effort),
    "chat": get_args(Effort),
}


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A model with its settings."""

    service: str
    model: str
    effort: Effort | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None
    strategy: str = STRATEGIES[0]
    form: Form = "blocks"
    """What it is asked to answer with."""
    repair: bool = True
    """Whether it is asked once more where its answer cannot be read or placed."""
    instructions: bool | None = None
    """Whether the repository's own words to coding agents are given, or withheld; None = they
    are files like any other."""
    window: int | None = None
    """Tokens that it takes at once, where that is not known."""
    command: str = ""
    """The coding agent that asks the model; its strategy is then `command`."""
    tools: bool = True
    """Whether an agent's tools are the API's own kind, or words."""
    version: str = ""
    """Which version of the repository's guidance and settings it is asked with; "" = none."""

    @property
    def priced_as(self) -> str:
        """What the settings and the price list call it: without how it is asked."""
        return f"{self.service}:{self.model}"

    def request(self, system: str, user: str, max_output_tokens: int, prefix: str = "") -> Request:
        """A question to this model; `max_output_tokens` where its name gives none."""
        return Request(
            provider=self.service,
            model=self.model,
            system=system,
            prefix=prefix,
            user=user,
            max_output_tokens=self.max_output_tokens or max_output_tokens,
            effort=self.effort,
            temperature=self.temperature,
        )


def full_name(name: str) -> str:
    """A preset's short name in full, settings kept; any other name as it is."""
    short, plus, rest = name.partition("+")
    preset = PRESETS.get(short)
    return f"{preset.name}{plus}{rest}" if preset else name


def model_of(name: str) -> str:
    """The model's id in an entrant's name, "" where there is none."""
    if name.startswith(f"{PREDICTIONS}:"):  # called so by whoever made them
        return ""
    return full_name(name).partition("+")[0].partition(":")[2]


def needs_key(name: str) -> str | None:
    """The service whose API key an entrant needs, None where it needs none."""
    service = service_of(name)
    return service.name if service is not None and service.needs_key else None


def service_of(name: str) -> Service | None:
    """The service that an entrant asks, None for baselines and recordings."""
    return SERVICES.get(full_name(name).partition(":")[0])


def parse(name: str) -> Spec:
    """Read the name of a model, or of recordings. Raises UsageError that names what is wrong."""
    head, *settings = full_name(name).split("+")
    service, colon, model = head.partition(":")
    if service == PREDICTIONS:
        return _elsewhere(name)
    if not colon or service not in (*SERVICES, "replay"):
        raise UsageError(f"unknown entrant {name!r}{_hint(service)}; known: {FORMS}")
    if service == "replay":
        if not _REPLAY_NAME.fullmatch(name.partition(":")[2]):
            raise UsageError(f"entrant {name!r}: {model!r} is not a usable name after the colon")
        return Spec(service=service, model=model)
    if not _NAME.fullmatch(model):
        raise UsageError(f"entrant {name!r}: {model!r} is not a usable name after the colon")
    given: dict[str, str] = {}
    strategies = [setting for setting in settings if setting in STRATEGIES]
    if len(strategies) > 1:
        raise UsageError(f"entrant {name!r}: one of {', '.join(STRATEGIES)}, not {strategies}")
    for setting in settings:
        key, equals, value = setting.partition("=")
        if setting in STRATEGIES:
            continue
        if not equals or key not in (*_SETTINGS, "version") or key in given:
            known = ", ".join((*(f"+{s}=…" for s in _SETTINGS), *(f"+{s}" for s in STRATEGIES)))
            raise UsageError(f"entrant {name!r}: +{setting}: not one of {known}, each once")
        given[key] = value
    command = _command(name, given, strategies)
    api = SERVICES[service].api
    return Spec(
        service=service,
        model=model,
        effort=_effort(name, given.get("effort"), api),
        temperature=_temperature(name, given.get("temperature"), api),
        max_output_tokens=_tokens(name, "max-output-tokens", given.get("max-output-tokens")),
        strategy="command" if command else (*strategies, STRATEGIES[0])[0],
        command=command,
        form=_form(name, given.get("format")),
        instructions=_switch(name, "instructions", given.get("instructions")),
        window=_tokens(name, "window", given.get("window")),
        repair=_switch(name, "repair", given.get("repair")) is not False,
        tools=_tools(name, given.get("tools"), api),
        version=_version(name, given.get("version", "")),
    )


def _elsewhere(name: str) -> Spec:
    model = name.partition(":")[2]
    if not _PREDICTIONS_NAME.fullmatch(model):
        raise UsageError(f"entrant {name!r}: {model!r} is not a usable name after the colon")
    return Spec(service=PREDICTIONS, model=model)


def with_version(name: str, version: str) -> str:
    """The name of an entrant that is asked with a version, as `base-1a2b3c4d`."""
    return f"{name}+version={version}"


def works_in_a_container(name: str) -> bool:
    """Whether an entrant needs one for as long as it works, and does not answer alone."""
    return name not in BASELINE_NAMES and parse(name).strategy in ("agent", "command")


def check(name: str) -> None:
    """Raise UsageError, with the nearest known name, unless `name` can name an entrant."""
    if name not in BASELINE_NAMES:
        parse(name)


def _command(name: str, given: Mapping[str, str], strategies: Sequence[str]) -> str:
    """The coding agent that a name says; "" = none."""
    value = given.get("command")
    if value is None:
        return ""
    if not _COMMAND.fullmatch(value):
        raise UsageError(f"entrant {name!r}: +command={value}: not the name of a command")
    if others := sorted({*strategies, *given} - _WITH_A_COMMAND):
        words = ", ".join(f"+{other}" for other in others)
        raise UsageError(f"entrant {name!r}: {words}: a command decides that itself")
    return value


def _version(name: str, value: str) -> str:
    if value and not _VERSION.fullmatch(value):
        raise UsageError(f"entrant {name!r}: +version={value}: `patchmark check-change` makes them")
    return value


def _effort(name: str, value: str | None, api: Api) -> Effort | None:
    if value is None:
        return None
    if value not in _EFFORTS[api]:
        known = ", ".join(_EFFORTS[api])
        raise UsageError(f"entrant {name!r}: +effort={value}: this service takes {known}")
    return cast("Effort", value)


def _temperature(name: str, value: str | None, api: Api) -> float | None:
    if value is None:
        return None
    if api == "anthropic":
        raise UsageError(f"entrant {name!r}: +temperature: Anthropic's API takes none")
    if not re.fullmatch(r"[0-2](\.\d+)?", value) or float(value) > 2:
        raise UsageError(f"entrant {name!r}: +temperature={value}: not a number from 0 to 2")
    return float(value)


def _tools(name: str, value: str | None, api: Api) -> bool:
    """Servers of one's own often take no tools, so there they have to be asked for."""
    asked = _switch(name, "tools", value)
    return api != "chat" if asked is None else asked


def _switch(name: str, setting: str, value: str | None) -> bool | None:
    if value not in (None, "on", "off"):
        raise UsageError(f"entrant {name!r}: +{setting}={value}: on or off")
    return None if value is None else value == "on"


def _form(name: str, value: str | None) -> Form:
    if value not in (None, *get_args(Form)):
        known = ", ".join(get_args(Form))
        raise UsageError(f"entrant {name!r}: +format={value}: one of {known}")
    return cast("Form", value or "blocks")


def _tokens(name: str, setting: str, value: str | None) -> int | None:
    if value is None:
        return None
    if not re.fullmatch(r"\d{1,8}", value) or int(value) < 256:
        raise UsageError(f"entrant {name!r}: +{setting}={value}: not a number from 256 on")
    return int(value)


def _hint(service: str) -> str:
    known = [*BASELINE_NAMES, *SERVICES, "replay", *PRESETS]
    near = difflib.get_close_matches(service.lower(), known, n=1)
    if not near:
        return ""
    return f" (did you mean {near[0]}{':…' if near[0] in (*SERVICES, 'replay') else ''}?)"
