"""`on-command/action.yml`, the example that uses it, and the program say the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from patchmark.on_command import Decision
from patchmark.stopping import title_of

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples/workflows/on-command.yml"
INSTALL_ONLY = {"python"}


def _parsed(path: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return parsed


ACTION = _parsed(ROOT / "on-command/action.yml")
JOBS: dict[str, Any] = _parsed(EXAMPLE)["jobs"]


def test_every_input_is_passed_on_and_read() -> None:
    source = (ROOT / "patchmark/on_command.py").read_text(encoding="utf-8")
    step = ACTION["runs"]["steps"][-1]
    for name in set(ACTION["inputs"]) - INSTALL_ONLY:
        variable = name.upper().replace("-", "_")
        assert step["env"][f"PATCHMARK_INPUT_{variable}"] == f"${{{{ inputs.{name} }}}}"
        assert f"INPUT_PREFIX}}{variable}" in source
    assert "-I -m patchmark on-command" in step["run"]


def test_every_output_is_written_and_handed_to_the_next_job() -> None:
    names = set(Decision(number=1).outputs())
    assert set(ACTION["outputs"]) == names
    assert set(JOBS["command"]["outputs"]) == names
    used = re.findall(r"needs\.command\.outputs\.([\w-]+)", EXAMPLE.read_text(encoding="utf-8"))
    assert set(used) == names


def test_no_expression_is_put_into_a_script() -> None:
    for step in (*ACTION["runs"]["steps"], *(s for job in JOBS.values() for s in job["steps"])):
        assert "${{" not in step.get("run", "")


def test_the_job_that_decides_has_neither_keys_nor_a_checkout() -> None:
    (step,) = JOBS["command"]["steps"]
    assert "secrets" not in str(JOBS["command"])
    assert step["uses"].startswith("patchmark/patchmark/on-command@")
    assert set(JOBS["command"]["permissions"]) == {"actions", "pull-requests"}


def test_the_job_with_the_keys_waits_for_a_yes_and_checks_out_what_was_pinned() -> None:
    job = JOBS["compare"]
    assert job["needs"] == "command"
    assert job["if"] == "needs.command.outputs.run == 'true'"
    (checkout,) = [s for s in job["steps"] if s["uses"].startswith("actions/checkout@")]
    assert checkout["with"]["ref"] == "${{ needs.command.outputs.head-sha }}"
    assert checkout["with"]["persist-credentials"] is False
    assert job["permissions"]["contents"] == "read"


def test_the_runs_have_the_name_by_which_stop_knows_them() -> None:
    name = _parsed(EXAMPLE)["run-name"]
    assert name.replace("${{ github.event.issue.number }}", "7") == title_of(7)


def test_both_actions_install_in_the_same_way() -> None:
    """One environment a job, whichever comes first: two kinds of set-up would not share it."""
    main = _parsed(ROOT / "action.yml")["runs"]["steps"][0]
    ours = ACTION["runs"]["steps"][0]
    assert ours["env"] == main["env"]
    line = "environment=$RUNNER_TEMP/patchmark-$(sha256sum"
    assert line in main["run"]
    assert line in ours["run"]
