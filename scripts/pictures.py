#!/usr/bin/env python3
"""Remakes docs/pictures from a run folder, by default from a fresh run of the demo.

    .venv/bin/python scripts/pictures.py [RUN_FOLDER]

comment.png is report.md as GitHub's own Markdown parser renders it, in a style sheet of ours;
report-html.png is the top of report.html; terminal.png is what the command prints. Chromium
takes the pictures: no network, a profile of its own that is thrown away.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cmarkgfm  # type: ignore[import-untyped]
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from core.report import Report
from reports.terminal import show

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs/pictures"
STYLES = PICTURES / "style.css"
PACKAGES = "chromium fonts-liberation fonts-dejavu-core fonts-noto-color-emoji"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    # Nothing that is drawn here may come from elsewhere.
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
COLUMNS = 80
ALERT = re.compile(r"<blockquote>\s*<p>\[!(\w+)\]\s*(.*?)</p>\s*</blockquote>", re.DOTALL)
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


def main(arguments: list[str]) -> int:
    if len(arguments) > 1 or arguments[:1] in (["-h"], ["--help"]):
        print("usage: scripts/pictures.py [RUN_FOLDER]", file=sys.stderr)
        return 2
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        print(
            f"scripts/pictures.py: chromium is missing; on Debian: apt-get install {PACKAGES}",
            file=sys.stderr,
        )
        return 2
    with tempfile.TemporaryDirectory(prefix="patchmark-pictures-") as folder:
        work = Path(folder)
        run = Path(arguments[0]) if arguments else demo(work)
        if not (run / "report.json").is_file():
            print(f"scripts/pictures.py: {run} holds no report.json", file=sys.stderr)
            return 2
        PICTURES.mkdir(parents=True, exist_ok=True)
        for shot in (comment(run), page(run), terminal(run)):
            picture = PICTURES / f"{shot.name}.png"
            take(browser, shot, work, picture)
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
    body = body.replace("<details><summary>Tasks", "<details open><summary>Tasks", 1)
    head = '<div class="head"><b>github-actions</b> <i>bot</i> commented</div>'
    html = f'<div id="comment">{head}<div class="body">{body}</div></div>'
    return Shot("comment", styled(html, "for-comment"), 980, "#comment")


def alert(found: re.Match[str]) -> str:
    """An alert of GitHub's, which its parser leaves to later stages."""
    kind, words = found[1], found[2]
    return f'<div class="alert {kind.lower()}"><b>{kind.capitalize()}</b><p>{words}</p></div>'


def page(run: Path) -> Shot:
    """The top of the HTML report, down to the end of its table of tasks."""
    html = (run / "report.html").read_text(encoding="utf-8")
    return Shot("report-html", html, 1100, "section[aria-labelledby=tasks]")


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


def take(browser: str, shot: Shot, work: Path, picture: Path) -> None:
    """Draw a page into a PNG that ends where the chosen element ends."""
    height = measure(browser, shot, work)
    source = work / f"{shot.name}.html"
    source.write_text(shot.html, encoding="utf-8")
    run_browser(browser, work, source, shot.width, height, f"--screenshot={picture}")


def measure(browser: str, shot: Shot, work: Path) -> int:
    """The lower edge of the element, found by a script in a copy that allows scripts."""
    policy = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
    script = (
        "<script>document.title = 'edge ' + Math.ceil("
        f"document.querySelector({shot.until!r}).getBoundingClientRect().bottom)</script>"
    )
    copy = work / f"{shot.name}.measured.html"
    copy.write_text(policy.sub("", shot.html).replace("</body>", f"{script}</body>"), "utf-8")
    dom = run_browser(browser, work, copy, shot.width, 800, "--dump-dom")
    found = re.search(r"<title>edge (\d+)</title>", dom)
    if found is None:
        raise SystemExit(f"scripts/pictures.py: {shot.name} has no {shot.until}")
    return int(found[1]) + 16


def run_browser(
    browser: str, work: Path, source: Path, width: int, height: int, action: str
) -> str:
    with tempfile.TemporaryDirectory(dir=work, ignore_cleanup_errors=True) as profile:
        own = (f"--user-data-dir={profile}", f"--window-size={width},{height}", action)
        done = subprocess.run(
            [browser, *FLAGS, *own, source.as_uri()],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
    if done.returncode != 0:
        raise SystemExit(f"scripts/pictures.py: {browser} failed: {done.stderr.strip()[-500:]}")
    return done.stdout


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
