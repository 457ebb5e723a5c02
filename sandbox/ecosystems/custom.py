"""What a person decided in `patchmark.toml`, for any ecosystem or for none that is known."""

from __future__ import annotations

import shlex
from dataclasses import replace

from sandbox.facts import Facts
from sandbox.recipe import EnvironmentSettings, Recipe, Toolchain

_OUT = '"$PATCHMARK_RESULTS"'


def plain() -> Recipe:
    """Nothing was detected: the bare base, and every test up to the settings."""
    return Recipe(
        found_in="files",
        toolchain=Toolchain(name="debian", images=("debian:bookworm-slim",)),
        dependencies="true\n",
        inputs="",
        test="echo 'patchmark: no tests detected; set [environment] test and results'; exit 5",
        results="tap",
    )


def decided(recipe: Recipe, facts: Facts) -> Recipe:
    """A recipe with the settings laid over it."""
    settings = facts.settings
    setup = "\n".join(settings.setup)
    changed = replace(
        recipe,
        install=f"{recipe.install.rstrip()}\n{setup}\n" if setup else recipe.install,
        apt=(*recipe.apt, *settings.apt),
        environment={**recipe.environment, **settings.variables},
        services=settings.services,
        workdir=settings.workdir,
    )
    if settings.test:
        script, form = test_script(settings)
        changed = replace(changed, found_in="patchmark.toml", test=script, results=form)
    return changed


def test_script(settings: EnvironmentSettings) -> tuple[str, str]:
    """The shell for `test` and `results`, and the form of what it leaves."""
    commands = settings.test
    together = "\n".join(commands)
    if settings.results == "exit-code":
        return _points(commands), "tap"
    if settings.results == "tap":
        return f"(\nset -e\n{together}\n) > {_OUT}", "tap"
    if not settings.results:
        return together, "lines"
    form = "tap" if settings.results.endswith(".tap") else "junit"
    # Unquoted, for it may be a pattern; spaces in it are a setting's error, told on loading.
    report = settings.results
    lines = [
        f"rm -f {report}",
        f"(\nset -e\n{together}\n)",
        "status=$?",
        f"cat {report} > {_OUT} 2> /dev/null",
        "exit $status",
    ]
    return "\n".join(lines), form


def _points(commands: tuple[str, ...]) -> str:
    """Each command is one test, which passes where it exits with 0."""
    lines = [f"echo 1..{len(commands)} > {_OUT}", "all=0"]
    for number, command in enumerate(commands, 1):
        name = shlex.quote(command.replace("#", "").replace("\n", " "))
        lines.append(
            f"if (\n{command}\n); then word=ok; else word='not ok'; all=1; fi\n"
            f"printf '%s {number} - %s\\n' \"$word\" {name} >> {_OUT}"
        )
    return "\n".join([*lines, "exit $all"])
