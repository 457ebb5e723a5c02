"""What is wrong with one use of patchmark in a workflow, as far as the file itself tells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from patchmark.doctor import Check
from patchmark.enterprise import ARTIFACTS
from patchmark.pinning import OPEN
from patchmark.workflow_reading import DECIDES, POSTS, Used
from reports.escape import one_line

HOSTED_MINUTES = 360
"""After which GitHub ends a job on its own runners."""
ROOM_MINUTES = 5
"""That keeping what was paid for may take once the time limit is reached."""
_PINNED = re.compile(r"[^@\s]+@[0-9a-f]{40}")
_SHARED = frozenset({"pull_request", "issue_comment"})
_USEFUL = {("issues", "read"), ("pull-requests", "read")}
"""Permissions that give tasks their texts, and that a run does without."""
_STRANGERS = frozenset({"pull_request_target", "workflow_run"})
_CACHE = re.compile(r"actions/cache(?:/[a-z]+)?@")


def checks(used: Used, workflows: set[str]) -> Iterator[Check]:
    """Everything but secrets, cost and time; `workflows` are the names of all there are."""
    yield good("workflow", f"{used.where} ({', '.join(sorted(used.triggers))})")
    yield _triggers(used)
    yield _permissions(used)
    yield from _called(used)
    yield _pins(used)
    yield _runner(used)
    if used.part == POSTS:
        yield _waits(used, workflows)
    elif used.part != DECIDES and used.command != "trial":
        yield _history(used)
        yield from _kept(used)
    yield from _ends(used)


def _triggers(used: Used) -> Check:
    bad = sorted(used.triggers & _STRANGERS)
    if used.part == POSTS:
        if any(_checks_out(step) for step in used.steps):
            mend = "take the checkout away: this job holds a token, and the files are a stranger's"
            return wrong("trigger", "a checkout beside what a stranger left", mend)
        if used.triggers != {"workflow_run"}:
            mend = "on: workflow_run, with the name of the workflow that measures"
            return wrong("trigger", f"{', '.join(sorted(used.triggers))}: nothing to post", mend)
        return good("trigger", "workflow_run, and nothing is checked out")
    if bad and (used.before or used.secrets()):
        mend = "use pull_request, or on-command: this event hands secrets to strangers' files"
        return wrong("trigger", ", ".join(bad), mend)
    return good("trigger", "none that hands secrets to strangers' files")


def _permissions(used: Used) -> Check:
    given = used.permissions
    needed = _needed(used)
    if given is None or isinstance(given, str):
        found = f"{given or 'not said'}: more than it needs, or less"
        return warn("permissions", found, f"permissions of the job: {_listed(needed)}")
    if lacking := _lacking(needed, given):
        mend = f"add to the job's permissions: {_listed(lacking)}"
        return wrong("permissions", f"missing: {_listed(lacking)}", mend)
    spare = {n: level for n, level in given.items() if _rank(level) > _rank(needed.get(n))}
    useful = _USEFUL | ({("pull-requests", "write")} if "workflow_call" in used.triggers else set())
    if spare := {n: level for n, level in spare.items() if (n, level) not in useful}:
        mend = f"take away, or lower: {_listed(spare)}"
        return warn("permissions", f"more than it needs: {_listed(spare)}", mend)
    return good("permissions", _listed(given))


def _needed(used: Used) -> dict[str, str]:
    if used.part == DECIDES:
        return {"pull-requests": "write", "actions": "write"}
    if used.part == POSTS:
        return {"actions": "read", "pull-requests": "write"}
    silent = used.inputs.get("comment") == "off" or used.inputs.get("github-token") == ""
    silent = silent or used.command in ("plan", "live-plan", "live") or used.sharded
    comments = used.triggers & _SHARED and not silent
    tracks = used.inputs.get("tracking-issue", "") not in ("", "false") and not silent
    if used.command == "live-plan":
        return {"contents": "read", "pull-requests": "read"}
    tells = used.command == "trial"
    return (
        {"contents": "write" if tells else "read"}
        | ({"pull-requests": "write"} if comments or tells else {})
        | ({"issues": "write"} if tracks else {})
    )


def _called(used: Used) -> Iterator[Check]:
    """A called workflow never has more than the job that calls it."""
    for caller in used.callers:
        own = used.permissions if isinstance(used.permissions, dict) else {}
        needed = {n: level for n, level in own.items() if (n, level) not in _USEFUL} or _needed(
            used
        )
        if not isinstance(caller.permissions, dict):
            found = f"{caller.where}: {caller.permissions or 'no permissions said'}"
            yield warn("called by", found, f"permissions of that job: {_listed(needed)}")
        elif lacking := _lacking(needed, caller.permissions):
            mend = f"add to that job's permissions: {_listed(lacking)}"
            yield wrong("called by", f"{caller.where}, without {_listed(lacking)}", mend)
        elif caller.secrets is not None and (held := _names(used) - caller.secrets):
            mend = "hand them on there: `secrets:` with their names, or `secrets: inherit`"
            yield wrong("called by", f"{caller.where}, without {', '.join(sorted(held))}", mend)
        else:
            yield good("called by", caller.where)


def _names(used: Used) -> set[str]:
    return used.secrets() - {"GITHUB_TOKEN"}


def _lacking(needed: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    return {n: level for n, level in needed.items() if _rank(given.get(n)) < _rank(level)}


def _rank(level: str | None) -> int:
    return {"read": 1, "write": 2}.get(level or "", 0)


def _listed(permissions: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {level}" for name, level in permissions.items()) or "none"


def _pins(used: Used) -> Check:
    others = [name for name in used.uses if not name.startswith(("./", "docker://"))]
    if left := sorted({name for name in others if name.endswith(f"@{OPEN}")}):
        mend = f"write the commit of a release in place of {OPEN}: its page has that line"
        return wrong("pins", f"left open: {', '.join(left)}", mend)
    if loose := sorted({name for name in others if not _PINNED.fullmatch(name)}):
        mend = "write a commit's full SHA behind the @: a tag can be moved to other code"
        return warn("pins", f"not by a SHA: {', '.join(loose)}", mend)
    return good("pins", f"{len(others)} by a SHA")


def _runner(used: Used) -> Check:
    needs_none = not used.asks_models
    if needs_none and used.runner.startswith(("ubuntu", "windows", "macos")):
        if not used.runner.startswith("ubuntu"):
            return wrong("runner", f"{used.runner}: it takes Linux", "runs-on: ubuntu-24.04")
        return good("runner", f"{used.runner}, no engine needed")
    if used.contained and not needs_none:
        mend = "take `container:` away, or hand the engine's socket into it"
        return warn("runner", "the job runs in a container, where no engine answers", mend)
    if used.runner.startswith(("windows", "macos")):
        return wrong("runner", f"{used.runner} has no container engine", "runs-on: ubuntu-24.04")
    if used.runner.startswith("ubuntu"):
        return good("runner", f"{used.runner}, where Docker is running")
    mend = "run `patchmark doctor` there: it takes Linux, Python 3.11 and a container engine"
    return warn("runner", f"{used.runner}: of your own, as far as can be told", mend)


def _waits(used: Used, workflows: set[str]) -> Check:
    if lost := sorted(set(used.after) - workflows):
        mend = "write the `name` of the workflow that measures, letter by letter"
        return wrong("waits for", f"{', '.join(lost)}, and no workflow is called that", mend)
    return good("waits for", ", ".join(used.after))


def _history(used: Used) -> Check:
    checkouts = [step for step in used.before if _checks_out(step)]
    with_ = dict(checkouts[-1].get("with") or {}) if checkouts else {}
    if str(with_.get("fetch-depth")) != "0":
        mend = "before it: actions/checkout with `fetch-depth: 0`; tasks come from the history"
        found = "only the last commit is checked out" if checkouts else "nothing is checked out"
        return wrong("history", found, mend)
    if str(with_.get("persist-credentials")).lower() != "false":
        mend = "`persist-credentials: false` beside fetch-depth"
        return warn("history", "whole, and the checkout leaves its token in .git/config", mend)
    return good("history", "whole, and no token in .git/config")


def _checks_out(step: Mapping[str, object]) -> bool:
    return str(step.get("uses", "")).startswith("actions/checkout@")


def _kept(used: Used) -> Iterator[Check]:
    """Two runs that go on from one kept folder: the one that ends last keeps its own alone."""
    if not any(_CACHE.match(str(step.get("uses", ""))) for step in used.steps):
        return
    if used.one_at_a_time:
        yield good("at once", "one run after another")
        return
    mend = "give job or workflow a `concurrency` group, with `cancel-in-progress: false`"
    found = "two runs may share the kept folder: what one of them paid for is lost"
    yield warn("at once", found, mend)


def _ends(used: Used) -> Iterator[Check]:
    """A limit of ours has to be reached before the runner's own."""
    limit = _number(used.value("time-limit"))
    theirs = used.minutes or HOSTED_MINUTES
    hosted = used.runner.startswith("ubuntu")
    if limit is not None and limit >= theirs:
        mend = f"a `time-limit` of {max(theirs - 2 * ROOM_MINUTES, 1):g} leaves time to keep it"
        found = f"time-limit {limit:g}, and GitHub kills the job after {theirs:g} minutes"
        yield wrong("time limit", found, mend)
    elif limit is not None and limit > theirs - ROOM_MINUTES:
        mend = f"leave {ROOM_MINUTES} minutes for the steps that keep what was paid for"
        yield warn("time limit", f"{limit:g} of the job's {theirs:g} minutes", mend)
    elif hosted and (used.minutes or 0) > HOSTED_MINUTES:
        found = f"timeout-minutes: {used.minutes:g}, and GitHub's own runners end at 360"
        yield warn("time limit", found, "give `time-limit: 345`, and keep the run folder")
    elif limit is not None:
        yield good("time limit", f"{limit:g} of the job's {theirs:g} minutes")


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text) else None


