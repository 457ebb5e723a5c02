"""Starts pytest as `python -m pytest` does, but from modules that a patch cannot replace.

With `-m` the repository comes first on the path, and a file of its own called pytest.py would
run in pytest's place. Here pytest and our plugin are imported before the repository is on it.
"""
import os
import sys

import pytest

import patchmark_results

sys.path.insert(0, os.getcwd())
# Handed over, not named with -p: pytest warns of a named plugin that it cannot rewrite, and
# repositories that turn warnings into errors would end there.
sys.exit(pytest.main(sys.argv[1:], plugins=[patchmark_results]))
