"""How many of a repository's truly valid fixes patchmark finds, and what it finds wrongly.

    python benchmarks/yield.py REPOSITORY --since 2024-01-01 --out FOLDER

The truth is made by brute force, for repositories in pure Python, and shares nothing with the
miner and the grader but the image of the commit's parent: every first-parent commit that
changes test files and other Python files is taken; the touched test files are run by plain
pytest on the parent with the commit's test files, and on the parent with all that the commit
changed, twice each. The commit is truly valid where a test passes both times after and neither
time before.

Prints a table, each miss with patchmark's reason, each task that the truth does not know, and
ends with 1 where recall is below 95 % or such a task exists. Needs a container engine.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path, PurePosixPath

from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # in place of this folder, whose statistics.py is not the library's

from core.git import Repository  # noqa: E402 - the path above first
from core.types import Candidate, Dropped, Task  # noqa: E402
from patchmark.mining import mine_stage  # noqa: E402
from patchmark.progress import Show  # noqa: E402
from patchmark.run import Run, opened  # noqa: E402
from patchmark.settings import Flags, make  # noqa: E402
from patchmark.stages import validate_stage  # noqa: E402
from sandbox.image import BrokenEnvironmentError  # noqa: E402

LEAST_RECALL = 0.95
SECONDS = 60
_RUN = """
set -e
tar -xf - -C /repo
cd /repo
while read -r path; do rm -f -- "$path"; done < /repo/.gone
rm /repo/.gone
for n in 1 2; do
  timeout {seconds} /opt/venv/bin/python -m pytest -q -p no:cacheprovider --override-ini=addopts= \
    --junitxml=/tmp/$n.xml {tests} > /tmp/$n.log 2>&1 || true
