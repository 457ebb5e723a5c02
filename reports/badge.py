"""`badge.svg`: the best model and its pass rate, for a README."""

from __future__ import annotations

from xml.sax.saxutils import escape

from core.report import Report
from reports import numbers, view
from reports.escape import one_line

_LABEL = "patchmark"
_NAME = 40
_LETTER, _PAD, _HEIGHT = 6.6, 8, 20
"""Pixels: a wide letter at 11 px, the room on each side, and all of it."""


def badge(report: Report) -> str:
    """The text of the file: no script, no font and no address to fetch.

    Its colour is always the same: a pass rate is no grade.
    """
    words = _words(report)
    left, right = (round(len(text) * _LETTER) + 2 * _PAD for text in (_LABEL, words))
    whole, middle = left + right, (left / 2, left + right / 2)
    title = escape(f"{_LABEL}: {words}")
    spoken = title.replace('"', "&quot;")
    size = f'width="{whole}" height="{_HEIGHT}"'
    return f"""<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{spoken}">
<title>{title}</title>
<clipPath id="edge"><rect {size} rx="3"/></clipPath>
<g clip-path="url(#edge)">
<rect width="{left}" height="{_HEIGHT}" fill="#454b54"/>
<rect x="{left}" width="{right}" height="{_HEIGHT}" fill="#5b3fa8"/>
</g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="{middle[0]}" y="14">{_LABEL}</text>
<text x="{middle[1]}" y="14">{escape(words)}</text>
</g>
</svg>
"""


def _words(report: Report) -> str:
    if report.tasks_broken:
        return "tasks are broken"
    best = next((line.row for line in view.models(report) if line.row.scored), None)
    if best is None:
        return "no model scored"
    invented = " (invented)" if best.fiction is not None else ""
    rate = numbers.per_cent(best.pass_rate)
    return f"{one_line(best.name, _NAME)} {rate} of {best.scored}{invented}"
