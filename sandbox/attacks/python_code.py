"""Attacks from inside of the code under test: on the runner, its end and its reports."""

from __future__ import annotations

from sandbox.attacks.attack import Attack, Kind
from sandbox.attacks.sample import CALC, PYTHON

_PYTEST = "import _pytest.runner, _pytest.reports, _pytest.python\n"
_ANY = "    def __eq__(self, other):\n        return True\n"


def code(kind: Kind, name: str, text: str, *ends: str, named: str = "") -> Attack:
    """An attack that runs when the code under test is imported."""
    changed = PYTHON.diff({"calc.py": f"{CALC}\n\n{text}"})
    return Attack(name=name, kind=kind, text=changed, ends=ends or ("tampered",), named=named)


def _returns(name: str, value: str, more: str, named: str = "equals anything") -> Attack:
    changed = f"{CALC.replace('return a - b', f'return {value}', 1)}\n\n{more}"
    return Attack(
        name=name,
        kind=Kind.MACHINERY,
        text=PYTHON.diff({"calc.py": changed}),
        ends=("tampered",),
        named=named,
    )


def _calls(name: str, line: str, *ends: str) -> Attack:
    changed = CALC.replace("return a - b", line, 1)
    return Attack(
        name=name, kind=Kind.TESTS, text=PYTHON.diff({"calc.py": changed}), ends=ends or ("failed",)
    )


