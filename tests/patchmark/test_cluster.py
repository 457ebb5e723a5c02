"""Runs over several workers: the verdicts of one machine, whatever happens to some of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from support.calc_repo import CalcRepo
from support.command_line import command, environment, patchmark
from support.containers import own_containers
from support.dask_cluster import Worker, can_cut, started
from support.fake_whole import WholeChat
from support.loopback import Asked, Behaviour
from support.sample import ISSUES, sample

from core.errors import EngineError
from core.git_copy import copy_name, read_copy, write_copy
from core.types import Task
from patchmark.cluster.host import Host, Hosts, NotHereError, placing
from patchmark.cluster.records import Setup, read_setup, write_setup
from sandbox.base import base_tag
from sandbox.discover import connect
from sandbox.docker import DockerEngine
from sandbox.ecosystems.python import toolchain
from sandbox.engine import Limits
from sandbox.recipe import EnvironmentSettings

pytestmark = pytest.mark.docker
AGENT = (Path(__file__).parents[1] / "support/tiny_agent.py").read_text("utf-8")
ROOT = Path(__file__).parents[2]
QWEN = "server:qwen"
WORKING, COMMAND = f"{QWEN}+agent+tools=on", f"{QWEN}+command=tiny"
MODELS = ("reference", "empty", QWEN, WORKING, COMMAND)


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@dataclass
class Team:
    """Someone who has one machine, and then several."""

    folder: Path
    repository: Path
    server: WholeChat
    out: Path
    happens: Callable[[], None] | None = None
    """What happens, once, while an agent waits for its second answer."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, asked: Asked, _: int) -> Behaviour:
        """A model that answers the same to the same."""
        tasks = {task["id"]: task for task in rows(self.out / "tasks.jsonl")}
        titles = {json.dumps(t["title"], ensure_ascii=False)[1:-1]: t for t in tasks.values()}
        task = next(titles[title] for title in titles if title in asked.text)
        said = sum(message["role"] == "assistant" for message in asked.body["messages"])
        fix = f"git apply <<'EOF'\n{task['gold_patch']}\nEOF\n"
        text, calls = "I cannot say.", tuple[tuple[str, str], ...]()
        if "tools" in asked.body:
            with self._lock:
                event, self.happens = (self.happens, None) if said else (None, self.happens)
                if event:
                    event()
            vain = json.dumps({"command": f"echo '# fixed' >> {task['source_files'][0]}"})
            text, calls = "so", ((("shell", vain), ("submit", "{}"))[said],)
        elif not asked.body.get("stream"):
            text = "DONE" if said else fix
        return Behaviour(text=text, calls=calls)

    def words(self, out: Path, *more: str) -> list[str]:
        return command(
            "run", "--repo", self.repository, "--out", out, "--issues", ISSUES, "--models",
            ",".join(MODELS), "--max-tasks", "1", "--since", "2025-08-01", *more,
        )  # fmt: skip

    def start(self, out: Path, *more: str) -> subprocess.Popen[str]:
        self.out = out
        return subprocess.Popen(
            self.words(out, *more), cwd=self.folder, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(self.folder / out.name, PATCHMARK_SERVER_URL=self.server.url,
                            PATCHMARK_SERVER_KEY="k-e-y-e-d"),
        )  # fmt: skip

    def run(self, out: Path, *more: str) -> str:
        with self.start(out, *more) as process:
            told, _ = process.communicate(timeout=200)
        assert process.returncode == 0, told
        return told


@pytest.fixture(scope="module")
def engine() -> Iterator[DockerEngine]:
    found = connect(os.environ)
    yield found
    found.close()


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """With a finished run on one machine in `one`."""
    folder = tmp_path_factory.mktemp("cluster")
    repository = sample(folder)
    run = json.dumps(f"python3 -I - <<'EOF'\n{AGENT}\nEOF\n")
    settings = f'[commands.tiny]\nrun = {run}\nvariables = {{ WIRE = "chat" }}\n[prices."{QWEN}"]\n'
    settings += "input = 5\noutput = 25\n[limits]\nvalidation-runs = 1\n"
    (repository / "patchmark.toml").write_text(settings)
    with ExitStack() as stack:
        server = WholeChat()
        found = Team(folder, repository, server, folder / "one")
        server.plan = found.plan
        stack.enter_context(server)
        found.run(folder / "one")
        yield found


