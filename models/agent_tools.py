"""What an agent may do in its workbench: shell, view, search, edit, create, submit.

All of it happens in the container, as a user without privileges: a path that leads elsewhere
leads nowhere worth going to.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable

from pydantic import JsonValue

from core.bench import Workbench
from models.blocks import MisplacedError, replace_once
from models.dialog import Call, Result, Tool

MOST_CHARACTERS = 16_000
"""Of one result; a model that wants more asks for a part."""
SUBMIT = "submit"
_TEXT: dict[str, JsonValue] = {"type": "string"}
_NUMBER: dict[str, JsonValue] = {"type": "integer", "minimum": 1}


class BadCallError(Exception):
    """A call that cannot be carried out as it stands; the model is told why."""


def _tool(name: str, description: str, needed: str = "", **properties: JsonValue) -> Tool:
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": properties,
        "required": list(needed.split()),
        "additionalProperties": False,
    }
    return Tool(name=name, description=description, parameters=schema)


TOOLS = (
    _tool(
        "shell",
        "Run a shell command in the repository, for example its tests. Nothing is kept between "
        "commands but files. There is no network.",
        "command",
        command=_TEXT,
        seconds={**_NUMBER, "description": "Longest time it may take; 120 unless given."},
    ),
    _tool(
        "view",
        "Show lines of a file with their numbers, or the files of a folder.",
        "path",
        path=_TEXT,
        first={**_NUMBER, "description": "First line; 1 unless given."},
        last={**_NUMBER, "description": "Last line; 400 after the first unless given."},
    ),
    _tool(
        "search",
        "Find lines that match an extended regular expression, in all files that git knows.",
        "pattern",
        pattern=_TEXT,
        path={**_TEXT, "description": "File or folder to look in; everywhere unless given."},
    ),
    _tool(
        "edit",
        "Replace lines of a file. `old` are whole lines exactly as they are, which occur once.",
        "path old new",
        path=_TEXT,
        old=_TEXT,
        new=_TEXT,
    ),
    _tool("create", "Write a new file, or a file anew.", "path text", path=_TEXT, text=_TEXT),
    _tool(SUBMIT, "Say that the problem is solved. Your changes are then judged."),
)


def do(call: Call, bench: Workbench, longest: float) -> tuple[Result, float]:
    """Carry out a call: what came of it, and how many seconds it took.

    `longest` is what a command may take at most. Raises as Workbench.run.
    """
    if call.unreadable:
        return Result(call=call, content="the arguments are no JSON object", failed=True), 0.0
    doing = _DOING.get(call.name)
    if doing is None:
        known = ", ".join(tool.name for tool in TOOLS)
        return Result(call=call, content=f"no such tool; there are {known}", failed=True), 0.0
    try:
        content, failed, seconds = doing(_Arguments(call), bench, longest)
    except BadCallError as error:
        return Result(call=call, content=str(error), failed=True), 0.0
    return Result(call=call, content=shortened(content), failed=failed), seconds


def shortened(text: str, most: int = MOST_CHARACTERS) -> str:
    """Beginning and end of a long text, and how much is missing between."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"


class _Arguments:
    """A call's arguments, checked as they are taken."""

    def __init__(self, call: Call):
        self._given = call.arguments

    def has(self, name: str) -> bool:
        return self._given.get(name) is not None

    def text(self, name: str, *, empty: bool = False) -> str:
        value = self._given.get(name)
        if not isinstance(value, str) or not (value or empty):
            raise BadCallError(f"`{name}` must be a text")
        if "\0" in value:
            raise BadCallError(f"`{name}` holds a NUL character")
        return value

    def number(self, name: str, otherwise: int) -> int:
        value = self._given.get(name)
        if value is None:
            return otherwise
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise BadCallError(f"`{name}` must be a whole number from 1 on")
        return value


Done = tuple[str, bool, float]


def _shell(given: _Arguments, bench: Workbench, longest: float) -> Done:
    seconds = min(given.number("seconds", 120), longest)
    did = bench.run(given.text("command"), seconds=seconds)
    how = f"stopped after {seconds:g} s" if did.exit_code is None else f"exit code {did.exit_code}"
    return f"{did.output}\n[{how}]".lstrip("\n"), did.exit_code != 0, did.seconds


def _view(given: _Arguments, bench: Workbench, longest: float) -> Done:
    path, first = shlex.quote(given.text("path")), given.number("first", 1)
    last = given.number("last", first + 400)
    lines = f"awk 'NR >= {first} && NR <= {last} {{ printf \"%6d  %s\\n\", NR, $0 }}' < {path}"
    did = bench.run(f"if [ -d {path} ]; then ls -Ap -- {path}; else {lines}; fi", seconds=longest)
    return did.output or "(no such lines)", did.exit_code != 0, did.seconds


def _search(given: _Arguments, bench: Workbench, longest: float) -> Done:
    where = shlex.quote(given.text("path")) if given.has("path") else ""
    pattern = shlex.quote(given.text("pattern"))
    did = bench.run(f"git grep -nIE --untracked -e {pattern} -- {where}", seconds=longest)
    if did.exit_code == 1:
        return "nothing found", False, did.seconds
    return did.output, did.exit_code != 0, did.seconds


def _edit(given: _Arguments, bench: Workbench, longest: float) -> Done:
    path, old = given.text("path"), given.text("old")
    new = given.text("new", empty=True)
    before = bench.read(path)
    if before is None:
        raise BadCallError(f"{path}: there is no such text file")
    try:
        after = replace_once(before, _lines(old), _lines(new))
    except MisplacedError as error:
        raise BadCallError(f"{path}: `old` {error}") from error
    return _write(path, after, bench, longest)


def _create(given: _Arguments, bench: Workbench, longest: float) -> Done:
    return _write(given.text("path"), given.text("text", empty=True), bench, longest)


def _submit(given: _Arguments, bench: Workbench, longest: float) -> Done:  # noqa: ARG001
    return "submitted", False, 0.0


def _write(path: str, text: str, bench: Workbench, longest: float) -> Done:
    quoted = shlex.quote(path)
    command = f'mkdir -p -- "$(dirname -- {quoted})" && cat > {quoted}'
    did = bench.run(command, given=text, seconds=longest)
    return did.output or f"wrote {path}", did.exit_code != 0, did.seconds


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []


_DOING: dict[str, Callable[[_Arguments, Workbench, float], Done]] = {
    "shell": _shell,
    "view": _view,
    "search": _search,
    "edit": _edit,
    "create": _create,
    SUBMIT: _submit,
}
