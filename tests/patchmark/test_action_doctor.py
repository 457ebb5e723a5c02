"""`patchmark doctor --action`: what is wrong with a workflow is found before it costs anything."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.command_line import patchmark
from support.repos import Repo
from support.tasks import CALC, make_task

from core.git import Repository
from core.redact import NOTHING
from core.store import RunFolder
from core.types import Candidate, Outcome, Verdict
from patchmark.action_doctor import examine
from patchmark.doctor import Check
from patchmark.enterprise import for_enterprise
from patchmark.settings import Flags
from patchmark.workflow_files import WAYS, workflow, workflows

SHA = "0123456789abcdef0123456789abcdef01234567"
MODELS = "reference,empty,anthropic:claude-opus-4-8"
GOOD = f"""\
on: {{ pull_request: {{ paths: [patchmark.toml] }} }}
permissions: {{}}
jobs:
  compare:
    runs-on: ubuntu-24.04
    timeout-minutes: 60
    permissions: {{ contents: read, issues: read, pull-requests: write }}
    steps:
      - uses: actions/checkout@{SHA}
        with: {{ fetch-depth: 0, persist-credentials: false }}
      - uses: patchmark/patchmark@{SHA}
        with:
          models: "{MODELS}"
          budget-usd: "3"
          anthropic-api-key: ${{{{ secrets.ANTHROPIC_API_KEY }}}}
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with the files of the small tasks."""
    made = Repo(tmp_path / "repo")
    made.commit("Start", CALC.contents)
    return made


def look(repo: Repo, text: str, **environment: str) -> dict[str, Check]:
    """What is found of one workflow, by name."""
    path = repo.path / ".github/workflows/patchmark.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    found = examine(Flags(repo=repo.path, out=repo.path.parent / "out"), environment)
    return {check.name: check for check in found}


def wanting(found: Iterable[Check]) -> list[str]:
    """What is not as it should be, but for GitHub, which nobody has a token for."""
    return [check.name for check in found if not check.ok and check.name != "GitHub"]


def test_a_good_workflow_is_good_without_any_key_here(repo: Repo) -> None:
    found = look(repo, GOOD)
    assert wanting(found.values()) == []
    assert found["cost"].found.startswith("20 answers for 20 tasks at most")
    assert "never more than $3" in found["cost"].found
    assert "180 test runs at most of 300 s at most" in found["time"].found


@pytest.mark.parametrize(
    ("old", "new", "name", "code", "words"),
    [
        ("pull_request:", "pull_request_target:", "trigger", 2, "pull_request_target"),
        ("contents: read, ", "", "permissions", 2, "missing: contents: read"),
        ("pull-requests: write", "pull-requests: read", "permissions", 2, "pull-requests: write"),
        ("contents: read", "contents: write", "permissions", 0, "more than it needs: contents"),
        ("issues: read", "id-token: write", "permissions", 0, "more than it needs: id-token"),
        ("{ contents: read, issues: read, pull-requests: write }", "write-all", "permissions", 0,
         "write-all"),
        (f"patchmark@{SHA}", "patchmark@v0", "pins", 0, "not by a SHA: patchmark/patchmark@v0"),
        (f"checkout@{SHA}", "checkout@main", "pins", 0, "actions/checkout@main"),
        ("fetch-depth: 0, ", "", "history", 2, "only the last commit"),
        ("actions/checkout", "others/checkout", "history", 2, "nothing is checked out"),
        (", persist-credentials: false", "", "history", 0, ".git/config"),
        ("ubuntu-24.04", "macos-15", "runner", 2, "no container engine"),
        ("ubuntu-24.04", "[self-hosted, linux]", "runner", 0, "of your own"),
        ("    steps:", "    container: node:22\n    steps:", "runner", 0, "in a container"),
        ("${{ secrets.ANTHROPIC_API_KEY }}", "sk-ant-of-a-test", "anthropic key", 2, "for all"),
        ("anthropic-api-key: ${{ secrets.ANTHROPIC_API_KEY }}", "comment: auto", "anthropic key", 2,
         "not given"),
        ("anthropic-api-key:", "openai-api-key:", "openai key", 0, "no model named here needs it"),
        ('budget-usd: "3"', "comment: auto", "cost", 0, "no cap"),
        ('budget-usd: "3"', 'time-limit: "60"', "time limit", 2, "kills the job after 60"),
        ('budget-usd: "3"', 'time-limit: "57"', "time limit", 0, "57 of the job's 60 minutes"),
        ("minutes: 60", "minutes: 600", "time limit", 0, "GitHub's own runners end at 360"),
        (f"patchmark@{SHA}", "patchmark@COMMIT", "pins", 2, "left open: patchmark/patchmark@COM"),
        ("      - uses: patchmark/", f"      - uses: actions/cache@{SHA}\n      - uses: patchmark/",
         "at once", 0, "two runs may share the kept folder"),
        ("    timeout-minutes: 60\n", "", "time", 0, "after 360 minutes"),
    ],
)  # fmt: skip
def test_each_mistake_is_found_alone_with_how_to_mend_it(
    repo: Repo, old: str, new: str, name: str, code: int, words: str
) -> None:
    assert old in GOOD
    found = look(repo, GOOD.replace(old, new))
    wrong = found[name]
    assert (wrong.ok, wrong.exit_code) == (False, code)
    assert words in wrong.found
    assert wrong.mend
    assert "sk-ant" not in wrong.found + wrong.mend


def test_keys_of_the_environment_and_models_of_an_expression(repo: Repo) -> None:
    text = GOOD.replace(f'"{MODELS}"', "${{ inputs.models || 'empty,openrouter:vendor/model' }}")
    text = text.replace("anthropic-api-key: ${{ secrets.ANTHROPIC_API_KEY }}", "comment: auto")
    assert look(repo, text)["openrouter key"].exit_code == 2
    env = "    env: { OPENROUTER_API_KEY: '${{ secrets.OR }}' }\n    steps:"
    found = look(repo, text.replace("    steps:", env))
    assert found["openrouter key"].found.startswith("from OR")
    assert "anthropic key" not in found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f'"{MODELS}"', "${{ inputs.models }}"),
        ("pull-requests: write }", 'pull-requests: read }\n    env: { A: "" }'),
        ("on: { pull_request: { paths: [patchmark.toml] } }", "on: [workflow_call]"),
    ],
)
def test_what_may_well_be_meant_is_not_blamed(repo: Repo, old: str, new: str) -> None:
    """Models that come from elsewhere were called none, and the keys for them too many."""
    assert old in GOOD
    text = GOOD.replace(old, new)
    if "read }" in new:
        text = text.replace('budget-usd: "3"', 'budget-usd: "3"\n          github-token: ""')
    assert wanting(look(repo, text).values()) == []


def write(repo: Repo, files: Mapping[str, str]) -> list[Check]:
    """All that is found of these workflows."""
    folder = repo.path / ".github/workflows"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return examine(Flags(repo=repo.path, out=repo.path.parent / "out"), {})


@pytest.mark.parametrize("way", WAYS)
def test_of_what_init_writes_only_an_open_pin_is_left_to_do(repo: Repo, way: str) -> None:
    found = write(repo, workflows(way, MODELS.split(","), "5"))
    assert set(wanting(found)) == {"pins"}
    assert {check.exit_code for check in found} == {0, 2}
    pin = f"patchmark/patchmark@{SHA}"
    assert wanting(write(repo, workflows(way, MODELS.split(","), "5", pin))) == []


def test_a_change_check_asks_everybody_twice(repo: Repo) -> None:
    text = workflow("change-check", MODELS.split(","), "5").replace("@COMMIT", f"@{SHA}")
    found = look(repo, text)
    assert wanting(found.values()) == []
    assert found["cost"].found.startswith("60 answers for 30 tasks at most")


def test_of_shards_cost_and_time_are_those_of_all(repo: Repo) -> None:
    """From the defaults of the workflow's own inputs; what only plans or merges asks nobody."""
    found = write(repo, workflows("sharded", MODELS.split(","), "40"))
    (cost,) = [check for check in found if check.name == "cost"]
    assert cost.found.startswith("200 answers for 200 tasks at most")
    assert cost.found.endswith("never more than $40 over all 8 jobs")
    (time,) = [check for check in found if check.name == "time"]
    assert ", over 8 jobs; GitHub ends each job after 350 minutes" in time.found
    assert [check.found for check in found if check.name == "secrets"] == [
        "none, and none is needed"
    ] * 2


