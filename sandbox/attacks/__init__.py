"""Patches that try to pass without fixing anything, or to do harm; none may get through.

The code is never fixed, but where an attack is about something else. What an attack has to
achieve is put so that the target test passes if it does.
"""

from __future__ import annotations

from sandbox.attacks import patches, python_code, python_files, python_harm, script, script_jest
from sandbox.attacks.attack import Attack

ATTACKS: tuple[Attack, ...] = (
    *python_files.ATTACKS,
    *python_code.ATTACKS,
    *python_harm.ATTACKS,
    *patches.ATTACKS,
    *script.ATTACKS,
    *script_jest.ATTACKS,
)
