"""The entrant that is somebody else's coding agent: its own command line, in a container."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from core.bench import BenchEndedError, Did
from core.errors import EngineError
from core.outlet import Command, NotInstalledError, OpenBench, OpenBenches
from core.types import Patch, Stop, Task
from models.agent import AgentLimits
from models.base import Files
from models.exchange import Slot
from models.exchange_store import ExchangeStore
from models.guidance import Guidance, prepare
from models.instructions import without_them
from models.patches import Ended, of_dialog, unanswered
from models.prompt import make_command_prompt
from models.recording_proxy import Proxy, Till
from models.services import SERVICES, Api
from models.spec import Spec
from models.turns import Turns

_BENCHES = 2
"""How often a container that fails is made anew; what was answered so far is not paid again."""
_KEY = "patchmark"
"""What stands for a key inside: the real one is added on the way."""
_KEYS = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY")
_PLAIN = ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE", "GOOGLE_GEMINI_BASE_URL", "GEMINI_API_BASE")
_WITH_VERSION = ("OPENAI_BASE_URL", "OPENAI_API_BASE")
OURS = frozenset((*_KEYS, *_PLAIN, *_WITH_VERSION))
"""Variables that say where and as whom an agent asks."""
_LITELLM: dict[Api, str] = {
    "anthropic": "anthropic/",
    "gemini": "gemini/",
    "responses": "openai/",
    "chat": "openai/",
}
_TOLD = (
    "cat > /tmp/patchmark-prompt.md\nexport PATCHMARK_PROMPT_FILE=/tmp/patchmark-prompt.md\n"
    'PATCHMARK_PROMPT="$(cat /tmp/patchmark-prompt.md)"\nexport PATCHMARK_PROMPT\n'
    "exec < /dev/null\n"
)


@dataclass(frozen=True, kw_only=True)
class CommandLine:
    """A coding agent on one model."""

    name: str
    spec: Spec
    command: Command
    till: Till
    source: ExchangeStore | None
    """Recordings to answer from, where nobody is to be asked."""
    benches: OpenBenches
    limits: AgentLimits
    max_output_tokens: int
    guidance: Guidance | None = None
    """See OneShot."""

    def solve(self, task: Task, files: Files, attempt: int) -> Patch:
        """Let it work. Questions that are equal to kept ones are not asked again.

        Raises UsageError as OneShot.
        """
        start = Slot(self.name, task.id, attempt)
        for _ in range(_BENCHES):
            try:
                with self.benches(task, self.command.install) as bench:
                    return self._in(bench, start, task, files)
            except NotInstalledError as error:
                broken = f"{self.spec.command} cannot be installed: {error}"
                break
            except EngineError as error:
                broken = str(error)
        slots = Turns(self.till.store, start).slots
        return unanswered(self.till.store, slots, Stop.ENVIRONMENT_BROKEN, broken, self.spec.model)

    def _in(self, bench: OpenBench, start: Slot, task: Task, files: Files) -> Patch:
        given = self.spec.instructions is not False
        if self.guidance or not given:
            prepare(bench, files, self.guidance, given=given)
        prompt = make_command_prompt(task, bench.tests)
        proxy = Proxy(
            till=self.till,
            spec=self.spec,
            prompt=prompt,
            max_output_tokens=self.max_output_tokens,
            turns=Turns(self.till.store, start, self.source),
            steps=self.limits.steps,
            usd=self.limits.usd,
            end=bench.end,
        )
        try:
            did = self._run(bench, proxy)
            ended = self._ended(proxy, did, bench.diff())
        except BenchEndedError as error:
            ended = Ended(Stop.EMPTY, str(error), "", None)
        if proxy.fatal is not None:
            raise proxy.fatal
        return of_dialog(
            self.till.store,
            proxy.turns.slots,
            ended,
            self.spec.model,
            replayed=self.source is not None,
        )

    def _run(self, bench: OpenBench, proxy: Proxy) -> Did:
        with bench.through(proxy) as address:
            try:
                script = f"{self._variables(address)}{_TOLD}{self.command.run}"
                return bench.run(script, given=proxy.prompt, seconds=self.limits.seconds)
            finally:
                proxy.closed = True

    def _variables(self, address: str) -> str:
        prefix = _LITELLM[SERVICES[self.spec.service].api]
        variables: Mapping[str, str] = {
            **self.command.variables,
            **dict.fromkeys(_KEYS, _KEY),
            **dict.fromkeys(_PLAIN, address),
            **dict.fromkeys(_WITH_VERSION, f"{address}/v1"),
            "PATCHMARK_MODEL": self.spec.model,
            "PATCHMARK_MAX_OUTPUT_TOKENS": str(self.max_output_tokens),
            "PATCHMARK_LITELLM": f"{prefix}{self.spec.model}",
        }
        lines = (f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
        return "".join(lines)

    def _ended(self, proxy: Proxy, did: Did, diff: str) -> Ended:
        if self.guidance:
            diff = self.guidance.without(diff)
        elif self.spec.instructions is False:
            diff = without_them(diff)
        seconds = did.seconds + proxy.recalled_seconds
        stop, detail = self._how(proxy, did, diff)
        if proxy.other_models:
            others = ", ".join(sorted(proxy.other_models)[:3])
            detail = "; ".join(filter(None, (detail, f"asked for {others} as well")))
        return Ended(stop, detail, diff if stop is Stop.ANSWERED else "", seconds)

    def _how(self, proxy: Proxy, did: Did, diff: str) -> tuple[Stop, str]:
        failed = did.exit_code != 0
        last = " ".join(did.output.strip().rpartition("\n")[2].split())[:200]
        how = f"the command ended with {did.exit_code}: {last}".rstrip(": ") if failed else ""
        if did.exit_code is None:
            how = f"stopped after {self.limits.seconds:g} s"
        if proxy.over_budget:
            return Stop.OVER_BUDGET, proxy.over_budget
        if proxy.trouble and (failed or not diff):
            return Stop.PROVIDER_FAILED, proxy.trouble
        if not proxy.asked and not diff:
            how = how or f"the command asked nothing: {last}"
            return Stop.ENVIRONMENT_BROKEN, "; ".join(filter(None, (how, proxy.not_let_out)))
        detail = proxy.limit or how
        if diff:
            return Stop.ANSWERED, detail
        if proxy.refused:
            return Stop.REFUSED, proxy.refused
        return Stop.EMPTY, "; ".join(filter(None, (detail, "nothing changed")))
