"""A root file system as an archive that any engine loads as an image, with its name and labels.

Docker's own way to import one takes neither on Podman, which also stumbles over its stream.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO

_CHUNK = 1 << 20


@contextmanager
def as_archive(
    tar: IO[bytes], tag: str, labels: Mapping[str, str], architecture: str
) -> Iterator[IO[bytes]]:
    """What `docker load` takes, as a file while the block lasts; of `tar`, not compressed."""
    with (
        tempfile.TemporaryFile(prefix="patchmark-root-") as layer,
        tempfile.TemporaryFile() as whole,
    ):
        digest = hashlib.sha256()
        while chunk := tar.read(_CHUNK):
            digest.update(chunk)
            layer.write(chunk)
        config = {
            "created": datetime.now(UTC).isoformat(),
            "architecture": architecture,
            "os": "linux",
            "config": {"Labels": dict(labels), "Cmd": ["/bin/sh"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest.hexdigest()}"]},
            "history": [{"created_by": "patchmark"}],
        }
        said = json.dumps(config).encode()
        name = f"{hashlib.sha256(said).hexdigest()}.json"
        manifest = [{"Config": name, "RepoTags": [tag], "Layers": ["layer.tar"]}]
        with tarfile.open(fileobj=whole, mode="w") as archive:
            info = tarfile.TarInfo("layer.tar")
            info.size = layer.tell()
            layer.seek(0)
            archive.addfile(info, layer)
            _add(archive, name, said)
            _add(archive, "manifest.json", json.dumps(manifest).encode())
        whole.seek(0)
        yield whole


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))
