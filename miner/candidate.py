"""A change that is worth running, on its way to a Candidate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from core.diff import FileDiff
from core.languages import language_of
from core.objects import Objects
from core.paths import Kind, PathRules, kind_of
from core.types import Candidate, Difficulty, Expected
from miner.expects import FileChange, expected
from miner.history import Change, Touched
from miner.links import Texts, links, named, pull_number
from miner.part import Parts
from miner.said import state
from miner.sides import Brought, merged_messages
from miner.tracker import Issue, PullRequest, Tracker

_HUNK = re.compile(r"^@@ ", re.MULTILINE)
_COMPARED_AT_MOST = 100


class Contents:
    """The texts of a change's files, each read when first asked for."""

    def __init__(self, change: Change, objects: Objects):
        self._files = {file.path: file for file in change.files()}
        self._objects = objects
        self._known: dict[str, tuple[str | None, str | None]] = {}

    def __call__(self, path: str) -> tuple[str | None, str | None]:
        """Text before and after; None where there is no such file, or it is no text."""
        if path not in self._known:
            file = self._files.get(path)
            texts = (None, None) if file is None else (self._text(file, 0), self._text(file, 1))
            self._known[path] = texts
        return self._known[path]

    def _text(self, file: Touched, side: int) -> str | None:
        blob = file.after if side else file.before
        if blob is None or file.mode in ("120000", "160000"):
            return None
        content = self._objects.read(blob)
        try:
            return None if content is None or b"\0" in content[:8000] else content.decode()
        except UnicodeDecodeError:
            return None


@dataclass(frozen=True)
class Found:
    """A change taken apart, before anybody was asked what people say about it."""

    change: Change
    parts: Parts
    patch_id: str
    expects: tuple[Expected, ...]
    brought: Sequence[Brought]
    brought_by: int | None = None
    """The pull request, where that is known beforehand."""

    @property
    def pull(self) -> int | None:
        """The pull request that is known, or that its message names."""
        return self.brought_by or pull_number(self.change.message)


def find(
    change: Change, parts: Parts, patch_id: str, contents: Contents, brought: Sequence[Brought]
) -> Found:
    """Take from the repository all that a candidate needs of it."""
    fix, tests = (
        [FileChange(path, *contents(path)) for section in side for path in sorted(section.paths)]
        for side in (parts.fix, parts.tests)
    )
    return Found(change, parts, patch_id, expected(fix, tests), brought)


def candidates(batch: Sequence[Found], tracker: Tracker, rules: PathRules) -> list[Candidate]:
    """Ask for the pull requests and issues of many changes at once, and make candidates."""
    numbers = {found.pull for found in batch if found.pull is not None}
    commits = {found.change.commit for found in batch if found.pull is None}
    pulls = tracker.pull_requests(numbers, commits)
    texts = [_texts(found, pulls) for found in batch]
    mentioned = [named(text, tracker.slug) for text in texts]
    issues = tracker.issues({number for each in mentioned for number in each} - numbers)
    return [
        _candidate(found, text, numbers_and_rules, issues, rules)
        for found, text, numbers_and_rules in zip(batch, texts, mentioned, strict=True)
    ]


def _texts(found: Found, pulls: Mapping[int | str, PullRequest]) -> Texts:
    pull = pulls.get(found.change.commit if found.pull is None else found.pull)
    return Texts(found.change.message, merged_messages(found.brought), pull)


def _candidate(
    found: Found,
    texts: Texts,
    mentioned: Mapping[int, str],
    issues: Mapping[int, Issue],
    rules: PathRules,
) -> Candidate:
    change, parts = found.change, found.parts
    pull = texts.pull_request.number if texts.pull_request else found.pull
    statement = state(
        texts,
        subject=change.title,
        written_at=min([change.written_at, *(one.written_at for one in found.brought)]),
        links=links(mentioned, issues, texts, _closers(found, pull)),
        issues=issues,
        gold_added=added_lines(parts.fix),
    )
    return Candidate(
        id=change.commit[:12],
        base_commit=change.parents[0],
        fix_commit=change.commit,
        committed_at=change.committed_at,
        patch_id=found.patch_id,
        pull_request=pull,
        links=statement.links,
        labels=statement.labels,
        title=statement.title,
        statement=statement.text,
        statement_source=statement.source,
        expects=found.expects,
        removed=statement.removed,
        leak=statement.leak,
        vagueness=statement.vagueness,
        difficulty=difficulty(parts, rules),
        gold_patch=_text(parts.fix),
        test_patch=_text(parts.tests),
        source_files=_paths(parts.fix, Kind.SOURCE, rules),
        test_files=_paths(parts.tests, None, rules),
        runner_files=parts.runner_files,
        path_rules=rules,
    )


def _closers(found: Found, pull: int | None) -> set[str]:
    """What an issue's timeline may name as what closed it."""
    commits = {found.change.commit, *(one.commit for one in found.brought)}
    return commits | ({f"#{pull}"} if pull is not None else set())


def added_lines(sections: Iterable[FileDiff]) -> list[str]:
    """The lines that a patch adds, without their mark."""
    return [
        line[1:]
        for section in sections
        if not section.binary
        for line in section.text[section.text.find("\n@@") + 1 :].split("\n")
        if line.startswith("+")
    ]


def difficulty(parts: Parts, rules: PathRules) -> Difficulty:
    """How large a fix is and how far it lies from its tests."""
    source = _paths(parts.fix, Kind.SOURCE, rules)
    return Difficulty(
        files=len(parts.fix),
        hunks=sum(len(_HUNK.findall(section.text)) for section in parts.fix),
        lines=sum(section.added + section.removed for section in parts.fix),
        languages=tuple(sorted({name for path in source if (name := language_of(path))})),
        distance=_distance(source, _paths(parts.tests, None, rules)),
    )


def _distance(one: Sequence[str], other: Sequence[str]) -> int:
    steps = [
        _steps(PurePosixPath(a).parts[:-1], PurePosixPath(b).parts[:-1])
        for a in one[:_COMPARED_AT_MOST]
        for b in other[:_COMPARED_AT_MOST]
    ]
    return min(steps, default=0)


def _steps(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    common = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        common += 1
    return len(one) + len(other) - 2 * common


def _text(sections: tuple[FileDiff, ...]) -> str:
    return "".join(section.text for section in sections)


def _paths(sections: tuple[FileDiff, ...], kind: Kind | None, rules: PathRules) -> tuple[str, ...]:
    """The paths of one kind; None = tests, those inside of source files too."""
    wanted = {Kind.TEST, Kind.SOURCE} if kind is None else {kind}
    return tuple(sorted({p for s in sections for p in s.paths if kind_of(p, rules) in wanted}))
