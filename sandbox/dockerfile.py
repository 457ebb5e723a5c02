"""Building a repository's own Dockerfile: within limits, without secrets, leaving nothing."""

from __future__ import annotations

import io
import re
import tarfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

from sandbox.engine import Limits
from sandbox.owned import LABEL, NAMED
from sandbox.watch import Watch

_SAID = 100_000
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
"""What the engine hands to a build without keeping it, unless the Dockerfile declares it."""
_STEP = re.compile(r"^ ---> (Running in )?([0-9a-f]{12,64})\s*$", re.MULTILINE)


def _labelled(context: bytes, dockerfile: str) -> bytes:
    """The context, with a Dockerfile whose steps all carry our label, the unfinished ones too."""
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(context)) as old,
        tarfile.open(fileobj=out, mode="w") as new,
    ):
        for member in old:
            content = old.extractfile(member) if member.isreg() else None
            if content is not None and member.name == dockerfile:
                text = _with_label(content.read().decode("utf-8", "surrogateescape"))
                data = text.encode("utf-8", "surrogateescape")
                member.size, content = len(data), io.BytesIO(data)
            new.addfile(member, content)
    return out.getvalue()


def _with_label(text: str) -> str:
    if re.search(r"^#\s*escape\s*=", text, re.IGNORECASE | re.MULTILINE):
        return text
    lines, inside = [], False
    for line in text.splitlines():
        lines.append(line)
        begins = not inside and re.match(r"\s*FROM\s", line, re.IGNORECASE)
        # A comment between the lines of an instruction does not end it.
        inside = line.rstrip().endswith("\\") or (inside and line.lstrip().startswith("#"))
        if begins and not inside:
            lines.append(f"LABEL {LABEL}=image")
    return "\n".join(lines) + "\n"


def _proxies(context: bytes, dockerfile: str, secrets: Mapping[str, str]) -> dict[str, str]:
    """Those that can be given: one that the Dockerfile declares would stand in the history."""
    with tarfile.open(fileobj=io.BytesIO(context)) as tar, suppress(KeyError):
        content = tar.extractfile(dockerfile)
        text = content.read().decode("utf-8", "replace") if content else ""
        declared = set(re.findall(r"^\s*ARG\s+(\w+)", text, re.IGNORECASE | re.MULTILINE))
        return {name: secrets[name] for name in _PROXIES if name in secrets.keys() - declared}
    return {}


class DockerfileBuild:
    """One such build, followed line by line.

    The engine runs each step in a container of its own, which is ended at a limit: then the
    build ends by itself. Of what it prints nothing is believed that could harm others.
    """

    def __init__(self, api: Any, limits: Limits):
        import docker

        self._api = api
        self._errors = (docker.errors.DockerException, OSError)
        self._limits = limits
        self._said = ""
        self._printed = 0
        self._printed_at = 0.0
        self._images: list[str] = []
        self._step: Watch | None = None
        self._steps = ExitStack()
        self._running = ""
        self._stopped = ""

    def run(self, context: bytes, dockerfile: str, tag: str, secrets: Mapping[str, str]) -> str:
        """Why it did not work; empty where it did. Raises the client's errors."""
        seconds = self._limits.seconds
        clock = threading.Timer(seconds, self._stop, [f"took longer than {seconds:g} s"])
        clock.daemon = True
        clock.start()
        failed = True
        try:
            failed = self._follow(self._lines(context, dockerfile, tag, secrets))
        except self._errors:
            if not self._why():
                raise
        finally:
            clock.cancel()
            self._steps.close()
            if failed:
                self._remove_steps()
        if not failed:
            return ""
        said = self._said.rstrip()
        return f"{said}\nit {self._why()}" if self._why() else said or "it said nothing"

    def _lines(
        self, context: bytes, dockerfile: str, tag: str, secrets: Mapping[str, str]
    ) -> Iterator[dict[str, Any]]:
        memory = self._limits.memory_mib * 1024 * 1024
        lines: Iterator[dict[str, Any]] = self._api.build(
            fileobj=io.BytesIO(_labelled(context, dockerfile)),
            custom_context=True,
            dockerfile=dockerfile,
            tag=tag,
            rm=True,
            forcerm=True,
            decode=True,
            # Silence as long as the whole build may take is its end as well.
            timeout=self._limits.seconds,
            labels={LABEL: "image", NAMED: tag},
            container_limits={"memory": memory, "memswap": memory},
            buildargs=_proxies(context, dockerfile, secrets),
            # The client would hand over the proxies of the user's own configuration.
            use_config_proxy=False,
        )
        return lines

    def _follow(self, lines: Iterator[dict[str, Any]]) -> bool:
        """Whether it failed."""
        for line in lines:
            text = str(line.get("stream") or line.get("error") or "")
            self._said = (self._said + text)[-_SAID:]
            self._printed += len(text)
            self._printed_at = time.monotonic()
            if "error" in line:
                return True
            if self._printed > self._limits.output_mib * 2**20:
                self._stop(f"printed more than {self._limits.output_mib} MiB")
            for running, name in _STEP.findall(text):
                if running:
                    self._begin(name)
                else:
                    self._images.append(name)
        return False

    def _begin(self, name: str) -> None:
        """A step runs in this container: unless one does already, and prints such a line."""
        if self._running and self._runs(self._running):
            return
        self._steps.close()
        self._running = name
        kill = partial(self._kill, name)
        watch = Watch(self._api, name, self._limits, kill, printed_at=lambda: self._printed_at)
        self._step = self._steps.enter_context(watch)
        if self._stopped:
            watch.stop(self._stopped)

    def _runs(self, name: str) -> bool:
        with suppress(*self._errors):
            return bool(self._api.inspect_container(name)["State"]["Running"])
        return False

    def _stop(self, why: str) -> None:
        """By the step's own watch: who reads what a build prints must not wait for its end, since
        an engine ends nobody whose last words are not taken.
        """
        self._stopped = self._stopped or why
        if step := self._step:
            step.stop(why)

    def _kill(self, name: str) -> None:
        with suppress(*self._errors):
            self._api.kill(name)

    def _why(self) -> str:
        return self._stopped or (self._step.stopped if self._step else "")

    def _remove_steps(self) -> None:
        """What the steps before the failing one made, unless it has a name or is used."""
        for name in dict.fromkeys(reversed(self._images)):
            with suppress(*self._errors):
                about = self._api.inspect_image(name)
                ours = (about["Config"].get("Labels") or {}).get(LABEL) == "image"
                if ours and not about["RepoTags"] and not about["RepoDigests"]:
                    self._api.remove_image(name, noprune=True)
