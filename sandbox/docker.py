"""The engine contract over the Docker API, which Podman speaks too."""

from __future__ import annotations

import io
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import PurePosixPath
from typing import IO, Any

from core.errors import EngineError
from sandbox.engine import Build, Job, Limits, Ran
from sandbox.script import FOLDER, build_files
from sandbox.tars import pack, unpack

LABEL = "dev.patchmark"
OUTPUT_LINES = 2000
OUTPUT_BYTES = 1_000_000


class DockerEngine:
    """One connection pool to one engine. Safe to use from many threads."""

    def __init__(self, endpoint: str, *, timeout: int = 120, redact: Callable[[str], str] = str):
        """Connect to the engine at `endpoint` (a DOCKER_HOST value).

        What containers print goes through `redact` before anybody sees or cuts it.

        Raises EngineError when nothing answers there.
        """
        import docker

        self._docker = docker
        self._redact = redact
        self.endpoint = endpoint
        self._live: set[str] = set()
        self._lock = threading.Lock()
        with self._engine_errors():
            self._api: Any = docker.APIClient(
                base_url=endpoint, version="auto", timeout=timeout, num_pools=32
            )
            self.version: Mapping[str, Any] = self._api.version()
            self._sweep()

    # -- jobs ------------------------------------------------------------------------------

    def run(self, job: Job) -> Ran:
        """See Engine.run."""
        host = self._limits(job.limits) | {
            "network_mode": "none",
            "cap_drop": ["ALL"],
            "cap_add": list(job.capabilities),
            "security_opt": ["no-new-privileges"],
        }
        with (
            self._engine_errors(),
            self._container(
                image=job.image,
                command=list(job.command),
                user=job.user,
                environment=dict(job.environment),
                host=host,
            ) as name,
        ):
            self._api.put_archive(name, "/", pack(job.files, job.folders, job.user))
            started = time.monotonic()
            self._api.start(name)
            exit_code = self._wait(name, job.limits.seconds)
            seconds = time.monotonic() - started
            return self._ran(name, exit_code, seconds, job.folders)

    def build(self, build: Build) -> Ran:
        """See Engine.build."""
        host = self._limits(build.limits) | {"tmpfs": {"/run/patchmark": "mode=0700"}}
        if build.cache_volume:
            host["binds"] = [f"{build.cache_volume}:/cache"]
        with (
            self._engine_errors(),
            self._container(
                image=build.image,
                command=["/bin/sh", f"{FOLDER}/build.sh"],
                user="root",
                environment={},
                host=host,
            ) as name,
        ):
            self._api.put_archive(name, "/", pack(build_files(build)))
            for archive in build.archives:
                self._api.put_archive(name, "/", archive)
            started = time.monotonic()
            self._api.start(name)
            exit_code = self._wait(name, build.limits.seconds)
            ran = self._ran(name, exit_code, time.monotonic() - started, ())
            if ran.exit_code == 0:
                repository, _, tag = build.tag.rpartition(":")
                self._api.commit(
                    name,
                    repository=repository,
                    tag=tag,
                    changes=[f"LABEL {LABEL}=image", "ENTRYPOINT []", 'CMD ["/bin/sh"]'],
                )
            return ran

    def build_dockerfile(self, context: bytes, dockerfile: str, tag: str) -> str | None:
        """See Engine.build_dockerfile."""
        said: list[str] = []
        with self._engine_errors():
            lines = self._api.build(
                fileobj=io.BytesIO(context),
                custom_context=True,
                dockerfile=dockerfile,
                tag=tag,
                rm=True,
                forcerm=True,
                decode=True,
                labels={LABEL: "image"},
            )
            for line in lines:
                said.append(str(line.get("stream") or line.get("error") or ""))
                if "error" in line:
                    return self._redact("".join(said)[-OUTPUT_BYTES:])
        return None

    # -- images ----------------------------------------------------------------------------

    def image_id(self, reference: str) -> str | None:
        """See Engine.image_id."""
        with self._engine_errors():
            try:
                return str(self._api.inspect_image(reference)["Id"])
            except self._docker.errors.ImageNotFound:
                return None

    def image_bytes(self, reference: str) -> int:
        """See Engine.image_bytes."""
        with self._engine_errors():
            try:
                return int(self._api.inspect_image(reference)["Size"])
            except self._docker.errors.ImageNotFound:
                return 0

    def pull(self, reference: str) -> bool:
        """See Engine.pull."""
        repository, _, tag = reference.rpartition(":")
        with self._engine_errors():
            try:
                self._api.pull(repository, tag=tag)
            except self._docker.errors.APIError:
                return False
            return self.image_id(reference) is not None

    def remove_image(self, reference: str) -> None:
        """See Engine.remove_image."""
        with self._engine_errors(), suppress(self._docker.errors.ImageNotFound):
            self._api.remove_image(reference)

    def name(self, reference: str, tag: str) -> str | None:
        """See Engine.name."""
        with self._engine_errors():
            self._api.tag(reference, *tag.rsplit(":", 1))
            self._api.remove_image(reference, noprune=True)
        return self.image_id(tag)

    def load_rootfs(self, tar: IO[bytes], tag: str) -> None:
        """See Engine.load_rootfs."""
        repository, _, version = tag.rpartition(":")
        with self._engine_errors():
            self._api.import_image_from_stream(
                tar, repository=repository, tag=version, changes=[f"LABEL {LABEL}=image"]
            )
            if self.image_id(tag) is None:
                raise EngineError(f"the engine did not keep the image {tag}")

    @contextmanager
    def api(self) -> Iterator[Any]:
        """The engine's own client, its errors told as EngineError."""
        with self._engine_errors():
            yield self._api

    def answers(self) -> bool:
        """See Engine.answers."""
        try:
            with self._engine_errors():
                return bool(self._api.ping())
        except EngineError:
            return False

    def close(self) -> None:
        """See Engine.close."""
        with self._lock:
            left = list(self._live)
        for name in left:
            self._remove(name)
        self._api.close()

    # -- inside ----------------------------------------------------------------------------

    @contextmanager
    def _engine_errors(self) -> Iterator[None]:
        import requests

        try:
            yield
        except (self._docker.errors.DockerException, requests.RequestException, OSError) as error:
            raise EngineError(f"container engine at {self.endpoint}: {_one_line(error)}") from error

    def _limits(self, limits: Limits) -> dict[str, Any]:
        return {
            "mem_limit": limits.memory_mib * 1024 * 1024,
            "memswap_limit": limits.memory_mib * 1024 * 1024,
            "nano_cpus": int(min(limits.cpus, os.cpu_count() or 1) * 1e9),
            "pids_limit": limits.processes,
            "init": True,
            "log_config": {"type": "json-file", "config": {"max-size": "8m", "max-file": "1"}},
        }

    @contextmanager
    def _container(
        self,
        *,
        image: str,
        command: list[str],
        user: str,
        environment: dict[str, str],
        host: dict[str, Any],
    ) -> Iterator[str]:
        name = self._api.create_container(
            image,
            # As entry point: an image that has its own would otherwise take ours as arguments.
            entrypoint=command[:1],
            command=command[1:],
            user=user,
            environment=environment,
            labels={LABEL: "container", f"{LABEL}.owner": _owner()},
            host_config=self._api.create_host_config(**host),
        )["Id"]
        with self._lock:
            self._live.add(name)
        try:
            yield name
        finally:
            self._remove(name)

    def _remove(self, name: str) -> None:
        import requests

        with suppress(self._docker.errors.DockerException, requests.RequestException):
            self._api.remove_container(name, force=True, v=True)
        with self._lock:
            self._live.discard(name)

    def _wait(self, name: str, seconds: float) -> int | None:
        """Exit code, or None after killing what ran longer than `seconds`."""
        import requests

        deadline = time.monotonic() + seconds
        try:
            return int(self._api.wait(name, timeout=seconds)["StatusCode"])
        except (requests.ReadTimeout, requests.ConnectionError):
            # requests reports a read timeout of a stream as ConnectionError: the clock knows.
            if time.monotonic() < deadline:
                raise
            state = self._api.inspect_container(name)["State"]
            if not state["Running"]:
                return int(state["ExitCode"])
            with suppress(self._docker.errors.APIError):
                self._api.kill(name)
            return None

    def _ran(
        self, name: str, exit_code: int | None, seconds: float, folders: tuple[str, ...]
    ) -> Ran:
        state = self._api.inspect_container(name)["State"]
        output = self._api.logs(name, stdout=True, stderr=True, tail=OUTPUT_LINES)
        files: dict[str, bytes] = {}
        for folder in folders:
            # A job may well have removed its folder: then it leaves nothing behind.
            with suppress(self._docker.errors.NotFound):
                stream, _ = self._api.get_archive(name, folder)
                files |= unpack(stream, str(PurePosixPath(folder).parent))
        return Ran(
            exit_code=exit_code,
            timed_out=exit_code is None,
            out_of_memory=bool(state.get("OOMKilled")),
            output=self._redact(output[-OUTPUT_BYTES:].decode(errors="replace")),
            files=files,
            seconds=seconds,
        )

    def _sweep(self) -> None:
        """Remove containers left by a patchmark of this machine that is gone."""
        machine = socket.gethostname()
        # Both labels: an image keeps its builder's owner label and hands it to every container
        # that a person starts from it; those are not ours to remove.
        ours = {"label": [f"{LABEL}=container", f"{LABEL}.owner"]}
        for found in self._api.containers(all=True, filters=ours):
            owner, _, pid = found["Labels"][f"{LABEL}.owner"].rpartition(":")
            if owner == machine and pid.isdigit() and not _alive(int(pid)):
                self._remove(found["Id"])


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
