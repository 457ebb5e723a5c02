"""What a job may do, and what is left of it: on a real engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from support.containers import own_containers

from core.errors import EngineError
from sandbox.docker import DockerEngine
from sandbox.engine import Build, File, Job, Limits, Ran
from sandbox.output import OUTPUT_BYTES
from sandbox.owned import LABEL
from sandbox.tars import RESULT_BYTES

pytestmark = pytest.mark.docker

OUT = "/patchmark/out"
SMALL = Limits(seconds=30, memory_mib=128, processes=32)


@pytest.fixture(autouse=True)
def _nothing_left(engine: DockerEngine) -> Iterator[None]:
    """Whatever a test's jobs did: their containers are gone."""
    yield
    assert own_containers(engine) == []


def run(engine: DockerEngine, image: str, script: str, limits: Limits = SMALL) -> Ran:
    files = {"/patchmark/in/script.sh": File(content=script.encode())}
    return engine.run(
        Job(
            image=image,
            command=("sh", "/patchmark/in/script.sh"),
            user="10001",
            files=files,
            folders=(OUT,),
            environment={"GIVEN": "yes"},
            limits=limits,
        )
    )


def test_a_job_has_no_network(engine: DockerEngine, base: str) -> None:
    """No interface but loopback, no route, and no name of a server can be asked for."""
    ran = run(
        engine,
        base,
        "ls /sys/class/net; cat /proc/net/route | wc -l; "
        "python3 -c 'import socket; socket.create_connection((\"192.0.2.1\", 80), 2)' 2>&1",
    )
    first, routes, *error = ran.output.splitlines()
    assert (first, routes) == ("lo", "1")
    assert "unreachable" in error[-1]


def test_a_job_has_no_privilege(engine: DockerEngine, base: str) -> None:
    """An ordinary user without a capability, who cannot gain any."""
    ran = run(engine, base, "id -u; id -g; cat /proc/self/status; cat /proc/1/environ | wc -c")
    status = dict(line.split(":", 1) for line in ran.output.splitlines() if ":\t" in line)
    assert ran.output.splitlines()[:2] == ["10001", "10001"]
    assert {status[f"Cap{name}"].strip(" \t0") for name in ("Inh", "Prm", "Eff", "Bnd")} == {""}
    assert status["NoNewPrivs"].strip() == "1"


def test_a_job_writes_in_its_own_folders_only(engine: DockerEngine, base: str) -> None:
    places = "/etc /usr/bin /opt/patchmark/uv /root / /patchmark/in /sys/fs/cgroup /proc/sys"
    ran = run(engine, base, f"for d in {places}; do touch $d/x 2>/dev/null && echo $d; done; true")
    assert ran.output == ""
    assert run(engine, base, f"touch {OUT}/x").files == {f"{OUT}/x": b""}


def test_a_job_reads_its_files_and_gives_files_back(engine: DockerEngine, base: str) -> None:
    ran = run(engine, base, f'mkdir {OUT}/d; printf "$GIVEN\\0\\377" > {OUT}/d/x; exit 3')
    assert ran.files == {f"{OUT}/d/x": b"yes\0\xff"}
    assert (ran.exit_code, ran.timed_out, ran.out_of_memory) == (3, False, False)


def test_links_and_pipes_do_not_come_back(engine: DockerEngine, base: str) -> None:
    ran = run(engine, base, f"cd {OUT}; ln -s /etc/passwd link; mkfifo pipe; echo 1 > file")
    assert ran.files == {f"{OUT}/file": b"1\n"}


def test_a_job_that_removes_its_folder_has_run(engine: DockerEngine, base: str) -> None:
    """Bug: a patch that did so was an error of the engine, and ended the whole run."""
    job = Job(image=base, command=("rm", "-rf", OUT), folders=(OUT,), limits=SMALL)
    ran = engine.run(job)
    assert (ran.exit_code, ran.files) == (0, {})


def test_a_folder_too_large_is_cut_and_does_not_stall(engine: DockerEngine, base: str) -> None:
    megabytes = RESULT_BYTES // 2**20 + 8
    started = time.monotonic()
    ran = run(engine, base, f"dd if=/dev/zero of={OUT}/big bs=1M count={megabytes} 2>/dev/null")
    assert (ran.exit_code, ran.files) == (0, {})
    assert time.monotonic() - started < 30


