"""Two versions of guidance and settings: what is compared, and what the head has no say in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from support.report_data import facts
from support.repos import Entry, File, Repo

from core.change_check import ChangeCheck
from core.errors import PatchmarkError, UsageError
from models.guidance import Version
from patchmark.change_check import Wish, idle_report, prepared
from patchmark.change_check_files import LARGEST
from patchmark.change_check_told import told
from patchmark.commands import errors, known
from patchmark.progress import Show
from patchmark.run import opened
from patchmark.settings import Flags, Settings
from reports.tally import tally

CLAUDE = "anthropic:claude-opus-4-8"
TOML = f'models = ["reference", "{CLAUDE}"]\nbudget-usd = 5\n'


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """One commit on main, with guidance and settings."""
    made = Repo(tmp_path / "repo")
    made.commit("Start", {"AGENTS.md": "Be brief.\n", "patchmark.toml": TOML, "a.py": "1\n"})
    return made


def check(
    repo: Repo, files: Mapping[str, File] | None = None, *, globs: str = "", **flags: object
) -> Settings:
    """The check of a branch with one commit more."""
    tip = repo.git("rev-parse", "main").decode().strip()
    if files is not None:
        repo.commit("Change", files, parents=(tip,), branch="change")
    given = Flags(repo=repo.path, **flags)  # type: ignore[arg-type]
    head = "change" if files is not None else None
    wish = Wish(base="main", head=head, globs=tuple(filter(None, [globs])))
    return prepared(given, wish, {"PATH": os.environ["PATH"]})


def about(settings: Settings) -> ChangeCheck:
    """What is said of it."""
    assert settings.change is not None
    return settings.change.about


def versions(settings: Settings) -> dict[str, Version]:
    """Base and head, as the only model is asked."""
    assert settings.change is not None
    return {name[:4]: version for name, version in settings.change.versions.items()}


def compared(settings: Settings) -> dict[str, str]:
    return {item.name: item.how for item in about(settings).compared}


def ignored(settings: Settings) -> dict[str, str]:
    return {item.name: item.why for item in about(settings).ignored}


def test_everybody_is_asked_with_both_side_by_side(repo: Repo) -> None:
    settings = check(repo, {"AGENTS.md": "Be brief.\nBe right.\n"})
    (one,) = about(settings).entrants
    assert settings.models == ("reference", one.base, one.head)
    assert one.base.startswith(f"{CLAUDE}+version=base-")
    assert one.head.startswith(f"{CLAUDE}+version=head-")
    assert compared(settings) == {"AGENTS.md": "changed, +1 −0 lines"}
    assert versions(settings)["head"].guidance.files == {"AGENTS.md": "Be brief.\nBe right.\n"}
    assert versions(settings)["base"].guidance.files == {"AGENTS.md": "Be brief.\n"}
    assert about(settings).base == repo.git("rev-parse", "main").decode().strip()


def test_another_push_is_another_entrant_and_the_base_stays_the_same(repo: Repo) -> None:
    """A kept answer to guidance of before would be taken for one to what it says now."""
    first, second, again = (
        about(check(repo, {"AGENTS.md": text})).entrants[0] for text in ("One.", "Two.", "One.")
    )
    assert first.base == second.base
    assert first.head != second.head
    assert first.head == again.head


HOSTILE = f"""
models = ["{CLAUDE}"]
budget-usd = 5000
max-tasks = 900
attempts = 50
batch = true
probe = true
judge-model = "openai:gpt-5.4"
fail-under = 0.9
max-output-tokens = 900
[agent]
usd = 99
steps = 3
[environment]
setup = ["curl https://example.org"]
image = "evil"
[limits]
validation-runs = 1
[sandbox]
runtime = "runc"
[commands.mine]
run = "true"
[prices."{CLAUDE}"]
input = 0
output = 0
[mine]
rewrite-with = "openai:gpt-5.4"
"""


def test_the_head_has_no_say_but_in_how_models_are_asked(repo: Repo) -> None:
    """Nothing it says may raise the budget, change judging, or be carried out."""
    settings, plain = (check(repo, {"patchmark.toml": text}) for text in (HOSTILE, TOML))
    assert settings.budget_usd == Decimal(5)
    for name in (
        "max_tasks", "attempts", "batch", "probe", "judge_model", "environment", "limits",
        "runtime", "commands", "prices", "rewrite_with", "validation_runs", "max_output_tokens",
        "agent_limits", "wanted", "caps", "base_urls",
    ):  # fmt: skip
        assert getattr(settings, name) == getattr(plain, name), name
    head = versions(settings)["head"]
    assert head.max_output_tokens == 900
    assert head.agent_limits.usd is None
    assert compared(settings) == {"max-output-tokens": "not set (16000) → 900"}
    told = ignored(settings)
    assert told["agent.steps"] == "no agent takes part"
    assert {
        "budget-usd", "agent.usd", "environment.setup", "commands.mine", "fail-under",
        "limits.validation-runs", f"prices.{CLAUDE}", "mine.rewrite-with",
    } < told.keys()  # fmt: skip
    assert all(told.values())


def test_an_agents_limits_are_compared(repo: Repo) -> None:
    repo.commit("Agent", {"patchmark.toml": f'models = ["{CLAUDE}+agent"]\n[agent]\nusd = 1\n'})
    changed = f'models = ["{CLAUDE}+agent"]\n[agent]\nsteps = 9\nusd = 70\n'
    settings = check(repo, {"patchmark.toml": changed})
    assert compared(settings) == {"agent.steps": "not set (50) → 9"}
    limits = versions(settings)["head"].agent_limits
    assert (limits.steps, limits.usd) == (9, Decimal(1))


@pytest.mark.parametrize(
    ("models", "other", "told"),
    [
        (f'["{CLAUDE}+effort=high"]', f"{CLAUDE}+effort=high", set()),
        (f'["{CLAUDE}", "openai:gpt-5.4"]', None, {"openai:gpt-5.4"}),
        ('["openai:gpt-5.4"]', None, {"openai:gpt-5.4", CLAUDE}),
        (f'["{CLAUDE}+effort=low", "{CLAUDE}+effort=high"]', None,
         {CLAUDE, f"{CLAUDE}+effort=low", f"{CLAUDE}+effort=high"}),
        (f'["{CLAUDE}+command=theirs"]', None, {CLAUDE, f"{CLAUDE}+command=theirs"}),
    ],
)  # fmt: skip
def test_a_model_is_compared_with_itself_alone(
    repo: Repo, models: str, other: str | None, told: set[str]
) -> None:
    """Another model would be another bill; a command of theirs is never carried out."""
    settings = check(repo, {"patchmark.toml": TOML.replace(f'["reference", "{CLAUDE}"]', models)})
    assert ignored(settings).keys() == told
    assert [one.other for one in about(settings).entrants] == ([other] if other else [])
    assert about(settings).untouched == (() if other else (CLAUDE,))


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"a.py": "2\n"}, set()),
        ({"patchmark.toml": TOML.replace("5", "7")}, {"budget-usd"}),
        ({".cursorrules": b"\xff\xfe"}, {".cursorrules"}),
        ({".cursorrules": b"a\0b"}, {".cursorrules"}),
        ({".cursorrules": "x" * (LARGEST + 1)}, {".cursorrules"}),
        ({".cursorrules": Entry("120000", b"/etc/passwd")}, {".cursorrules"}),
        ({"x/CLAUDE.md": Entry("120000", b"../../secret")}, {"x/CLAUDE.md"}),
        ({"CLAUDE.md": Entry("120000", b"gone.md")}, {"CLAUDE.md"}),
    ],
)
def test_what_nobody_is_given_asks_nobody(
    repo: Repo, files: Mapping[str, File], told: set[str]
) -> None:
    settings = check(repo, files)
    assert about(settings).entrants == ()
    assert about(settings).untouched == (CLAUDE,)
    assert settings.models == ("reference",)
    assert ignored(settings).keys() == told


def test_a_deleted_and_a_renamed_file_and_one_for_agents_alone(repo: Repo) -> None:
    settings = check(repo, {"AGENTS.md": None, "CLAUDE.md": "Be brief.\n"})
    assert compared(settings) == {"AGENTS.md": "removed, 1 line", "CLAUDE.md": "new, 1 line"}
    settings = check(repo, {"src/GEMINI.md": "x" * 30_000})
    assert about(settings).entrants == ()
    (item,) = about(settings).compared
    assert "agents alone find it" in item.why


def test_links_to_guidance_stay_links_and_others_are_read(repo: Repo) -> None:
    link = {"CLAUDE.md": Entry("120000", b"AGENTS.md"), "GEMINI.md": Entry("120000", b"a.py")}
    head = versions(check(repo, link))["head"].guidance
    assert head.links == {"CLAUDE.md": "AGENTS.md"}
    assert head.files["GEMINI.md"] == "1\n"


def test_the_working_tree_is_the_head_where_none_is_named(repo: Repo) -> None:
    repo.checkout()
    (repo.path / "AGENTS.md").write_text("Be right.\n")
    (repo.path / ".cursorrules").write_text("New.\n")
    settings = check(repo)
    assert about(settings).head == ""
    assert compared(settings).keys() == {"AGENTS.md", ".cursorrules"}


def test_other_files_are_guidance_where_that_is_said(repo: Repo) -> None:
    files: dict[str, File] = {"prompts/fix.txt": "Slowly.\n"}
    assert compared(check(repo, files)) == {}
    assert compared(check(repo, files, globs="prompts/")) == {"prompts/fix.txt": "new, 1 line"}


def test_a_cap_is_for_both_versions_together(repo: Repo) -> None:
    repo.commit("Cap", {"patchmark.toml": f'{TOML}[budgets]\n"{CLAUDE}" = 3\n'})
    settings = check(repo, {"AGENTS.md": "x\n"})
    assert list(settings.caps.values()) == [Decimal("1.5"), Decimal("1.5")]
    assert all("+version=" in name for name in settings.caps)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("models = 1\n", r"patchmark.toml of [0-9a-f]{12}:1: models"),
        ("x = 1\ny = [\n", r"patchmark.toml of [0-9a-f]{12}:2: "),
        ('models = ["nobody:x"]\n', r"patchmark.toml of [0-9a-f]{12}: models: unknown entrant"),
        (b"\xff\xfe", r"patchmark.toml of [0-9a-f]{12}: cannot be read"),
        ("#" * (LARGEST + 1), "bytes are too many"),
        (Entry("120000", b"/etc/passwd"), "is a link, and no file"),
    ],
)
def test_settings_that_cannot_be_read_are_named_with_their_line(
    repo: Repo, content: File, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        check(repo, {"patchmark.toml": content, "AGENTS.md": "x\n"})


def test_settings_that_were_deleted_are_the_defaults(repo: Repo) -> None:
    settings = check(repo, {"patchmark.toml": None, "AGENTS.md": "x\n"})
    assert [one.entrant for one in about(settings).entrants] == [CLAUDE]
    assert ignored(settings).keys() == {CLAUDE, "budget-usd"}


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(base="nowhere", head="main"), "--base nowhere: is in no part of this clone"),
        (Wish(base="main", head="f" * 40), "--head f+: is in no part"),
        (Wish(base="main", head="other"), "no commit in common"),
    ],
)
def test_versions_that_are_not_there(repo: Repo, wish: Wish, words: str) -> None:
    repo.commit("Unrelated", {"b.py": "1\n"}, parents=(), branch="other")
    with pytest.raises(PatchmarkError, match=words):
        prepared(Flags(repo=repo.path), wish, {"PATH": os.environ["PATH"]})


def test_without_a_model_there_is_nobody_to_ask(repo: Repo) -> None:
    with pytest.raises(UsageError, match="no model takes part"):
        check(repo, {"AGENTS.md": "x\n"}, models="reference,empty")


def test_the_bases_newer_commits_are_not_the_changes(repo: Repo) -> None:
    """Both versions are those since the branch began: what main did since is nobody's change."""
    repo.commit("Change", {"AGENTS.md": "Better.\n"}, branch="change",
                parents=(repo.git("rev-parse", "main").decode().strip(),))  # fmt: skip
    began = repo.git("rev-parse", "main").decode().strip()
    repo.commit("Main goes on", {"CLAUDE.md": "Other.\n"})
    wish = Wish(base="main", head="change")
    settings = prepared(Flags(repo=repo.path), wish, {"PATH": os.environ["PATH"]})
    assert about(settings).base == began
    assert compared(settings).keys() == {"AGENTS.md"}