@pytest.mark.parametrize(
    ("matrix", "shard", "words"),
    [
        ("{ n: [1, 2, 3] }", "${{ matrix.n }}/3", "never more than $3 over all 3 jobs"),
        ("{ n: [1, 2, 3] }", "${{ matrix.n }}/${{ matrix.of }}", "over all 3 jobs"),
        ("{ include: [{ n: 1 }, { n: 2 }] }", "${{ matrix.n }}/2", "over all 2 jobs"),
        ('"${{ fromJSON(vars.M) }}"', "${{ matrix.n }}", "over all jobs of the matrix"),
        ("{ model: [a, b], os: [c, d] }", "", "in each of 4 jobs; never more than $3, $12 in all"),
        ('"${{ fromJSON(vars.M) }}"', "", "never more than $3 in each job of the matrix"),
    ],
)
def test_a_matrix_multiplies_or_shares(repo: Repo, matrix: str, shard: str, words: str) -> None:
    text = GOOD.replace("    steps:", f"    strategy: {{ matrix: {matrix} }}\n    steps:")
    if shard:
        text = text.replace('budget-usd: "3"', f'budget-usd: "3"\n          shard: {shard}')
    assert words in look(repo, text)["cost"].found


def test_keys_of_a_step_that_asks_no_model_are_too_many(repo: Repo) -> None:
    text = GOOD.replace('budget-usd: "3"', "command: plan")
    text = text.replace("issues: read, pull-requests: write", "issues: read")
    found = look(repo, text)
    assert wanting(found.values()) == ["secrets"]
    assert "`plan` asks no model" in found["secrets"].mend


