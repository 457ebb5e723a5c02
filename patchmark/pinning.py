"""Which commit of patchmark a workflow is to use, where that can be known.

Tags of releases never move and there is none like `v0`, so a workflow names a commit. Nobody is
asked over the network: what is not known is left open as `COMMIT`, and said.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import urlsplit

from core.errors import PatchmarkError, UsageError
from core.git import Repository

ROOT = Path(__file__).parents[1]
RELEASED = Path("patchmark/released")
"""A line that the release workflow leaves in the wheel: `OWNER/NAME@SHA # vX.Y.Z`."""
OPEN = "COMMIT"
"""What stands in the examples where a commit is to be written."""
_NAME = r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*"
_PIN = re.compile(rf"{_NAME}@[0-9a-f]{{40}}")
_LINE = re.compile(rf"{_NAME}@[0-9a-f]{{40}} # v\d+\.\d+\.\d+")
_USED = re.compile(rf"patchmark/patchmark(?P<part>/[a-z-]+)?@{OPEN} #.*")
_TAG = re.compile(r"v\d+\.\d+\.\d+")


def given(pin: str) -> str:
    """The same. Raises UsageError for what is no `OWNER/NAME@SHA`."""
    if not _PIN.fullmatch(pin):
        raise UsageError(
            f"--action: {pin!r} is not OWNER/NAME@ and a commit's full SHA; a tag could be moved"
        )
    return pin


def known(root: Path = ROOT) -> str:
    """`OWNER/NAME@SHA`, of a release with its tag behind it; "" where nothing tells."""
    return _of_the_release(root) or _of_the_checkout(root) or _of_the_install()


def pinned(workflow: str, pin: str) -> str:
    """The text of an example with this commit in it; as it is for ""."""
    if not pin:
        return workflow
    name, _, rest = pin.partition("@")
    return _USED.sub(lambda used: f"{name}{used['part'] or ''}@{rest}", workflow)


def _of_the_release(root: Path) -> str:
    try:
        line = (root / RELEASED).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""
    return line if _LINE.fullmatch(line) else ""


def _of_the_checkout(root: Path) -> str:
    """Of a clone whose commit its `origin` had too when it was last fetched from."""
    if not (root / ".git").exists():  # git would look above, where another project's is
        return ""
    try:
        repo = Repository(root)
        fetched = repo.text("branch", "--remotes", "--contains", repo.head, "--list", "origin/*")
        name = _name(repo.text("config", "--get", "remote.origin.url"))
        tags = repo.text("tag", "--points-at", repo.head).split()
    except PatchmarkError:
        return ""
    tag = next((f" # {tag}" for tag in tags if _TAG.fullmatch(tag)), "")
    return f"{name}@{repo.head}{tag}" if name and (fetched.strip() or tag) else ""


def _of_the_install() -> str:
    """Of `pip install git+https://…`, which notes what it was given."""
    try:
        noted = json.loads(distribution("patchmark").read_text("direct_url.json") or "{}")
        pin = f"{_name(noted['url'])}@{noted['vcs_info']['commit_id']}"
    except (PackageNotFoundError, OSError, ValueError, KeyError, TypeError):
        return ""
    return pin if _PIN.fullmatch(pin) else ""


def _name(url: str) -> str:
    """`OWNER/NAME` of a clone's address; "" for a folder."""
    url = url.strip()
    path = urlsplit(url).path if "://" in url else url.partition(":")[2]
    if url.startswith(("file:", "/", ".")) or not path:
        return ""
    name = path.strip("/").removesuffix(".git")
    return name if re.fullmatch(_NAME, name) else ""
