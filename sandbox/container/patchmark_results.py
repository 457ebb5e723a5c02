"""A pytest plugin that writes one JSON line for each thing that happened.

Runs on every Python and pytest a repository may need, so: old syntax, old hooks only.
"""
import io
import json
import os
import signal

import pytest


class _Results(object):
    def __init__(self, path):
        self.file = io.open(path, "a", encoding="ascii")

    def write(self, **line):
        self.file.write(u"%s\n" % json.dumps(line, sort_keys=True))
        self.file.flush()

    def pytest_runtest_logreport(self, report):
        outcome = report.outcome
        if hasattr(report, "wasxfail"):
            outcome = "xfailed" if report.skipped else "xpassed"
        self.write(kind="test", id=report.nodeid, when=report.when, outcome=outcome)

    def pytest_collectreport(self, report):
        if report.failed:
            self.write(kind="collect", id=report.nodeid, outcome="failed")

    def pytest_sessionfinish(self, session, exitstatus):
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


def pytest_configure(config):
    path = os.environ.get("PATCHMARK_RESULTS")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Results(path), "patchmark-results-writer")
        seconds = float(os.environ["PATCHMARK_TEST_SECONDS"])
        config.pluginmanager.register(_Alarm(seconds), "patchmark-alarm")
