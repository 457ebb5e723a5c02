"""Attacks by the form of the patch itself, whatever language it is in."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.attacks.attack import Attack, Kind
from sandbox.attacks.sample import CALC, FIXED, PYTHON


def _patch(name: str, text: str, *ends: str, named: str = "") -> Attack:
    return Attack(
        name=name, kind=Kind.PATCHES, text=text, ends=ends or ("does_not_apply",), named=named
    )


def _beside(name: str, made: Mapping[str, str | None], *ends: str, named: str = "") -> Attack:
    return _patch(name, PYTHON.diff({"calc.py": CALC + "\n\nX = 1\n", **made}), *ends, named=named)


_LINK = (
    "diff --git a/{0} b/{0}\nnew file mode 120000\n--- /dev/null\n+++ b/{0}\n@@ -0,0 +1 @@\n+{1}\n"
    "\\ No newline at end of file\n"
)
ATTACKS = (
    _patch("upwards", PYTHON.diff({"../evil.py": "x\n"}), named="../evil.py"),
    _patch("absolute", PYTHON.diff({"/etc/evil": "x\n"}), "does_not_apply", "failed"),
    _patch("a git hook", PYTHON.diff({".git/hooks/post-checkout": "x\n"}), named=".git"),
    _patch("git's configuration", PYTHON.diff({".GIT/config": "x\n"}), named=".GIT"),
    _beside(
        "a filter in .gitattributes",
        {".gitattributes": "* filter=evil diff=evil merge=evil export-ignore\n"},
        "failed",
    ),
    _patch("a link that leads out", _LINK.format("l", "/etc/passwd"), named="leads out"),
    _patch(
        "a link that is written through", _LINK.format("l", "/etc") + PYTHON.diff({"l/x": "x\n"})
    ),
    _patch(
        "a submodule",
        "diff --git a/s b/s\nnew file mode 160000\n--- /dev/null\n+++ b/s\n@@ -0,0 +1 @@\n"
        f"+Subproject commit {'a' * 40}\n",
        named="mode",
    ),
    Attack(
        name="the true fix and breakage elsewhere",
        kind=Kind.ELSEWHERE,
        text=PYTHON.diff({"calc.py": FIXED.replace("return a - b", "return a + b")}),
        ends=("regressed",),
        named="breaks",
    ),
)
