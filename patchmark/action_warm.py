"""What the Action leaves to other jobs and later runs, and when it does not."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from patchmark.warm import PUSH, REGISTRY

if TYPE_CHECKING:
    from patchmark.action_inputs import ActionInputs


def share_images(inputs: ActionInputs, distrusted: str, notice: Callable[[str], None]) -> None:
    """Tell the program where images come from and go to, in the process's own environment.

    What was built of others' code is pushed nowhere: a build of theirs could have left anything in
    an image that the next run would take for its own.
    """
    if inputs.registry:
        os.environ[REGISTRY] = inputs.registry
    os.environ.pop(PUSH, None)
    if inputs.registry_push and distrusted:
        notice(f"no image is pushed: {distrusted}")
    elif inputs.registry_push:
        os.environ[PUSH] = "true"
