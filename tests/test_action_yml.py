"""action.yml and post/action.yml, and what the program reads, say the same.

That the documents do too is in test_documents.py.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from patchmark.action_inputs import INPUT_PREFIX, ActionInputs

ROOT = Path(__file__).parents[1]
INSTALL_ONLY = {"python"}


@pytest.fixture(scope="module")
def action() -> dict[str, Any]:
    """The parsed action.yml."""
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return parsed


@pytest.fixture(scope="module", params=["action.yml", "post/action.yml"])
def either(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The parsed action.yml, and the one that posts."""
    text = (ROOT / request.param).read_text(encoding="utf-8")
    return {**yaml.safe_load(text), "text": text}


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


def test_no_expression_is_put_into_a_script(either: dict[str, Any]) -> None:
    """An input's text must never become part of a script."""
    for step in either["runs"]["steps"]:
        assert "${{" not in step["run"]


def test_only_the_last_step_holds_secrets(either: dict[str, Any]) -> None:
    """What installs packages sees neither token nor keys."""
    first = " ".join(either["runs"]["steps"][0]["env"].values())
    assert "key" not in first
    assert "token" not in first


def test_nothing_is_changed_for_later_steps(either: dict[str, Any]) -> None:
    """The job's environment and PATH stay as they were."""
    text = either["text"]
    assert "GITHUB_ENV" not in text
    assert "GITHUB_PATH" not in text


def test_the_program_starts_isolated_from_the_checkout(either: dict[str, Any]) -> None:
    """Without -I, a `core/` folder of the pull request would run where the keys are."""
    assert "-I -m patchmark action" in either["runs"]["steps"][-1]["run"]


def test_every_input_and_output_is_described(either: dict[str, Any]) -> None:
    """What a user sees in the marketplace."""
    for entry in (*either["inputs"].values(), *either["outputs"].values()):
        assert len(entry["description"]) > 20
    assert all("default" in entry for entry in either["inputs"].values())


def test_what_posts_reads_every_input_and_takes_few() -> None:
    """Each is mapped under its own name, and named where it is read."""
    post = yaml.safe_load((ROOT / "post/action.yml").read_text(encoding="utf-8"))
    names = set(post["inputs"]) - INSTALL_ONLY
    assert names == {"artifact", "downloaded", "comment", "github-token", "ca-bundle"}
    mapped = post["runs"]["steps"][-1]["env"]
    read = "".join(
        (ROOT / path).read_text(encoding="utf-8")
        for path in ("patchmark/fork_report.py", "patchmark/action_inputs.py")
    )
    for path in re.findall(r'_below_workspace\(environment, "(\w+)"\)', read):
        read += f"{{INPUT_PREFIX}}{path}"
    for name in names:
        variable = name.upper().replace("-", "_")
        assert mapped[INPUT_PREFIX + variable] == f"${{{{ inputs.{name} }}}}"
        assert f"{{INPUT_PREFIX}}{variable}" in read


def test_both_install_in_the_same_way() -> None:
    """One stands a folder deeper."""
    first, second = (
        yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))["runs"]["steps"][0]
        for path in ("action.yml", "post/action.yml")
    )
    assert second["run"].replace("$GITHUB_ACTION_PATH/..", "$GITHUB_ACTION_PATH") == first["run"]
    assert {**second, "run": ""} == {**first, "run": ""}


def test_every_output_is_set_by_the_program(action: dict[str, Any]) -> None:
    """`steps.run.outputs.NAME`, and NAME is written in the program."""
    source = (ROOT / "patchmark/action.py").read_text(encoding="utf-8")
    for name, entry in action["outputs"].items():
        assert entry["value"] == f"${{{{ steps.run.outputs.{name} }}}}"
        assert f'"{name}"' in source or name.removeprefix("report-") in ("md", "html", "json")


def test_what_the_marketplace_shows(action: dict[str, Any]) -> None:
    """It takes 125 characters at most, and an icon and a colour of its own lists."""
    all_of_them = [
        action_at(path) for path in ROOT.glob("**/action.yml") if ".venv" not in str(path)
    ]
    names = [one["name"] for one in all_of_them]
    assert len(names) >= 3
    assert len({re.sub(r"\W+", " ", name.lower()) for name in names}) == len(names)
    for one in all_of_them:
        assert 40 <= len(one["description"]) <= 125
        assert one["author"] == "The patchmark authors"
    assert action["name"] == "patchmark"
    assert set(action["branding"]) == {"icon", "color"}
    schema = ("--builtin-schema", "vendor.github-actions")
    checked = subprocess.run(
        [Path(sys.executable).with_name("check-jsonschema"), *schema, ROOT / "action.yml"],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout


def action_at(path: Path) -> dict[str, Any]:
    """One of them, parsed."""
    parsed: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return parsed
