"""Asking GitHub's API politely: limits are waited out in sight, refusals end the asking."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

if TYPE_CHECKING:
    from github.Requester import Requester

MOST_WAITED = 65 * 60
"""Seconds one run waits for GitHub's limits in all: the longest of them ends within the hour."""
TIMEOUT = 30
"""Seconds without a byte."""

_RETRIES = 2
_USUAL_WAIT = 60
_LIMITED = frozenset({"RATE_LIMITED", "RATE_LIMIT"})

Tell = Callable[[str], None]
Sleep = Callable[[float], None]


class RefusedError(Exception):
    """Asking on cannot help. `status` is HTTP's, None where no answer came."""

    def __init__(self, reason: str, status: int | None = None):
        super().__init__(reason)
        self.status = status


class UnansweredError(Exception):
    """A request failed; one that asks for less, or another one, may not."""


class _BrokenError(Exception):
    """Half an answer, or none: worth the same request again, and then `final` is raised."""

    def __init__(self, final: Exception):
        super().__init__(str(final))
        self.final = final


class _Extensions(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    code: str = ""
    typeName: str | None = None  # noqa: N815 - as GitHub spells it
    fieldName: str | None = None  # noqa: N815


class Problem(BaseModel):
    """One entry of a GraphQL answer's `errors`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: str | None = None
    message: str | None = ""
    path: tuple[str | int, ...] | None = ()
    extensions: _Extensions | None = None

    @property
    def words(self) -> str:
        """The message, fit to be shown."""
        return _line(self.message or self.type or "")


class _Envelope(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    message: str | None = None
    errors: tuple[Problem, ...] | None = None
    data: object = None


@dataclass(frozen=True)
class Reply:
    """What GitHub answered, once no limit is in the way."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    data: object
    """Parsed JSON; of a GraphQL answer what stands below `data`; None where there is none."""
    errors: tuple[Problem, ...] = ()
    message: str = ""

    @property
    def date(self) -> datetime:
        """When it was answered, by GitHub's clock where it says so."""
        try:
            date = parsedate_to_datetime(self.headers.get("date", ""))
        except ValueError:
            return datetime.now(UTC)
        return date if date.tzinfo else date.replace(tzinfo=UTC)


def connect(url: str, token: str, verify: str | bool, tell: Tell, sleep: Sleep) -> GitHubApi:
    """An API with this address; `verify` = a CA bundle's path, or True for the usual ones."""
    from github import Auth, Github

    client = Github(
        base_url=url.rstrip("/"),
        auth=Auth.Token(token),
        verify=verify,
        timeout=TIMEOUT,
        user_agent="patchmark",
        retry=None,
        seconds_between_requests=None,
        seconds_between_writes=None,
        lazy=True,
    )
    return GitHubApi(client.requester, tell, sleep)


class GitHubApi:
    """REST and GraphQL through PyGithub's requester, which neither retries nor sleeps itself."""

    def __init__(self, requester: Requester, tell: Tell, sleep: Sleep = time.sleep):
        self._requester = requester
        self._tell = tell
        self._sleep = sleep
        self._patience: float = MOST_WAITED
        self._unnamed_limits = 0

    def pause(self, seconds: float) -> None:
        """Leave GitHub alone for a moment."""
        self._sleep(seconds)

    def get(self, path: str, parameters: Mapping[str, str], etag: str = "") -> Reply:
        """One page of a listing; status 304 = as it was when `etag` came.

        Raises RefusedError and UnansweredError.
        """
        headers = {"Accept": "application/vnd.github+json"}
        if etag:
            headers["If-None-Match"] = etag
        return self._ask("GET", path, parameters, headers, None)

    def graphql(self, query: str, variables: Mapping[str, str]) -> Reply:
        """Answer and errors of a query. Raises RefusedError and UnansweredError."""
        sent = {"query": query, "variables": dict(variables)}
        return self._ask("POST", self._requester.graphql_url, {}, {}, sent)

    def _ask(
        self,
        verb: str,
        url: str,
        parameters: Mapping[str, str],
        headers: Mapping[str, str],
        sent: object,
    ) -> Reply:
        broken = 0
        while True:
            try:
                reply = self._once(verb, url, parameters, headers, sent)
            except _BrokenError as error:
                broken += 1
                if broken > _RETRIES:
                    raise error.final from error
                self._sleep(broken)
                continue
            if not _limited(reply):
                return _accepted(reply)
            self._wait(reply)

    def _once(
        self,
        verb: str,
        url: str,
        parameters: Mapping[str, str],
        headers: Mapping[str, str],
        sent: object,
    ) -> Reply:
        import requests

        try:
            # Copies: PyGithub puts the token into the headers that it is given.
            status, got, text = self._requester.requestJson(
                verb, url, dict(parameters), dict(headers), sent
            )
        except requests.exceptions.SSLError as error:
            raise RefusedError(f"GitHub cannot be reached ({_line(str(error))})") from error
        except requests.exceptions.ReadTimeout as error:
            raise UnansweredError(f"GitHub took more than {TIMEOUT} s") from error
        except requests.RequestException as error:
            raise _BrokenError(_final(error)) from error
        except (RuntimeError, AssertionError) as error:
            # PyGithub's way to say that it was sent to another host.
            raise RefusedError(f"GitHub cannot be reached ({_line(str(error))})") from error
        return _reply(status, got, text, graphql=sent is not None)

    def _wait(self, reply: Reply) -> None:
        seconds = _named_wait(reply)
        if seconds is None:
            seconds = _USUAL_WAIT * 2**self._unnamed_limits
            self._unnamed_limits += 1
        if seconds > self._patience:
            raise RefusedError(f"GitHub's rate limit: {seconds:.0f} s is too long a wait")
        self._patience -= seconds
        self._tell(f"GitHub's rate limit: waiting {seconds:.0f} s")
        self._sleep(seconds)


def _final(error: Exception) -> Exception:
    import requests
    from urllib3.exceptions import ProtocolError

    name = type(error).__name__
    cause = error.args[0] if error.args else None
    dropped = isinstance(error, requests.ConnectionError) and isinstance(cause, ProtocolError)
    if dropped or not isinstance(error, requests.ConnectionError):
        return UnansweredError(f"GitHub broke off ({name})")
    return RefusedError(f"GitHub cannot be reached ({name})")


def _reply(status: int, headers: Mapping[str, str], text: str, *, graphql: bool) -> Reply:
    good = 200 <= status < 300
    try:
        data: object = json.loads(text) if text or good else None
    except ValueError as error:
        if good:
            raise _BrokenError(_not_json(text)) from error
        data = None
    if good and not graphql:
        return Reply(status, headers, data)
    try:
        envelope = _Envelope.model_validate(data or {})
    except ValidationError as error:
        if good:
            raise _BrokenError(UnansweredError("GitHub's answer cannot be read")) from error
        envelope = _Envelope()
    message = _line(envelope.message or "")
    return Reply(status, headers, envelope.data, envelope.errors or (), message)


def _not_json(text: str) -> Exception:
    if not text.strip() or text.lstrip()[:1] in "{[":
        return UnansweredError("GitHub's answer was cut short")
    return RefusedError("what answers is not GitHub's API (is GITHUB_API_URL right?)")


def _limited(reply: Reply) -> bool:
    """Whether to come back later. GraphQL tells limits with status 200, too."""
    if any(p.type in _LIMITED or "rate limit" in p.words.lower() for p in reply.errors):
        return True
    if reply.status not in (403, 429):
        return False
    exhausted = reply.headers.get("x-ratelimit-remaining") == "0"
    said = "retry-after" in reply.headers or "rate limit" in reply.message.lower()
    return reply.status == 429 or exhausted or said


def _named_wait(reply: Reply) -> float | None:
    """Seconds that GitHub asks to wait, None where it does not say."""
    try:
        if after := reply.headers.get("retry-after"):
            return max(1, int(after))
        if reply.headers.get("x-ratelimit-remaining") == "0":
            reset = int(reply.headers["x-ratelimit-reset"])
            return max(1, reset - int(reply.date.timestamp()) + 1)
    except (ValueError, KeyError):
        pass
    return None


def _accepted(reply: Reply) -> Reply:
    if 200 <= reply.status < 300 or reply.status == 304:
        return reply
    if reply.status >= 500 or reply.status == 408:
        raise UnansweredError(f"GitHub answered {reply.status}")
    words = f" ({reply.message})" if reply.message else ""
    raise RefusedError(f"GitHub answered {reply.status}{words}", reply.status)


def _line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:200].strip()