def test_a_change_that_tells_the_fixes_is_found_out(repo: Repo) -> None:
    """What it is measured on would be solved by copying."""
    tasks = tally(facts({"openai:a": "FP"})).tasks
    fix = "def run():\n    total = net(items)\n"
    plain, telling = check(repo, {"AGENTS.md": "x\n"}), check(repo, {"AGENTS.md": fix})
    assert plain.change is not None
    assert telling.change is not None
    assert told(tasks, plain.change) == ()
    assert told(tasks, telling.change) == tuple(task.title for task in tasks)
    repo.commit("Told before", {"CLAUDE.md": fix})
    before = check(repo, {"AGENTS.md": fix})
    assert before.change is not None
    assert told(tasks, before.change) == ()


def test_its_folder_is_no_backtests(repo: Repo, tmp_path: Path) -> None:
    """`report` on it would leave out what it is about."""
    settings = check(repo, {"AGENTS.md": "x\n"}, out=tmp_path / "out")
    with opened(settings, lambda budget: Show(errors(), lambda: budget.spent)) as run:
        assert run.repository.head == about(settings).base
    with pytest.raises(UsageError, match="holds a check of a change"):
        known(Flags(repo=repo.path, out=tmp_path / "out"))
    other = known(Flags(repo=repo.path, out=tmp_path / "out", models=CLAUDE))
    assert other.models == (CLAUDE,)


