"""The tar archives that go into a container before its start and come out after its end."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import suppress

from sandbox.engine import File

RESULT_BYTES = 64 * 1024 * 1024


def pack(files: Mapping[str, File], folders: tuple[str, ...] = (), user: str = "root") -> bytes:
    """An archive of files, and of folders that belong to the user with that number."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for folder in folders:
            info = tarfile.TarInfo(folder.lstrip("/"))
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            info.uid = info.gid = int(user) if user.isdigit() else 0
            tar.addfile(info)
        for path, file in files.items():
            info = tarfile.TarInfo(path.lstrip("/"))
            info.size, info.mode = len(file.content), file.mode
            tar.addfile(info, io.BytesIO(file.content))
    return buffer.getvalue()


def unpack(stream: Iterator[bytes], parent: str) -> dict[str, bytes]:
    """Regular files of a tar the engine sent; a folder past the size limit gives what fits."""
    buffer = io.BytesIO()
    for chunk in stream:
        if buffer.tell() + len(chunk) > RESULT_BYTES:
            break
        buffer.write(chunk)
    buffer.seek(0)
    files: dict[str, bytes] = {}
    with suppress(tarfile.ReadError), tarfile.open(fileobj=buffer, mode="r|") as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            if content is not None:
                files[f"{parent.rstrip('/')}/{member.name}"] = content.read()
    return files