def results(out: Path) -> dict[str, dict[str, str]]:
    """What was found, without times: task, patch and verdict of everything, once."""
    found: dict[str, dict[str, str]] = {}
    for name in ("tasks", "patches", "verdicts"):
        kept = rows(out / f"{name}.jsonl")
        by = {_key(row): _what(row) for row in kept}
        assert len(by) == len(kept), f"{name}: something stands there twice"
        found[name] = by
    # How many more were proven than are wanted is a matter of who was how quick.
    used = {row["task_id"] for row in rows(out / "verdicts.jsonl")}
    found["tasks"] = {k: v for k, v in found["tasks"].items() if json.loads(v)["id"] in used}
    return found


def _key(row: dict[str, Any]) -> str:
    return repr([row.get(name) for name in ("task_id", "entrant", "attempt", "id")])


def _what(row: dict[str, Any]) -> str:
    times = ("seconds", "queued_seconds", "backoff_seconds", "first_token_seconds", "calls")
    return json.dumps({k: v for k, v in row.items() if k not in times}, sort_keys=True)


def at_work(workers: list[Worker], engine: DockerEngine, doing: str = "") -> Worker:
    """One that has a container now."""
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:
        for worker in workers:
            if worker.process.poll() is None and worker.containers(engine, doing):
                return worker
        time.sleep(0.01)
    raise AssertionError("nobody is at work")


@pytest.mark.skipif(not can_cut(), reason="makes networks, which takes root, ip and unshare")
def test_one_killed_and_one_cut_off_change_nothing(
    team: Team, engine: DockerEngine, tmp_path: Path
) -> None:
    """The same tasks, patches and verdicts, each once; no question is asked or paid twice.

    One is cut off in a proof, one is killed in an agent's attempt, and one never had an engine.
    """
    alone = len(team.server.asked)
    with started(tmp_path) as cluster:
        remote = cluster.remote()
        team.happens = lambda: at_work(cluster.workers[1:], engine, "sleep").kill()
        with team.start(tmp_path / "many", "--cluster", cluster.address) as process:
            at_work([remote], engine).cut_off()  # in the midst of a proof
            cluster.worker(DOCKER_HOST=f"unix://{tmp_path}/none.sock")
            for _ in range(2):
                cluster.worker()
            told, _ = process.communicate(timeout=200)
        told = " ".join(told.split())
        assert process.returncode == 0, told
        assert team.happens is None
        assert told.count("is gone: what it was doing is done again elsewhere") == 2, told
        assert told.count("is given nothing more: no container engine answers") == 1, told
        assert len(team.server.asked) == 2 * alone
        assert results(tmp_path / "many") == results(team.folder / "one")
        again = team.run(tmp_path / "many", "--cluster", cluster.address)
        assert len(team.server.asked) == 2 * alone
        assert results(tmp_path / "many") == results(team.folder / "one")
        assert "sent to" not in again
        for log in tmp_path.glob("*.log"):
            assert "k-e-y-e-d" not in log.read_text()


def test_who_stops_a_run_leaves_no_container_on_a_worker(
    team: Team, engine: DockerEngine, tmp_path: Path
) -> None:
    with started(tmp_path) as cluster:
        worker = cluster.worker()
        with team.start(tmp_path / "stopped", "--cluster", cluster.address) as process:
            at_work([worker], engine)
            process.send_signal(signal.SIGINT)
            told, _ = process.communicate(timeout=60)
        assert process.returncode == 130, told
        assert "the same command goes on where it was" in told
        deadline = time.monotonic() + 20
        while worker.containers(engine):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(1)  # nothing that waited is begun
        assert worker.containers(engine) == []
        assert worker.process.poll() is None


@pytest.fixture(scope="module")
def calc(tmp_path_factory: pytest.TempPathFactory) -> CalcRepo:
    return CalcRepo.make(tmp_path_factory.mktemp("calc") / "repository")


