"""The documents say what the program takes: each table equals what it describes.

`--update-golden` rewrites the tables of inputs and outputs from the action.yml files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel
from typer.main import get_command

from models.services import SERVICES
from patchmark.action_inputs import ActionInputs, parse_inputs
from patchmark.cli import app
from patchmark.config import Config
from patchmark.settings import Flags, make

ROOT = Path(__file__).parents[1]
ACTIONS = {"": "action.yml", "post ": "post/action.yml", "on-command ": "on-command/action.yml"}
SETTING = re.compile(r'\[([\w.]+?)(?:\."[^"]+")?\](?: (.+))?')
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)?(?:#([^)\s]+))?\)")
DOCUMENTS = sorted(path.relative_to(ROOT) for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")))
IN_WORDS = {
    "models": '["reference", "empty"]', "max-tasks": "20", "attempts": "1", "margin": "0.1",
    "max-output-tokens": "16000",
}  # fmt: skip
"""Defaults that stand elsewhere than in the file's own model."""


def _action(path: str) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    return parsed


def _between(text: str, name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, re.DOTALL)
    assert found is not None, f"no table of {name}"
    return found[1]


def _inputs(action: dict[str, Any], names: list[str]) -> str:
    rows = (f"| `{name}` | {_default(action, name)} | {_words(action, name)} |\n" for name in names)
    return "| Input | Default | Description |\n|:--|:--|:--|\n" + "".join(rows)


def _outputs(action: dict[str, Any]) -> str:
    rows = (f"| `{n}` | {o['description']} |\n" for n, o in action["outputs"].items())
    return "| Output | Description |\n|:--|:--|\n" + "".join(rows)


def _default(action: dict[str, Any], name: str) -> str:
    default = action["inputs"][name]["default"]
    return f"`{default}`" if default else ""


def _words(action: dict[str, Any], name: str) -> str:
    words: str = action["inputs"][name]["description"]
    return words


def _same(request: pytest.FixtureRequest, path: str, name: str, table: str) -> None:
    document = ROOT / path
    text = document.read_text(encoding="utf-8")
    if request.config.getoption("--update-golden"):
        start = f"<!-- {name} -->\n"
        text = text.replace(start + _between(text, name), start + table)
        document.write_text(text, encoding="utf-8")
    assert _between(text, name) == table


@pytest.mark.parametrize("part", ACTIONS)
def test_every_input_and_output_is_listed_word_for_word(
    request: pytest.FixtureRequest, part: str
) -> None:
    action = _action(ACTIONS[part])
    _same(request, "docs/action.md", f"{part}inputs", _inputs(action, list(action["inputs"])))
    _same(request, "docs/action.md", f"{part}outputs", _outputs(action))


def test_readme_has_the_inputs_most_used_in_the_same_words(request: pytest.FixtureRequest) -> None:
    text = _between((ROOT / "README.md").read_text(encoding="utf-8"), "inputs")
    names = re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)
    assert 5 <= len(names) <= 10
    _same(request, "README.md", "inputs", _inputs(_action("action.yml"), names))


def _options(command: str) -> set[str]:
    found = get_command(app).commands[command]  # type: ignore[attr-defined]
    return {option for parameter in found.params for option in parameter.opts}


@pytest.mark.parametrize("command", ["run", "plan", "merge"])
def test_inputs_are_flags_of_the_command_under_the_same_name(command: str) -> None:
    """What `with:` can say, `--help` says too; only folders are called otherwise."""
    names = {field.upper() for field in ActionInputs.__dataclass_fields__}
    paths = {"COMMENT": "off", "COMMAND": command, "BATCH": "true", "REGISTRY_PUSH": "true"}
    given = {name: paths.get(name, "1") for name in names}
    inputs = parse_inputs({f"PATCHMARK_INPUT_{name}": text for name, text in given.items()})
    flags = {flag.partition("=")[0] for flag in inputs.arguments() if flag.startswith("--")}
    assert flags <= _options(command)
    as_inputs = {field.replace("_", "-") for field in ActionInputs.__dataclass_fields__}
    others = {"repo", "out", "expect", "allow-missing", "json"}
    assert {flag.removeprefix("--") for flag in flags} - others <= as_inputs