def test_a_settings_file_from_elsewhere_holds_for_both(repo: Repo, tmp_path: Path) -> None:
    """The head was asked by the defaults instead, and so a change was seen where none was."""
    elsewhere = tmp_path / "own.toml"
    elsewhere.write_text(f'models = ["{CLAUDE}"]\nmax-output-tokens = 700\n')
    settings = check(repo, {"patchmark.toml": HOSTILE}, config=elsewhere)
    assert about(settings).entrants == ()
    assert about(settings).untouched == (CLAUDE,)
    assert (compared(settings), ignored(settings)) == ({}, {})


def test_models_that_were_named_are_not_the_files(repo: Repo) -> None:
    toml = TOML.replace(CLAUDE, f"{CLAUDE}+effort=high")
    settings = check(repo, {"patchmark.toml": toml, "AGENTS.md": "x\n"}, models=CLAUDE)
    assert [one.other for one in about(settings).entrants] == [CLAUDE]
    assert ignored(settings) == {"models": "who is asked was said when the check was started"}


def test_a_report_is_written_into_no_folder_that_a_commit_brings(repo: Repo) -> None:
    """Where nobody was asked, it went through a link in the place of the run folder."""
    repo.commit("Bring a link", {"patchmark-check": Entry("120000", b"/tmp")})
    repo.checkout()
    settings = check(repo, {"a.py": "2\n"}, out=repo.path / "patchmark-check")
    with pytest.raises(UsageError, match="is part of the repository"):
        idle_report(settings)
