"""Pull requests and issues from GitHub: many at a time, and kept between runs."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from pydantic import ValidationError

from miner.api_cache import ApiCache, Kept, New
from miner.github_answers import Asked, Found
from miner.github_api import GitHubApi, RefusedError, Reply, UnansweredError
from miner.github_changes import begin, outdate
from miner.github_queries import COMMIT, ISSUE, PULL, Kind, Queries
from miner.tracker import Issue, PullRequest

_LARGEST_NUMBER = 2**31 - 1
_COMMIT_ID = re.compile(r"[0-9a-f]{40}")
_FAILURES = 10
"""Batches in a row without any answer, after which GitHub is left alone."""
_LONGEST_PAUSE = 16
_GROWS_AFTER = 3
"""Batches in a row that were answered, after which twice as much is asked for again."""

Said = TypeVar("Said", Issue, PullRequest)


class GitHubTracker:
    """See Tracker. Every question is asked at most once, and none again after a refusal.

    What did not change since an earlier run comes from the cache, and so does what GitHub does
    not answer now. `tell` hears why something is not asked for any more.
    """

    def __init__(self, api: GitHubApi, slug: str, cache: ApiCache, tell: Callable[[str], None]):
        self.slug = slug
        self._api = api
        self._cache = cache
        self._tell = tell
        self._queries = Queries()
        self._missed: set[tuple[str, str]] = set()
        self._answered: dict[tuple[str, str], str | None] = {}
        self._lock = threading.Lock()
        self._looked = False
        self._trusting = True
        self._closed = False
        self._failures = 0
        self._warned = False

    @property
    def missed(self) -> int:
        """How many of the asked could not be had because something failed."""
        return len(self._missed)

    def pull_requests(
        self, numbers: Collection[int], commits: Collection[str]
    ) -> Mapping[int | str, PullRequest]:
        """See Tracker. A pull request that was closed without a merge is left out."""
        with self._lock:
            wanted = [commit for commit in commits if _COMMIT_ID.fullmatch(commit)]
            brought = {k: int(n) for k, n in self._find(COMMIT, wanted).items() if n.isdigit()}
            pulls = self._said(PULL, PullRequest, [*numbers, *brought.values()])
            found: dict[int | str, PullRequest] = {n: pulls[n] for n in numbers if n in pulls}
            return found | {k: pulls[n] for k, n in brought.items() if n in pulls}

    def issues(self, numbers: Collection[int]) -> Mapping[int, Issue]:
        """See Tracker."""
        with self._lock:
            return self._said(ISSUE, Issue, numbers)

    def _said(self, kind: Kind, model: type[Said], numbers: Iterable[int]) -> dict[int, Said]:
        keys = [str(number) for number in numbers if 0 < number <= _LARGEST_NUMBER]
        texts = self._find(kind, keys)
        return {int(key): model.model_validate_json(text) for key, text in texts.items()}

    def _find(self, kind: Kind, keys: Iterable[str]) -> dict[str, str]:
        """What is kept or asked for, as JSON; without what there is none of."""
        wanted = list(dict.fromkeys(keys))
        self._learn(kind, [key for key in wanted if (kind.name, key) not in self._answered])
        found = ((key, self._answered.get((kind.name, key))) for key in wanted)
        return {key: text for key, text in found if text is not None}

    def _learn(self, kind: Kind, keys: Sequence[str]) -> None:
        if not keys:
            return
        if not self._looked:
            self._looked = True
            self._trusting = self._outdate()
        kept = {k: e for k, e in self._cache.read(kind.name, keys).items() if _readable(kind, e)}
        lasting = self._trusting or kind is COMMIT
        known = {key for key, entry in kept.items() if entry.fresh and lasting}
        asked = [key for key in keys if key not in known]
        answered = self._ask(kind, asked)
        for key in keys:
            if key in answered:
                self._answered[kind.name, key] = answered[key]
                continue
            self._answered[kind.name, key] = kept[key].data if key in kept else None
            if key not in kept:
                self._missed.add((kind.name, key))

    def _outdate(self) -> bool:
        """Mark what changed since the last run; False where that cannot be known."""
        try:
            return outdate(self._api, self._cache, self.slug)
        except UnansweredError:
            return False
        except RefusedError as error:
            # Issues may be switched off, or be none of this token's business; GraphQL will say.
            if error.status in (None, 401):
                self._close(str(error))
            return False

    # --- asking -------------------------------------------------------------------------

    def _ask(self, kind: Kind, keys: Sequence[str]) -> dict[str, str | None]:
        """Answers by key, each kept at once. What fails is asked for in smaller batches."""
        answered: dict[str, str | None] = {}
        waiting, size, well = deque(keys), kind.at_once, 0
        while waiting and not self._closed:
            batch = [waiting.popleft() for _ in range(min(size, len(waiting)))]
            try:
                found, left = self._ask_batch(kind, batch)
            except UnansweredError as error:
                found, left = {}, batch
                self._pause(str(error))
            except RefusedError as error:
                self._close(str(error))
                break
            answered |= found
            if found:
                self._failures = 0
            well = 0 if left else well + 1
            if well >= _GROWS_AFTER:
                size, well = min(size * 2, kind.at_once), 0
            elif left and len(batch) > 1:
                waiting.extendleft(reversed(left))
                size = len(batch) // 2
        return answered

    def _ask_batch(
        self, kind: Kind, keys: Sequence[str]
    ) -> tuple[dict[str, str | None], list[str]]:
        """What was answered, and what was not and may be asked for again."""
        reply = self._ask_what_is_known(kind, keys)
        repository = reply.data.get("repository") if isinstance(reply.data, dict) else None
        if not isinstance(repository, dict):
            raise self._without_repository(reply)
        name = str(repository.get("nameWithOwner") or self.slug)
        begin(self._cache, name, reply.date)
        troubled = _troubled(reply)
        names = frozenset({self.slug.lower(), name.lower()})
        found: dict[str, Found] = {}
        left: list[str] = []
        for key in keys:
            troubles = troubled.get(f"k{key}", set())
            what = _read(kind, repository, Asked(key, names, reply.date), troubles)
            if what is not None:
                found[key] = what
            elif not troubles & _FINAL:
                left.append(key)
        if left and not found:
            raise UnansweredError(f"GitHub answered with an error ({_words(reply)})")
        lasting = {k: New(f.data, f.updated_at) for k, f in found.items() if f.lasting}
        self._cache.write(kind.name, lasting, reply.date)
        return {key: what.data for key, what in found.items()}, left

    def _ask_what_is_known(self, kind: Kind, keys: Sequence[str]) -> Reply:
        """Ask, as often as it takes to find the fields that this server knows."""
        owner, _, name = self.slug.partition("/")
        while True:
            reply = self._api.graphql(
                self._queries.text(kind, keys), {"owner": owner, "name": name}
            )
            unknown = self._queries.drop(kind, reply.errors)
            if unknown is None:
                return reply
            if unknown:
                raise RefusedError(f"GitHub's API knows no field {unknown!r}")

    def _without_repository(self, reply: Reply) -> Exception:
        for problem in reply.errors:
            if problem.path == ("repository",) and problem.type == "NOT_FOUND":
                return RefusedError(f"GitHub knows no {self.slug}, or hides it from this token")
            if problem.type in _FINAL:
                return RefusedError(f"GitHub refuses ({problem.words or problem.type})")
        return UnansweredError(f"GitHub answered with an error ({_words(reply)})")

    def _pause(self, reason: str) -> None:
        self._failures += 1
        if self._failures >= _FAILURES:
            self._close(reason)
            return
        if not self._warned:
            self._warned = True
            self._tell(f"{reason}: asking for less at a time")
        self._api.pause(min(2 ** (self._failures - 1), _LONGEST_PAUSE))

    def _close(self, reason: str) -> None:
        if not self._closed:
            self._closed = True
            self._tell(f"{reason}: GitHub is asked for nothing more in this run")


_FINAL = frozenset({"FORBIDDEN", "INSUFFICIENT_SCOPES", "UNAUTHORIZED"})
_HARMLESS = frozenset({"NOT_FOUND", *_FINAL})
"""What an answer may lack for ever: asking again brings nothing else."""


def _words(reply: Reply) -> str:
    return reply.errors[0].words if reply.errors else "there is no data"


def _troubled(reply: Reply) -> dict[str, set[str]]:
    """Kinds of errors by the alias that they are about."""
    found: dict[str, set[str]] = {}
    for problem in reply.errors:
        path = problem.path or ()
        if len(path) > 1 and path[0] == "repository":
            found.setdefault(str(path[1]), set()).add(problem.type or "")
        else:
            raise UnansweredError(f"GitHub answered with an error ({problem.words})")
    return found


def _read(
    kind: Kind, repository: Mapping[str, object], asked: Asked, troubles: set[str]
) -> Found | None:
    """One answer; None where it is missing, halved or makes no sense."""
    alias = f"k{asked.key}"
    if alias not in repository or not troubles <= _HARMLESS:
        return None
    node = repository[alias]
    if node is None:
        if troubles & _FINAL:
            return None
        # A commit that is not on GitHub yet may be there tomorrow.
        return Found(None, lasting=kind is not COMMIT)
    try:
        return kind.read(node, asked)
    except ValidationError:
        return None


def _readable(kind: Kind, entry: Kept) -> bool:
    """Whether a kept answer can be read: the file may be anybody's."""
    try:
        return entry.data is None or bool(kind.load(entry.data))
    except ValueError:
        return False
