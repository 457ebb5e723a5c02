"""Where an engine is looked for."""

from __future__ import annotations

import gc
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import EngineError
from sandbox.discover import HELP, connect, endpoints


@pytest.fixture
def runtime() -> Iterator[Path]:
    """A short folder: the path of a socket may be 107 bytes long."""
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def _no_client_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    monkeypatch.delenv("DOCKER_HOST", raising=False)


def test_docker_host_is_taken_at_its_word() -> None:
    assert endpoints({"DOCKER_HOST": "tcp://127.0.0.1:1", "XDG_RUNTIME_DIR": "/x"}) == [
        "tcp://127.0.0.1:1"
    ]


def test_a_users_own_sockets_are_found(runtime: Path) -> None:
    with socket.socket(socket.AF_UNIX) as podman, socket.socket(socket.AF_UNIX) as docker:
        (runtime / "podman").mkdir()
        podman.bind(str(runtime / "podman/podman.sock"))
        docker.bind(str(runtime / "docker.sock"))
        found = endpoints({"XDG_RUNTIME_DIR": str(runtime)})
    own = [name for name in found if str(runtime) in name]
    assert own == [f"unix://{runtime}/docker.sock", f"unix://{runtime}/podman/podman.sock"]


def test_a_file_that_is_no_socket_is_no_engine(runtime: Path) -> None:
    (runtime / "docker.sock").touch()
    assert not [e for e in endpoints({"XDG_RUNTIME_DIR": str(runtime)}) if str(runtime) in e]


def test_each_place_is_named_once() -> None:
    found = endpoints({})
    assert len(found) == len(set(found))


@pytest.mark.parametrize("config", ["", "{", "[]", '{"currentContext": "gone"}'])
def test_a_broken_client_configuration_is_passed_over(tmp_path: Path, config: str) -> None:
    (tmp_path / "config.json").write_text(config, encoding="utf-8")
    assert isinstance(endpoints({}), list)


# The SDK leaves a socket that could not connect to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("host", ["unix:///nowhere/engine.sock", "tcp://127.0.0.1:9", "nonsense"])
def test_no_engine_is_one_line_with_the_remedy(host: str) -> None:
    with pytest.raises(EngineError) as caught:
        connect({"DOCKER_HOST": host})
    message = str(caught.value)
    del caught
    gc.collect()
    assert message.startswith(HELP)
    assert host in message
    assert "\n" not in message
