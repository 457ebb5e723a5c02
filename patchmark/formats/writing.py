"""Writing files that do not exist yet. What stands in them was redacted when it was recorded."""

from __future__ import annotations

from pathlib import Path

from core.errors import UsageError


def new_file(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a text with its line ends as they are. Raises UsageError."""
    new_bytes(path, text.encode(), mode=mode)


def new_bytes(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write what is no text. Raises UsageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(content)
        path.chmod(mode)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}") from error
