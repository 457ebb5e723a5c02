"""Every error patchmark raises on purpose.

    PatchmarkError            one line for a person; `exit_code` for the shell
    ├── UsageError        2   a flag, a setting, a key or a file the user gave is wrong
    │   ├── RepositoryError   the path is no usable git repository
    │   └── StoreError        the run folder holds something unreadable
    └── InfrastructureError 3 something around us is down
        ├── EngineError       the container engine
        └── ProviderError     a model's API

Anything else that escapes is a bug and keeps its traceback.
"""

from __future__ import annotations


class PatchmarkError(Exception):
    """Base of all errors with a message meant for the user."""

    exit_code = 3


class UsageError(PatchmarkError):
    """The user can mend this by changing what was asked."""

    exit_code = 2


class RepositoryError(UsageError):
    """The repository cannot be used as it is."""


class StoreError(UsageError):
    """A file of the run folder cannot be read; the message names file and line."""


class InfrastructureError(PatchmarkError):
    """Something patchmark depends on does not answer."""

    exit_code = 3


class EngineError(InfrastructureError):
    """The container engine is missing, refused us, or went away."""


class ProviderError(InfrastructureError):
    """A model's API gave no answer; `retriable` says whether asking again may help.

    `overloaded` means that the service asks for fewer requests, and `retry_after` for how many
    seconds it wants none.
    """

    def __init__(
        self,
        message: str,
        *,
        retriable: bool = False,
        retry_after: float | None = None,
        overloaded: bool = False,
    ):
        super().__init__(message)
        self.retriable = retriable
        self.retry_after = retry_after
        self.overloaded = overloaded
