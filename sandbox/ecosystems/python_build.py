"""What a Python project needs, and the shell that installs it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from sandbox.ecosystems import python_pip

PYTEST = (
    "/opt/venv/bin/python",
    "/patchmark/in/start.py",
    "--continue-on-collection-errors",
    # After the repository's own options: one with -x would hide all but the first failure.
    "--maxfail=0",
    "-q",
)
_PINS = "/tmp/patchmark-pins.txt"  # noqa: S108 - in a container of our own
_BACK_ENDS = ("setuptools", "poetry-core", "flit-core", "pdm-pep517")
_ABLE = "2023-06-30"
"""By then each of these could install in place (PEP 660)."""
_ABLE_PYTEST = "2017-11-22"
"""By then pytest obeyed lists given with `-o`, and had the hooks of our plugin."""
_COMPILE = "/opt/venv/bin/python setup.py -q build_ext --inplace > /dev/null 2>&1 || true\n"


@dataclass(frozen=True, kw_only=True)
class PythonProject:
    """What was found out about one commit of a Python repository."""

    python: str
    projects: tuple[str, ...] = ()
    """Folders that pip can install, `.` for the repository itself."""
    names: tuple[str, ...] = ()
    """Their names, as the index knows them."""
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    requirement_files: tuple[str, ...] = ()
    packages: tuple[str, ...] = ("pytest",)
    """Needed in any case."""
    wished: tuple[str, ...] = ()
    """Told by tools beside the project: left out where nothing can be resolved with them."""
    pins: tuple[str, ...] = ()
    """`name==version`, from a lock file."""
    build_requires: tuple[str, ...] = ()
    """What compiles its extensions; empty where there are none."""
    in_place: tuple[str, ...] = ()
    """Options of an install in place."""
    not_after: str
    """Dependencies are resolved as of this date (YYYY-MM-DD)."""
    release: str = ""
    """Told to build back ends that would read it from the git history, which is not there.

    Empty where none does: packages that come as sources read the same variables.
    """
    pytest_args: tuple[str, ...] = ()

    @property
    def installable(self) -> bool:
        """Whether there is anything for pip to install."""
        return bool(self.projects)

    def dependencies_script(self) -> str:
        """Shell that makes /opt/venv with the dependencies, trying ever less."""
        packages = " ".join(shlex.quote(p) for p in (*self.packages, *self.build_requires))
        full, least = " ".join(self._full()), " ".join(self._least())
        # Said with the date: what must be younger for our plugin is no secret.
        day = f"as of {self.not_after}"
        day += "".join(f", {name} as of {at}" for name, at in self._exceptions().items())
        dated, newest = self._install(dated=True), self._install(dated=False)
        rungs = [
            (f"{dated} -c {_PINS} {full} {packages}", f"locked, {day}"),
            (f"{dated} {full} {packages}", day),
            (f"{dated} {least} {packages}", f"project only, {day}"),
            (f"{newest} {full} {packages}", f"newest for Python {self.python}"),
            (f"{newest} {least} {packages}", f"project only, newest for Python {self.python}"),
            (self._by_pip(f"{' '.join(self._full(groups=False))} {packages}"), f"by pip, {day}"),
        ][0 if self.pins else 1 :]
        # The first name of equal attempts: without extras or groups there is nothing to leave out.
        tries = " || ".join(
            f"{{ {words} && as='{what}'; }}"
            for number, (words, what) in enumerate(rungs)
            if words not in dict(rungs[:number])
        )
        lines = [
            self._exports() + self._functions() + self._venv(),
            f"printf '%s\\n' {shlex.join(self.pins)} > {_PINS}" if self.pins else "",
            self._not_in_place(),
            # Said aloud: `set -e` does not see a failure inside a chain of alternatives.
            f"{tries} || exit 1",
            'echo "resolved: $as"',
            "mkdir -p /opt/patchmark",
            # Whatever brought it here, the project under test comes from the commit alone.
            self._without_project(),
            f'(echo "# $as"; {self._freeze()}) > {RESOLVED}',
            self._compile(),
        ]
        return "\n".join(lines) + "\n"

    def source_script(self) -> str:
        """Shell that installs the project itself, in place, without its dependencies."""
        if not self.installable:
            return self._exports()
        editable = " ".join(f"-e {shlex.quote(_path(place))}" for place in self.projects)
        install = " ".join(["uv pip install --no-deps", *self.in_place, editable])
        dated = f"{install} --exclude-newer {self.not_after}"
        able = " ".join(f"--exclude-newer-package {name}={_ABLE}" for name in _BACK_ENDS)
        folders = " ".join(shlex.quote(place) for place in self.projects)
        # The last one is for Python 3.6, whose newest setuptools came before.
        develop = "/opt/venv/bin/python setup.py -q develop --no-deps"
        each = f"for at in {folders}; do (cd $at && {develop}); done"
        old = f"{{ uv pip install 'setuptools<60' wheel && {each}; }}"
        tries = [dated, f"{dated} {able}", install, old, self._by_pip(f"--no-deps {editable}")]
        tries.append(f"by_path {folders} || exit 1\n")
        return f"{self._exports()}{self._functions()}{' || '.join(tries)}"

    def test_script(self) -> str:
        """Shell that runs the suite; compiled parts are made anew, for a patch may change them."""
        words = " ".join([shlex.join(PYTEST), *self.pytest_args])
        # Tests call the programs of packages, which are found by the path.
        path = "export PATH=/opt/venv/bin:$PATH VIRTUAL_ENV=/opt/venv\n"
        return f"{path}{_COMPILE if self.build_requires else ''}{words}"

    def _not_in_place(self) -> str:
        """Requirements that would install the project in place, as old back ends cannot."""
        files = shlex.join(self.requirement_files)
        return rf"sed -i -E 's/^ *(-e|--editable)[ =]+(\.)/\2/' {files} || true" if files else ""

    def _functions(self) -> str:
        return python_pip.functions(self.not_after, self._exceptions())

    def _by_pip(self, words: str) -> str:
        """For a manifest that uv refuses to read, such as a draft of today's form."""
        return f"by_pip {words}"

    def _venv(self) -> str:
        return "uv venv --python python3 /opt/venv"

    def _install(self, *, dated: bool) -> str:
        """The command that installs what is named after it."""
        # uv's own compiling needs Python 3.7.
        install = f"uv pip install{'' if self.python == '3.6' else ' --compile-bytecode'}"
        if not dated:
            return install
        others = (f" --exclude-newer-package {n}={day}" for n, day in self._exceptions().items())
        return f"{install} --exclude-newer {self.not_after}{''.join(others)}"

    def _without_project(self) -> str:
        """Names that only a running setup.py knows are told by where they came from."""
        if not self.projects:
            return ""
        local = f"$({self._freeze()} | sed -n 's# @ file:///repo.*##p')"
        names = f"{shlex.join(self.names)} {local}"
        return f'for name in {names}; do {self._uninstall()} "$name" || true; done'

    def _uninstall(self) -> str:
        return "uv pip uninstall"

    def _compile(self) -> str:
        """Bytecode, where the installer left none."""
        if self.python != "3.6":
            return ""
        return "/opt/venv/bin/python -m compileall -q /opt/venv/lib > /dev/null || true"

    def _freeze(self) -> str:
        return "uv --color never pip freeze --exclude-editable"

    def _exceptions(self) -> dict[str, str]:
        """Packages → the day as of which they are resolved, where it is not the project's."""
        names = ("pytest", "py") if self.not_after < _ABLE_PYTEST else ()
        return dict.fromkeys(names, _ABLE_PYTEST)

    def _groups(self) -> list[str]:
        return [f"--group {shlex.quote(group)}" for group in self.groups]

    def _full(self, *, groups: bool = True) -> list[str]:
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        # Not editable here: before 2022, setuptools could not make such an install by itself.
        full = [shlex.quote(f"{_path(place)}{extras}") for place in self.projects]
        full += self._groups() if groups else []
        full += [f"-r {shlex.quote(name)}" for name in self.requirement_files]
        return full + [shlex.quote(name) for name in self.wished]

    def _least(self) -> list[str]:
        return [shlex.quote(_path(place)) for place in self.projects] or self._full()

    def _exports(self) -> str:
        names = ("SETUPTOOLS_SCM_PRETEND_VERSION", "PDM_BUILD_SCM_VERSION", "PBR_VERSION")
        lines = [f"export {name}={shlex.quote(self.release)}" for name in names if self.release]
        lines += [
            "export PATH=/opt/patchmark/uv/bin:$PATH VIRTUAL_ENV=/opt/venv",
            "export UV_CACHE_DIR=/cache/uv UV_LINK_MODE=copy UV_NO_CONFIG=1",
        ]
        return "\n".join(lines) + "\n"


def _path(place: str) -> str:
    """A folder as pip tells it from a package's name."""
    return place if place == "." else f"./{place}"


RESOLVED = "/opt/patchmark/resolved.txt"
"""What was installed, one requirement a line."""