done
cat /tmp/1.xml 2>/dev/null || echo none
echo; echo =====
cat /tmp/2.xml 2>/dev/null || echo none
"""


@dataclass(frozen=True)
class Fix:
    """A commit that may be valid."""

    commit: str
    parent: str
    title: str
    kept: tuple[str, ...]
    """Files that it changed or added."""
    gone: tuple[str, ...]

    @property
    def test_files(self) -> list[str]:
        """What pytest is given."""
        return [p for p in self.kept if _in_tests(p) and PurePosixPath(p).name.startswith("test")]

    @property
    def changes_source(self) -> bool:
        """Whether Python code outside of the tests changed."""
        return any(p.endswith(".py") and not _in_tests(p) for p in (*self.kept, *self.gone))


def _in_tests(path: str) -> bool:
    pure = PurePosixPath(path)
    folders = {"test", "tests", "testing"} & set(pure.parts[:-1])
    return bool(folders) or (pure.name.startswith("test_") and pure.suffix == ".py")


def fixes(repository: Path, since: str) -> Iterator[Fix]:
    """The first-parent commits since a day that change tests and other Python files."""
    listing = _git(
        repository, "log", "--first-parent", "-m", "--no-renames", "--name-status",
        f"--since={since}", "--format=%x01%H %P%n%s",
    )  # fmt: skip
    for entry in listing.split("\x01")[1:]:
        head, title, *rows = entry.split("\n")
        ids = head.split()
        pairs = [row.split("\t", 1) for row in rows if "\t" in row]
        if len(ids) < 2:
            continue
        fix = Fix(
            commit=ids[0],
            parent=ids[1],
            title=title,
            kept=tuple(path for status, path in pairs if status != "D"),
            gone=tuple(path for status, path in pairs if status == "D"),
        )
        if fix.test_files and fix.changes_source:
            yield fix


def is_valid(run: Run, fix: Fix) -> tuple[bool, str]:
    """Whether a test passes after and not before, and in words why not."""
    date = run.repository.text("show", "-s", "--format=%cI", fix.commit).strip()
    images = run.validator.images
    try:
        recipe = images.recipes(fix.parent, datetime.fromisoformat(date))[0]
        prepared = images.prepare(fix.parent, recipe)
    except BrokenEnvironmentError as error:
        return False, f"no environment: {str(error)[:80]}"
    tests_only = [path for path in fix.kept if _in_tests(path)]
    before = _tried(run, prepared.image, fix, tests_only, ())
    after = _tried(run, prepared.image, fix, fix.kept, fix.gone)
    fixed = (after[0] & after[1]) - (before[0] | before[1])
    if fixed:
        return True, ", ".join(sorted(fixed)[:2])
    return False, "all pass before as well" if after[0] | after[1] else "no test passes after"


def _tried(
    run: Run, image: str, fix: Fix, laid_over: Iterable[str], gone: Iterable[str]
) -> tuple[set[str], set[str]]:
    """The tests that passed, each time."""
    script = _RUN.format(seconds=SECONDS, tests=" ".join(f"'{path}'" for path in fix.test_files))
    command = ["docker", "run", "--rm", "-i", "--network=none", "--user=0", "--entrypoint=sh"]
    done = subprocess.run(
        [*command, image, "-c", script],
        input=_tar(run.repository, fix.commit, laid_over, gone),
        capture_output=True,
        check=False,
        timeout=3 * SECONDS,
        env={**os.environ},
    )
    if done.returncode:
        # Else every commit would be called invalid, and every miss of ours would be right.
        raise RuntimeError(f"{fix.commit}: {done.stderr.decode(errors='replace')}")
    first, _, second = done.stdout.decode(errors="replace").partition("\n=====\n")
    return _passed(first), _passed(second)


def _tar(repository: Repository, commit: str, paths: Iterable[str], gone: Iterable[str]) -> bytes:
    listed = {entry.path: entry for entry in repository.tree(commit)}
    entries = [listed[path] for path in paths if path in listed]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        blobs = repository.blobs([entry.blob for entry in entries])
        for entry, content in zip(entries, blobs, strict=True):
            info = tarfile.TarInfo(entry.path)
            info.size = len(content)
            info.mode = 0o755 if entry.mode == "100755" else 0o644
            tar.addfile(info, io.BytesIO(content))
        content = "".join(f"{path}\n" for path in gone).encode()
        info = tarfile.TarInfo(".gone")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def _passed(xml: str) -> set[str]:
    try:
        cases = list(ET.fromstring(xml.strip()).iter("testcase"))  # noqa: S314 - our own
    except ET.ParseError:
        return set()
    bad = {"failure", "error", "skipped"}
    return {
        f"{case.get('classname')}::{case.get('name')}"
        for case in cases
        if not bad & {child.tag for child in case}
    }


def truth(run: Run, since: str, cache: Path) -> dict[str, tuple[bool, str, str]]:
    """Commit → valid, why, title. What was found is kept, since it takes long."""
    known: dict[str, list[object]] = json.loads(cache.read_text()) if cache.exists() else {}
    wanted = list(fixes(run.repository.path, since))
    todo = [fix for fix in wanted if fix.commit not in known]
    with (
        run.show.stage("truth", len(todo)) as step,
        ThreadPoolExecutor(run.settings.workers) as pool,
    ):
        for fix, (valid, why) in zip(todo, pool.map(lambda f: is_valid(run, f), todo), strict=True):
            known[fix.commit] = [valid, why, fix.title]
            cache.write_text(json.dumps(known, indent=1))
            step.advance()
    return {
        fix.commit: (bool(known[fix.commit][0]), str(known[fix.commit][1]), fix.title)
        for fix in wanted
    }


def compare(run: Run, real: dict[str, tuple[bool, str, str]]) -> int:
    """Print the table; 1 where it is not good enough."""
    valid = {commit for commit, (good, _, _) in real.items() if good}
    tasks = {task.fix_commit for task in run.tasks()}
    tasks |= {c.fix_commit for c in run.chosen(apart=True) if _proven(run, c)}
    drops = {drop.commit: drop for drop in run.folder.read(Dropped)}
    found = valid & tasks
    recall = len(found) / len(valid) if valid else 1.0
    name = run.repository.path.resolve().name
    print(f"{'repository':<14}{'looked at':>10}{'truly valid':>13}{'tasks':>7}", end="")
    print(f"{'found':>7}{'recall':>8}{'not in truth':>14}")
    print(f"{name:<14}{len(real):>10}{len(valid):>13}{len(tasks):>7}", end="")
    print(f"{len(found):>7}{recall:>8.1%}{len(tasks - valid):>14}")
    for commit in sorted(valid - tasks):
        drop = drops.get(commit)
        why = f"{drop.reason}: {drop.detail}" if drop else "not run"
        print(f"  missed {commit[:12]} {real[commit][2][:50]}: {why[:100]}")
    for commit in sorted(tasks - valid):
        why = real[commit][1] if commit in real else "not looked at by the truth"
        print(f"  not in truth {commit[:12]}: {why}")
    wrong = [commit for commit in tasks - valid if commit in real]
    return 0 if recall >= LEAST_RECALL and not wrong else 1


def _proven(run: Run, candidate: Candidate) -> bool:
    return any(task.fix_commit == candidate.fix_commit for task in run.folder.read(Task))


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), "-c", "core.quotePath=false", *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout.decode(errors="replace")


def main() -> int:
    """Make both, compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--since", required=True, help="A day, as 2024-01-01.")
    parser.add_argument("--out", required=True, type=Path, help="Run folder.")
    given = parser.parse_args()
    flags = Flags(
        repo=given.repository, out=given.out, since=given.since, max_tasks=100_000,
        include_apart=True,
    )  # fmt: skip
    settings = make(flags, os.environ)
    with opened(settings, lambda _: Show(Console(stderr=True), lambda: Decimal(0))) as run:
        real = truth(run, given.since, given.out / "truth.json")
        mine_stage(run)
        validate_stage(run)
        return compare(run, real)


if __name__ == "__main__":
    raise SystemExit(main())
