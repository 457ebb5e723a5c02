"""What mining makes: candidates, and the commits that are none, each with its reason.

Each record is frozen and knows only what its stage can know. Field names are a public
contract: they are what stands in the run folder's JSON Lines files.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.paths import PathRules

SCHEMA_VERSION: Literal[1] = 1

Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]
TaskId = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]


class Record(BaseModel):
    """One line of a run folder file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = SCHEMA_VERSION


class StatementSource(StrEnum):
    """Where a task's statement comes from, best first: the tier of the statement."""

    ISSUE = "issue"
    PULL_REQUEST = "pull_request"
    COMMIT_MESSAGE = "commit_message"
    REWRITTEN = "rewritten"


class Part(BaseModel):
    """Something that stands inside of a record."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Link(Part):
    """An issue that a change closes, and how that is known."""

    issue: int
    rule: str


class Expected(Part):
    """A name that the tests of a fix use and its base commit lacks."""

    kind: Literal["function", "class", "method", "parameter", "attribute", "constant", "message"]
    name: str
    """As a test would write it: `parse`, `Reader.parse`; of a message, its text."""
    signature: str = ""
    """Of a function or method, its parameters as written; of a parameter, what takes it."""
    path: str = ""
    """Where the fix defines it."""


class Difficulty(Part):
    """How large a fix is; what it takes to find it is another matter."""

    files: int = Field(ge=0)
    hunks: int = Field(ge=0)
    lines: int = Field(ge=0)
    """Added and removed lines of the fix part."""
    languages: tuple[str, ...] = ()
    distance: int = Field(default=0, ge=0)
    """Folders between the nearest two files of fix and tests; 0 = they lie side by side."""


class Candidate(Record):
    """A change of the repository that may become a task; nothing has been run yet."""

    id: TaskId
    """First 12 hex digits of `fix_commit`: the same on every machine, for ever."""
    base_commit: Sha
    fix_commit: Sha
    committed_at: datetime
    patch_id: str = ""
    """Hash of the change itself, equal for cherry-picks; see `miner.patch_id`."""
    pull_request: int | None = None
    """The pull request that brought the change; None for direct pushes and where unknown."""
    links: tuple[Link, ...] = ()
    """Issues that the change closes. Where one is the statement's source, it comes first."""
    labels: tuple[str, ...] = ()
    """Of these issues and the pull request, sorted."""
    title: str
    statement: str
    statement_source: StatementSource
    original_statement: str | None = None
    """What a rewritten statement was before."""
    expects: tuple[Expected, ...] = ()
    """Names that the tests use and the base commit lacks."""
    removed: dict[str, int] = Field(default_factory=dict)
    """What was taken out of the statement because it gives the answer away: kind → count."""
    leak: float = Field(default=0, ge=0, le=1)
    """Share of the added gold lines that the statement holds."""
    vagueness: float = Field(default=0, ge=0, le=1)
    """0 = says what happens and where, 1 = says nothing."""
    difficulty: Difficulty = Difficulty(files=0, hunks=0, lines=0)
    gold_patch: str = Field(min_length=1)
    test_patch: str = Field(min_length=1)
    source_files: tuple[str, ...]
    test_files: tuple[str, ...]
    runner_files: tuple[str, ...] = ()
    """Files of the change that steer how tests run: a flag for the reader."""
    path_rules: PathRules = PathRules()
    """What the project said is a test or is none, for the judge to go by."""

    @property
    def issue(self) -> int | None:
        """The issue that stands first among the links."""
        return self.links[0].issue if self.links else None


class DropReason(StrEnum):
    """Why a commit did not become a task: a closed list, shown with counts."""

    BOT = "bot"
    REVERT = "revert"
    REVERTED_LATER = "reverted_later"
    NO_TESTS = "no_tests"
    NO_SOURCE = "no_source"
    DOCUMENTATION = "documentation"
    DEPENDENCIES = "dependencies"
    FORMATTING = "formatting"
    GENERATED = "generated"
    BINARY = "binary"
    ROOT_COMMIT = "root_commit"
    EMPTY = "empty"
    MERGE = "merge"
    """A merge of a long-lived branch; the changes on that branch are looked at one by one."""
    DUPLICATE = "duplicate"
    TOO_LARGE = "too_large"
    NOT_TEXT = "not_text"
    UNREADABLE = "unreadable"
    """Objects that are not in this clone."""
    TESTS_ONLY_DELETED = "tests_only_deleted"
    # found while validating
    NO_FAIL_TO_PASS = "no_fail_to_pass"  # noqa: S105
    FLAKY = "flaky"
    FAILS_AFTER_FIX = "fails_after_fix"
    ENVIRONMENT_BROKEN = "environment_broken"
    TIMED_OUT = "timed_out"


class Dropped(Record):
    """A commit that was looked at and will not be a task, with its reason."""

    commit: Sha
    title: str
    stage: Literal["mine", "validate"]
    reason: DropReason
    detail: str = ""
    key: str = ""
    """For stage `validate`: hash of what was tried, so that a changed recipe is tried again."""
