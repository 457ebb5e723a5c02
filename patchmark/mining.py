"""The first stage: history → candidates, and `mined.json`, which says up to where."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import StoreError
from core.paths import NO_RULES, PathRules
from core.store import FILES
from core.types import Candidate, Dropped
from miner.file_tracker import NoTracker
from miner.mine import Earlier, Known, mine
from miner.tracker import Tracker
from patchmark import imported
from patchmark.run import Run
from patchmark.sources import tracker_for

NAME = "mined.json"


class Mined(BaseModel):
    """What the last mining of a run folder looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    head: str | None = None
    """Where HEAD was when all of it had been looked at; None = never yet."""
    rules: PathRules = NO_RULES
    complete: bool = True
    """False for a shallow or partial clone, which may hold more the next time."""
    missed: int = 0
    """Issues, pull requests and commits that nobody could be asked about."""


def read(folder: Path) -> Mined:
    """What is known of a run folder's mining. Raises StoreError for an unreadable file."""
    path = folder / NAME
    try:
        return Mined.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Mined()
    except (OSError, ValidationError) as error:
        raise StoreError(f"{path}: cannot be read: {error}") from error


def mine_stage(run: Run) -> None:
    """History → candidates. Only what is new since the last time is read.

    With other rules of what a test is, or where the clone lacked a part of the history, all
    is mined anew; what the folder held is set aside. Where tasks were imported, none is.
    """
    if imported.read(run.folder.path) is not None:
        run.show.tell("the tasks of this folder were imported: the history is not mined")
        return
    before = read(run.folder.path)
    rules = run.settings.path_rules
    if before.head is not None and (before.rules != rules or not before.complete):
        _set_aside(run.folder.path)
        before = Mined()
    tracker = tracker_for(run.settings, run.repository, run.show.tell)
    if before.missed and not isinstance(tracker, NoTracker):
        run.show.tell("known candidates keep their statements; a new --out folder asks anew")
    now = Mined(rules=rules, complete=not (run.repository.is_shallow or run.repository.is_partial))
    _write(run.folder.path, now.model_copy(update={"head": before.head, "missed": before.missed}))
    _mine(run, tracker, before.head)
    done = {"head": run.repository.head, "missed": before.missed + tracker.missed}
    _write(run.folder.path, now.model_copy(update=done))


def notices(folder: Path) -> tuple[str, ...]:
    """What a reader of the report should know about the mining."""
    there = read(folder)
    said = []
    if there.head is not None and not there.complete:
        said.append(
            "This clone has only a part of the history, so only that was looked at: check it out "
            "with `fetch-depth: 0`, or `git fetch --unshallow`."
        )
    if there.missed:
        said.append(
            f"{there.missed} issues, pull requests and commits could not be looked up on GitHub; "
            "the statements of such changes come from commit messages."
        )
    return tuple(said)


def together(folders: Sequence[Path], out: Path) -> None:
    """Note for `out` what was mined for all of these; nothing where they differ."""
    every = [read(folder) for folder in folders]
    if len({(one.head, one.rules.model_dump_json()) for one in every}) == 1:
        missed = max(one.missed for one in every)
        _write(out, every[0].model_copy(update={"missed": missed}))


def _mine(run: Run, tracker: Tracker, head: str | None) -> None:
    known = Known(
        head=head,
        candidates={
            c.fix_commit: Earlier(c.title, c.pull_request, c.patch_id) for c in run.candidates()
        },
    )
    gone = {(d.commit, d.reason) for d in run.folder.read(Dropped)}
    with run.show.stage("mine", _commits(run, head)) as step:
        for record in mine(run.repository, tracker, rules=run.settings.path_rules, known=known):
            if isinstance(record, Candidate) or (record.commit, record.reason) not in gone:
                run.folder.append(record)
            step.advance()


def _commits(run: Run, head: str | None) -> int:
    old = [f"^{head}"] if head and run.repository.has(head) else []
    return int(
        run.repository.text("rev-list", "--count", "--first-parent", run.repository.head, *old)
    )


def _set_aside(folder: Path) -> None:
    for kind in (Candidate, Dropped):
        path = folder / FILES[kind]
        if path.exists():
            path.replace(path.with_suffix(".before.jsonl"))


def _write(folder: Path, mined: Mined) -> None:
    path = folder / NAME
    unfinished = path.with_name(f"{NAME}.new")
    try:
        unfinished.write_text(mined.model_dump_json(indent=1) + "\n", encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error}") from error
