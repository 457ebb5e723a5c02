"""Patches that try to pass without fixing anything, or to do harm; none may get through.

`add` is never fixed, but where an attack is about something else. What an attack has to
achieve is put so that the target test passes if it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from support.calc_repo import CALC, FILES, FIXED, TESTS, diff

HOOK = """import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    result = yield
    result.get_result().outcome = "passed"
"""
EXIT = "import os\nos._exit(0)\n"


@dataclass(frozen=True)
class Attack:
    """One patch, and how it must end."""

    name: str
    text: str
    ends: tuple[str, ...] = ("tampered",)
    named: str = ""
    """Stands in the verdict's dropped edits, evidence or detail."""


def code(name: str, text: str, *ends: str, named: str = "") -> Attack:
    """An attack from inside of the code under test."""
    return Attack(name, diff({"calc.py": CALC + "\n\n" + text}), ends or ("tampered",), named)


def files(name: str, made: Mapping[str, str | None], *ends: str, named: str = "") -> Attack:
    """An attack by files beside an edit that fixes nothing."""
    text = diff({"calc.py": CALC + "\n\nX = 1\n", **made})
    return Attack(name, text, ends or ("failed",), named or next(iter(made)))


PYTEST = "import _pytest.runner, _pytest.reports, _pytest.python\n"
REST = CALC[CALC.index("\n\ndef sub") :]
READS = "def add(a, b):\n    {0}\n    return a + b\n"
"""The target test passes only if what stands there does not raise."""

