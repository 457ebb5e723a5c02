"""CPython 2.7, which uv does not know: virtualenv and the last pip for it."""

from __future__ import annotations

import shlex

from sandbox.ecosystems.python_build import PythonProject
from sandbox.recipe import Toolchain

VERSION = "2.7"
_PIP = "python -m pip"


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
        lines = [self._exports() + self._functions()]
        for place in self.projects:
            at = shlex.quote(place)
            pip = f"{self._install(dated=True)} --no-deps -e {at}"
            develop = f"(cd {at} && python setup.py -q develop --no-deps)"
            lines.append(f"{pip} || {develop} || exit 1")
        return "\n".join([*lines, ""])

    def _venv(self) -> str:
        return f"/opt/patchmark/uv/bin/virtualenv -q -p python{VERSION} /opt/venv"

    def _install(self, *, dated: bool) -> str:
        return f"{'dated ' if dated else ''}{_PIP} install -q"

    def _by_pip(self, words: str) -> str:
        return f"false {words}"  # It is pip that has tried already.

    def _uninstall(self) -> str:
        return f"{_PIP} uninstall -q -y"

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
