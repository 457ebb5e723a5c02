"""Where a run's issues and pull requests come from: a file, GitHub, or nowhere."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from core.errors import RepositoryError, UsageError
from core.git import Repository
from miner.api_cache import ApiCache
from miner.file_tracker import NoTracker, read_tracker
from miner.github_api import connect
from miner.github_tracker import GitHubTracker
from miner.tracker import Tracker
from patchmark.settings import Settings

_PUBLIC_API = "https://api.github.com"
_SLUG = re.compile(r"[\w.-]+/[\w.-]+")
_PATH = re.compile(r"[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$")
_REMOTE = re.compile(r"(?:[/@]|^)github[^/:]*[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$")


def tracker_for(
    settings: Settings,
    repository: Repository,
    tell: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Tracker:
    """The issues file if one is named, else GitHub with a token, else none (and says so).

    GitHub is asked by the first question, not here. Raises UsageError for an issues file or an
    address that cannot be used.
    """
    name = name_at(settings, repository)
    if settings.issues is not None:
        return read_tracker(settings.issues, name)
    token = settings.variables.get("GITHUB_TOKEN", "").strip()
    if not token or not name:
        missing = "no GitHub remote is known" if token else "GITHUB_TOKEN is not set"
        tell(f"{missing}: statements come from commit messages alone")
        return NoTracker(name)
    url = _api_url(settings)
    verify = str(settings.ca_bundle) if settings.ca_bundle else True
    api = connect(url, token, verify, tell, sleep)
    return GitHubTracker(api, name, _cache(settings, url, name, tell), tell)


def _cache(settings: Settings, url: str, name: str, tell: Callable[[str], None]) -> ApiCache:
    return ApiCache(settings.cache / "github", url, name, tell, settings.redactor)


def name_at(settings: Settings, repository: Repository) -> str:
    """`owner/name`; empty where nothing says it."""
    given = settings.variables.get("GITHUB_REPOSITORY", "")
    if _SLUG.fullmatch(given):
        return given
    return slug(repository) or _enterprise_slug(settings, repository) or ""


def _enterprise_slug(settings: Settings, repository: Repository) -> str | None:
    """`owner/name` where origin is on the server that GITHUB_API_URL names."""
    host = urlsplit(settings.variables.get("GITHUB_API_URL", "")).hostname
    url = _origin(repository)
    there = urlsplit(url).hostname or url.partition(":")[0].rpartition("@")[2].lower()
    found = _PATH.search(url)
    return found.group(1) if found and host and there == host.removeprefix("api.") else None


def _api_url(settings: Settings) -> str:
    url = settings.variables.get("GITHUB_API_URL") or _PUBLIC_API
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"GITHUB_API_URL: {url!r} is no http address")
    return url.rstrip("/")


def slug(repository: Repository) -> str | None:
    """`owner/name` of the GitHub remote called origin, None where there is none."""
    found = _REMOTE.search(_origin(repository))
    return found.group(1) if found else None


def name_of(repository: Repository, path: Path) -> str:
    """What a repository is called: `owner/name`, else its folder's name."""
    return slug(repository) or path.absolute().name


def _origin(repository: Repository) -> str:
    try:
        return repository.text("config", "--get", "remote.origin.url").strip()
    except RepositoryError:
        return ""
