"""Images shared by machines through a registry: pulled before they are built, pushed after.

What lies there under a name of ours is believed as far as its label, its architecture and the
layers below it fit: who can write to the registry decides what runs in the sandbox.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from core.errors import EngineError
from sandbox.docker import DockerEngine
from sandbox.once import once
from sandbox.store import wrong

ADDRESS = re.compile(r"[a-z0-9][a-z0-9.-]*(?::\d{1,5})?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")
"""`host/team` or `host:5000/team`; names in a registry are lower case."""

_MISSING = re.compile(r"manifest unknown|name unknown|not found", re.IGNORECASE)
_REFUSED = re.compile(
    r"unauthorized|authentication required|denied|forbidden|no basic auth|credential", re.IGNORECASE
)
_AWAY = re.compile(
    r"connection refused|no such host|timeout|timed out|deadline|unreachable|connection reset|EOF|"
    r"server misbehaving|dial tcp|http response to https|x509|tls:|unexpected http status: 5",
    re.IGNORECASE,
)
_WORDS = {
    "pulled": "pulled",
    "missing": "not there",
    "unreachable": "not reached",
    "refused": "refused",
    "unfit": "pulled in vain",
    "pushed": "pushed",
    "not pushed": "not pushed",
}


class RegistryError(Exception):
    """What the engine says that a registry said. Its text is made even: one line."""


class Registry:
    """One registry, under whose address lie images by the names they have here.

    Credentials are the engine's usual ones (`docker login`, credential helpers). Safe to use from
    many threads.
    """

    def __init__(
        self, engine: DockerEngine, address: str, tell: Callable[[str], None], *, push: bool
    ):
        self._engine = engine
        self._address = address
        self._tell = tell
        self._push = push
        self._away = False
        self._refused: set[str] = set()
        self._there: set[str] = set()
        self._lock = Lock()
        self.counts: Counter[str] = Counter()
        """What came of the images that were asked for and left, by the words of `summary`."""

    def fetch(self, tag: str, below: str | None = None) -> str | None:
        """See Store.fetch."""
        if self._away or _repository(tag) in self._refused:
            return None
        there = f"{self._address}/{tag}"
        # Who pulls the same at the same time would take the name away that we ask for next.
        with once(there):
            before = self._engine.image_id(tag)
            try:
                pull(self._engine, there)
                return self._named(there, tag, below, before)
            except RegistryError as error:
                self._not_pulled(tag, str(error))
                return None

    def keep(self, tag: str, below: str | None = None) -> None:
        """See Store.keep. Without leave to push nothing is asked."""
        if not self._push or self._away or tag in self._there or not self._is_ours(tag):
            return
        there = f"{self._address}/{tag}"
        if has(self._engine, there) and self.fetch(tag, below) is not None:
            return
        try:
            push(self._engine, self._address, tag)
        except RegistryError as error:
            self._not_pushed(str(error))
        else:
            self._count("pushed")
            self._there.add(tag)
            self._refused.discard(_repository(tag))

    def summary(self) -> str:
        """One line about all of it; empty where nothing was asked."""
        parts = [f"{self.counts[key]} {word}" for key, word in _WORDS.items() if self.counts[key]]
        return f"images of {self._address}: {', '.join(parts)}" if parts else ""

    def _named(self, there: str, tag: str, below: str | None, before: str | None) -> str | None:
        with self._engine.api() as api:
            about = api.inspect_image(there)
            under = api.inspect_image(below) if below else None
        why = wrong(about, tag, under, str(self._engine.version.get("Arch") or ""))
        if why:
            self._engine.remove_image(there)
            self._count("unfit")
            self._tell(f"{there} is not used: {why}")
            return None
        found = self._engine.name(there, tag)
        self._there.add(tag)
        if found != before:
            self._count("pulled")
        return found

    def _is_ours(self, tag: str) -> bool:
        """One that an earlier patchmark made has no name in it, and nobody would take it."""
        with self._engine.api() as api:
            return not wrong(api.inspect_image(tag), tag, None, "")

    def _not_pulled(self, tag: str, said: str) -> None:
        if _REFUSED.search(said):
            self._refuse(tag, said)
        elif _MISSING.search(said):
            self._count("missing")
        elif _AWAY.search(said):
            self._count("unreachable")
            with self._lock:
                first, self._away = not self._away, True
            if first:
                self._tell(
                    f"registry {self._address} cannot be reached, so images are built here: {said}"
                )
        else:
            self._count("unfit")
            self._tell(f"{self._address}/{tag} cannot be pulled and is built here: {said}")

    def _refuse(self, tag: str, said: str) -> None:
        """Some registries say so of what is not there yet: pushing it may well be allowed."""
        self._count("refused")
        with self._lock:
            first = not self._refused
            self._refused.add(_repository(tag))
        if first:
            self._tell(
                f"registry {self._address} lets nobody pull {_repository(tag)} with these "
                f"credentials, or has none yet, so images are built here: {said}"
            )

    def _not_pushed(self, said: str) -> None:
        with self._lock:
            first, self._push = self._push, False
        self._count("not pushed")
        if first:
            why = "refuses" if _REFUSED.search(said) else "does not take"
            self._tell(
                f"registry {self._address} {why} what is pushed, so images stay here: {said}"
            )

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1


def pull(engine: DockerEngine, reference: str) -> None:
    """Pull an image. Raises RegistryError, and EngineError where the engine is gone."""
    name, _, version = reference.rpartition(":")
    with _said(engine), engine.api() as api:
        _follow(api.pull(name, tag=version, stream=True, decode=True))
    if engine.image_id(reference) is None:
        raise RegistryError("the engine says that it pulled it, and has it not")


def push(engine: DockerEngine, address: str, tag: str) -> None:
    """Push an image under `address/tag`. Raises as `pull`."""
    name, _, version = f"{address}/{tag}".rpartition(":")
    with _said(engine), engine.api() as api:
        api.tag(tag, name, version)
        try:
            _follow(api.push(name, tag=version, stream=True, decode=True))
        finally:
            api.remove_image(f"{name}:{version}", noprune=True)


def has(engine: DockerEngine, reference: str) -> bool:
    """Whether a registry has it; False where that cannot be told."""
    try:
        with engine.api() as api:
            api.inspect_distribution(reference)
    except EngineError:
        return False
    return True


@contextmanager
def _said(engine: DockerEngine) -> Iterator[None]:
    """The engine tells a registry's refusal as its own error, or within what it streams."""
    try:
        yield
    except EngineError as error:
        if not engine.answers():
            raise
        # The engine's own words, without how it was asked.
        said = str(getattr(error.__cause__, "explanation", None) or error.__cause__ or error)
        raise RegistryError(_one_line(said)) from error


def _follow(lines: Iterator[dict[str, Any]]) -> None:
    for line in lines:
        if "error" in line:
            raise RegistryError(_one_line(str(line["error"])))


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]


def _repository(tag: str) -> str:
    return tag.rpartition(":")[0]
