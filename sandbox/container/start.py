"""Starts pytest as `python -m pytest` does, but from modules that a patch cannot replace.

With `-m` the repository comes first on the path, and a file of its own called pytest.py would
run in pytest's place. Here pytest and our plugin are imported before the repository is on it,
and the nonce is taken before anything else runs.
"""
import os
import sys

_NONCE = 4


def _nonce():
    chunks = []
    while not chunks or chunks[-1]:
        chunks.append(os.read(_NONCE, 64))
    os.close(_NONCE)
    return b"".join(chunks).decode("ascii")


nonce = _nonce()

import pytest  # noqa: E402

import patchmark_guard  # noqa: E402
import patchmark_results  # noqa: E402

plugin = patchmark_results.Plugin(nonce, patchmark_guard.Guard(os.getcwd()))
sys.path.insert(0, os.getcwd())
# Handed over, not named with -p: pytest warns of a named plugin that it cannot rewrite, and
# repositories that turn warnings into errors would end there.
sys.exit(pytest.main(sys.argv[1:], plugins=[plugin]))
