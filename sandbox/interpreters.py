"""Pythons of this machine, put into images where no registry has the one that is wanted."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Sequence
from pathlib import Path

_WASTE = re.compile(
    r"/lib/python[\d.]+/(site-packages|test|idlelib|ensurepip|config-[^/]*|lib2to3/tests)(/|$)"
    r"|/__pycache__(/|$)|\.a$|/share(/|$)"
)


def find_python(version: str, folders: Sequence[Path]) -> Path | None:
    """The newest interpreter `version` (`3.8`) among folders of them, as pyenv keeps them.

    `<folder>/3.8.18` of pyenv, or `<folder>/3.8.18/x64` of a workflow runner's tool cache.
    """
    found = []
    for folder in folders:
        for place in folder.glob(f"{version}.*"):
            numbers = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", place.name)
            homes = (h for h in (place, place / "x64") if (h / f"bin/python{version}").exists())
            found += [(int(numbers[3]), home) for home in homes if numbers]
    return max(found)[1] if found else None


def pack_python(home: Path) -> bytes:
    """An archive of an interpreter at its own path, which it may have compiled in.

    Without the packages that somebody installed into it, and without what only builds need.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(home, arcname=str(home).lstrip("/"), filter=_wanted)
    return buffer.getvalue()


def _wanted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if _WASTE.search(f"/{member.name}"):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
