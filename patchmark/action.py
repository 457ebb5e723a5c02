"""The GitHub Action: `patchmark run` with its result in summary, outputs and one comment.

The Action and the terminal are one program. This file turns inputs into the command line of
`run`, and the `report.json` it leaves into what GitHub shows.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from pydantic import ValidationError

from core.digest import Digest
from core.errors import PatchmarkError, StoreError
from core.report import Report
from patchmark import change_check_action
from patchmark.action_inputs import (
    INPUT_PREFIX,
    ActionInputs,
    keys_in,
    parse_inputs,
)
from patchmark.action_warm import share_images, traces, without_cache
from patchmark.events import Event, distrusted, event_of, secrets_withheld
from patchmark.live_event import COMMANDS as LIVE
from patchmark.pipeline import AWAITING, TIME_UP
from patchmark.planning import matrix
from patchmark.posting import Posting, best, kept_from, post, repository_at, run_of, track
from patchmark.secrets import redactor_for, secrets_in
from patchmark.settings import Flags, make
from patchmark.workflow import Workflow

Program = Callable[[list[str]], int]
"""`patchmark.cli.main`: takes arguments, returns the exit code."""

_CODES = {
    1: "a gate was not met",
    2: "something it was given is wrong",
    3: "something it depends on does not work",
    5: "whether a gate is met cannot be told",
    TIME_UP: "the time limit was reached, and the same run folder goes on later",
    AWAITING: "answers are awaited from a batch, and the same run folder goes on later",
}

_KEYLESS = (
    "Nothing was run: a model's API key is missing, and GitHub gives none to a pull request "
    "from a fork or from Dependabot. `reference`, `empty` and recorded answers need no key."
)


def run(environment: Mapping[str, str], program: Program) -> int:
    """Run the step and return its exit code: that of the command line, 0 while batches are awaited.

    Inputs are the variables PATCHMARK_INPUT_*, as action.yml maps them. Whatever happens to
    the comment changes the log only.
    """
    # A copy: the process's own environment, which it may be, is changed before the run.
    environment = dict(environment)
    workflow = Workflow(environment, sys.stdout, redactor_for(environment))
    for secret in secrets_in(environment):
        workflow.mask(secret)
    try:
        return _run(environment, workflow, program)
    except PatchmarkError as error:
        workflow.error(str(error))
        return error.exit_code


def _run(environment: Mapping[str, str], workflow: Workflow, program: Program) -> int:
    inputs, event = parse_inputs(environment), event_of(environment)
    if event.idle:
        return _skip(workflow, f"Nothing was run: {event.idle}.")
    others = distrusted(event, environment)
    inputs = without_cache(inputs, environment, workflow.notice, others) if others else inputs
    try:
        inputs, arguments = _asked(inputs, event, environment)
    except change_check_action.IdleError as why:
        return _skip(workflow, f"Nothing was run: {why}.")
    lacking = inputs.lacks_a_key(keys_in(environment))
    if lacking and secrets_withheld(event, environment):
        return _skip(workflow, _KEYLESS)
    _hand_over(inputs, environment)
    share_images(inputs, others, workflow.notice)
    if inputs.command in LIVE:
        from patchmark.live_action import run as run_live

        return run_live(inputs, environment, event, workflow)
    there = traces(inputs.cache_folder)
    report_file = Path(inputs.run_folder) / "report.json"
    before, kept = _modified(report_file), kept_from(report_file)
    with workflow.deaf():
        code = program(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
    changed = bool(inputs.cache_folder) and traces(inputs.cache_folder) != there
    workflow.output("cache-changed", str(changed).lower())
    if inputs.command == "plan":
        return _planned(inputs, workflow, code)
    if _modified(report_file) in (None, before):
        _without_report(workflow, code)
        return code
    report = redactor_for(environment).record(_read(report_file))
    _publish(report, kept, inputs, environment, workflow, event)
    if code in (AWAITING, TIME_UP):
        workflow.notice(f"{_CODES[code]}; keep its run folder")
        return 0
    if code:
        verdict = " ".join([report.verdict, *(report.notices[:1] if code == 2 else ())])
        workflow.error(f"{_CODES.get(code, f'it ended with {code}')}: {verdict}")
    return code


def _asked(
    inputs: ActionInputs, event: Event, environment: Mapping[str, str]
) -> tuple[ActionInputs, list[str]]:
    """The inputs with the models that they stand for, and the command line."""
    if inputs.command != change_check_action.COMMAND:
        inputs = _with_models(inputs, environment)
        return inputs, inputs.arguments()
    sides = change_check_action.versions(inputs, event, environment)
    asked = change_check_action.with_models(inputs, sides, environment)
    return asked, change_check_action.arguments(inputs, sides)


def _with_models(inputs: ActionInputs, environment: Mapping[str, str]) -> ActionInputs:
    """The inputs with the models that patchmark.toml or the default names, where none is given.

    Known before the run, since whether a key is missing depends on them.
    """
    flags = Flags(
        repo=Path(inputs.repo_path),
        config=Path(inputs.config) if inputs.config else None,
        models=inputs.models or None,
        rewrite_with=inputs.rewrite_with or None,
        judge_model=inputs.judge_model or None,
    )
    settings = make(flags, environment)
    return replace(
        inputs,
        models=",".join(settings.models),
        rewrite_with=settings.rewrite_with or "",
        judge_model=settings.judge_model or "",
        # The job that merges is the only one that comments.
        comment="off" if inputs.shard else inputs.comment,
    )


def _planned(inputs: ActionInputs, workflow: Workflow, code: int) -> int:
    if code:
        _without_report(workflow, code)
        return code
    workflow.output("matrix", matrix(int(inputs.shards or 1)))
    workflow.output("run-folder", inputs.run_folder)
    return 0


def _skip(workflow: Workflow, message: str) -> int:
    workflow.notice(message)
    workflow.summary(f"## patchmark\n\n{message}\n")
    return 0


def _without_report(workflow: Workflow, code: int) -> None:
    what = _CODES.get(code, f"it ended with {code}") if code else "there is no new report"
    workflow.error(f"{what}; the log of this step says more")
    workflow.summary(f"## patchmark\n\nNo report: {what}. The log of the step says more.\n")


def _publish(
    report: Report,
    kept: Digest | None,
    inputs: ActionInputs,
    environment: Mapping[str, str],
    workflow: Workflow,
    event: Event,
) -> None:
    workflow.summary(_summary(report))
    for name, value in _outputs(report, Path(inputs.run_folder)).items():
        workflow.output(name, value)
    if inputs.comment == "off":
        return
    posting = Posting(mode=inputs.comment, run=run_of(environment, report), kept=kept)
    number, title = event.number, inputs.tracking_issue
    what = "comment" if number else "tracking issue"
    if not number and not title:
        if event.aside:
            workflow.notice(f"no comment, the report is in the job summary: {event.aside}")
        return
    if not inputs.github_token:
        workflow.warning(f"no {what}: the input `github-token` is empty")
        return
    url = ""
    try:
        with repository_at(environment, inputs.github_token, inputs.ca_bundle) as repository:
            if number:
                done = post(repository, number, report, posting)
            else:
                done = track(repository, title, report, posting)
    except PatchmarkError as error:
        workflow.warning(f"no {what}, the report is in the job summary: {error}")
    else:
        url = done.published.url
        if done.why:
            workflow.notice(f"the {what} stays as it is: {done.why}")
    workflow.output("comment-url", url)


def _summary(report: Report) -> str:
    # They bring jinja2, which `--version` need not wait for.
    from reports import change_check_comment, markdown

    if report.change is None:
        return markdown.summary(report)
    return change_check_comment.comment(report, report.change)


def _outputs(report: Report, folder: Path) -> dict[str, str]:
    row = best(report)
    costs = [row.cost_usd for row in report.entrants]
    known = [cost for cost in costs if cost is not None]
    files = {
        f"report-{kind}": str(folder / f"report.{kind}")
        for kind in ("md", "html", "json")
        if (folder / f"report.{kind}").exists()
    }
    return {
        "verdict": report.verdict,
        "best-model": row.name if row else "",
        "pass-rate": f"{row.pass_rate:.4f}" if row and row.pass_rate is not None else "",
        "cost-usd": str(sum(known, Decimal(0))) if len(known) == len(costs) else "",
        "run-folder": str(folder),
        **files,
    }


def _hand_over(inputs: ActionInputs, environment: Mapping[str, str]) -> None:
    """Put into the process's own environment what the program reads there."""
    for name in [name for name in os.environ if name.startswith(INPUT_PREFIX)]:
        del os.environ[name]
    os.environ.update(keys_in(environment))
    if inputs.github_token:
        os.environ["GITHUB_TOKEN"] = inputs.github_token
    if inputs.ca_bundle:
        os.environ["PATCHMARK_CA_BUNDLE"] = inputs.ca_bundle


def _modified(path: Path) -> int | None:
    return path.stat().st_mtime_ns if path.exists() else None


def _read(path: Path) -> Report:
    try:
        return Report.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise StoreError(f"{path}: not a report: {error}") from error
