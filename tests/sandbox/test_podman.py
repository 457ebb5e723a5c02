"""Podman, which speaks Docker's API with an accent: all that the sandbox asks of an engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.own_engine import SMALL, load_small
from support.own_podman import OwnPodman, missing

from core.errors import EngineError
from sandbox.docker import DockerEngine
from sandbox.engine import Build, File, Job, Limits, Ran
from sandbox.isolation import offered
from sandbox.owned import LABEL
from sandbox.session import Session
from sandbox.stock import Marks, Stock

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(bool(missing()), reason=f"Podman is not tried here: no {missing()}"),
]
LIMITS = Limits(seconds=20, memory_mib=128, processes=20, disk_mib=16)
LAYER = "patchmark/task:1"


@pytest.fixture(scope="module")
def podman() -> Iterator[DockerEngine]:
    """One with the small image, which came as base images come: as a root file system."""
    with OwnPodman() as own:
        engine = DockerEngine(own.endpoint)
        load_small(engine)
        yield engine
        with engine.api() as api:
            assert api.containers(all=True) == []
        engine.close()


def run(engine: DockerEngine, script: str, limits: Limits = LIMITS) -> Ran:
    """A job as tests are one."""
    return engine.run(
        Job(
            image=SMALL,
            command=("sh", "-c", script),
            user="10001",
            files={"/given": File(content=b"given\n")},
            folders=("/patchmark/out",),
            limits=limits,
        )
    )


def test_a_root_file_system_becomes_an_image_with_its_name_and_label(podman: DockerEngine) -> None:
    """Bug: by Docker's way Podman lost the tag, or stumbled over the stream."""
    assert podman.image_id(SMALL) is not None
    with podman.api() as api:
        assert api.inspect_image(SMALL)["Config"]["Labels"] == {LABEL: "image"}
    assert podman.image_id("patchmark-test/none:1") is None
    podman.remove_image("patchmark-test/none:1")  # Bug: Podman's "not found" was an error
    assert offered(podman).seccomp


def test_a_job_has_its_files_and_neither_network_nor_rights(podman: DockerEngine) -> None:
    ran = run(podman, "cat /given; ls /sys/class/net; id -u; cat /given > /patchmark/out/x; exit 3")
    assert (ran.exit_code, ran.output) == (3, "given\nlo\n10001\n")
    assert dict(ran.files) == {"/patchmark/out/x": b"given\n"}
    status = run(podman, "while read -r line; do echo $line; done < /proc/self/status").output
    told = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    assert {told[f"Cap{name}"].strip(" 0") for name in ("Inh", "Prm", "Eff", "Bnd")} == {""}
    assert (told["NoNewPrivs"].strip(), told["Seccomp"].strip()) == ("1", "2")


@pytest.mark.parametrize(
    ("script", "limits", "stopped"),
    [
        ("sleep 60", Limits(seconds=2, memory_mib=64), "took longer than 2 s"),
        ("yes > /tmp/x", Limits(seconds=20, memory_mib=64, disk_mib=16), ""),
        ("yes", Limits(seconds=20, memory_mib=64, output_mib=8), "printed more than 8 MiB"),
        ("sleep 60", Limits(seconds=30, memory_mib=64, idle_seconds=1), "did nothing"),
    ],
)
def test_limits_hold(podman: DockerEngine, script: str, limits: Limits, stopped: str) -> None:
    ran = run(podman, script, limits)
    assert stopped in ran.stopped
    assert ran.exit_code != 0
    assert ran.seconds < 15


def test_processes_and_memory_are_limited(podman: DockerEngine) -> None:
    many = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do sleep 5 & done"
    assert run(podman, many).exit_code != 0
    # A shell that holds more than it may: what ends it is told, on control groups v1 not why.
    hog = "x=$(head -c 1000000 /dev/zero | { yes; } | head -c 300000000); echo survived"
    assert "survived" not in run(podman, hog, Limits(seconds=20, memory_mib=64)).output


def test_builds_layers_listing_and_pruning(podman: DockerEngine, tmp_path: Path) -> None:
    """Bug: under Podman's own names for them no image was ever listed, and none pruned."""
    built = podman.build(
        Build(
            image=SMALL,
            script="cat $SSL_CERT_FILE; echo $PIP_INDEX_URL > /cache/x; echo made > /made",
            tag=LAYER,
            ca_bundle=b"an authority\n",
            secrets={"PIP_INDEX_URL": "https://index.example"},
            cache_volume="patchmark-cache-1",
            limits=LIMITS,
        )
    )
    assert (built.exit_code, built.output) == (0, "an authority\n")
    job = Job(image=LAYER, command=("sh", "-c", "cat /made; ls /cache"), limits=LIMITS)
    assert podman.run(job).output.splitlines()[0] == "made"
    stock = Stock(podman, Marks(tmp_path))
    assert [one.tag for one in stock.kept()] == [LAYER]
    assert [one.tag for one in stock.caches()] == ["patchmark-cache-1"]
    assert {one.tag for one in stock.prune(0)} == {LAYER, "patchmark-cache-1"}
    assert podman.image_id(LAYER) is None


def test_a_session_takes_one_command_after_the_other(podman: DockerEngine) -> None:
    with Session.opened(podman, SMALL, LIMITS) as session:
        session.as_root("mkdir -p /repo", 10)
        first = session.run("cat; echo x > /tmp/kept; exit 4", {}, b"given\n", 10, 1000)
        assert (first.output, first.exit_code) == (b"given\n", 4)
        assert session.run("cat /tmp/kept; echo $A", {"A": "b"}, b"", 10, 1000).output == b"x\nb\n"


def test_without_its_init_podman_says_what_to_install(podman: DockerEngine) -> None:
    words = "container create: container-init binary not found on the host"
    import docker

    with pytest.raises(EngineError, match="apt-get install catatonit"), podman.api():
        raise docker.errors.APIError(words)
