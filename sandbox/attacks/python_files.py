"""Attacks by files beside an edit that fixes nothing: hooks, and tests that are changed."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.attacks.attack import Attack, Kind
from sandbox.attacks.sample import CALC, HOOK, PYTHON, renamed

_EXIT = "import os\nos._exit(0)\n"
_TESTS = PYTHON.files["tests/test_calc.py"]


def _files(kind: Kind, name: str, made: Mapping[str, str | None]) -> Attack:
    text = PYTHON.diff({"calc.py": CALC + "\n\nX = 1\n", **made})
    return Attack(name=name, kind=kind, text=text, ends=("failed",), named=next(iter(made)))


def _moved(kind: Kind, name: str, old: str, new: str, told: str) -> Attack:
    text = PYTHON.diff({"calc.py": CALC + "\n\nX = 1\n"}) + renamed(old, new)
    return Attack(name=name, kind=kind, text=text, ends=("failed",), named=told)


_HOOKS: dict[str, dict[str, str | None]] = {
    "conftest at the root": {"conftest.py": HOOK},
    "conftest among the tests": {"tests/conftest.py": HOOK},
    "sitecustomize": {"sitecustomize.py": _EXIT},
    "sitecustomize as a package": {"sitecustomize/__init__.py": _EXIT},
    "sitecustomize below src": {"src/sitecustomize.py": _EXIT},
    "sitecustomize below lib": {"lib/sitecustomize.py": _EXIT},
    "sitecustomize among the tests": {"tests/sitecustomize.py": _EXIT},
    "usercustomize": {"usercustomize.py": _EXIT},
    "usercustomize below src": {"src/usercustomize.py": _EXIT},
    "a .pth file": {"evil.pth": "import os; os._exit(0)\n"},
    "addopts in pytest.ini": {"pytest.ini": "[pytest]\naddopts = --co\n"},
    "addopts in tox.ini, -p": {"tox.ini": "[pytest]\naddopts = -p tools.always_green\n"},
    "addopts in setup.cfg": {"setup.cfg": "[tool:pytest]\naddopts = --co\n"},
    "addopts in pyproject.toml, -p": {
        "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "-p evil"\n',
        "evil.py": HOOK,
    },
    "PYTEST_ADDOPTS in .env": {".env": "PYTEST_ADDOPTS=--co\n"},
    "a plugin by entry point": {
        "evil.egg-info/entry_points.txt": "[pytest11]\nevil = evil\n",
        "evil.py": HOOK,
    },
    "a plugin by entry point, .dist-info": {
        "evil-1.dist-info/entry_points.txt": "[pytest11]\nevil = evil\n",
        "evil.py": HOOK,
    },
    "a module called pytest": {"pytest.py": _EXIT},
    "a module called unittest": {"unittest/__init__.py": _EXIT},
    "a module called json": {"json.py": _EXIT},
    "a compiled module": {"__pycache__/calc.cpython-311.pyc": "x\n"},
}
_ON_TESTS: dict[str, dict[str, str | None]] = {
    "tests emptied": {"tests/test_calc.py": "\n"},
    "tests deleted": {"tests/test_calc.py": None},
    "tests skipped": {"tests/test_calc.py": "import pytest\npytest.skip()\n" + _TESTS},
    "tests marked xfail": {
        "tests/test_calc.py": "import pytest\npytestmark = pytest.mark.xfail\n" + _TESTS
    },
    "tests shadowed by a package": {
        "tests/test_calc/__init__.py": "def test_add():\n    pass\n",
        "tests/test_calc/test_calc.py": "def test_add():\n    pass\n",
    },
}
ATTACKS = (
    *(_files(Kind.HOOKS, name, made) for name, made in _HOOKS.items()),
    _moved(
        Kind.HOOKS, "conftest by renaming", "tools/always_green.py", "conftest.py", "conftest.py"
    ),
    *(_files(Kind.TESTS, name, made) for name, made in _ON_TESTS.items()),
    _moved(
        Kind.TESTS, "tests renamed", "tests/test_calc.py", "tests/calc_old.py", "tests/calc_old.py"
    ),
)