CALLER = """\
on: { pull_request: {} }
jobs:
  all:
    uses: ./.github/workflows/patchmark-sharded.yml
    permissions: { contents: read, issues: read, pull-requests: write }
    secrets: { ANTHROPIC_API_KEY: "${{ secrets.ANTHROPIC_API_KEY }}" }
"""


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("pull-requests: write", "pull-requests: read", 2, "caller.yml: all, without pull"),
        ("{ ANTHROPIC", "{ OTHER", 2, "caller.yml: all, without ANTHROPIC_API_KEY"),
        ("    permissions: { contents: read, issues: read, pull-requests: write }\n", "", 0,
         "no permissions said"),
        ('{ ANTHROPIC_API_KEY: "${{ secrets.ANTHROPIC_API_KEY }}" }', "inherit", 0, ""),
        ("pull_request:", "pull_request_target:", 2, "pull_request_target"),
    ],
)  # fmt: skip
def test_who_calls_a_workflow_must_give_what_it_needs(
    repo: Repo, old: str, new: str, code: int, words: str
) -> None:
    called = workflows("sharded", MODELS.split(","), "5", f"patchmark/patchmark@{SHA}")
    assert wanting(write(repo, {**called, "caller.yml": CALLER})) == []
    assert old in CALLER
    found = write(repo, {**called, "caller.yml": CALLER.replace(old, new)})
    bad = [check for check in found if not check.ok and check.name != "GitHub"]
    assert max((check.exit_code for check in bad), default=0) == code
    assert bool(bad) == bool(words)
    assert all(words in check.found for check in bad), bad


@pytest.mark.parametrize(
    ("old", "new", "name", "words"),
    [
        ("workflows: [patchmark fork run]", "workflows: [fork]", "waits for", "fork, and no"),
        ("      - uses: patch", f"      - uses: actions/checkout@{SHA}\n      - uses: patch",
         "trigger", "a checkout beside"),
        ("on:\n", "on:\n  push: {}\n", "trigger", "nothing to post"),
        ("      actions: read", "      checks: read", "permissions", "missing: actions: read"),
        ("artifact: patchmark", "github-token: ${{ secrets.PAT }}\n          artifact: patchmark",
         "secrets", "PAT where none is needed"),
    ],
)  # fmt: skip
def test_what_posts_a_forks_report(repo: Repo, old: str, new: str, name: str, words: str) -> None:
    files = workflows("fork", MODELS.split(","), "5", f"patchmark/patchmark@{SHA}")
    text = files["patchmark-fork-report.yml"]
    assert old in text
    files["patchmark-fork-report.yml"] = text.replace(old, new, 1)
    bad = [check for check in write(repo, files) if check.exit_code]
    assert [check.name for check in bad] == [name]
    assert words in bad[0].found


def test_what_an_enterprise_server_has_not(repo: Repo) -> None:
    repo.git("remote", "add", "origin", "https://git.company/o/r.git")
    pin = f"patchmark/patchmark@{SHA}"
    texts = workflows("sharded", MODELS.split(","), "5", pin)
    found = {check.name: check for check in write(repo, texts)}
    assert "upload-artifact@bbbca2dd" in found["artifacts"].found
    assert not found["runners"].ok
    mended = {name: for_enterprise(text) for name, text in texts.items()}
    assert set(wanting(write(repo, mended))) == {"runner"}  # which nobody can look at from here


