"""A pytest plugin that writes one line for each thing that happened, behind a nonce.

Runs on every Python and pytest a repository may need, so: old syntax, old hooks only.
"""
import io
import json
import os
import signal

import pytest

_RESULTS = 3


class Plugin(object):
    """Registers the others, unless this is a worker of pytest-xdist: its controller reports."""

    def __init__(self, nonce, guard):
        self.nonce, self.guard = nonce, guard

    def pytest_configure(self, config):
        if hasattr(config, "workerinput"):
            return
        config.pluginmanager.register(_Results(self.nonce, self.guard), "patchmark-results")
        alarm = _Alarm(float(os.environ["PATCHMARK_TEST_SECONDS"]))
        config.pluginmanager.register(alarm, "patchmark-alarm")


class _Results(object):
    def __init__(self, nonce, guard):
        # A copy of its own, which no process started by a test inherits.
        self.file = io.open(os.dup(_RESULTS), "w", encoding="ascii")
        os.close(_RESULTS)
        try:
            os.set_inheritable(self.file.fileno(), False)
        except AttributeError:
            import fcntl

            fcntl.fcntl(self.file.fileno(), fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        self.nonce, self.guard = nonce, guard

    def write(self, **line):
        self.file.write(u"%s %s\n" % (self.nonce, json.dumps(line, sort_keys=True)))
        self.file.flush()

    def pytest_runtest_logreport(self, report):
        outcome = report.outcome
        if hasattr(report, "wasxfail"):
            outcome = "xfailed" if report.skipped else "xpassed"
        self.write(kind="test", id=report.nodeid, when=report.when, outcome=outcome)

    def pytest_collectreport(self, report):
        if report.failed:
            self.write(kind="collect", id=report.nodeid, outcome="failed")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session, exitstatus):
        for habit in self.guard.habits(session.config):
            self.write(kind="habit", id=habit)
        self.write(kind="end", exit=int(exitstatus), collected=session.testscollected)


class _Alarm(object):
    """Ends a test that hangs, so that the others still run: else a fix of a hang proves nothing."""

    def __init__(self, seconds):
        self.seconds = seconds
        signal.signal(signal.SIGALRM, self._ring)

    def _ring(self, number, frame):
        # No Exception, which the code under test might catch and go on hanging.
        pytest.fail("patchmark: stopped after %g s" % self.seconds)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_setup(self):
        signal.setitimer(signal.ITIMER_REAL, self.seconds)
        yield
        signal.setitimer(signal.ITIMER_REAL, 0)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self):
        signal.setitimer(signal.ITIMER_REAL, self.seconds)
        yield
        signal.setitimer(signal.ITIMER_REAL, 0)
