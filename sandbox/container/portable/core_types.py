"""Records as they come from JSON that patchmark wrote, in place of `core.types`."""


class Record:
    """Named values."""

    def __init__(self, **values):
        self.__dict__.update(values)


class Task(Record):
    """See core.types."""


class Patch(Record):
    """See core.types."""


class Verdict(Record):
    """See core.types."""


class Unstable(Record):
    """See core.types."""


DropReason = None  # for validating only, which is not done here
