"""Guidance of one version laid over any tree: for prompts, agents and commands, in no patch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.fake_anthropic import FakeAnthropic
from support.fake_whole import WholeAnthropic
from support.local_bench import LocalBench, LocalBenches, LocalOpenBenches
from support.loopback import Asked, Behaviour, Loopback, Plan, in_order
from support.tasks import CALC, FIX, Folder, make_task

from core.errors import UsageError
from core.outlet import Command
from core.redact import NOTHING
from core.types import Patch, Stop
from models.agent import AgentLimits
from models.budget import Budget
from models.desk import Desk
from models.guidance import Guidance, Version, fitting, prepare
from models.instructions import is_instruction
from models.registry import build
from models.spec import parse

CLAUDE = "anthropic:claude-opus-4-8"
OLD = Folder({**CALC.contents, "AGENTS.md": "Sing.\n", "src/CLAUDE.md": "Dance.\n"})
LAID = Guidance(
    files={"AGENTS.md": "It's new: $HOME `x`\n", ".cursor/rules/a.mdc": "Rule."},
    links={"CLAUDE.md": "AGENTS.md"},
)
TOO_MUCH = (
    f"{FIX}\nAGENTS.md\n<<<<<<< SEARCH\nIt's new: $HOME `x`\n=======\nMine.\n>>>>>>> REPLACE\n"
)


def version(guidance: Guidance = LAID, tokens: int = 9000, steps: int = 50) -> Version:
    limits = AgentLimits(steps=steps)
    return Version(guidance=guidance, max_output_tokens=tokens, agent_limits=limits)


def solve(
    folder: Path, name: str, plan: Plan, fake: type[Loopback] = FakeAnthropic, **desk: Any
) -> tuple[Patch, list[Asked]]:
    text = {path: text for path, text in OLD.contents.items() if text}
    with fake(plan) as server:
        known = {
            "exchanges": folder / "exchanges", "budget": Budget(None), "redactor": NOTHING,
            "keys": {"anthropic": "k"}, "base_urls": {"anthropic": server.url},
            "timeout_seconds": 20, "benches": LocalBenches(folder, text),
            "open_benches": LocalOpenBenches(folder, text),
            "versions": {"head-0123abcd": version()},
        }  # fmt: skip
        entrant = build(f"{name}+version=head-0123abcd", Desk(**{**known, **desk}))
        return entrant.solve(make_task(), OLD, 1), server.asked


@pytest.mark.parametrize("strategy", ["", "+long-context"])
def test_a_prompt_holds_the_version_and_not_what_stood_there(tmp_path: Path, strategy: str) -> None:
    patch, (asked,) = solve(tmp_path, f"{CLAUDE}{strategy}", in_order(Behaviour(text=TOO_MUCH)))
    assert "It's new: $HOME `x`" in asked.text
    assert "Rule." in asked.text
    assert "Sing." not in asked.text
    assert "Dance." not in asked.text
    assert asked.body["max_tokens"] == 9000
    assert patch.stop is Stop.ANSWERED
    assert "src/calc.py" in patch.diff
    assert "AGENTS.md" not in patch.diff


def test_an_answer_that_changes_guidance_alone_is_no_patch(tmp_path: Path) -> None:
    patch, _ = solve(tmp_path, CLAUDE, in_order(Behaviour(text=TOO_MUCH.removeprefix(FIX))))
    assert (patch.stop, patch.diff) == (Stop.EMPTY, "")
    assert "guidance" in patch.detail


def test_what_is_withheld_stays_withheld(tmp_path: Path) -> None:
    name = f"{CLAUDE}+instructions=off"
    _, (asked,) = solve(tmp_path, name, in_order(Behaviour(text=FIX)))
    assert "It's new" not in asked.text
    assert "Sing." not in asked.text
    assert "AGENTS.md" not in asked.text


LOOK = "cat AGENTS.md CLAUDE.md .cursor/rules/a.mdc; ls src; echo '# x' >> src/util.py"


def works(asked: Asked, _: int) -> Behaviour:
    """Looks, changes something, submits."""
    steps: tuple[tuple[str, dict[str, str]], ...] = (("shell", {"command": LOOK}), ("submit", {}))
    tool, arguments = steps[len(asked.body["messages"]) // 2]
    return Behaviour(calls=((tool, json.dumps(arguments)),))


def test_an_agent_finds_the_version_in_its_tree(tmp_path: Path) -> None:
    patch, asked = solve(tmp_path, f"{CLAUDE}+agent", works)
    (result,) = asked[1].body["messages"][-1]["content"]
    assert result["content"].count("It's new: $HOME `x`") == 2  # by its link as well
    assert "Rule." in result["content"]
    assert "CLAUDE.md" not in result["content"]  # which was below src
    assert "It's new" in asked[0].text
    assert "Sing." not in asked[0].text + result["content"]
    assert patch.diff.count("diff --git") == 1


def test_so_does_a_command(tmp_path: Path) -> None:
    run = "cat AGENTS.md CLAUDE.md > seen.txt; ls src >> seen.txt; rm AGENTS.md"
    commands = {"tiny": Command(run=run)}
    plan = in_order(Behaviour())
    patch, _ = solve(tmp_path, f"{CLAUDE}+command=tiny", plan, WholeAnthropic, commands=commands)
    assert patch.diff.count("diff --git") == 1
    assert patch.diff.count("+It's new: $HOME `x`") == 2
    assert "CLAUDE.md" not in patch.diff


def test_what_has_no_room_in_an_old_tree_is_not_laid(tmp_path: Path) -> None:
    """`docs` was a file once, `tool/.cursorrules` a folder of something else."""
    old = Folder({"docs": "x\n", "tool/.cursorrules/deep.py": "y\n", "a.py": "z\n"})
    laid = {"docs/AGENTS.md": "1", "tool/.cursorrules": "2", "new/AGENTS.md": "3"}
    guidance = Guidance(files=laid)
    assert fitting(laid, old, guidance) == {"new/AGENTS.md": "3"}
    bench = LocalBench(tmp_path / "bench", {p: t for p, t in old.contents.items() if t})
    prepare(bench, old, guidance, given=True)
    assert bench.read("new/AGENTS.md") == "3"
    assert bench.read("docs") == "x\n"
    assert guidance.without(bench.diff()) == ""


def test_an_old_link_goes_and_a_folder_of_tests_is_left(tmp_path: Path) -> None:
    """Commands of a monorepo begin in a folder of it: what was hidden there was not."""
    bench = LocalBench(tmp_path, {"AGENTS.md": "old\n", "part/a.py": "1\n"})
    bench.run("ln -s AGENTS.md CLAUDE.md && git add . && git -c user.name=x -c user.email=x@y "
              "commit -qm link")  # fmt: skip
    bench.folder = tmp_path / "part"
    prepare(bench, Folder({"AGENTS.md": "old\n"}), Guidance(files={}), given=True)
    assert not (tmp_path / "AGENTS.md").exists()
    assert not (tmp_path / "CLAUDE.md").is_symlink()


def test_globs_make_any_file_guidance(tmp_path: Path) -> None:
    guidance = Guidance(files={"prompts/fix.md": "Slowly."}, globs=("prompts/",))
    assert guidance.said() == {"prompts/fix.md": "Slowly."}
    _, (asked,) = solve(
        tmp_path, CLAUDE, in_order(Behaviour(text=FIX)),
        versions={"head-0123abcd": version(guidance)},
    )  # fmt: skip
    assert "Slowly." in asked.text


def test_equal_questions_have_equal_hashes() -> None:
    """What an entrant does not read makes no version of its own: it would be paid for twice."""
    one, other = version(), version(Guidance(files={**LAID.files, "AGENTS.md": "Else."}))
    huge = version(Guidance(files={**LAID.files, "CLAUDE.md": "x" * 20_001}))

    def same(a: Version, b: Version, settings: str = "") -> bool:
        spec = parse(CLAUDE + settings)
        return a.digest(spec) == b.digest(spec)

    assert not same(one, other)
    assert same(one, other, "+instructions=off")
    assert same(one, other, "+agent+instructions=off")
    assert same(one, huge)
    assert not same(one, huge, "+command=aider")
    assert same(one, version(steps=9), "+long-context")
    assert not same(one, version(steps=9), "+agent")
    assert not same(one, version(tokens=800), "+instructions=off")
    assert same(one, version(tokens=800), "+max-output-tokens=700")


@pytest.mark.parametrize("name", ["head-0123abcx", "head", "next-0123abcd", "base-01234567"])
def test_no_run_but_a_check_has_versions(tmp_path: Path, name: str) -> None:
    desk = Desk(exchanges=tmp_path, budget=Budget(None), redactor=NOTHING)
    with pytest.raises(UsageError, match="patchmark check-change"):
        build(f"{CLAUDE}+version={name}", desk)


@pytest.mark.parametrize(
    "path",
    [
        "AGENTS.md", "a/CLAUDE.local.md", "GEMINI.md", ".cursorrules", ".cursor/rules/x/y.mdc",
        ".github/copilot-instructions.md", ".clinerules", ".clinerules/1.md",
        ".windsurf/rules/a.md",
        ".github/prompts/fix.prompt.md", "src/go.instructions.md", ".claude/commands/fix.md",
    ],
)  # fmt: skip
def test_what_is_guidance_by_its_name(path: str) -> None:
    assert is_instruction(path)


@pytest.mark.parametrize("path", ["src/prompts.py", "docs/agents.rst", "rules.md", "claude/x.py"])
def test_what_is_not(path: str) -> None:
    assert not is_instruction(path)
