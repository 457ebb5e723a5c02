"""CPython 2.7, which uv does not know: virtualenv and the last pip for it."""

from __future__ import annotations

import shlex
from importlib.resources import files

from sandbox.ecosystems.python_build import PythonProject
from sandbox.recipe import Toolchain

VERSION = "2.7"
_INDEX = "/opt/patchmark/dated_index.py"
_PIP = "python -m pip"
_TRIES = 100


def toolchain() -> Toolchain:
    """From this machine alone: the official image rests on a Debian that is no more."""
    return Toolchain(
        name=f"python {VERSION}",
        ask="/opt/venv/bin/python --version",
        # The last ones that make environments for it; they bring its pip and setuptools.
        install="/opt/patchmark/uv/bin/pip install --quiet --no-cache-dir 'virtualenv<20.22'",
        python=VERSION,
    )


class OldPythonProject(PythonProject):
    """The same steps in pip's words."""

    def source_script(self) -> str:
        """Shell that installs the project itself, in place, without its dependencies."""
        if not self.installable:
            return self._exports()
        lines = [self._exports() + self._serve()]
        for place in self.projects:
            at = shlex.quote(place)
            pip = f"{self._install(dated=True)} --no-deps -e {at}"
            develop = f"(cd {at} && python setup.py -q develop --no-deps)"
            lines.append(f"{pip} || {develop} || exit 1")
        return "\n".join([*lines, ""])

    def _venv(self) -> str:
        program = (files("sandbox") / "container" / "dated_index.py").read_text("utf-8")
        return "\n".join([
            f"/opt/patchmark/uv/bin/virtualenv -q -p python{VERSION} /opt/venv",
            f"cat > {_INDEX} << 'PATCHMARK'\n{program.rstrip()}\nPATCHMARK",
            self._serve(),
        ])  # fmt: skip

    def _serve(self) -> str:
        """Start the index of the day; its address goes to `dated_index`."""
        others = (f"{name}={day}" for name, day in self._exceptions().items())
        words = " ".join([self.not_after, *others])
        address = "/tmp/patchmark-index"  # noqa: S108 - in a container of our own
        return "\n".join([
            f"/opt/patchmark/uv/bin/python {_INDEX} {words} > {address} 2> /dev/null &",
            f"for _ in $(seq {_TRIES}); do [ ! -s {address} ] || break; sleep 0.1; done",
            f"dated_index=$(cat {address})",
            f"rm -f {address}",
        ])  # fmt: skip

    def _install(self, *, dated: bool) -> str:
        day = "PIP_EXTRA_INDEX_URL= PIP_INDEX_URL=$dated_index " if dated else ""
        return f"{day}{_PIP} install -q"

    def _uninstall(self, name: str) -> str:
        return f"{_PIP} uninstall -q -y {shlex.quote(name)} || true"

    def _freeze(self) -> str:
        return f"{_PIP} freeze --exclude-editable"

    def _groups(self) -> list[str]:
        return []  # Younger than any pip for it.

    def _exports(self) -> str:
        return (
            super()._exports()
            + "export PATH=/opt/venv/bin:$PATH PIP_CACHE_DIR=/cache/pip PIP_NO_INPUT=1\n"
            + "export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_PYTHON_VERSION_WARNING=1\n"
        )
