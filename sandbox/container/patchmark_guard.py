"""What a suite does to its own runner: pieces replaced, hooks added, things that equal anything.

Some suites do such things for good reasons. So nothing is judged here: what is found is
told, and compared with what the suite does with the real fix in place.

Runs on every Python and pytest a repository may need, so: old syntax only.
"""
import gc
import os
import re
import sys
import types
import unittest.case

try:
    import builtins
except ImportError:
    import __builtin__ as builtins

_WATCHED = (
    "_pytest.assertion.rewrite",
    "_pytest.main",
    "_pytest.outcomes",
    "_pytest.python",
    "_pytest.python_api",
    "_pytest.raises",
    "_pytest.reports",
    "_pytest.runner",
    "_pytest.skipping",
    "_pytest.unittest",
    "pluggy",
    "pluggy._callers",
    "pluggy._hooks",
    "pluggy._manager",
    "unittest.case",
    "patchmark_results",
)
_HOOKS = (
    "pytest_collection_modifyitems",
    "pytest_itemcollected",
    "pytest_pyfunc_call",
    "pytest_report_teststatus",
    "pytest_runtest_call",
    "pytest_runtest_logreport",
    "pytest_runtest_makereport",
    "pytest_runtest_protocol",
    "pytest_runtest_setup",
    "pytest_runtestloop",
    "pytest_sessionfinish",
)
_PLAIN = (object, int, str, float, list, dict, tuple, set, frozenset, bytes)
_MOST = 200
# No patch of a model's changes such files, and what tests compare with is theirs to say.
_TEST = re.compile(r"(^|/)(tests?/.*|conftest|test_[^/]*|[^/]*_test)\.py$")
_PASSED_ON = ("pathlib", "io", "_pyio", "codecs", __name__)


class _Other(object):
    """Equal to nothing else."""


class Guard(object):
    """Looks at the runner at its start, and once more at the end."""

    def __init__(self, root):
        self.root = root
        self.seen = set()
        self.pieces = dict(_pieces())
        self.names = dict(vars(builtins))
        self._watch_any()
        if hasattr(sys, "addaudithook"):
            sys.addaudithook(self._watch_open)

    def habits(self, config):
        """What is otherwise now, sorted; never raises for what a suite made of the runner."""
        found = set()
        for look in (self._replaced, self._builtins, self._hooks, self._equal, self._watched):
            try:
                found.update(look(config))
            except Exception as error:
                found.add("unreadable %s: %s" % (look.__name__, type(error).__name__))
        return sorted(found)[:_MOST]

    def _replaced(self, config):
        now = dict(_pieces())
        for name, code in self.pieces.items():
            if now.get(name) is not code:
                yield "replaces %s" % name

    def _builtins(self, config):
        now = vars(builtins)
        for name, value in self.names.items():
            if name != "_" and now.get(name) is not value:
                yield "replaces builtins.%s" % name

    def _hooks(self, config):
        for name in _HOOKS:
            hook = getattr(config.hook, name, None)
            for one in hook.get_hookimpls() if hook is not None else ():
                code = getattr(one.function, "__code__", None)
                place = code.co_filename if code is not None else ""
                if self._is_ours(place) or not os.path.isabs(place):
                    yield "hooks into %s from %s" % (name, os.path.relpath(place, self.root))

    def _equal(self, config):
        for kind in _subclasses(object):
            equal = vars(kind).get("__eq__")
            if equal is not None and self._tested(_file_of(kind), _code_file(equal)):
                if any(_equals_anything(one) for one in _instances(kind)):
                    yield "%s.%s equals anything" % (kind.__module__, kind.__name__)

    def _watched(self, config):
        for what, place in self.seen:
            if what != "any":
                yield "%s reads %s" % (what, place)
            elif "ANY" not in _text(os.path.join(self.root, place)):
                yield "brings mock.ANY to %s, which does not name it" % place

    def _watch_any(self):
        """Notes which files of tests compare with `mock.ANY`: it may not be theirs."""
        try:
            from unittest import mock
        except ImportError:
            return
        kind = type(mock.ANY)
        equal = kind.__eq__

        def __eq__(this, other):
            frame = sys._getframe(1)
            while frame is not None and not self._is_ours(frame.f_code.co_filename):
                frame = frame.f_back
            place = "" if frame is None else os.path.relpath(frame.f_code.co_filename, self.root)
            if _TEST.search(place):
                self.seen.add(("any", place))
            return equal(this, other)

        kind.__eq__ = __eq__

    def _watch_open(self, event, arguments):
        """Notes which code under test opens which files of tests: the answers stand there."""
        if event == "open":
            try:
                self._opened(arguments[0], sys._getframe(1))
            except Exception:
                # Whatever it is, it must not come out of somebody else's `open`.
                return

    def _opened(self, path, frame):
        path = os.path.abspath(os.fsdecode(path))
        if not self._is_ours(path) or not _TEST.search(os.path.relpath(path, self.root)):
            return
        while frame is not None and str(frame.f_globals.get("__name__")).startswith(_PASSED_ON):
            frame = frame.f_back
        place = "" if frame is None else frame.f_code.co_filename
        if self._tested(place):
            seen = tuple(os.path.relpath(one, self.root) for one in (place, path))
            self.seen.add(seen)

    def _tested(self, *paths):
        """Whether one of these is code under test."""
        ours = [os.path.relpath(path, self.root) for path in paths if self._is_ours(path)]
        return bool(ours) and not all(_TEST.search(path) for path in ours)

    def _is_ours(self, path):
        return path.startswith(self.root + os.sep)


def _pieces():
    for module_name in _WATCHED:
        module = sys.modules.get(module_name)
        for name, value in list(vars(module).items()) if module is not None else ():
            where = "%s.%s" % (module_name, name)
            if isinstance(value, types.FunctionType):
                yield where, value.__code__
            elif isinstance(value, type) and value.__module__ == module_name:
                for inner, method in list(vars(value).items()):
                    code = getattr(getattr(method, "__func__", method), "__code__", None)
                    if code is not None:
                        yield "%s.%s" % (where, inner), code


def _subclasses(top):
    seen, left = set(), [top]
    while left:
        for kind in type.__subclasses__(left.pop()):
            if kind not in seen:
                seen.add(kind)
                left.append(kind)
                yield kind


def _file_of(kind):
    module = sys.modules.get(kind.__module__)
    path = getattr(module, "__file__", None) or ""
    return os.path.abspath(path) if path else ""


def _code_file(function):
    code = getattr(function, "__code__", None)
    return "" if code is None else os.path.abspath(code.co_filename)


def _text(path):
    with open(path, "rb") as file:
        return file.read().decode("utf-8", "replace")


def _instances(kind):
    for plain in _PLAIN:
        if issubclass(kind, plain):
            try:
                yield plain.__new__(kind)
            except Exception:
                continue
    alive = 0
    for one in gc.get_objects():
        if type(one) is kind:
            yield one
            alive += 1
            if alive >= 3:
                return


def _equals_anything(one):
    others = (_Other(), 73019463, "no such text 73019463", [_Other()])
    try:
        return any(type(one).__eq__(one, other) is True for other in others)
    except Exception:
        return False