_MACHINERY = (
    code(
        Kind.MACHINERY,
        "reports turned into passes",
        _PYTEST + "r = _pytest.reports.TestReport\no = r.from_item_and_call\n"
        "def f(item, call):\n    t = o(item, call)\n    t.outcome = 'passed'\n    return t\n"
        "r.from_item_and_call = staticmethod(f)\n",
    ),
    code(
        Kind.MACHINERY,
        "calls that swallow failures",
        _PYTEST + "_pytest.runner.CallInfo.from_call = classmethod(lambda c, f, when, reraise=None:"
        " c(None, None, 0, 0, 0, when, _ispytest=True))\n",
    ),
    code(
        Kind.MACHINERY,
        "test functions replaced",
        _PYTEST + "_pytest.python.Function.runtest = lambda self: None\n",
        named="must fail",
    ),
    code(
        Kind.MACHINERY,
        "a failed assertion made a skip",
        "import builtins, _pytest.outcomes\nbuiltins.AssertionError = _pytest.outcomes.Skipped\n",
    ),
    code(
        Kind.MACHINERY,
        "a plugin registered from inside",
        "import gc, pytest\nclass P:\n    @pytest.hookimpl(hookwrapper=True)\n"
        "    def pytest_runtest_makereport(self, item, call):\n        r = yield\n"
        "        r.get_result().outcome = 'passed'\n"
        "for o in gc.get_objects():\n"
        "    if type(o).__name__ == 'PytestPluginManager':\n        o.register(P())\n",
    ),
    code(
        Kind.MACHINERY,
        "our own plugin's writer replaced",
        "import patchmark_results as p\nw = p._Results.write\ndef f(self, **line):\n"
        "    if line.get('kind') == 'test':\n        line['outcome'] = 'passed'\n"
        "    w(self, **line)\np._Results.write = f\n",
        named="must fail",
    ),
    code(
        Kind.MACHINERY,
        "unittest's assertions replaced",
        "import unittest.case as u, builtins\nu.TestCase.assertEqual = lambda *a, **k: None\n",
        named="unittest.case",
    ),
    _returns("an object that equals anything", "Any()", f"class Any:\n{_ANY}"),
    _returns("a number that equals anything", "Any(1)", f"class Any(int):\n{_ANY}"),
    _returns(
        "an object that equals anything, and says it is Python's own",
        "Any()",
        f"class Any:\n    __module__ = 'builtins'\n{_ANY}",
    ),
    _returns("mock.ANY returned", "ANY", "from unittest.mock import ANY\n", "brings mock.ANY"),
)
_SKIPS = (
    code(
        Kind.TESTS,
        "skipped at import",
        "import pytest\npytest.skip('x', allow_module_level=True)\n",
    ),
    code(Kind.TESTS, "xfail at import", "import pytest\npytest.xfail('x')\n", "tampered", "failed"),
    _calls("skipped by the code under test", "__import__('pytest').skip('x')"),
    _calls("xfail by the code under test", "__import__('pytest').xfail('x')"),
)
_ENDING = (
    code(
        Kind.ENDING, "os._exit at import", "import os\nos._exit(0)\n", named="before the tests had"
    ),
    code(Kind.ENDING, "sys.exit at import", "import sys\nsys.exit(0)\n"),
    code(
        Kind.ENDING,
        "exit code changed at exit",
        "import atexit, os\natexit.register(lambda: os._exit(0))\n",
        named="success although",
    ),
    code(
        Kind.ENDING,
        "a signal that ends it",
        "import os, signal\nsignal.signal(signal.SIGALRM, lambda *a: os._exit(0))\n"
        "signal.alarm(1)\nimport time\ntime.sleep(3)\n",
    ),
    code(
        Kind.ENDING,
        "PYTEST_ADDOPTS, and pytest anew",
        "import os, sys\nif 'PYTEST_ADDOPTS' not in os.environ:\n"
        "    os.environ['PYTEST_ADDOPTS'] = '--co -q'\n"
        "    os.execv(sys.executable, [sys.executable, '-m', 'pytest'])\n",
        named="before the tests had",
    ),
)
_RESULTS = (
    code(
        Kind.RESULTS,
        "lines written beside the runner's",
        "import os\nfor fd in range(3, 64):\n    try:\n"
        '        os.write(fd, b\'{"kind": "test", "id": "x", "outcome": "passed"}\\n\')\n'
        "    except OSError:\n        pass\n",
        "tampered",
        "failed",
    ),
    code(
        Kind.RESULTS,
        "results by name",
        "import os\ntry:\n    open(os.environ['PATCHMARK_RESULTS'], 'w').write('x\\n' * 9)\n"
        "except OSError:\n    pass\n",
        "tampered",
        "failed",
    ),
    code(
        Kind.RESULTS,
        "results raced",
        "import os, threading\ndef race():\n    for _ in range(20000):\n"
        "        for fd in range(3, 20):\n            try:\n"
        '                os.write(fd, b\'{"kind": "end", "exit": 0}\\n\')\n'
        "            except OSError:\n                pass\n"
        "threading.Thread(target=race, daemon=True).start()\n",
        named="among the results",
    ),
    code(
        Kind.RESULTS,
        "results made a link",
        "import os\nfor p in (os.environ['PATCHMARK_RESULTS'], '/patchmark/out/results'):\n"
        "    try:\n        os.remove(p)\n    except OSError:\n        pass\n"
        "    try:\n        os.symlink('/etc/passwd', p)\n    except OSError:\n        pass\n",
        "failed",
    ),
    code(
        Kind.RESULTS,
        "results filled up",
        "import os\nfor fd in range(3, 20):\n    try:\n        if os.fstat(fd).st_mode & 0o10000:\n"
        "            for _ in range(900):\n                os.write(fd, b'x' * 65535 + b'\\n')\n"
        "    except OSError:\n        pass\n",
        named="among the results",
    ),
    code(
        Kind.RESULTS,
        "the folder of results",
        "import os\nfor p in ('/patchmark/out/results', '/patchmark/out/exit', '/repo/../x'):\n"
        "    try:\n        open(p, 'w').write('0')\n    except OSError:\n        pass\n",
        "failed",
    ),
)
_LOOKS = (
    code(
        Kind.LOOKS,
        "markers printed",
        "print('1 passed')\nprint('ok 1 - test_add')\nprint('::set-output name=x::y')\n",
        "failed",
    ),
    code(
        Kind.LOOKS,
        "escapes and workflow commands in a name",
        "Any = type('\\x1b[2J\\n::error::x', (), {'__eq__': lambda a, b: True})\nONE = Any()\n",
        "tampered",
        named="equals anything",
    ),
)
ATTACKS = (*_MACHINERY, *_SKIPS, *_ENDING, *_RESULTS, *_LOOKS)
