"""The engine contract over the Docker API, which Podman speaks too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace

from sandbox.containers import Containers, limited
from sandbox.docker_images import DockerImages
from sandbox.dockerfile import DockerfileBuild
from sandbox.engine import BUILD_LIMITS, Build, File, Job, Limits, Ran
from sandbox.leftovers import remove_containers
from sandbox.owned import LABEL, NAMED
from sandbox.script import FOLDER, build_files
from sandbox.tars import pack
from sandbox.watch import CACHE_FULL

_JOB = {"network_mode": "none", "cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}
"""Beside the engine's own: its seccomp profile, its masked paths, namespaces of its own."""
_BUILD = {"tmpfs": {"/run/patchmark": "mode=0700"}}


class DockerEngine(DockerImages):
    """One connection pool to one engine. Safe to use from many threads."""

    def __init__(
        self,
        endpoint: str,
        *,
        timeout: int = 120,
        runtime: str | None = None,
        redact: Callable[[str], str] = str,
    ):
        """Connect, and remove the containers of those who are gone.

        What containers print goes through `redact` before anybody sees it. Raises as Connection.
        """
        super().__init__(endpoint, timeout=timeout, runtime=runtime)
        self._redact = redact
        self._containers = Containers(self._api, self.runtime, self.answers)
        with self._engine_errors():
            self.swept = remove_containers(self._api)

    def run(self, job: Job) -> Ran:
        """See Engine.run."""
        with (
            self._engine_errors(),
            self._containers.made(
                image=job.image,
                command=job.command,
                user=job.user,
                environment=job.environment,
                host=limited(job.limits) | _JOB | {"cap_add": list(job.capabilities)},
            ) as name,
        ):
            # Each archive in or out is a process of its own for the engine: 60 ms and more.
            if job.files or (job.folders and job.user != "root"):
                self._api.put_archive(name, "/", pack(job.files, job.folders, job.user))
            return self._told(self._containers.ran(name, job.limits, job.folders, told=job.told))

    @contextmanager
    def waiting(self, image: str, limits: Limits, files: Mapping[str, File]) -> Iterator[str]:
        """A started container that does nothing, behind the same walls as a job; its id.

        What it does comes from `sandbox.session`, which also keeps the time. Raises EngineError.
        """
        with self._engine_errors():
            made = self._containers.made(
                image=image,
                # As root, so that whoever ends all processes of the tests' user ends not this.
                command=("sleep", "1000000"),
                user="root",
                environment={},
                host=limited(limits) | _JOB,
            )
            name = made.__enter__()
        try:
            with self._engine_errors():
                self._api.put_archive(name, "/", pack(files))
                self._api.start(name)
            yield name
        finally:
            made.__exit__(None, None, None)

    def build(self, build: Build) -> Ran:
        """See Engine.build."""
        with (
            self._engine_errors(),
            self._containers.made(
                image=build.image,
                command=("/bin/sh", f"{FOLDER}/build.sh"),
                user="0",
                environment={},
                host=limited(build.limits) | _BUILD | self._cache(build.cache_volume),
            ) as name,
        ):
            self._api.put_archive(name, "/", pack(build_files(build)))
            for archive in build.archives:
                self._api.put_archive(name, "/", archive)
            ran = self._containers.ran(name, build.limits, cache_volume=build.cache_volume)
            if ran.exit_code == 0:
                self._keep(name, build.tag)
        if ran.stopped.startswith(CACHE_FULL) and build.cache_volume:
            self._empty(build.cache_volume)
        return self._told(ran)

    def build_dockerfile(
        self,
        context: bytes,
        dockerfile: str,
        tag: str,
        *,
        secrets: Mapping[str, str] | None = None,
        limits: Limits = BUILD_LIMITS,
    ) -> str | None:
        """See Engine.build_dockerfile."""
        with self._engine_errors():
            build = DockerfileBuild(self._api, limits)
            return self._redact(build.run(context, dockerfile, tag, secrets or {})) or None

    def close(self) -> list[str]:
        """See Engine.close."""
        left = self._containers.close()
        self._api.close()
        return left

    def _told(self, ran: Ran) -> Ran:
        return replace(ran, output=self._redact(ran.output))

    def _cache(self, volume: str | None) -> dict[str, list[str]]:
        if volume is None:
            return {}
        self._api.create_volume(volume, labels={LABEL: "cache"})
        return {"binds": [f"{volume}:/cache"]}

    def _empty(self, volume: str) -> None:
        # Where another build uses it, that one is stopped as well, and does this.
        with self._engine_errors(), suppress(self._docker.errors.APIError):
            self._api.remove_volume(volume)

    def _keep(self, name: str, tag: str) -> None:
        # Another run that built the same meanwhile works with it: ours would take its name.
        if self.image_id(tag) is not None:
            return
        repository, _, version = tag.rpartition(":")
        labels = f"LABEL {LABEL}=image {NAMED}={tag}"
        changes = [labels, "ENTRYPOINT []", 'CMD ["/bin/sh"]']
        self._api.commit(name, repository=repository, tag=version, changes=changes)
