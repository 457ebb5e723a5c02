"""Where a run's issues come from: a file, GitHub, or nowhere."""

from __future__ import annotations

import re
from collections.abc import Callable

from core.errors import RepositoryError
from core.git import Repository
from miner.github_issues import GitHubIssues
from miner.issues import Issues, NoIssues, read_issues
from patchmark.settings import Settings

_REMOTE = re.compile(r"(?:[/@]|^)github[^/:]*[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$")


def issues_for(settings: Settings, repository: Repository, tell: Callable[[str], None]) -> Issues:
    """The issues file if one is named, else GitHub with a token, else none (and says so)."""
    if settings.issues is not None:
        return read_issues(settings.issues)
    token = settings.variables.get("GITHUB_TOKEN", "")
    name = settings.variables.get("GITHUB_REPOSITORY") or slug(repository)
    if not token or not name:
        missing = "GITHUB_TOKEN is not set" if not token else "no GitHub remote is known"
        tell(f"{missing}: statements come from commit messages alone")
        return NoIssues()
    from github import Auth, Github

    url = settings.variables.get("GITHUB_API_URL") or "https://api.github.com"
    verify = str(settings.ca_bundle) if settings.ca_bundle else True
    client = Github(base_url=url, auth=Auth.Token(token), lazy=True, verify=verify, timeout=20)
    return GitHubIssues(client.get_repo(name), tell)


def slug(repository: Repository) -> str | None:
    """`owner/name` of the GitHub remote called origin, None where there is none."""
    try:
        url = repository.text("config", "--get", "remote.origin.url").strip()
    except RepositoryError:
        return None
    found = _REMOTE.search(url)
    return found.group(1) if found else None
