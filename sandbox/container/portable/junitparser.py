"""The names that our reader takes, without asking which version is installed: none is."""
from junitparser.junitparser import (
    Error,
    Failure,
    JUnitXml,
    JUnitXmlError,
    Skipped,
    TestCase,
    TestSuite,
)

__all__ = ["Error", "Failure", "JUnitXml", "JUnitXmlError", "Skipped", "TestCase", "TestSuite"]
