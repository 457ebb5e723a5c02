"""`python -I -m patchmark`."""

from __future__ import annotations

from patchmark.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