def _settings(model: type[BaseModel], table: str = "") -> Iterator[tuple[str, object]]:
    """Every setting as the document writes it, with its default."""
    for field in model.model_fields.values():
        name = str(field.alias)
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _settings(inner, name)
        elif name == "commands":
            yield from _settings(get_args(inner)[1], "commands.NAME")
        elif name in ("budgets", "cutoffs", "prices"):
            yield name, None
        else:
            yield (
                (f"{table}.{name}" if table else name),
                field.get_default(call_default_factory=True),
            )


def _documented() -> dict[str, str]:
    """Setting → its default, from the table."""
    text = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    table = text[text.index("| Setting |") : text.index("## Environment variables")]
    found = {}
    for line in table.splitlines()[2:]:
        if not line.startswith("|"):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        section = ""
        for name in re.findall(r"`([^`]+)`", cells[0]):
            if parts := SETTING.fullmatch(name):
                section, leaf = parts.groups()
                full = section if not leaf or leaf.startswith('"') else f"{section}.{leaf}"
            else:
                full = f"{section}.{name}" if section else name
            found[full] = cells[1].strip("`")
    return found


def test_every_setting_of_the_file_is_documented_with_its_default() -> None:
    """`environment.python` is an older name for `version`, told in the same row."""
    shown = _documented()
    there = dict(_settings(Config))
    there.pop("environment.python")
    assert set(shown) == set(there)
    for name, default in there.items():
        if isinstance(default, bool):
            assert shown[name] == str(default).lower(), name
        elif isinstance(default, int | float):
            assert float(shown[name]) == default, name
        elif default == () or default == {}:
            assert shown[name] in ("[]", "{}", "detected", "by names", "all"), name
        elif name in IN_WORDS:
            assert shown[name] == IN_WORDS[name], name


def test_defaults_that_stand_elsewhere_are_the_program_s(tmp_path: Path) -> None:
    """In the document, in action.yml and in `--help`."""
    settings = make(Flags(repo=tmp_path), {})
    assert json.dumps(settings.models) == IN_WORDS["models"]
    for name in ("max_tasks", "attempts", "margin", "max_output_tokens"):
        assert str(getattr(settings, name)) == IN_WORDS[name.replace("_", "-")]
    inputs = _action("action.yml")["inputs"]
    helps = {
        option: parameter.help or ""
        for parameter in get_command(app).commands["run"].params  # type: ignore[attr-defined]
        for option in parameter.opts
    }
    for name in ("max-tasks", "margin"):
        assert f"else {IN_WORDS[name]}." in inputs[name]["description"]
        assert f"[default: {IN_WORDS[name]}]" in helps[f"--{name}"]


def test_every_input_that_the_file_can_set_says_so() -> None:
    """An input left empty is what patchmark.toml says: that is the one thing to know of it."""
    in_the_file = {name.removeprefix("mine.") for name in dict(_settings(Config))}
    for name, entry in _action("action.yml")["inputs"].items():
        says = "Empty = what `patchmark.toml` says" in entry["description"]
        assert says == (name in in_the_file), name


def test_every_command_and_every_variable_of_a_service_is_named() -> None:
    text = "".join((ROOT / path).read_text(encoding="utf-8") for path in DOCUMENTS)
    commands = get_command(app).commands  # type: ignore[attr-defined]
    for name, command in commands.items():
        assert command.hidden or re.search(rf"`(patchmark )?{name}\b", text), name
    settings = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    for service in SERVICES.values():
        for variable in (*service.keys, service.address):
            assert not variable or f"`{variable}`" in settings, variable


def _anchors(path: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_links_lead_somewhere(path: Path) -> None:
    for target, anchor in LINK.findall((ROOT / path).read_text(encoding="utf-8")):
        there = (ROOT / path).parent / target if target else ROOT / path
        assert there.exists(), target
        if anchor and there.suffix == ".md":
            assert anchor in _anchors(there), f"{target}#{anchor}"


def test_readme_is_for_strangers() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 250
