"""The images of an engine: asked about, fetched, named, made and removed."""

from __future__ import annotations

from contextlib import suppress
from typing import IO

from core.errors import EngineError
from sandbox.connection import Connection
from sandbox.owned import LABEL
from sandbox.rootfs import as_archive


class DockerImages(Connection):
    """The part of the engine contract that is about images."""

    def image_id(self, reference: str) -> str | None:
        """See Engine.image_id."""
        with self._engine_errors():
            try:
                return str(self._api.inspect_image(reference)["Id"])
            except self._docker.errors.NotFound:
                return None

    def image_bytes(self, reference: str) -> int:
        """See Engine.image_bytes."""
        with self._engine_errors():
            try:
                return int(self._api.inspect_image(reference)["Size"])
            except self._docker.errors.NotFound:
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
        with self._engine_errors(), suppress(self._docker.errors.NotFound):
            self._api.remove_image(reference)

    def name(self, reference: str, tag: str) -> str | None:
        """See Engine.name."""
        with self._engine_errors():
            self._api.tag(reference, *tag.rsplit(":", 1))
            self._api.remove_image(reference, noprune=True)
        return self.image_id(tag)

    def also_name(self, reference: str, tag: str) -> bool:
        """See Engine.also_name."""
        with self._engine_errors():
            try:
                return bool(self._api.tag(reference, *tag.rsplit(":", 1)))
            except self._docker.errors.NotFound:
                return False

    def load_rootfs(self, tar: IO[bytes], tag: str) -> None:
        """See Engine.load_rootfs."""
        labels = {LABEL: "image"}
        with (
            self._engine_errors(),
            as_archive(tar, tag, labels, str(self.version["Arch"])) as archive,
        ):
            for _ in self._api.load_image(archive):
                pass  # what it says matters less than what is there afterwards
            if self.image_id(tag) is None:
                raise EngineError(f"the engine did not keep the image {tag}")
