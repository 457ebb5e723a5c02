#!/usr/bin/env python3
"""Remakes docs/pictures from a run folder, by default from a fresh run of the demo.

    .venv/bin/python scripts/pictures.py [RUN_FOLDER]

comment.png is report.md as GitHub's own Markdown parser renders it, in a style sheet of ours, its
chart drawn by the mermaid that the tests use;
report-html.png is the top of report.html, report-attempt.png one attempt there; terminal.png is
what the command prints. Chromium takes the pictures: no network, a profile of its own that is
thrown away.
"""

from __future__ import annotations

import base64
import math
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cmarkgfm  # type: ignore[import-untyped]
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]
from rich.console import Console
from rich.terminal_theme import TerminalTheme

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.browser import NoBrowserError, Tab, browser  # noqa: E402 - the path above first
from support.npm import installed  # noqa: E402

from core.report import Report  # noqa: E402
from reports.terminal import show  # noqa: E402

PICTURES = ROOT / "docs/pictures"
STYLES = PICTURES / "style.css"
COLUMNS = 80
ALERT = re.compile(r"<blockquote>\s*<p>\[!(\w+)\]\s*(.*?)</p>\s*</blockquote>", re.DOTALL)
MERMAID = re.compile(r'<pre><code class="language-mermaid">(.*?)</code></pre>', re.DOTALL)
LIGHT = TerminalTheme(
    (255, 255, 255),
    (31, 35, 40),
    [
        (36, 41, 47),
        (180, 30, 40),
        (17, 99, 41),
        (122, 82, 0),
        (9, 80, 174),
        (115, 60, 180),
        (20, 110, 120),
        (110, 119, 129),
    ],
)


@dataclass(frozen=True)
class Shot:
    """A page to be drawn, and how much of it, in CSS pixels."""

    name: str
    html: str
    width: int
    until: str
    """CSS selector of the last element that belongs to the picture."""
    part: str = ""
    """What to open and begin with, as the end of an address."""


def main(arguments: list[str]) -> int:
    if len(arguments) > 1 or arguments[:1] in (["-h"], ["--help"]):
        print("usage: scripts/pictures.py [RUN_FOLDER]", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="patchmark-pictures-") as folder:
        work = Path(folder)
        run = Path(arguments[0]) if arguments else demo(work)
        if not (run / "report.json").is_file():
            print(f"scripts/pictures.py: {run} holds no report.json", file=sys.stderr)
            return 2
        PICTURES.mkdir(parents=True, exist_ok=True)
        shots = (comment(run), page(run), attempt(run), terminal(run))
        with browser() as chromium:
            for shot in shots:
                picture = PICTURES / f"{shot.name}.png"
                take(chromium.tab(), shot, work, picture)
                print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size // 1024} KiB")
    return 0


def demo(work: Path) -> Path:
    """Run the demo and return its run folder; what it prints goes to standard error."""
    out = work / "demo-run"
    command = [sys.executable, "-I", "-m", "patchmark", "demo", "--out", str(out)]
    subprocess.run(command, check=True, stdout=sys.stderr)
    return out / "run"


def comment(run: Path) -> Shot:
    """The comment on a pull request, with the table of tasks opened."""
    body = cmarkgfm.markdown_to_html_with_extensions(
        (run / "report.md").read_text(encoding="utf-8"),
        options=Options.CMARK_OPT_UNSAFE,  # GitHub takes <details>, too
        extensions=["table", "autolink", "strikethrough", "tasklist"],
    )
    body = ALERT.sub(alert, body)
    body = MERMAID.sub(r'<pre class="mermaid">\1</pre>', body)
    body = body.replace("<details><summary>Tasks", "<details open><summary>Tasks", 1)
    head = '<div class="head"><b>github-actions</b> <i>bot</i> commented</div>'
    html = f'<div id="comment">{head}<div class="body">{body}</div></div>'
    return Shot("comment", styled(html, "for-comment"), 980, "#comment")


def alert(found: re.Match[str]) -> str:
    """An alert of GitHub's, which its parser leaves to later stages."""
    kind, words = found[1], found[2]
    return f'<div class="alert {kind.lower()}"><b>{kind.capitalize()}</b><p>{words}</p></div>'


def page(run: Path) -> Shot:
    """The top of the HTML report, down to its drawing of cost against pass rate."""
    html = (run / "report.html").read_text(encoding="utf-8")
    return Shot("report-html", html, 1100, "section[aria-labelledby=cost] figure")


def attempt(run: Path) -> Shot:
    """The shortest patch that the tests refused, beside the real fix."""
    report = Report.model_validate_json((run / "report.json").read_bytes())
    failed = [
        (len(cell.diff), f"#task-{number}-{place}")
        for number, task in enumerate(report.tasks, 1)
        for place, cell in enumerate(task.cells, 1)
        if cell.diff and (cell.not_fixed or cell.broken)
    ]
    html = (run / "report.html").read_text(encoding="utf-8")
    part = min(failed)[1]
    return Shot("report-attempt", html, 1100, f"{part} .timeline + .key", part)


def terminal(run: Path) -> Shot:
    """What the command prints when it is done."""
    report = Report.model_validate_json((run / "report.json").read_bytes())
    with tempfile.TemporaryFile("w") as nowhere:
        console = Console(
            record=True, width=COLUMNS, file=nowhere, force_terminal=True, color_system="standard"
        )
        show(report, console)
    code = console.export_html(theme=LIGHT, inline_styles=True, code_format="{code}")
    html = f'<pre id="terminal">{code}</pre>'
    return Shot("terminal", styled(html, "for-terminal"), 716, "#terminal")


def styled(html: str, kind: str) -> str:
    css = STYLES.read_text(encoding="utf-8")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<style>{css}</style><body class="{kind}">{html}</body></html>'
    )


def take(tab: Tab, shot: Shot, work: Path, picture: Path) -> None:
    """Draw a page into a PNG that begins and ends where the chosen elements do."""
    source = work / f"{shot.name}.html"
    source.write_text(shot.html, encoding="utf-8")
    tab.size(shot.width)
    tab.open(source.as_uri() + shot.part)
    if 'class="mermaid"' in shot.html:
        program = installed(ROOT / "tests/reports") / "mermaid/dist/mermaid.min.js"
        tab.run(program.read_text(encoding="utf-8") + ";0")
        tab.run("mermaid.initialize({startOnLoad: false}); mermaid.run().then(() => 1)")
    if shot.part:
        tab.until(f"document.querySelector('{shot.part}[data-filled]')")
    box = "document.querySelector({}).getBoundingClientRect().{} + scrollY"
    top = tab.run(box.format(repr(shot.part), "top")) - 8 if shot.part else 0
    bottom = tab.run(box.format(repr(shot.until), "bottom")) + 8
    clip = {"x": 0, "y": top, "width": shot.width, "height": math.ceil(bottom - top), "scale": 1}
    drawn = tab.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
    picture.write_bytes(base64.b64decode(drawn["data"]))


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except NoBrowserError as error:
        raise SystemExit(f"scripts/pictures.py: {error}") from error