def test_a_job_that_will_not_be_through_in_time(repo: Repo) -> None:
    out = repo.path.parent / "out"
    task = make_task(1, base_commit=Repository(repo.path).head)
    with RunFolder(out, NOTHING) as folder:
        folder.append(Candidate(**{n: getattr(task, n) for n in Candidate.model_fields}))
        folder.append(task)
        folder.append(
            Verdict(
                task_id=task.id, entrant="reference", attempt=1, key="k",
                outcome=Outcome.PASSED, cause=None, seconds=3000.0,
            )
        )  # fmt: skip
    found = look(repo, GOOD)
    assert "split it" in found["time"].mend
    limited = GOOD.replace('budget-usd: "3"', 'budget-usd: "3"\n          time-limit: "50"')
    assert look(repo, limited)["time"].ok


def test_a_deciding_job_must_hold_no_key(repo: Repo) -> None:
    text = workflow("on-command", MODELS.split(","), "5")
    text = text.replace('allow-forks: "false"', "github-token: ${{ secrets.MY_PAT }}")
    path = repo.path / ".github/workflows/patchmark.yml"
    look(repo, text)
    found = examine(Flags(repo=repo.path), {})
    (check,) = [one for one in found if one.name == "secrets"]
    assert "MY_PAT" in check.found
    assert path.exists()


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("jobs: [", "configuration", "cannot be read"),
        ("[" * 2000, "configuration", "cannot be read"),
        ("- a\n- b\n", "workflow", "none uses patchmark"),
        ("jobs: 3\n", "workflow", "none uses patchmark"),
        ("jobs: { a: { steps: [3, {uses: [1]}] } }\n", "workflow", "none uses patchmark"),
        ("# " + "x" * 1_000_001, "configuration", "too large"),
    ],
)
def test_files_that_are_no_workflow(repo: Repo, text: str, name: str, words: str) -> None:
    found = look(repo, text)
    assert words in found[name].found
    assert found[name].exit_code == 2


def test_a_file_that_grows_without_end_and_one_that_paints_the_terminal(repo: Repo) -> None:
    """Its aliases stand for ten to the ninth words; written out they would fill the memory."""
    bomb = "x: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
    for n in range(8):
        bomb += f"x{n}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n"
    text = bomb + GOOD.replace("paths: [patchmark.toml]", "paths: *a8").replace(
        "runs-on: ubuntu-24.04", 'runs-on: "\\e[31mubuntu"\n    env: { LIST: *a8 }'
    )
    assert "\x1b" not in look(repo, text)["runner"].found


def test_a_link_is_not_followed(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.yml").write_text(GOOD)
    folder = repo.path / ".github/workflows"
    folder.mkdir(parents=True)
    (folder / "link.yml").symlink_to(tmp_path / "elsewhere.yml")
    (check,) = examine(Flags(repo=repo.path), {})
    assert check.name == "workflow"


def test_known_tasks_give_an_estimate_and_nothing_in_the_folder_changes(repo: Repo) -> None:
    out = repo.path.parent / "out"
    tasks = [make_task(n, base_commit=Repository(repo.path).head) for n in (1, 2)]
    with RunFolder(out, NOTHING) as folder:
        for task in tasks:
            fields: dict[str, Any] = {n: getattr(task, n) for n in Candidate.model_fields}
            folder.append(Candidate(**fields))
            folder.append(task)
            folder.append(
                Verdict(
                    task_id=task.id, entrant="reference", attempt=1, key="k",
                    outcome=Outcome.PASSED, cause=None, seconds=30.0,
                )
            )  # fmt: skip
    before = {path: path.read_bytes() for path in out.iterdir()}
    found = look(repo, GOOD)
    assert "for 2 answers to the 2 tasks of the run folder" in found["cost"].found
    assert found["cost"].found.startswith("$0.0")
    assert "18 test runs of 30.0 s, as here: 9 minutes" in found["time"].found
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    with RunFolder(out, NOTHING):
        held = look(repo, GOOD)["cost"]
    assert "another patchmark" in held.found


def test_as_a_command_from_a_folder_below(repo: Repo, tmp_path: Path) -> None:
    look(repo, GOOD.replace("fetch-depth: 0", "fetch-depth: 1"))
    (repo.path / "below").mkdir()
    done = patchmark(tmp_path, "doctor", "--action", "--repo", repo.path / "below", "--json")
    assert done.returncode == 2
    (wrong,) = [check for check in json.loads(done.stdout) if check["exit_code"]]
    assert "`fetch-depth: 0`" in wrong["mend"]
