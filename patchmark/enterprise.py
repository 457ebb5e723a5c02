"""Workflows for a GitHub Enterprise Server: its own runners, and artifacts of before version 4."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from core.errors import PatchmarkError
from core.git import Repository

RUNNER = "[self-hosted, linux]"
ARTIFACTS = {
    "upload": "c24449f33cd45d4826c6702db7e49f7cdb9b551d # v3.2.1-node20",
    "download": "ad191675b41f6a5b46da9a048cb6893812da158b # v3.1.0-node20",
}
"""The last of those that need no service which only github.com has."""
_CLOUD = re.compile(r"(?:[\w.-]+\.)?(?:github\.com|ghe\.com)")
_ARTIFACT = re.compile(r"actions/(upload|download)-artifact@\S+ # \S+")
_UNKNOWN = re.compile(r"^ +(?:pattern: patchmark-shard-\*|overwrite: true.*)\n", re.MULTILINE)
"""Inputs that those have not: by no name they download all, and a name is written over."""
_FOUND = "      - if: needs.measure.outputs.results != ''\n"


def is_enterprise(repo: Path) -> bool:
    """Whether the remote called origin lies on a server of the company's own."""
    try:
        url = Repository(repo).text("config", "--get", "remote.origin.url").strip()
    except PatchmarkError:
        return False
    if url.startswith(("/", ".", "file:")):
        return False
    host = urlsplit(url).hostname if "://" in url else url.partition(":")[0].rpartition("@")[2]
    return bool(host) and not _CLOUD.fullmatch(host or "")


def for_enterprise(workflow: str) -> str:
    """The text of a workflow as such a server takes it."""
    text = workflow.replace("runs-on: ubuntu-24.04", f"runs-on: {RUNNER}")
    text = _ARTIFACT.sub(lambda used: f"actions/{used[1]}-artifact@{ARTIFACTS[used[1]]}", text)
    text = _UNKNOWN.sub("", text)
    # That upload tells nobody whether there was anything to keep.
    text = text.replace("steps.keep.outputs.artifact-id", "steps.keep.outcome")
    return text.replace(_FOUND, f"{_FOUND}        continue-on-error: true # there may be none\n")
