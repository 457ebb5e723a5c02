"""action.yml, what the program reads, and README's table say the same."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from patchmark.action_inputs import INPUT_PREFIX, ActionInputs

ROOT = Path(__file__).parents[1]
TABLE = re.compile(r"<!-- inputs -->(.*?)<!-- /inputs -->", re.DOTALL)
INSTALL_ONLY = {"python"}


@pytest.fixture(scope="module")
def action() -> dict[str, Any]:
    """The parsed action.yml."""
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return parsed


def _environment(action: dict[str, Any]) -> dict[str, str]:
    """Variables of all steps, by name."""
    return {name: text for step in action["runs"]["steps"] for name, text in step["env"].items()}


def test_the_program_reads_every_input_and_no_other(action: dict[str, Any]) -> None:
    """An input nobody reads, or one that cannot be given, is a mistake."""
    read = {field.name.replace("_", "-") for field in fields(ActionInputs)}
    assert set(action["inputs"]) == read | INSTALL_ONLY


def test_each_input_is_passed_on_under_its_own_name(action: dict[str, Any]) -> None:
    """Composite actions get no INPUT_ variables: what is not mapped arrives empty."""
    run_step = action["runs"]["steps"][-1]["env"]
    for name in set(action["inputs"]) - INSTALL_ONLY:
        variable = INPUT_PREFIX + name.upper().replace("-", "_")
        assert run_step[variable] == f"${{{{ inputs.{name} }}}}"


def test_no_expression_is_put_into_a_script(action: dict[str, Any]) -> None:
    """An input's text must never become part of a script."""
    for step in action["runs"]["steps"]:
        assert "${{" not in step["run"]


def test_only_the_last_step_holds_secrets(action: dict[str, Any]) -> None:
    """What installs packages sees neither token nor keys."""
    first = " ".join(action["runs"]["steps"][0]["env"].values())
    assert "key" not in first
    assert "token" not in first


def test_nothing_is_changed_for_later_steps(action: dict[str, Any]) -> None:
    """The job's environment and PATH stay as they were."""
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert "GITHUB_ENV" not in text
    assert "GITHUB_PATH" not in text


def test_the_program_starts_isolated_from_the_checkout(action: dict[str, Any]) -> None:
    """Without -I, a `core/` folder of the pull request would run where the keys are."""
    assert "-I -m patchmark action" in action["runs"]["steps"][-1]["run"]


def test_every_input_and_output_is_described(action: dict[str, Any]) -> None:
    """What a user sees in the marketplace."""
    for entry in (*action["inputs"].values(), *action["outputs"].values()):
        assert len(entry["description"]) > 20
    assert all("default" in entry for entry in action["inputs"].values())


def test_every_output_is_set_by_the_program(action: dict[str, Any]) -> None:
    """`steps.run.outputs.NAME`, and NAME is written in the program."""
    source = (ROOT / "patchmark/action.py").read_text(encoding="utf-8")
    for name, entry in action["outputs"].items():
        assert entry["value"] == f"${{{{ steps.run.outputs.{name} }}}}"
        assert f'"{name}"' in source or name.removeprefix("report-") in ("md", "html", "json")


def test_readme_lists_each_input_with_its_default(action: dict[str, Any]) -> None:
    """README's table between `<!-- inputs -->` and `<!-- /inputs -->`: | `name` | `default` |."""
    found = TABLE.search((ROOT / "README.md").read_text(encoding="utf-8"))
    if found is None:
        pytest.skip("README has no table of inputs yet")
    rows = {}
    for line in found[1].splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) >= 2 and cells[0].startswith("`"):
            rows[cells[0].strip("`")] = cells[1].strip("`")
    assert rows == {name: entry["default"] for name, entry in action["inputs"].items()}