def test_the_clock_stops_a_job(engine: DockerEngine, base: str) -> None:
    """What it wrote and said until then is kept."""
    script = f"echo said; echo written > {OUT}/x; trap '' TERM INT; while :; do sleep 9; done"
    ran = run(engine, base, script, Limits(seconds=1.5))
    assert (ran.timed_out, ran.exit_code) == (True, None)
    assert (ran.output, ran.files) == ("said\n", {f"{OUT}/x": b"written\n"})
    assert 1.4 < ran.seconds < 20


def test_memory_is_limited(engine: DockerEngine, base: str) -> None:
    ran = run(engine, base, "python3 -c 'x = bytearray(900_000_000)'; echo $?", SMALL)
    assert ran.out_of_memory
    assert "137" in ran.output.splitlines()


def test_a_fork_bomb_is_contained(engine: DockerEngine, base: str) -> None:
    """It cannot start more processes than allowed, and ends with its container."""
    count = "python3 - <<'EOF'\nimport os, time\nmade = 0\ntry:\n    while made < 500:\n"
    count += "        if os.fork() == 0:\n            time.sleep(60)\n        made += 1\n"
    count += "except OSError as error:\n    print(made, error, flush=True)\nos._exit(0)\nEOF\n"
    ran = run(engine, base, count)
    made = int(ran.output.split()[0])
    assert 5 < made < SMALL.processes
    assert ran.seconds < 20


def test_a_flood_of_output_is_bounded(engine: DockerEngine, base: str) -> None:
    """Neither the engine's log nor our memory grows, and the end of it is what is kept."""
    script = "head -c 60000000 /dev/zero | tr '\\0' x; yes long-line | head -c 5000000; echo end"
    ran = run(engine, base, script)
    assert ran.exit_code == 0
    assert len(ran.output) <= OUTPUT_BYTES
    assert ran.output.endswith("end\n")


def test_output_that_is_no_text_is_readable(engine: DockerEngine, base: str) -> None:
    assert run(engine, base, "printf 'a\\377b'; printf c >&2").output.count("\ufffd") == 1


def test_a_command_that_does_not_exist_is_the_jobs_failure(engine: DockerEngine, base: str) -> None:
    ran = engine.run(Job(image=base, command=("/nowhere",), limits=SMALL))
    assert ran.exit_code == 127
    assert "nowhere" in ran.output


def test_an_image_that_does_not_exist_is_an_error_in_one_line(engine: DockerEngine) -> None:
    with pytest.raises(EngineError) as caught:
        engine.run(Job(image="patchmark/none:none", command=("true",), limits=SMALL))
    assert "\n" not in str(caught.value)


def test_an_image_with_an_entry_point_of_its_own(engine: DockerEngine, base: str) -> None:
    """It does not get our command as its arguments, neither in jobs nor in builds."""
    tag, further = "patchmark-test/entry:1", "patchmark-test/entry:2"
    made = engine._api.create_container(base, "true", labels={f"{LABEL}.test": "1"})["Id"]
    try:
        engine._api.commit(made, *tag.split(":"), changes=['ENTRYPOINT ["/bin/echo", "entry"]'])
        assert run(engine, tag, "echo job").output == "job\n"
        built = engine.build(Build(image=tag, script="echo build", tag=further, limits=SMALL))
        assert built.output == "build\n"
        assert run(engine, further, "echo job").output == "job\n"
    finally:
        engine._api.remove_container(made)
        for name in (further, tag):
            if engine.image_id(name):
                engine._api.remove_image(name)


def test_closing_removes_what_still_runs(engine: DockerEngine, base: str) -> None:
    other = DockerEngine(engine.endpoint)
    ended: list[object] = []

    def job() -> None:
        try:
            ended.append(run(other, base, "sleep 60"))
        except EngineError as error:
            ended.append(error)

    thread = threading.Thread(target=job)
    thread.start()
    wait_for_a_running_container(engine)
    other.close()
    thread.join(20)
    assert len(ended) == 1
    assert own_containers(engine) == []


def wait_for_a_running_container(engine: DockerEngine) -> None:
    until = time.monotonic() + 20
    while not any(found["State"] == "running" for found in own_containers(engine)):
        assert time.monotonic() < until
        time.sleep(0.05)