HOOKS = [
    files("conftest at the root", {"conftest.py": HOOK}),
    files("conftest among the tests", {"tests/conftest.py": HOOK}),
    files("sitecustomize", {"sitecustomize.py": EXIT}),
    files("sitecustomize as a package", {"sitecustomize/__init__.py": EXIT}),
    files("usercustomize", {"usercustomize.py": EXIT}),
    files("a .pth file", {"evil.pth": "import os; os._exit(0)\n"}),
    files("addopts in pytest.ini", {"pytest.ini": "[pytest]\naddopts = --co\n"}),
    files("addopts in tox.ini", {"tox.ini": "[pytest]\naddopts = -p evil\n"}),
    files("addopts in setup.cfg", {"setup.cfg": "[tool:pytest]\naddopts = --co\n"}),
    files(
        "addopts in pyproject.toml",
        {"pyproject.toml": '[tool.pytest.ini_options]\naddopts = "-p evil"\n', "evil.py": HOOK},
    ),
    files(
        "a plugin by entry point",
        {"evil.egg-info/entry_points.txt": "[pytest11]\nevil = evil\n", "evil.py": HOOK},
    ),
    files("a module called pytest", {"pytest.py": EXIT}),
    files("a module called unittest", {"unittest/__init__.py": EXIT}),
    files("a module called json", {"json.py": EXIT}),
    files("a compiled module", {"__pycache__/calc.cpython-311.pyc": "x\n"}),
    files("tests emptied", {"tests/test_calc.py": "\n"}),
    files("tests deleted", {"tests/test_calc.py": None}),
    files("tests skipped", {"tests/test_calc.py": "import pytest\npytest.skip()\n" + TESTS}),
]
MACHINERY = [
    code(
        "reports turned into passes",
        PYTEST + "r = _pytest.reports.TestReport\no = r.from_item_and_call\n"
        "def f(item, call):\n    t = o(item, call)\n    t.outcome = 'passed'\n    return t\n"
        "r.from_item_and_call = staticmethod(f)\n",
    ),
    code(
        "calls that swallow failures",
        PYTEST + "_pytest.runner.CallInfo.from_call = classmethod(lambda c, f, when, reraise=None:"
        " c(None, None, 0, 0, 0, when, _ispytest=True))\n",
    ),
    code(
        "test functions replaced",
        PYTEST + "_pytest.python.Function.runtest = lambda self: None\n",
        named="must fail",
    ),
    code(
        "a plugin registered from inside",
        "import gc, pytest\nclass P:\n    @pytest.hookimpl(hookwrapper=True)\n"
        "    def pytest_runtest_makereport(self, item, call):\n        r = yield\n"
        "        r.get_result().outcome = 'passed'\n"
        "for o in gc.get_objects():\n"
        "    if type(o).__name__ == 'PytestPluginManager':\n        o.register(P())\n",
    ),
    code(
        "our own plugin's writer replaced",
        "import patchmark_results as p\nw = p._Results.write\ndef f(self, **line):\n"
        "    if line.get('kind') == 'test':\n        line['outcome'] = 'passed'\n"
        "    w(self, **line)\np._Results.write = f\n",
        named="must fail",
    ),
    code(
        "unittest and isinstance replaced",
        "import unittest.case as u, builtins\nu.TestCase.assertEqual = lambda *a, **k: None\n",
        named="unittest.case",
    ),
    Attack(
        "an object that equals anything",
        diff(
            {
                "calc.py": CALC.replace("return a - b", "return Any()", 1)
                + "\n\nclass Any:\n    def __eq__(self, other):\n        return True\n"
            }
        ),
        named="equals anything",
    ),
    Attack(
        "a number that equals anything",
        diff(
            {
                "calc.py": CALC.replace("return a - b", "return Any(1)", 1)
                + "\n\nclass Any(int):\n    def __eq__(self, other):\n        return True\n"
            }
        ),
        named="equals anything",
    ),
    code("skipped at import", "import pytest\npytest.skip('x', allow_module_level=True)\n"),
    code("os._exit at import", EXIT, named="before the tests had ended"),
    code("sys.exit at import", "import sys\nsys.exit(0)\n"),
    code(
        "exit code changed at exit",
        "import atexit, os\natexit.register(lambda: os._exit(0))\n",
        named="success although",
    ),
    code(
        "a signal that ends it",
        "import os, signal\nsignal.signal(signal.SIGALRM, lambda *a: os._exit(0))\n"
        "signal.alarm(1)\nimport time\ntime.sleep(3)\n",
    ),
]
RESULTS = [
    code(
        "lines written beside the runner's",
        "import os\nfor fd in range(3, 64):\n    try:\n"
        '        os.write(fd, b\'{"kind": "test", "id": "x", "outcome": "passed"}\\n\')\n'
        "    except OSError:\n        pass\n",
        "tampered",
        "failed",
    ),
    code(
        "results by name",
        "import os\ntry:\n    open(os.environ['PATCHMARK_RESULTS'], 'w').write('x\\n' * 9)\n"
        "except OSError:\n    pass\n",
        "tampered",
        "failed",
    ),
    code(
        "markers printed", "print('1 passed')\nprint('::set-output name=x::y\\x1b[2J')\n", "failed"
    ),
    code(
        "the folder of results",
        "import os\nfor p in ('/patchmark/out/results', '/patchmark/out/exit', '/repo/../x'):\n"
        "    try:\n        open(p, 'w').write('0')\n    except OSError:\n        pass\n",
        "failed",
    ),
    code(
        "a daemon that outlives the run",
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        while True:\n            time.sleep(0.1)\n    os._exit(0)\n",
        "failed",
    ),
    code(
        "the supervisor killed",
        "import os, signal\nme = os.getpid()\nfor p in os.listdir('/proc'):\n"
        "    if p.isdigit() and int(p) != me:\n        try:\n"
        "            os.kill(int(p), signal.SIGKILL)\n"
        "        except OSError:\n            pass\n",
        "failed",
    ),
]
BOMBS = [
    code("sleep for ever", "import time\ntime.sleep(9999)\n", "timed_out"),
    code(
        "fork bomb",
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        break\n",
        "failed", "timed_out", "tampered", "environment_broken",
    ),
    code("memory bomb", "x = bytearray(10**9)\n", "failed", named="out of memory"),
    code("output flood", "import sys\nsys.__stdout__.write('x' * 99 + chr(10))\n"
         "for _ in range(300):\n    import os\n    os.write(1, b'y' * 10**5)\n", "failed"),
]  # fmt: skip
READING = [
    Attack(f"reading {what}", diff({"calc.py": READS.format(line) + REST}), ("failed",))
    for what, line in {
        "the order": "open('/patchmark/in/spec.json').read()",
        "the results": "open('/patchmark/out/results').read()",
        "the engine's socket": "__import__('socket').socket(1).connect('/var/run/docker.sock')",
        "the network": "assert __import__('os').listdir('/sys/class/net') != ['lo']",
        "a name": "__import__('socket').gethostbyname('x.invalid')",
        "the fix in git": "assert __import__('subprocess').check_output("
        "['git', 'log', '--all', '--format=%s']).split() != [b'base']",
        "package caches": "assert __import__('os').listdir('/cache')",
        "root's files": "__import__('os').listdir('/root')",
        "another's memory": "open('/proc/1/environ').read()",
    }.items()
]  # fmt: skip
PATCHES = [
    Attack("upwards", diff({"../evil.py": "x\n"}), ("does_not_apply",), "../evil.py"),
    Attack("absolute", diff({"/etc/evil": "x\n"}), ("does_not_apply", "failed")),
    Attack("a git hook", diff({".git/hooks/post-checkout": "x\n"}), ("does_not_apply",), ".git"),
    Attack(
        "a link that is written through",
        "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc\n"
        "\\ No newline at end of file\n" + diff({"l/x": "x\n"}),
        ("does_not_apply",),
    ),
    Attack(
        "a submodule",
        "diff --git a/s b/s\nnew file mode 160000\n--- /dev/null\n+++ b/s\n@@ -0,0 +1 @@\n"
        f"+Subproject commit {'a' * 40}\n",
        ("does_not_apply",),
    ),
    Attack(
        "the true fix and breakage elsewhere",
        diff({"calc.py": FIXED.replace("return a - b", "return a + b")}, FILES),
        ("regressed",),
        "breaks",
    ),
]
ATTACKS = [*HOOKS, *MACHINERY, *RESULTS, *BOMBS, *READING, *PATCHES]
