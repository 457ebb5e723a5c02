"""JUnit XML, as most runners of most languages can write it; several documents in a row are one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import ParseError

from junitparser import Error, Failure, JUnitXml, JUnitXmlError, Skipped, TestCase, TestSuite

from sandbox.readers.collected import Collected
from sandbox.results import Status, SuiteRun

_START = re.compile(rb"(?=<\?xml\b)")


def read(report: bytes, exit_code: int | None) -> SuiteRun:
    """Read one or more documents; the id of a test is `classname::name`."""
    found = Collected()
    complete = False
    for document in _START.split(report):
        if not document.strip():
            continue
        try:
            tests = list(_tests(JUnitXml.fromstring(document.strip())))
        except (ParseError, JUnitXmlError, ValueError, TypeError):
            # Cut off: what a run that did not reach its end leaves behind.
            return found.run(exit_code, complete=False)
        complete = True
        for test in tests:
            found.add(_id(test) or "unnamed", _status(test))
    return found.run(exit_code, complete=complete)


def _tests(top: JUnitXml | TestSuite) -> Iterator[TestCase]:
    for suite in [top] if isinstance(top, TestSuite) else top:
        yield from suite


def _id(test: TestCase) -> str:
    return "::".join(part for part in (test.classname, test.name) if part)


def _status(test: TestCase) -> Status:
    kinds = {type(result) for result in test.result}
    if Error in kinds:
        return Status.ERROR
    if Failure in kinds:
        return Status.FAILED
    return Status.SKIPPED if Skipped in kinds else Status.PASSED
