"""A repository's words to coding agents in one version, laid over a task's tree of any age."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import core.diff
from core.bench import Workbench
from core.errors import EngineError
from core.paths import matches
from models.base import Files
from models.instructions import WithoutInstructions, instructions, is_instruction

if TYPE_CHECKING:
    from models.agent import AgentLimits
    from models.spec import Spec

_SECONDS = 60.0
"""What laying may take."""
_ROOT = 'while [ ! -e .git ] && [ "$PWD" != / ]; do cd ..; done'
"""Commands begin in the folder that is tested, which may lie deeper."""
_LINKS = "find . \\( -name .git -o -name node_modules \\) -prune -o -type l -print"


@dataclass(frozen=True, kw_only=True)
class Guidance:
    """What agents are told, wherever it stands; it takes the place of all that stood there."""

    files: Mapping[str, str]
    """Path → text."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Path → target, which lies within the repository."""
    globs: tuple[str, ...] = ()
    """Paths that are guidance as well, whatever they are called."""

    def covers(self, path: str) -> bool:
        """Whether a path is guidance."""
        return is_instruction(path) or any(matches(path, glob) for glob in self.globs)

    def said(self) -> dict[str, str]:
        """What a prompt has room for."""
        return instructions(_Held(self.files), self.covers)

    def over(self, files: Files) -> Files:
        """A tree with these in place of its own."""
        return _Over(WithoutInstructions(files, self.covers), fitting(self.files, files, self))

    def without(self, diff: str) -> str:
        """A diff without what was laid, or taken away."""
        sections = core.diff.split(diff)
        return "".join(s.text for s in sections if not any(map(self.covers, s.paths)))


@dataclass(frozen=True, kw_only=True)
class Version:
    """How models are asked by one version of a repository's files and settings."""

    guidance: Guidance
    max_output_tokens: int
    agent_limits: AgentLimits

    def digest(self, spec: Spec) -> str:
        """Hash of all that a model with these settings is told by it.

        Of two equal hashes the answers would be to the same questions.
        """
        given = spec.instructions is not False
        asked: list[object] = [spec.max_output_tokens or self.max_output_tokens]
        if given:
            asked.append(list(self.guidance.said().items()))
        if spec.strategy in ("agent", "command"):
            asked.append(repr(self.agent_limits))
            if given:
                asked += [sorted(self.guidance.files.items()), sorted(self.guidance.links.items())]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def fitting(laid: Mapping[str, str], files: Files, guidance: Guidance) -> dict[str, str]:
    """Of what is laid, that for whose folders and names a tree has room.

    Where a folder was a file once, nothing can lie in it.
    """
    others = [path for path in files.files() if not guidance.covers(path)]
    taken = set(others)
    folders = {"/".join(parts[:end]) for parts in _split(others) for end in range(1, len(parts))}
    return {
        path: text
        for path, text in laid.items()
        if path not in folders
        and not any(
            "/".join(path.split("/")[:end]) in taken for end in range(1, path.count("/") + 1)
        )
    }


def prepare(bench: Workbench, files: Files, guidance: Guidance | None, *, given: bool) -> None:
    """Make a workbench's tree what an entrant is to find: with a version's guidance, or none.

    Raises EngineError where that cannot be done, BenchEndedError.
    """
    covers: Callable[[str], bool] = guidance.covers if guidance else is_instruction
    there = [*files.files(), *(_links(bench) if guidance else [])]
    lines = ["set -e", _ROOT]
    if hidden := [shlex.quote(path) for path in there if path.isprintable() and covers(path)]:
        lines.append(f"rm -f -- {' '.join(hidden)}")
    if guidance and given:
        lines += _laying(guidance, files)
    did = bench.run("sh -s", given="\n".join([*lines, ""]), seconds=_SECONDS)
    if did.exit_code != 0:
        raise EngineError(f"guidance cannot be laid: {did.output.strip()[-200:]}")


def _laying(guidance: Guidance, files: Files) -> list[str]:
    texts, links = (fitting(laid, files, guidance) for laid in (guidance.files, guidance.links))
    lines = [f"mkdir -p -- {shlex.quote(_folder(path))}" for path in (*texts, *links)]
    lines += [
        # Between quotes nothing means anything, and no text is too long for a line that is read.
        f"printf %s {shlex.quote(text)} > {shlex.quote('./' + path)}"
        for path, text in texts.items()
    ]
    lines += [
        f"ln -sfn -- {shlex.quote(target)} {shlex.quote('./' + path)}"
        for path, target in links.items()
    ]
    return lines


def _links(bench: Workbench) -> list[str]:
    found = bench.run(f"{_ROOT}\n{_LINKS}", seconds=_SECONDS).output
    return [line.removeprefix("./") for line in found.splitlines()]


def _folder(path: str) -> str:
    return "./" + path.rpartition("/")[0]


def _split(paths: list[str]) -> list[list[str]]:
    return [path.split("/") for path in paths]


@dataclass(frozen=True)
class _Held:
    """These files and no others."""

    texts: Mapping[str, str]

    def files(self) -> list[str]:
        return [*self.texts]

    def read(self, path: str) -> str | None:
        return self.texts.get(path)


@dataclass(frozen=True)
class _Over:
    """A tree with files of our own over it."""

    inner: Files
    laid: Mapping[str, str]

    def files(self) -> list[str]:
        """See Files.files."""
        return sorted([*self.inner.files(), *self.laid])

    def read(self, path: str) -> str | None:
        """See Files.read."""
        return self.laid[path] if path in self.laid else self.inner.read(path)
