"""What a suite does to its own runner: pieces replaced, hooks added, things that equal anything.

Some suites do such things for good reasons. So nothing is judged here: what is found is
told, and compared with what the suite does with the real fix in place.

Runs on every Python and pytest a repository may need, so: old syntax only.
"""
import gc
import os
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


class _Other(object):
    """Equal to nothing else."""


class Guard(object):
    """Looks at the runner at its start, and once more at the end."""

    def __init__(self, root):
        self.root = root
        self.pieces = dict(_pieces())
        self.names = dict(vars(builtins))

    def habits(self, config):
        """What is otherwise now, sorted; never raises for what a suite made of the runner."""
        found = set()
        for look in (self._replaced, self._builtins, self._hooks, self._equal):
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
            if "__eq__" in vars(kind) and self._is_ours(_file_of(kind)):
                if any(_equals_anything(one) for one in _instances(kind)):
                    yield "%s.%s equals anything" % (kind.__module__, kind.__name__)

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
