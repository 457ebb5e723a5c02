"""Attacks on the judge as one file: they end as they do here, and none is rewarded."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from support.portable import judged

from sandbox.attacks import ATTACKS
from sandbox.attacks.arena import Arena
from sandbox.attacks.attack import Attack, Kind
from sandbox.attacks.sample import Sample
from sandbox.docker import DockerEngine

pytestmark = pytest.mark.docker

ALL = bool(os.environ.get("PATCHMARK_ALL_ATTACKS"))
"""Minutes: for a change of what is packed. Bombs are for the container's own limits to meet."""
SOME = {
    "a plugin by entry point",
    "lines written beside the runner's",
    "results raced",
    "root by a capability or a setuid program",
    "a daemon that outlives the run",
    "the supervisor killed",
}
CHOSEN = [a for a in ATTACKS if a.name in SOME or (ALL and a.kind is not Kind.BOMBS)]


@pytest.mark.parametrize("attacks", CHOSEN, ids=lambda attack: attack.id)
def test_no_attack_is_rewarded(ring: Callable[[Sample], Arena], attacks: Attack) -> None:
    arena = ring(attacks.sample)
    engine = arena.judge.engine
    assert isinstance(engine, DockerEngine)
    seen = judged(engine, arena.task, attacks.text, "--seconds 40")
    assert seen.verdict.get("outcome") in attacks.ends, seen.printed
    assert seen.reward == "0"
