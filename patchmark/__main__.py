"""`python -I -m patchmark`."""

from __future__ import annotations

from typing import NoReturn

from patchmark.cli import main
from patchmark.clock import leave


def start() -> NoReturn:
    """Run the command line, and be gone when it is done."""
    leave(main())


if __name__ == "__main__":
    start()
