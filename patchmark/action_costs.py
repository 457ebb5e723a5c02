"""What a use of patchmark in a workflow is given, may cost and may take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from core.errors import PatchmarkError
from models.services import KEY_VARIABLES
from models.spec import needs_key
from patchmark.action_checks import HOSTED_MINUTES, good, warn, wrong
from patchmark.doctor import Check
from patchmark.run_cost import Expected, expected
from patchmark.settings import Settings
from patchmark.workflow_files import SECRETS
from patchmark.workflow_reading import DECIDES, POSTS, TWICE, Used


def costs(used: Used, settings: Settings) -> Iterator[Check]:
    """Secrets, cost and time of one step; of a shard, those of the whole run."""
    if not used.asks_models:
        yield _no_keys(used)
        return
    theirs = _with_inputs(used, settings)
    yield from _secrets(used, theirs)
    yield from _price(used, theirs)


def _no_keys(used: Used) -> Check:
    held = ", ".join(sorted(used.secrets() - {"GITHUB_TOKEN"}))
    if not held:
        return good("secrets", "none, and none is needed")
    if used.part in (DECIDES, POSTS):
        mend = "take them out of this job: it reads what strangers write"
        return wrong("secrets", f"{held} where none is needed", mend)
    mend = f"take them out of this step: `{used.command}` asks no model"
    return warn("secrets", f"{held} where none is needed", mend)


def _with_inputs(used: Used, settings: Settings) -> Settings:
    """The settings with what the workflow's inputs say, where that is no expression."""
    tasks = "1" if used.command == "live" else used.value("max-tasks")
    return replace(
        settings,
        models=used.models() or settings.models,
        attempts=settings.attempts * (2 if used.command == TWICE else 1),
        max_tasks=int(tasks) if tasks.isascii() and tasks.isdigit() else settings.max_tasks,
        budget_usd=_amount(used.value("budget-usd")) or settings.budget_usd,
        rewrite_with=used.value("rewrite-with") or settings.rewrite_with,
        judge_model=used.value("judge-model") or settings.judge_model,
    )


def _amount(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _secrets(used: Used, settings: Settings) -> Iterator[Check]:
    names = [*settings.models, settings.rewrite_with, settings.judge_model]
    needed = {service for name in names if name and (service := needs_key(name))}
    # An expression that names nobody may come to anybody.
    known = bool(used.models()) or "${{" not in used.value("models")
    for service, variables in KEY_VARIABLES.items():
        given = _given(used, service, variables)
        secret = SECRETS.get(service, (*variables, "")[0])
        name = f"{service} key"
        if given and "${{" not in given:
            mend = f"withdraw that key, and write ${{{{ secrets.{secret} }}}} there"
            yield wrong(name, "stands in the file, for all to read", mend)
        elif service in needed and not given:
            mend = f"give it ${{{{ secrets.{secret} }}}}, and `gh secret set {secret}`"
            yield wrong(name, "not given, and a model needs it", mend)
        elif given and service not in needed and known and needs_key(f"{service}:x"):
            yield warn(name, "given, and no model named here needs it", "take it out of the file")
        elif given:
            held = ", ".join(re.findall(r"secrets\.(\w+)", given)) or "an expression"
            yield good(name, f"from {held}; `gh secret list` shows whether it is set")


def _given(used: Used, service: str, variables: tuple[str, ...]) -> str:
    places = (used.inputs.get(f"{service}-api-key"), *map(used.environment.get, variables))
    return next((text for text in places if text), "")


def _price(used: Used, settings: Settings) -> Iterator[Check]:
    try:
        coming = expected(settings)
    except PatchmarkError as error:
        yield warn("cost", f"cannot be estimated: {error}", "mend that, or trust the budget")
        return
    cap = settings.budget_usd
    found = f"{_cost(coming)}; {_capped(used, cap)}"
    if "${{" in used.value("max-tasks"):
        found += "; more where it is asked for more tasks"
    if cap is None and coming.answers:
        yield warn("cost", found, "give `budget-usd`: no request is sent that could go beyond")
    else:
        yield good("cost", found)
    yield _duration(used, coming, settings)


def _capped(used: Used, cap: Decimal | None) -> str:
    if used.sharded:
        over = f"over all {used.shards} jobs" if used.shards else "over all jobs of the matrix"
        return f"never more than ${cap} {over}" if cap is not None else f"no cap {over}"
    if used.jobs is None:
        return f"{'no cap' if cap is None else f'never more than ${cap}'} in each job of the matrix"
    if used.jobs > 1:
        whole = "no cap" if cap is None else f"never more than ${cap}, ${cap * used.jobs} in all"
        return f"that in each of {used.jobs} jobs; {whole}"
    return "no cap" if cap is None else f"never more than ${cap}"


def _duration(used: Used, coming: Expected, settings: Settings) -> Check:
    shards = used.shards or 1
    theirs = used.minutes or HOSTED_MINUTES
    found = _time(coming, settings)
    if used.sharded:
        found += f", over {used.shards or 'the matrix of'} jobs"
    found += f"; GitHub ends each job after {theirs:g} minutes"
    if used.minutes is None:
        return warn("time", found, "give the job `timeout-minutes`")
    minutes = _minutes(coming)
    if minutes is not None and minutes / shards > theirs and not used.inputs.get("time-limit"):
        mend = (
            "give `time-limit` and keep `run-folder`, or split it: examples/workflows/sharded.yml"
        )
        return warn("time", found, mend)
    return good("time", found)


def _cost(coming: Expected) -> str:
    tasks = f"{coming.tasks} tasks" + ("" if coming.proven else " at most")
    if not coming.answers:
        return f"nothing: no model is asked, {tasks}"
    if coming.usd is not None:
        return (
            f"${coming.usd.least:.2f} to ${coming.usd.most:.2f} for {coming.answers} answers "
            f"to the {tasks} of the run folder"
        )
    why = "a price is not known" if coming.proven else "`patchmark run --dry-run` estimates it"
    return f"{coming.answers} answers for {tasks}; {why}"


def _time(coming: Expected, settings: Settings) -> str:
    runs = f"{coming.test_runs} test runs" + ("" if coming.proven else " at most")
    if coming.test_seconds is None:
        return f"{runs} of {settings.limits.seconds:g} s at most each, beside builds and answers"
    minutes = _minutes(coming) or 0
    return (
        f"{runs} of {coming.test_seconds:.1f} s, as here: {minutes:.0f} minutes one after "
        "another, beside builds and answers"
    )


def _minutes(coming: Expected) -> float | None:
    """Of test runs, one after another; None where none was seen yet."""
    seconds = coming.test_seconds
    return None if seconds is None else coming.test_runs * seconds / 60
