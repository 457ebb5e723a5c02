"""What a release needs, with nothing but the standard library.

scripts/release.py check v0.1.0    # tag, version and changelog say the same
scripts/release.py notes v0.1.0    # what the changelog says of it, and how to pin it
scripts/release.py wheel dist      # the wheel there works alone, in an environment of its own
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)
_HEADING = re.compile(r"^## \[([^\]]+)\](.*)$", re.MULTILINE)
_DATED = re.compile(r" - \d{4}-\d{2}-\d{2}")


def version(root: Path) -> str:
    """The one place where it stands."""
    found = _VERSION.search((root / "patchmark/__init__.py").read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit("patchmark/__init__.py: no __version__")
    return found[1]


def sections(root: Path) -> list[tuple[str, str, str]]:
    """Of the changelog, newest first: version, what stands behind it, text."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    parts = _HEADING.split(text)[1:]
    return [(parts[n], parts[n + 1], parts[n + 2].strip("\n")) for n in range(0, len(parts), 3)]


def wrong(root: Path, tag: str) -> list[str]:
    """Why this tag cannot be a release; nothing where it can."""
    now, found = version(root), []
    if tag != f"v{now}":
        found.append(f"the tag is {tag}, and patchmark/__init__.py says {now}: v{now} is its tag")
    (first, behind, text), *older = [*sections(root), ("", "", "")]
    if first == "Unreleased":
        if text:
            found.append(f"CHANGELOG.md: Unreleased is not empty; what is in {now} goes below it")
        first, behind, text = older[0]
    if first != now:
        found.append(f"CHANGELOG.md: the newest version is {first or 'missing'}, not {now}")
    elif not _DATED.fullmatch(behind):
        found.append(f"CHANGELOG.md: write a day: ## [{now}] - 2026-01-31")
    elif not text:
        found.append(f"CHANGELOG.md: {now} says nothing")
    return found


def notes(root: Path, tag: str, commit: str) -> str:
    """For the release's page, in Markdown."""
    texts = {f"v{name}": text for name, _, text in sections(root)}
    pin = f"      - uses: patchmark/patchmark@{commit} # {tag}"
    return f"{texts[tag]}\n\nPin this release by its commit:\n\n```yaml\n{pin}\n```\n"


def try_wheel(folder: Path) -> None:
    """Install the one wheel of `folder` alone, from the lock, and have it work outside of here."""
    (wheel,) = folder.resolve().glob("*.whl")
    with tempfile.TemporaryDirectory() as place:
        inside = Path(place)
        venv.create(inside / "env", with_pip=True)
        python = str(inside / "env/bin/python")
        # The lock is complete; older pips do not see that an extra of a locked package is locked.
        pip = [python, "-I", "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        for what in (["--require-hashes", "-r", ROOT / "requirements.txt"], [wheel]):
            subprocess.run([*pip, "--no-deps", *what], check=True)
        repo = inside / "repo"
        subprocess.run(["git", "init", "-q", repo], check=True)
        us = ["-c", "user.name=release", "-c", "user.email=release@example.com"]
        subprocess.run(
            ["git", *us, "-C", repo, "commit", "-q", "--allow-empty", "-m", "Start"], check=True
        )
        ours = [python, "-I", "-m", "patchmark"]
        said = subprocess.run([*ours, "--version"], check=True, cwd=inside, capture_output=True)
        if said.stdout.decode().strip() != version(ROOT):
            raise SystemExit(f"the wheel says {said.stdout!r}, not {version(ROOT)}")
        pin = f"patchmark/patchmark@{os.environ.get('GITHUB_SHA') or '0' * 40}"
        first = ["init", "--repo", "repo", "--how", "all", "--action", pin]
        for command in (first, ["doctor", "--action", "--repo", "repo"]):
            subprocess.run([*ours, *command], check=True, cwd=inside)
        if os.environ.get("DEMO"):
            subprocess.run([*ours, "demo", "--out", "demo"], check=True, cwd=inside)


def main(arguments: list[str]) -> int:
    """One of three, each with its one argument."""
    match arguments:
        case ["check", tag]:
            problems = wrong(ROOT, tag)
            for problem in problems:
                print(f"release: {problem}", file=sys.stderr)
            return 2 if problems else 0
        case ["notes", tag]:
            print(notes(ROOT, tag, os.environ.get("GITHUB_SHA") or "COMMIT"))
            return 0
        case ["wheel", folder]:
            try_wheel(Path(folder))
            return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