@pytest.fixture
def host(calc: CalcRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A worker's side of a run, in this process."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    name = copy_name(calc.repository)
    with placing(name) as folder, (tmp_path / "copy").open("w+b") as stream:
        write_copy(calc.repository, stream)
        stream.seek(0)
        read_copy(stream, folder)
    setup = Setup(
        session="s", lease=60, repository=name, environment=EnvironmentSettings(),
        limits=Limits(seconds=60), validation_runs=1, runtime=None, registry=None, push=False,
    )  # fmt: skip
    found = Host(setup)
    yield found
    found.end()


def test_a_worker_reckons_the_key_that_the_run_does(host: Host) -> None:
    """Bug: 300 seconds came to a worker as 300.0, and each proof was made again by each run."""
    sent = replace(host.setup, limits=Limits(seconds=300, cpus=2))
    came = read_setup(write_setup(sent))
    assert repr((came.environment, came.limits)) == repr((sent.environment, sent.limits))


def test_a_worker_without_the_image_makes_it_and_shows_that_it_does_what_was_proven(
    calc: CalcRepo, host: Host
) -> None:
    task = host.validator.validate(calc.candidate())
    assert isinstance(task, Task)
    elsewhere = task.model_copy(update={"image": "sha256:" + "0" * 64})
    assert host.localized(task) == task
    assert host.localized(elsewhere) == task
    broken = elsewhere.model_copy(update={"id": "d" * 12, "gold_patch": ""})
    with pytest.raises(NotHereError, match="the real fix does not pass: failed"):
        host.localized(broken)
    unknown = elsewhere.model_copy(update={"id": "e" * 12, "test_command": "other"})
    with pytest.raises(NotHereError, match="no recipe makes it"):
        host.localized(unknown)


def test_a_run_that_falls_silent_leaves_no_container(host: Host, engine: DockerEngine) -> None:
    hosts = Hosts()
    hosts.add(host)
    with (
        suppress(EngineError),
        host.engine.waiting(base_tag(toolchain("3.11")), Limits(), {}) as id_,
    ):
        there = [found["Id"] for found in own_containers(engine)]
        assert there == [id_]
        hosts.end_silent(time.monotonic() + 59)
        assert [found["Id"] for found in own_containers(engine)] == there
        hosts.heard_of("s")
        hosts.end_silent(time.monotonic() + 61)
        assert own_containers(engine) == []
    assert hosts.known("s") is None


def test_an_address_without_a_scheduler_is_said_within_seconds(tmp_path: Path) -> None:
    began = time.monotonic()
    for address, code, words in (
        ("tcp://127.0.0.1:9", 3, "tcp://127.0.0.1:9: no scheduler answers within 10 s"),
        ("nowhere", 2, "--cluster nowhere: give a Dask scheduler, as tls://host:8786"),
    ):
        repository = sample(tmp_path / str(code))
        done = patchmark(tmp_path, "run", "--repo", repository, "--cluster", address)
        assert (done.returncode, words in " ".join(done.stderr.split())) == (code, True), (
            done.stderr
        )
    assert time.monotonic() - began < 60


def test_doctor_names_each_worker_and_a_run_refuses_one_that_is_made_otherwise(
    tmp_path: Path,
) -> None:
    other = tmp_path / "other"
    for name in ("core", "miner", "models", "sandbox", "reports", "patchmark"):
        shutil.copytree(
            ROOT / name, other / name, ignore=shutil.ignore_patterns("sample", "__pyc*")
        )
    with (other / "core/errors.py").open("a") as file:
        file.write("# another day\n")
    with started(tmp_path) as cluster:
        cluster.worker()
        told = patchmark(tmp_path, "doctor", "--cluster", cluster.address, "--json")
        checks = json.loads(told.stdout)
        assert told.returncode == 0
        assert [check["name"] for check in checks] == ["scheduler", "worker"]
        assert "1 workers, 1 containers at once" in checks[0]["found"]
        for words in (
            "tcp://",
            "docker.sock",
            "1 at once",
            "GB free",
            "Python 3.",
            "distributed 2",
        ):
            assert words in checks[1]["found"]
        cluster.worker(PYTHONPATH=str(other))
        told = patchmark(tmp_path, "doctor", "--cluster", cluster.address, "--json")
        bad = [check for check in json.loads(told.stdout) if not check["ok"]]
        assert (told.returncode, len(bad)) == (2, 1)
        assert "install there what is here: patchmark" in bad[0]["mend"]
        done = patchmark(tmp_path, "run", "--repo", sample(tmp_path), "--cluster", cluster.address)
    said = " ".join(done.stderr.split())
    assert done.returncode == 2
    assert len(re.findall(r"patchmark \S+ \(code \w{12}\)", said)) == 2
    assert "install the same at both ends" in said
