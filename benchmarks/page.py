"""How big the HTML report is and how fast it opens, against an empty page in the same browser.

    python benchmarks/page.py [--tasks 300] [--entrants 6] [--rounds 5]

The report is invented (`tests/support/big_report.py`), its patches, statements and transcripts
as long as real ones. Page and empty page are opened in turns, each in a new tab of one headless
Chromium, from disk. Prints

- bytes of the page, and the seconds of processor time and of the clock that making it took;
- DOMContentLoaded, first paint and the processor time of both pages in milliseconds, medians;
- how long a task takes from the click to its patches, and sorting the matrix takes.

Ends with 1 where one of these is more than a second beyond the empty page's. Needs Chromium, no
engine.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# In place of this folder, whose statistics.py is not the library's.
sys.path[:1] = [str(ROOT), str(ROOT / "tests")]

from statistics import median  # noqa: E402 - the path above first

from support.big_report import big  # noqa: E402
from support.browser import Browser, browser  # noqa: E402

from benchmarks.sandbox import Measured  # noqa: E402
from reports.html import page  # noqa: E402

LIMIT_MS = 1000
NAMES = ("DOMContentLoaded", "first paint", "processor time of its thread")
_TIMES = """(() => {
  const [of] = performance.getEntriesByType('navigation');
  const paint = performance.getEntriesByType('paint')[0];
  return [of.domContentLoadedEventEnd, paint.startTime];
})()"""
_OPEN = """new Promise((done) => {
  const start = performance.now();
  location.hash = '#task-2-3';
  const look = () => document.querySelector('#task-2-3[data-filled]')
    ? requestAnimationFrame(() => done(performance.now() - start)) : setTimeout(look, 1);
  look();
})"""
_SORT = """(() => {
  const start = performance.now();
  document.querySelector('.tall th.solved button').click();
  document.body.offsetHeight;
  return performance.now() - start;
})()"""


def opened(started: Browser, path: Path) -> list[float]:
    """Milliseconds to DOMContentLoaded and first paint and on the processor, and the elements."""
    tab = started.tab()
    tab.size(1400)
    tab.call("Performance.enable", timeDomain="threadTicks")
    tab.open(path.as_uri())
    metrics = {one["name"]: one["value"] for one in tab.call("Performance.getMetrics")["metrics"]}
    tab.until("performance.getEntriesByType('paint').length > 0")
    found: list[float] = [*tab.run(_TIMES), 1000 * metrics["ThreadTime"]]
    found.append(tab.run("document.querySelectorAll('*').length"))
    if path.name == "report.html":
        found += [tab.run(_OPEN), tab.run(_SORT)]
    tab.call("Page.close")
    return found


def main() -> int:
    """Print the figures; 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=300)
    parser.add_argument("--entrants", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    made = big(given.tasks, given.entrants)
    clock, processor = time.perf_counter(), time.process_time()
    html = page(*made)
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    size = len(html.encode())
    print(f"{given.tasks} tasks x {given.entrants} entrants: {size:,} bytes", end="; ")
    print(f"made in {processor:.2f} s of processor time, {clock:.2f} s by the clock")
    with tempfile.TemporaryDirectory(prefix="patchmark-html-") as folder, browser() as started:
        report, empty = Path(folder) / "report.html", Path(folder) / "empty.html"
        report.write_text(html, encoding="utf-8")
        empty.write_text("<!doctype html><title>empty</title><p>empty", encoding="utf-8")
        rounds = [(opened(started, report), opened(started, empty)) for _ in range(given.rounds)]
    ours, floor = (list(zip(*side, strict=True)) for side in zip(*rounds, strict=True))
    told = ", ".join(
        f"{name} {median(mine):.0f} ms, of an empty page {median(least):.0f} ms"
        for name, mine, least in zip(NAMES, ours, floor, strict=False)
    )
    print(f"{ours[3][0]:,.0f} elements; {told}")
    print(f"a task opened in {median(ours[4]):.0f} ms, sorted in {median(ours[5]):.0f} ms")
    figures = [
        Measured(f"{name} beyond an empty page's", median(mine) - median(least), LIMIT_MS, "ms")
        for name, mine, least in zip(NAMES, ours, floor, strict=False)
    ]
    for figure in figures:
        print(figure)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    raise SystemExit(main())