def lacks_on_enterprise(found: Sequence[Used]) -> Iterator[Check]:
    """What a GitHub Enterprise Server has not."""
    uses = {name for used in found for name in used.uses}
    known = tuple(text.partition(" ")[0] for text in ARTIFACTS.values())
    artifacts = {name for name in uses if re.match(r"actions/(up|down)load-artifact@", name)}
    if newer := sorted(name for name in artifacts if not name.endswith(known)):
        mend = "take v3, as `patchmark init --enterprise` writes it"
        yield warn("artifacts", f"{', '.join(newer)}: from v4 on on github.com alone", mend)
    if any(used.runner.startswith("ubuntu") for used in found):
        mend = "name a runner of your own: runs-on: [self-hosted, linux]"
        yield warn("runners", "ubuntu-…, and only github.com has such", mend)


def good(name: str, found: str) -> Check:
    """All is well."""
    return Check(name=name, ok=True, found=one_line(found))


def warn(name: str, found: str, mend: str) -> Check:
    """It works, and could be better."""
    return Check(name=name, ok=False, found=one_line(found), mend=mend)


def wrong(name: str, found: str, mend: str) -> Check:
    """It cannot work, or must not."""
    return Check(name=name, ok=False, found=one_line(found), mend=mend, exit_code=2)
