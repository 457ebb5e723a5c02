"""The same tasks with two versions of a repository's guidance and settings: making such a run.

All that is not compared is the base's word: its settings file is the only one that a run obeys.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from core.change_check import ChangeCheck, ChangedItem, CheckedEntrant
from core.errors import UsageError
from core.git import Repository
from core.programs import work_tree
from core.report import Report
from models.guidance import Version
from models.spec import BASELINE_NAMES, parse, with_version, works_in_a_container
from patchmark import __version__
from patchmark.change_check_files import (
    WORKING_TREE,
    Side,
    called,
    commit_of,
    default_branch,
    side,
    where_they_part,
)
from patchmark.change_check_items import changed, unread
from patchmark.change_check_plan import Plan
from patchmark.change_check_settings import Twin, differences, limits, twins
from patchmark.config import DEFAULT_OUTPUT_TOKENS, NAME, Config, load, read
from patchmark.settings import (
    DEFAULT_MODELS,
    Flags,
    Settings,
    make,
)
from patchmark.sources import name_of
from patchmark.under_test import open_repository, refuse_tracked
from reports.change_check import with_change
from reports.gates import Wanted
from reports.words import listing

OUT = Path("patchmark-check")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What two versions are to be compared."""

    base: str | None = None
    """Where the change would go; None = the default branch."""
    head: str | None = None
    """None = the working tree."""
    globs: tuple[str, ...] = ()
    """Paths that are guidance as well."""


def prepared(flags: Flags, wish: Wish, environment: Mapping[str, str]) -> Settings:
    """The settings of a check, with its `change`. Raises UsageError as `settings.make`.

    Nothing is asked or mined yet; where nobody reads what changed, no entrant is in its `change`.
    """
    repo = (flags.repo or Path()).expanduser()
    repository = open_repository(repo)
    base, head = _commits(repository, wish)
    kept = _settings_path(repository, repo, flags.config)
    ours, theirs = (side(repository, one, wish.globs, kept) for one in (base, head))
    where = [f"{kept or flags.config} of {called(one)}" for one in (base, head)]
    configs = [read(s.settings or "", w) for s, w in zip((ours, theirs), where, strict=True)]
    with tempfile.TemporaryDirectory(prefix="patchmark-") as folder:
        path = Path(folder, NAME)
        path.write_text(ours.settings or "", encoding="utf-8")
        asked = replace(flags, config=path if kept else flags.config, out=flags.out or OUT)
        settings = make(asked, environment)
    if not kept and flags.config:  # a file of nobody's version holds for both
        configs = [load(flags.config)] * 2
    pairs, odd = _twins(settings, configs, where[1], given=flags.models is not None)
    agents = any(works_in_a_container(n) for twin in pairs for n in (twin.base, twin.head))
    checked = _Checked(settings, configs, (ours, theirs), pairs)
    told = differences(ours.settings, theirs.settings, agents=agents) if kept else None
    about = ChangeCheck(
        base=base,
        head=head,
        margin=settings.margin,
        compared=(*changed(ours, theirs), *(told.compared if told else ()), *checked.renamed()),
        ignored=(*unread(ours, theirs), *(told.ignored if told else ()), *odd),
        entrants=tuple(checked.entrants()),
        untouched=tuple(twin.base for twin in pairs if checked.reads_the_same(twin)),
    )
    return _with(settings, Plan(about=about, versions=checked.versions()))


def idle_report(settings: Settings) -> Report:
    """The report of a check that has nobody to ask. Raises UsageError as `run.opened` does."""
    assert settings.change is not None  # `prepared` has made it
    about = settings.change.about
    repository = open_repository(settings.repo)
    refuse_tracked(repository, settings.out)
    report = Report(
        repository=name_of(repository, settings.repo),
        head=about.base,
        made_at=datetime.now(UTC).replace(microsecond=0),
        patchmark_version=__version__,
        verdict="",
        tasks_broken=False,
        replayed=False,
        fiction=False,
        commits_seen=0,
        candidates=0,
        entrants=(),
        tasks=(),
        dropped=(),
        limits=(),
    )
    return settings.redactor.record(with_change(report, about))


