"""What GitHub's runner brings and act lacks: checkout, cache and artifacts, as folders."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from support.act import ROOT, commit_all, what_users_get

from core.git import clean_environment
from patchmark.demo import import_history

OURS = "patchmark/patchmark@COMMIT"
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
UPLOAD = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"
DOWNLOAD = "actions/download-artifact@37930b1c2abaa49bbe596cd826c3c89aef350131"
CACHE = "actions/cache@27d5ce7f107fe9357f9df03efb73ab90386fccae"
_INPUTS = (
    "name", "path", "pattern", "retention-days", "overwrite", "key", "restore-keys", "ref",
    "fetch-depth", "persist-credentials",
)  # fmt: skip
_SETUP = """#!/bin/sh
mkdir -p "$2/bin"
printf '#!/bin/sh\\nexec %s "$@"\\n' '{python}' > "$2/bin/python"
chmod +x "$2/bin/python"
"""
_RESTORE = """
found=$(ls -td "$CACHES/$RESTORE"* 2> /dev/null | head -n 1 || true)
if [ -n "$found" ]; then
  mkdir -p "$AT" && cp -a "$found/." "$AT/"
  echo "cache-matched-key=${found##*/}" >> "$GITHUB_OUTPUT"
fi
"""
# A key is saved once, and an artifact of two jobs is the last one's only where that is asked for.
_SAVE = 'if [ -d "$AT" ]; then mkdir "$CACHES/$KEY" && cp -a "$AT/." "$CACHES/$KEY/"; fi'
_UPLOAD = """
if [ "$NAME" = "${LOST:-}" ]; then exit 1; fi
to=$ARTIFACTS/$NAME
if [ "$OVERWRITE" = true ]; then rm -rf "$to"; fi
mkdir "$to"
for one in $AT; do
  if [ -d "$one" ]; then cp -a "$one/." "$to/"; elif [ -e "$one" ]; then cp "$one" "$to/"; fi
done
"""
_DOWNLOAD = """
mkdir -p "$AT"
if [ -n "$NAME" ]; then cp -a "$ARTIFACTS/$NAME/." "$AT/"; fi
for one in "$ARTIFACTS"/$PATTERN; do
  if [ -n "$PATTERN" ] && [ -d "$one" ]; then cp -a "$one" "$AT/"; fi
done
"""


def _action(folder: Path, script: str) -> Path:
    folder.mkdir(parents=True)
    environment = {name.upper().replace("-", "_"): f"${{{{ inputs.{name} }}}}" for name in _INPUTS}
    environment |= {
        "AT": environment.pop("PATH"),
        "RESTORE": environment.pop("RESTORE_KEYS"),
    }
    step = {"id": "it", "shell": "bash", "env": environment, "run": script}
    matched = {"description": "what", "value": "${{ steps.it.outputs.cache-matched-key }}"}
    content = {
        "name": folder.name,
        "description": "Stands in",
        "inputs": {name: {"description": name, "default": ""} for name in _INPUTS},
        "outputs": {"cache-matched-key": matched},
        "runs": {"using": "composite", "steps": [step]},
    }
    (folder / "action.yml").write_text(json.dumps(content))
    return folder


def actions(folder: Path, repository: Path) -> dict[str, Path]:
    """What the examples use, by how they name it. Ours is this checkout, and not installed anew.

    Caches and artifacts lie in the folders that the variables CACHES and ARTIFACTS name; the
    artifact that LOST names never arrives.
    """
    ours = what_users_get(folder / "patchmark")
    (ours / "scripts/setup").write_text(_SETUP.format(python=sys.executable), encoding="utf-8")
    cache = folder / "cache"
    _action(cache / "restore", _RESTORE)
    _action(cache / "save", _SAVE)
    return {
        OURS: ours,
        CHECKOUT: _action(folder / "checkout", f'git clone -q "{repository}" .'),
        CACHE: cache,
        UPLOAD: _action(folder / "upload", _UPLOAD),
        DOWNLOAD: _action(folder / "download", _DOWNLOAD),
    }


def sample_with(folder: Path, files: dict[str, str], *workflows: str) -> Path:
    """The sample repository with these files and example workflows, committed."""
    import_history(ROOT / "patchmark/sample/history.fast-export", folder)
    there = folder / ".github/workflows"
    there.mkdir(parents=True)
    for name in workflows:
        text = (ROOT / "examples/workflows" / name).read_text(encoding="utf-8")
        (there / name).write_text(text, encoding="utf-8")
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    origin = ["remote", "add", "origin", "https://github.com/owner/sample.git"]
    subprocess.run(["git", "-C", folder, *origin], check=True, env=clean_environment())
    commit_all(folder)
    return folder
