"""`patchmark doctor --action`: the repository's workflow files, before they cost anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

from core.errors import PatchmarkError
from core.programs import work_tree
from models.services import KEY_VARIABLES
from models.spec import needs_key
from patchmark.doctor import Check
from patchmark.run_cost import Expected, expected
from patchmark.settings import Flags, Settings, make
from patchmark.workflow_files import SECRETS
from patchmark.workflow_reading import FOLDER, Used, read_workflows
from reports.escape import one_line

HOSTED_MINUTES = 360
"""After which GitHub ends a job on its own runners, where the file says nothing."""
_PINNED = re.compile(r"[^@\s]+@[0-9a-f]{40}")
_SHARED = frozenset({"pull_request", "issue_comment"})
_USEFUL = {("issues", "read"), ("pull-requests", "read")}
"""Permissions that give tasks their texts, and that a run does without."""
_STRANGERS = frozenset({"pull_request_target", "workflow_run"})


def examine(flags: Flags, environment: Mapping[str, str]) -> list[Check]:
    """Look at every workflow that uses patchmark. Never raises: what is wrong is a result."""
    try:
        # From any folder of the repository: GitHub looks in its root alone, and so does a run.
        root = work_tree(flags.repo or Path())
        settings = make(replace(flags, repo=root), environment)
        found = read_workflows(settings.repo)
    except PatchmarkError as error:
        return [_wrong("configuration", str(error), "change what it names")]
    if not found:
        return [
            _wrong("workflow", f"{root / FOLDER}: none uses patchmark", "patchmark init writes one")
        ]
    return [check for used in found for check in _of_one(used, settings)]


def _of_one(used: Used, settings: Settings) -> Iterator[Check]:
    yield _good("workflow", f"{used.where} ({', '.join(sorted(used.triggers))})")
    yield _triggers(used)
    yield _permissions(used)
    yield _pins(used)
    yield _runner(used)
    if used.deciding:
        yield _no_keys(used)
        return
    yield _history(used)
    theirs = _with_inputs(used, settings)
    yield from _secrets(used, theirs)
    yield from _price(used, theirs)


def _triggers(used: Used) -> Check:
    bad = sorted(used.triggers & _STRANGERS)
    if bad and (used.before or used.secrets()):
        mend = "use pull_request, or on-command: this event hands secrets to strangers' files"
        return _wrong("trigger", ", ".join(bad), mend)
    return _good("trigger", "none that hands secrets to strangers' files")


def _permissions(used: Used) -> Check:
    given = used.permissions
    if given is None or isinstance(given, str):
        found = f"{given or 'not said'}: more than it needs, or less"
        return _warn("permissions", found, f"permissions of the job: {_listed(_needed(used))}")
    needed = _needed(used)
    lacking = {n: level for n, level in needed.items() if _rank(given.get(n)) < _rank(level)}
    if lacking:
        mend = f"add to the job's permissions: {_listed(lacking)}"
        return _wrong("permissions", f"missing: {_listed(lacking)}", mend)
    spare = {n: level for n, level in given.items() if _rank(level) > _rank(needed.get(n))}
    useful = _USEFUL | ({("pull-requests", "write")} if "workflow_call" in used.triggers else set())
    if spare := {n: level for n, level in spare.items() if (n, level) not in useful}:
        mend = f"take away, or lower: {_listed(spare)}"
        return _warn("permissions", f"more than it needs: {_listed(spare)}", mend)
    return _good("permissions", _listed(given))


def _needed(used: Used) -> dict[str, str]:
    if used.deciding:
        return {"pull-requests": "write", "actions": "write"}
    silent = used.inputs.get("comment") == "off" or used.inputs.get("github-token") == ""
    comments = used.triggers & _SHARED and not silent
    tracks = used.inputs.get("tracking-issue", "") not in ("", "false") and not silent
    return (
        {"contents": "read"}
        | ({"pull-requests": "write"} if comments else {})
        | ({"issues": "write"} if tracks else {})
    )


def _rank(level: str | None) -> int:
    return {"read": 1, "write": 2}.get(level or "", 0)


def _listed(permissions: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {level}" for name, level in permissions.items()) or "none"


def _pins(used: Used) -> Check:
    others = [name for name in used.uses if not name.startswith(("./", "docker://"))]
    if loose := sorted({name for name in others if not _PINNED.fullmatch(name)}):
        mend = "write a commit's full SHA behind the @: a tag can be moved to other code"
        return _warn("pins", f"not by a SHA: {', '.join(loose)}", mend)
    return _good("pins", f"{len(others)} by a SHA")


def _runner(used: Used) -> Check:
    if used.deciding:
        return _good("runner", f"{used.runner}, no engine needed")
    if used.contained:
        mend = "take `container:` away, or hand the engine's socket into it"
        return _warn("runner", "the job runs in a container, where no engine answers", mend)
    if used.runner.startswith(("windows", "macos")):
        return _wrong("runner", f"{used.runner} has no container engine", "runs-on: ubuntu-24.04")
    if used.runner.startswith("ubuntu"):
        return _good("runner", f"{used.runner}, where Docker is running")
    mend = "run `patchmark doctor` there: it takes Linux and a container engine"
    return _warn("runner", f"{used.runner}: of your own, as far as can be told", mend)


def _no_keys(used: Used) -> Check:
    if used.secrets() - {"GITHUB_TOKEN"}:
        mend = "take them out of this job: it reads what strangers write"
        return _wrong("secrets", f"{', '.join(sorted(used.secrets()))} where none is needed", mend)
    return _good("secrets", "none, and none is needed")


def _history(used: Used) -> Check:
    checkouts = [s for s in used.before if str(s.get("uses", "")).startswith("actions/checkout@")]
    with_ = dict(checkouts[-1].get("with") or {}) if checkouts else {}
    if str(with_.get("fetch-depth")) != "0":
        mend = "before it: actions/checkout with `fetch-depth: 0`; tasks come from the history"
        found = "only the last commit is checked out" if checkouts else "nothing is checked out"
        return _wrong("history", found, mend)
    if str(with_.get("persist-credentials")).lower() != "false":
        mend = "`persist-credentials: false` beside fetch-depth"
        return _warn("history", "whole, and the checkout leaves its token in .git/config", mend)
    return _good("history", "whole, and no token in .git/config")


def _with_inputs(used: Used, settings: Settings) -> Settings:
    """The settings with what the workflow's inputs say, where that is no expression."""
    tasks = used.inputs.get("max-tasks", "")
    return replace(
        settings,
        models=used.models() or settings.models,
        max_tasks=int(tasks) if tasks.isascii() and tasks.isdigit() else settings.max_tasks,
        budget_usd=_amount(used.inputs.get("budget-usd", "")) or settings.budget_usd,
        rewrite_with=used.inputs.get("rewrite-with") or settings.rewrite_with,
        judge_model=used.inputs.get("judge-model") or settings.judge_model,
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
    known = bool(used.models()) or "${{" not in used.inputs.get("models", "")
    for service, variables in KEY_VARIABLES.items():
        given = _given(used, service, variables)
        secret = SECRETS.get(service, (*variables, "")[0])
        name = f"{service} key"
        if given and "${{" not in given:
            mend = f"withdraw that key, and write ${{{{ secrets.{secret} }}}} there"
            yield _wrong(name, "stands in the file, for all to read", mend)
        elif service in needed and not given:
            mend = f"give it ${{{{ secrets.{secret} }}}}, and `gh secret set {secret}`"
            yield _wrong(name, "not given, and a model needs it", mend)
        elif given and service not in needed and known and needs_key(f"{service}:x"):
            yield _warn(name, "given, and no model named here needs it", "take it out of the file")
        elif given:
            held = ", ".join(re.findall(r"secrets\.(\w+)", given)) or "an expression"
            yield _good(name, f"from {held}; `gh secret list` shows whether it is set")


def _given(used: Used, service: str, variables: tuple[str, ...]) -> str:
    places = (used.inputs.get(f"{service}-api-key"), *map(used.environment.get, variables))
    return next((text for text in places if text), "")


def _price(used: Used, settings: Settings) -> Iterator[Check]:
    minutes = used.minutes or HOSTED_MINUTES
    try:
        coming = expected(settings)
    except PatchmarkError as error:
        yield _warn("cost", f"cannot be estimated: {error}", "mend that, or trust the budget")
        return
    cap = settings.budget_usd
    found = f"{_cost(coming)}; {f'never more than ${cap}' if cap is not None else 'no cap'}"
    if "${{" in used.inputs.get("max-tasks", ""):
        found += "; more where it is asked for more tasks"
    if cap is None and coming.answers:
        yield _warn("cost", found, "give `budget-usd`: no request is sent that could go beyond")
    else:
        yield _good("cost", found)
    found = f"{_time(coming, settings)}; GitHub ends the job after {minutes:g} minutes"
    if used.minutes is None:
        yield _warn("time", found, "give the job `timeout-minutes`")
    else:
        yield _good("time", found)


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
    minutes = coming.test_runs * coming.test_seconds / 60
    return (
        f"{runs} of {coming.test_seconds:.1f} s, as here: {minutes:.0f} minutes one after "
        "another, beside builds and answers"
    )


def _good(name: str, found: str) -> Check:
    return Check(name=name, ok=True, found=one_line(found))


def _warn(name: str, found: str, mend: str) -> Check:
    return Check(name=name, ok=False, found=one_line(found), mend=mend)


def _wrong(name: str, found: str, mend: str) -> Check:
    return Check(name=name, ok=False, found=one_line(found), mend=mend, exit_code=2)
