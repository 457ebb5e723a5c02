"""What exported tasks run in: images under names that others can use, and how work is taken out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from core.errors import EngineError
from patchmark.formats.base import Problem, Source

DIFF = "/logs/artifacts/patchmark.diff"
"""Where an agent's work lies in the end."""
KEEP_GIT = "mkdir -p /patchmark && cp -r /repo/.git /patchmark/git && chmod -R go+rX /patchmark/git"
"""The diff is made by this copy; the repository's own is the agent's to do with as it likes."""
TAKE_DIFF = f"""set -e
rm -rf /tmp/.patchmark-git
cp -r /patchmark/git /tmp/.patchmark-git
git() {{
  command git --git-dir=/tmp/.patchmark-git --work-tree=/repo -c core.fsmonitor=false \
-c core.hooksPath=/dev/null -c core.quotePath=false -c 'safe.directory=*' "$@"
}}
cd /repo
git add -AN . || true
mkdir -p {DIFF.rpartition("/")[0]}
git diff --no-ext-diff --no-textconv --no-color --no-renames HEAD > {DIFF}
"""
RUN_JUDGE = """python=$(command -v /usr/bin/python3 || command -v python3)
exec "$python" -I -S -B /tests/judge.pyz /tests/task.json"""


def image_name(image: str) -> str:
    """What an image of a task is called outside of patchmark: by its content, so for ever."""
    found = re.fullmatch(r"sha256:([0-9a-f]{16})[0-9a-f]{48}", image)
    return (
        f"patchmark-task:{found[1] if found else hashlib.sha256(image.encode()).hexdigest()[:16]}"
    )


def name_images(source: Source) -> Iterator[Problem]:
    """Give the tasks' images these names; what is not on this machine is told.

    The names keep `patchmark images prune` from removing what exported tasks need.
    """
    wanted = {task.image: task for task in source.tasks}
    try:
        engine = source.engine()
        missing = [image for image in wanted if not engine.also_name(image, image_name(image))]
    except EngineError as error:
        yield Problem("images", f"{error}; tasks need {len(wanted)} of this machine's images")
        return
    for image in missing:
        what = f"{image_name(image)} is not on this machine: `patchmark validate` makes it again"
        yield Problem(source.names[wanted[image].id], what)
