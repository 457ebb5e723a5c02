"""The packages of a workspace, and their suites run one after the other."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from pathlib import PurePosixPath
from typing import Any

from sandbox.ecosystems.node_scripts import Command, script_command
from sandbox.facts import Facts, strings, table


def members(facts: Facts, package: dict[str, Any]) -> list[str]:
    """The folders of a workspace's packages; none where there is no workspace."""
    told = package.get("workspaces")
    patterns = strings(told.get("packages") if isinstance(told, dict) else told)
    patterns += strings(facts.yaml("pnpm-workspace.yaml").get("packages"))
    patterns += strings(facts.json("lerna.json").get("packages"))
    wanted = [_pattern(one) for one in patterns if not one.startswith("!")]
    unwanted = [_pattern(one[1:]) for one in patterns if one.startswith("!")]
    paths = (str(PurePosixPath(path).parent) for path in facts.named("package.json"))
    return sorted(
        path
        for path in paths
        if path != "."
        and "node_modules" not in path.split("/")
        and any(one.fullmatch(path) for one in wanted)
        and not any(one.fullmatch(path) for one in unwanted)
    )


def _pattern(glob: str) -> re.Pattern[str]:
    parts = glob.removeprefix("./").strip("/").split("/")
    words = {"**": r"[^/]+(?:/[^/]+)*"}
    return re.compile(
        "/".join(words.get(part) or re.escape(part).replace(r"\*", "[^/]*") for part in parts)
    )


def each_command(facts: Facts, folders: list[str]) -> Command | None:
    """The suites of all packages, each in its folder; None where none has one.

    Reports can only be joined where they have one form: the one that most packages have.
    """
    scripts = {at: table(facts.json(f"{at}/package.json"), "scripts") for at in folders}
    found = {at: one for at in folders if (one := script_command(scripts[at]))}
    if not found:
        return None
    form = Counter(one.form for one in found.values()).most_common(1)[0][0]
    lines = ["status=0"]
    for at, one in found.items():
        if one.form == form:
            lines += [
                f'(cd {shlex.quote(at)} && PATCHMARK_RESULTS="$PATCHMARK_RESULTS.part" &&',
                'PATH="$PWD/node_modules/.bin:$PATH" && export PATCHMARK_RESULTS PATH &&',
                f"{{ {one.shell}\n}}) || status=1",
                *_JOINED,
            ]
    return Command("\n".join([*lines, "exit $status"]), form, narrows=False)


# mocha's report comes without the line that tells where a document starts.
_JOINED = (
    """case $(head -c 6 "$PATCHMARK_RESULTS.part" 2> /dev/null) in "<tests")""",
    """echo '<?xml version="1.0"?>' >> "$PATCHMARK_RESULTS";; esac""",
    'cat "$PATCHMARK_RESULTS.part" >> "$PATCHMARK_RESULTS" && rm -f "$PATCHMARK_RESULTS.part"',
)
