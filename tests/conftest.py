"""What all tests share: helpers on the path, golden files, and no way to a paid model."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import stamina

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS))

Golden = Callable[[str, str], None]
FIRST = "sandbox/test_ecosystems.py"
LONGEST = (
    "patchmark/test_pipeline.py",
    "sandbox/test_node_runners.py",
    "patchmark/test_killed_runs.py",
    "patchmark/test_cluster.py",
    "patchmark/test_paid.py",
    "sandbox/test_validate.py",
    "attacks/test_attacks.py",
    "patchmark/test_environments.py",
    "patchmark/test_commands.py",
    "sandbox/test_bad_files.py",
    "patchmark/test_attacks_command.py",
    "attacks/test_honest.py",
    "sandbox/test_judge.py",
    "patchmark/test_hostile_checkout.py",
    "e2e/test_action_run.py",
    "e2e/test_live_run.py",
    "e2e/test_change_check_run.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let goldens be rewritten: the difference is then reviewed like any other."""
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files in an order that keeps several workers busy to the end.

    First the one that makes most images, beside all that needs no container; then the longest.
    """
    with_containers = {item.path for item in items if item.get_closest_marker("docker")}
    longest = {TESTS / name: place for place, name in enumerate(LONGEST, start=2)}
    rest = len(longest) + 2

    def place(item: pytest.Item) -> int:
        if item.path == TESTS / FIRST:
            return 0
        return longest.get(item.path, rest) if item.path in with_containers else 1

    items.sort(key=place)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a text with the file of that name below tests/golden."""

    def compare(name: str, text: str) -> None:
        path = TESTS / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text

    return compare


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            pytest.fail(f"a test wanted to connect to {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    """Retries as many as ever, but without the waits between them."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield
