"""Files into a container and out of it without an archive, where they are small.

For an archive the engine starts a process that mounts the container's files, 60 ms and more each
time. So the order goes in as a variable of root's, and what root has to tell comes back as the
last line of its output, behind a seal that nobody else has seen.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sandbox.engine import File, Ran

VARIABLE = "PATCHMARK_PARCEL"
_MOST = 120_000
"""The kernel takes 128 KiB in one variable."""
_UNPACK = """
import binascii, json, os, zlib
packed = binascii.a2b_base64(os.environb.pop(b"PATCHMARK_PARCEL"))
for path, (mode, content) in json.loads(zlib.decompress(packed).decode()).items():
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content.encode("latin-1"))
"""


@dataclass(frozen=True)
class Parcel:
    """What a job is given."""

    files: Mapping[str, File]
    environment: Mapping[str, str]
    unpack: str
    """Python that root runs before anything else."""


def handed_over(files: Mapping[str, File]) -> Parcel:
    """Files as a variable, or as they are where it cannot hold them."""
    content = {path: (file.mode, file.content.decode("latin-1")) for path, file in files.items()}
    packed = base64.b64encode(zlib.compress(json.dumps(content).encode(), 1)).decode()
    if len(packed) > _MOST:
        return Parcel(files, {}, "")
    return Parcel({}, {VARIABLE: packed}, _UNPACK)


def handed_back(ran: Ran, seal: str, folder: str) -> Ran:
    """The run with the files that its last line tells of, and without that line."""
    said, mark, packed = ran.output.rpartition(f"\n{seal} ")
    if not mark:
        return ran
    try:
        content = json.loads(zlib.decompress(base64.b64decode(packed, validate=True)))
    except (ValueError, zlib.error):
        return ran
    files = {f"{folder}/{name}": text.encode("latin-1") for name, text in content.items()}
    return replace(ran, output=said, files=files)
