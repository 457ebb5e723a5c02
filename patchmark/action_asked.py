"""What GitHub says of the repository that the workflows run in, where there is a token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from core.errors import PatchmarkError
from patchmark.action_checks import good, warn, wrong
from patchmark.doctor import Check
from patchmark.posting import repository_at
from patchmark.settings import Settings
from patchmark.sources import name_at
from patchmark.under_test import open_repository
from patchmark.workflow_reading import Used

if TYPE_CHECKING:
    from github.Repository import Repository

MOST = 100
"""Secrets that are looked through, of each kind: as many as GitHub gives a repository."""


class _RefusedError(Exception):
    def __init__(self, status: int):
        super().__init__(status)
        self.status = status


def asked(found: Sequence[Used], settings: Settings) -> Iterator[Check]:
    """Secrets that are not set, actions that are not allowed, and the token's usual rights."""
    token = settings.variables.get("GITHUB_TOKEN", "").strip()
    if not token:
        mend = "set GITHUB_TOKEN to have secrets and settings looked up as well"
        yield warn("GitHub", "not asked: there is no token", mend)
        return
    try:
        name = name_at(settings, open_repository(settings.repo))
        if not name:
            mend = "add a remote called origin, or set GITHUB_REPOSITORY to owner/name"
            yield warn("GitHub", "not asked: which repository this is cannot be told", mend)
            return
        bundle = str(settings.ca_bundle) if settings.ca_bundle else ""
        variables = {**settings.variables, "GITHUB_REPOSITORY": name}
        with repository_at(variables, token, bundle) as repository:
            yield from _of(repository, name, found)
    except PatchmarkError as error:
        yield warn("GitHub", f"not asked: {error}", "mend that, or look there yourself")


def _of(repository: Repository, name: str, found: Sequence[Used]) -> Iterator[Check]:
    yield _secrets(repository, name, found)
    try:
        settings = _get(repository, name, "permissions")
        if not settings.get("enabled", True):
            yield wrong("GitHub", f"{name}: Actions are turned off", "Settings, Actions, General")
        elif settings.get("allowed_actions") == "local_only":
            mend = "Settings, Actions, General: allow patchmark/patchmark and actions/*"
            yield wrong("GitHub", f"{name}: only actions of its owner are allowed", mend)
        elif settings.get("allowed_actions") == "selected":
            mend = "see that patchmark/patchmark is among them: Settings, Actions, General"
            yield warn("GitHub", f"{name}: only selected actions are allowed", mend)
        else:
            yield good("GitHub", f"{name}: Actions are on, and none is forbidden")
        if any(used.permissions is None for used in found):
            usual = _get(repository, name, "permissions/workflow")
            level = usual.get("default_workflow_permissions")
            yield warn("token", f"{level}, where a job says nothing", "say it in each job")
    except _RefusedError as error:
        yield _unseen("settings of Actions", name, error)


def _secrets(repository: Repository, name: str, found: Sequence[Used]) -> Check:
    needed = set().union(*(used.secrets() for used in found)) - {"GITHUB_TOKEN"}
    if not needed:
        return good("secrets set", "none is needed")
    try:
        there = _names(_get(repository, name, f"secrets?per_page={MOST}"))
    except _RefusedError as error:
        return _unseen("secrets", name, error)
    with suppress(_RefusedError):  # a person's repository has no organization
        there |= _names(_get(repository, name, f"organization-secrets?per_page={MOST}"))
    if missing := sorted(needed - there):
        mend = "; ".join(f"gh secret set {secret}" for secret in missing)
        words = f"not in {name}: {', '.join(missing)} (of environments nothing is known)"
        return wrong("secrets set", words, mend)
    return good("secrets set", f"{', '.join(sorted(needed))} in {name}")


def _names(answer: dict[str, Any]) -> set[str]:
    listed = answer.get("secrets")
    entries = listed if isinstance(listed, list) else []
    return {str(entry.get("name")) for entry in entries if isinstance(entry, dict)}


def _unseen(what: str, name: str, error: _RefusedError) -> Check:
    mend = "a token of an administrator's may see them; else look at the repository's Settings"
    return warn("GitHub", f"{what} of {name}: this token may not see them ({error.status})", mend)


def _get(repository: Repository, name: str, what: str) -> dict[str, Any]:
    from github.GithubException import GithubException

    from reports.comment import explained

    with explained(f"{name}: {what.partition('?')[0]}"):
        try:
            _, answer = repository.requester.requestJsonAndCheck(
                "GET", f"/repos/{name}/actions/{what}"
            )
        except GithubException as error:
            if error.status in (403, 404):
                raise _RefusedError(error.status) from error
            raise
    return answer if isinstance(answer, dict) else {}
