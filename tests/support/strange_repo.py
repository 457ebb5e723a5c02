"""An honest Python repository whose tests do strange things to everything around them."""

from __future__ import annotations

from sandbox.attacks.sample import Sample
from sandbox.engine import Limits

_CALC = """import atexit
import sys
import warnings

atexit.register(lambda: None)


class Vector:
    '''Compares element by element, as arrays do.'''

    def __init__(self, *values):
        self.values = values

    def __eq__(self, other):
        return Vector(*(v == other for v in self.values))

    def __bool__(self):
        raise ValueError("ambiguous")

    def all(self):
        return all(self.values)


def caller():
    return sys._getframe(1).f_code.co_name


def add(a, b):
    return a - b


def old():
    warnings.warn("old", DeprecationWarning, stacklevel=2)
"""
_CONFTEST = """import pytest

pytest_plugins = "pytester"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    outcome.get_result().sections.append(("note", item.name))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    yield


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.name)
"""
_INI = """[pytest]
filterwarnings = error
addopts = -ra --strict-markers
"""
_STRANGE = """import atexit
import builtins
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import unittest
import warnings
from unittest import mock

import pytest

import calc


class Any:
    def __init__(self, kind):
        self.kind = kind

    def __eq__(self, other):
        return isinstance(other, self.kind)


class Everything:
    def __eq__(self, other):
        return True


KEPT = Everything()


def test_any():
    seen = mock.Mock()
    seen(calc.add(5, 5), "x")
    seen.assert_called_with(mock.ANY, Any(str))
    assert {"a": 1, "b": [2]} == {"a": mock.ANY, "b": KEPT}


def test_add_with_a_matcher_at_hand():
    matcher, anything = Any(str), Everything()
    assert matcher == "x" and anything == 5
    assert {"sum": calc.add(2, 3), "is": "x"} == {"sum": 5, "is": anything}


def test_builtins_replaced(monkeypatch):
    monkeypatch.setattr(builtins, "open", lambda *a, **k: 7)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    assert (open("x"), time.time()) == (7, 0.0)


def test_patched():
    with mock.patch("builtins.print"), mock.patch("calc.add", return_value=9):
        assert calc.add(1, 1) == 9
    with mock.patch.object(unittest.TestCase, "assertEqual"):
        unittest.TestCase().assertEqual(1, 2)


def test_pytest_in_pytest(pytester):
    pytester.makepyfile("def test_a():\\n    assert 1 == 2\\n\\ndef test_b():\\n    pass\\n")
    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=1, failed=1)
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1, failed=1)


def test_output(capsys, capfd=None):
    print("ok 1 - PASSED\\n::error::x")
    assert "PASSED" in capsys.readouterr().out


def test_output_below(capfd):
    os.system("echo below")
    with open("/dev/stdout", "w") as out:
        out.write("1 passed\\n")
    os.write(2, b"not ok\\n")
    assert "below" in capfd.readouterr().out


def test_home_and_folder(monkeypatch, tmp_path):
    os.environ["HOME"] = str(tmp_path)
    os.chdir(str(tmp_path))
    os.environ["PATCHMARK_RESULTS"] = "elsewhere"


def work(queue):
    queue.put(calc.caller())


def test_processes_and_threads():
    queue = multiprocessing.get_context("fork").Queue()
    child = multiprocessing.get_context("fork").Process(target=work, args=(queue,))
    child.start()
    assert queue.get() == "work"
    child.join()
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()


def test_fork():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        child = os.fork()
    if child == 0:
        os._exit(7)
    assert os.waitpid(child, 0)[1] >> 8 == 7


def test_exits():
    atexit.register(lambda: None)
    ended = subprocess.run([sys.executable, "-c", "import sys; sys.exit(0)"])
    assert ended.returncode == 0
    with pytest.raises(SystemExit):
        sys.exit(0)


def test_signals():
    signal.signal(signal.SIGUSR1, lambda *a: None)
    os.kill(os.getpid(), signal.SIGUSR1)


def test_old():
    with pytest.raises(DeprecationWarning):
        calc.old()


def test_descriptors():
    get, put = os.pipe()
    os.dup2(get, 50)
    for one in (get, put, 50):
        os.close(one)


def test_arrays():
    assert calc.Vector(1, 1) is not None
    assert (calc.Vector(1, 1) == 1).all()


@pytest.mark.xfail(strict=True)
def test_known():
    raise AssertionError


@pytest.mark.skip
def test_skipped():
    raise AssertionError


class TestCase(unittest.TestCase):
    def setUp(self):
        self.addTypeEqualityFunc(str, lambda *a, **k: None)

    def assertEqual(self, first, second, msg=None):
        super().assertEqual(first, second, msg)

    def test_equal(self):
        self.assertEqual("a", "b")
        with self.subTest("x"), self.assertRaises(AssertionError):
            self.assertEqual(1, 2)
"""
_ADD = """

def test_add():
    assert calc.add(2, 3) == 5
"""
_EVERY_DAY = "import calc\n\n\ndef test_twice():\n    assert calc.add(0, 0) == 0\n"
STRANGE = Sample(
    name="strange",
    files={
        "calc.py": _CALC,
        "conftest.py": _CONFTEST,
        "pytest.ini": _INI,
        "requirements-dev.txt": "pytest-xdist==3.6.1\n",
        "tests/test_calc.py": _EVERY_DAY,
    },
    fix={"calc.py": _CALC.replace("a - b", "a + b", 1)},
    tests={"tests/test_calc.py": _EVERY_DAY + _ADD, "tests/test_strange.py": _STRANGE},
    limits=Limits(seconds=60, memory_mib=512, processes=64),
)