def _commits(repository: Repository, wish: Wish) -> tuple[str, str]:
    """Where the two part, and the head."""
    asked = commit_of(repository, wish.base or default_branch(repository), "--base")
    if wish.head is None:
        return where_they_part(repository, asked, repository.head), WORKING_TREE
    head = commit_of(repository, wish.head, "--head")
    return where_they_part(repository, asked, head), head


def _settings_path(repository: Repository, repo: Path, given: Path | None) -> str:
    """Its path from the repository's root; "" where it lies outside, as no version's own."""
    root = work_tree(repository.path)
    path = (given or repo / NAME).expanduser().absolute()
    path = path.parent.resolve() / path.name
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else ""


def _twins(
    settings: Settings, configs: Sequence[Config], where: str, *, given: bool
) -> tuple[list[Twin], list[ChangedItem]]:
    base, head = (config.models or DEFAULT_MODELS for config in configs)
    theirs = settings.models if given else head
    found, odd = twins(settings.models, theirs, where, settings.commands)
    if given and base != head:
        why = "who is asked was said when the check was started"
        odd.append(ChangedItem(name="models", how=f"{listing(base)} → {listing(head)}", why=why))
    if not found:
        raise UsageError(
            "no model takes part, so there is nobody to ask: name one under `models` in the base's "
            f"{NAME}, or with --models"
        )
    return found, odd


@dataclass(frozen=True)
class _Checked:
    """Who is asked, with what."""

    settings: Settings
    configs: Sequence[Config]
    sides: tuple[Side, Side]
    twins: Sequence[Twin]

    def entrants(self) -> Iterable[CheckedEntrant]:
        """Those who are told something else by the head than by the base."""
        for twin in self.twins:
            if not self.reads_the_same(twin):
                base, head = self._names(twin)
                yield CheckedEntrant(entrant=twin.base, other=twin.head, base=base, head=head)

    def reads_the_same(self, twin: Twin) -> bool:
        """Whether both versions ask a model the same questions."""
        return twin.base == twin.head and self._digest(twin.base, 0) == self._digest(twin.head, 1)

    def versions(self) -> dict[str, Version]:
        """By what the names of those who are asked call them."""
        found: dict[str, Version] = {}
        for twin in self.twins:
            for at, name in enumerate(self._names(twin)):
                found[parse(name).version] = self._versions[at]
        return found

    def renamed(self) -> list[ChangedItem]:
        """Models that the head's settings ask in another way."""
        return [
            ChangedItem(name="models", how=f"{twin.base} → {twin.head}")
            for twin in self.twins
            if twin.base != twin.head
        ]

    def _names(self, twin: Twin) -> tuple[str, str]:
        base, head = self._digest(twin.base, 0), self._digest(twin.head, 1)
        return (
            with_version(twin.base, f"base-{base[:8]}"),
            with_version(twin.head, f"head-{head[:8]}"),
        )

    def _digest(self, name: str, at: int) -> str:
        return self._versions[at].digest(parse(name))

    @property
    def _versions(self) -> tuple[Version, Version]:
        base, head = self.configs
        settings = self.settings
        return (
            Version(
                guidance=self.sides[0].guidance,
                max_output_tokens=settings.max_output_tokens,
                agent_limits=settings.agent_limits,
            ),
            Version(
                guidance=self.sides[1].guidance,
                max_output_tokens=head.max_output_tokens or DEFAULT_OUTPUT_TOKENS,
                agent_limits=limits(base, head),
            ),
        )


def _with(settings: Settings, plan: Plan) -> Settings:
    """The run that measures it: everybody twice, and nothing that only a backtest needs."""
    baselines = [name for name in settings.models if name in BASELINE_NAMES]
    asked = [name for one in plan.about.entrants for name in (one.base, one.head)]
    caps = {
        name: settings.caps[one.entrant] / 2
        for one in plan.about.entrants
        if one.entrant in settings.caps
        for name in (one.base, one.head)
    }
    return replace(
        settings,
        models=(*baselines, *asked),
        caps=caps,
        change=plan,
        current_model=None,
        wanted=Wanted(),
        probe=False,
        judge_model=None,
    )
