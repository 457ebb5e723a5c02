"""The workbench of an agent: what it can do there, what it cannot, and what it leaves."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from support.containers import own_containers
from support.tasks import Folder

from core.bench import BenchEndedError, Workbench
from core.errors import EngineError
from core.types import Task
from models.guidance import Guidance, prepare
from sandbox.bench import DockerBenches
from sandbox.docker import DockerEngine
from sandbox.engine import Limits

pytestmark = pytest.mark.docker
LIMITS = Limits(memory_mib=512, processes=64, disk_mib=64)


@pytest.fixture
def bench(engine: DockerEngine, task: Task) -> Iterator[Workbench]:
    with DockerBenches(engine, LIMITS)(task) as bench:
        yield bench
    assert own_containers(engine) == []


def test_commands_files_and_the_diff_they_leave(bench: Workbench) -> None:
    assert bench.tests.startswith("python -m pytest")
    ran = bench.run(f"{bench.tests} 2>&1 | tail -1; id -un; pwd")
    assert " passed" in ran.output
    assert ran.output.endswith("patchmark\n/repo\n")
    assert bench.run("exit 3").exit_code == 3
    assert bench.run("cat > 'a b.txt'", given="1\n½\n").exit_code == 0
    assert bench.read("a b.txt") == "1\n½\n"
    assert (bench.read("gone.txt"), bench.read("tests")) == (None, None)
    bench.run(
        "head -c 99 /dev/zero > noise.bin; printf '\\351' > noise.txt; echo '# more' >> calc.py"
    )
    diff = bench.diff()
    assert "+++ b/a b.txt\t\n@@ -0,0 +1,2 @@\n+1\n+½\n" in diff
    assert "+# more\n" in diff
    assert "noise" not in diff


def test_its_walls(bench: Workbench) -> None:
    walls = bench.run(
        "cat /proc/net/dev | tail -n +3 | cut -d: -f1 | xargs; grep CapEff /proc/self/status;"
        "grep NoNewPrivs /proc/self/status; env | grep -ci key; ls /patchmark; "
        "touch /opt/x; git log --oneline | wc -l"
    ).output
    assert walls.split()[0] == "lo"
    assert "0000000000000000" in walls
    assert "NoNewPrivs:\t1" in walls
    assert "\n0\n" in walls  # no variable that sounds like a key
    assert "Permission denied" in walls
    assert walls.endswith("\n1\n")


def test_a_broken_git_folder_costs_nothing(bench: Workbench) -> None:
    """The agent may configure its git, or remove it: its work is told by another one."""
    bench.run("git config diff.external 'echo forged'; echo '*.py diff=x' > .gitattributes")
    bench.run("echo '# one' >> calc.py; rm -rf .git")
    diff = bench.diff()
    assert "+# one\n" in diff
    assert "forged" not in diff


def test_guidance_is_laid_as_the_tests_user_and_is_in_no_patch(bench: Workbench) -> None:
    bench.run("printf old > AGENTS.md; ln -s AGENTS.md GEMINI.md")
    guidance = Guidance(
        files={"AGENTS.md": "Don't $(id) `id`\n½" + "x" * 190_000, ".cursor/rules/a b.mdc": "R"},
        links={"CLAUDE.md": "AGENTS.md"},
    )
    prepare(bench, Folder({"AGENTS.md": "old", "calc.py": ""}), guidance, given=True)
    assert bench.read("AGENTS.md") == guidance.files["AGENTS.md"]
    assert bench.read("CLAUDE.md") == guidance.files["AGENTS.md"]
    assert bench.read(".cursor/rules/a b.mdc") == "R"
    assert bench.run("test -e GEMINI.md").exit_code == 1
    bench.run("echo '# one' >> calc.py; echo more >> AGENTS.md")
    assert guidance.without(bench.diff()).count("diff --git") == 1


def test_what_hangs_or_floods_is_ended(bench: Workbench) -> None:
    started = time.monotonic()
    hung = bench.run("echo begun; sleep 1000 & sleep 1000", seconds=1)
    assert (hung.exit_code, hung.output) == (None, "begun\n")
    flood = bench.run("head -c 5000000 /dev/zero | tr '\\0' x", seconds=60)
    assert flood.exit_code == 0
    assert 200_000 < len(flood.output) < 210_000
    assert "bytes left out" in flood.output
    assert bench.run("cat /proc/[0-9]*/comm | grep -c sleep").output == "1\n"  # its own
    assert time.monotonic() - started < 40


def test_a_full_disk_ends_it(engine: DockerEngine, task: Task) -> None:
    """Whoever fills it did that himself; the machine has its disk back."""

    def fill() -> None:
        with DockerBenches(engine, LIMITS)(task) as bench:
            for number in range(60):
                bench.run(f"head -c 60000000 /dev/zero > /tmp/{number}; sleep 1")

    with pytest.raises(BenchEndedError, match="it wrote more than 64 MiB"):
        fill()
    assert own_containers(engine) == []


def test_an_image_that_is_gone(engine: DockerEngine, task: Task) -> None:
    gone = task.model_copy(update={"image": "sha256:" + "0" * 64})
    with pytest.raises(EngineError), DockerBenches(engine, LIMITS)(gone):
        pass
