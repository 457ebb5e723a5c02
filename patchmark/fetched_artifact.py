"""A workflow run's artifact, brought here by GitHub's API: within bounds, and not unpacked.

By the API alone: what `actions/download-artifact` needs of GitHub, an Enterprise Server has not.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from core.errors import InfrastructureError
from patchmark.artifact import LARGEST, RefusedArtifactError

if TYPE_CHECKING:
    from github.Repository import Repository

_HINTS = {403: "the job needs the permission `actions: read`", 404: "there is no such run"}
_SECONDS = 60
"""Without a byte."""


def fetch(repository: Repository, place: str, run: int, name: str, into: Path, ca: str) -> bool:
    """Write the zip file of the run's newest artifact of that name; False where it left none.

    `place` is `owner/name`, `ca` a bundle of authorities or "". Raises PatchmarkError.
    """
    found = _newest(repository, place, run, name)
    if found is None:
        return False
    if int(found.get("size_in_bytes") or 0) > LARGEST:
        raise RefusedArtifactError(f"the artifact is refused: it is larger than {LARGEST} bytes")
    _download(_address(repository, place, int(found["id"])), into, ca)
    return True


def _newest(repository: Repository, place: str, run: int, name: str) -> dict[str, Any] | None:
    from reports.sticky import explained

    asked = f"/repos/{place}/actions/runs/{run}/artifacts?per_page=100&name={quote(name)}"
    with explained(f"{place}: artifacts of the run {run}", _HINTS):
        _, answer = repository.requester.requestJsonAndCheck("GET", asked)
    listed = answer.get("artifacts") if isinstance(answer, dict) else None
    entries = [one for one in listed or [] if isinstance(one, dict)]
    there = [one for one in entries if one.get("name") == name and not one.get("expired")]
    return max(there, key=lambda one: int(one["id"]), default=None)


def _address(repository: Repository, place: str, number: int) -> str:
    """Where the storage has it, for some minutes and for whoever knows the address."""
    asked = f"/repos/{place}/actions/artifacts/{number}/zip"
    status, headers, _ = repository.requester.requestJson("GET", asked)
    address = str(headers.get("location", ""))
    if status != 302 or urlsplit(address).scheme not in ("http", "https"):
        words = _HINTS.get(status, "try it again")
        raise InfrastructureError(f"GitHub does not hand the artifact over ({status}); {words}")
    return address


def _download(address: str, into: Path, ca: str) -> None:
    import requests

    try:
        with requests.get(
            address,
            # The token is for GitHub, and .netrc for nobody here.
            auth=lambda request: request,
            stream=True,
            timeout=_SECONDS,
            verify=ca or True,
        ) as answer:
            answer.raise_for_status()
            _written(answer.iter_content(1 << 16), into)
    except requests.RequestException as error:
        # The address itself is as good as a key.
        what = type(error).__name__
        raise InfrastructureError(f"the artifact cannot be fetched: {what}") from error


def _written(chunks: Any, into: Path) -> None:
    size = 0
    with into.open("wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > LARGEST:
                raise RefusedArtifactError(
                    f"the artifact is refused: it is larger than {LARGEST} bytes"
                )
            file.write(chunk)
