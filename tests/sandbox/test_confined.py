"""What a container is held to: as asked for, as it finds it, and as doctor and reports say it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.command_line import patchmark
from support.own_engine import SMALL
from support.repos import Repo

from core.confinement import Confinement
from core.errors import EngineError, UsageError
from patchmark.workers import unordered
from sandbox.base import USER
from sandbox.docker import DockerEngine
from sandbox.engine import Job, Limits
from sandbox.isolation import confinement, offered, seen


@pytest.mark.docker
def test_what_isolation_there_is_is_said_and_seen(engine: DockerEngine, base: str) -> None:
    """The places that are no job's own are those which everybody may write to, in its own layer."""
    said = offered(engine)
    assert said.runtime in said.runtimes
    found = seen(engine, base)
    assert found.holds, found
    assert found.interfaces == ("lo",)
    shared = {"/tmp", "/var/tmp", "/run/lock", "/dev/shm", "/dev/mqueue"}
    assert set(found.writable) - shared == {"/home/patchmark", "/patchmark/out"}


@pytest.mark.docker
def test_a_runtime_that_is_there_is_used_and_one_that_is_not_is_an_error(
    engine: DockerEngine, alone: DockerEngine
) -> None:
    name = offered(engine).runtime
    chosen = DockerEngine(alone.endpoint, runtime=name)
    with (
        chosen.api() as api,
        chosen._containers.made(
            image=SMALL, command=("true",), user="0", environment={}, host={}
        ) as made,
    ):
        assert api.inspect_container(made)["HostConfig"]["Runtime"] == name
    chosen.close()
    with pytest.raises(UsageError, match=rf"\[sandbox\] runtime .* no 'kata'; it offers .*{name}"):
        DockerEngine(alone.endpoint, runtime="kata")


def test_an_unknown_runtime_is_no_engine_that_does_not_answer() -> None:
    """Else the next engine would be tried, and take the work without what was asked for."""
    assert not issubclass(UsageError, EngineError)


@pytest.mark.docker
def test_doctor_shows_what_isolation_this_machine_gives(
    engine: DockerEngine, base: str, tmp_path: Path
) -> None:
    Repo(tmp_path / "repo").commit("Start", {"a.py": ""})
    asked = ("doctor", "--repo", "repo", "--json")
    done = patchmark(tmp_path, *asked, DOCKER_HOST=engine.endpoint)
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert (checks["isolation"]["ok"], checks["container"]["ok"]) == (True, True)
    assert checks["isolation"]["found"] == str(offered(engine))
    for words in ("runtime ", "seccomp ", "cgroups v", "user namespaces", "disk"):
        assert words in checks["isolation"]["found"]
    for words in ("interfaces: lo", "capabilities: none", "new privileges: no", "seccomp: on"):
        assert words in checks["container"]["found"]
    done = patchmark(tmp_path, *asked, DOCKER_HOST=engine.endpoint, PATCHMARK_RUNTIME="nobodys")
    (check,) = (check for check in json.loads(done.stdout) if check["name"] == "engine")
    assert done.returncode == 2
    assert "PATCHMARK_RUNTIME" in check["found"]
    assert "has no 'nobodys'; it offers " in check["found"]


@pytest.mark.docker
def test_the_engine_is_asked_for_every_limit(alone: DockerEngine) -> None:
    """Each is one setting that an engine would silently do without."""
    limits = Limits(memory_mib=64, cpus=0.5, processes=17, disk_mib=33, seconds=30)
    # In version 2 of control groups, and in version 1, where swap is counted with the memory.
    script = (
        "cd /sys/fs/cgroup; cat pids.max memory.max cpu.max memory.swap.max 2> /dev/null || "
        "cat pids/pids.max memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us "
        "memory/memory.memsw.limit_in_bytes; ulimit -f; ulimit -c; cat /proc/1/comm"
    )
    job = Job(image=SMALL, command=("sh", "-c", script), user=USER, limits=limits)
    pids, memory, cpus, swap, file, core, first = alone.run(job).output.splitlines()
    assert (pids, memory, cpus.split()[0]) == ("17", str(64 << 20), "50000")
    assert swap in ("0", memory)
    assert (file, core, first) == (str(33 << 11), "0", "docker-init")


@pytest.mark.docker
def test_the_clock_starts_with_the_container_and_not_in_the_queue(alone: DockerEngine) -> None:
    """The last of three waits longer for its turn than it may run."""
    job = Job(image=SMALL, command=("sleep", "0.8"), limits=Limits(seconds=1.5, memory_mib=64))
    done = [ran for _, ran in unordered(range(3), lambda _: alone.run(job), 1)]
    assert [(ran.exit_code, ran.timed_out) for ran in done] == [(0, False)] * 3


@pytest.mark.docker
def test_what_reports_say_is_what_is_asked_for(engine: DockerEngine) -> None:
    limits = Limits(seconds=3, processes=99)
    held = confinement(engine, limits)
    assert (held.network, held.user, held.runtime) == ("none", USER, offered(engine).runtime)
    kept = held.model_dump(exclude={"network", "user", "runtime", "schema_version"})
    assert kept == limits.record()
    assert Confinement.model_validate_json(held.model_dump_json()) == held
