"""`patchmark doctor --action` with a token: what GitHub says of secrets and settings."""

from __future__ import annotations

from typing import Any

import pytest
from support.fake_github import NAME, FakeGitHub
from support.repos import Repo

from patchmark.action_doctor import examine
from patchmark.doctor import Check
from patchmark.settings import Flags
from patchmark.workflow_files import workflows

PIN = f"patchmark/patchmark@{'0123456789' * 4}"
SECRETS = {"secrets": [{"name": "ANTHROPIC_API_KEY"}]}
OPEN = {"enabled": True, "allowed_actions": "all"}


class Settings(FakeGitHub):
    """A GitHub that tells of a repository's Actions; what is not here it does not show."""

    def __init__(self, **there: Any) -> None:
        super().__init__(prefix="/api/v3")
        self.there = there

    def _read(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any, dict[str, str]]:
        what = path.removeprefix(f"/repos/{NAME}/actions/").replace("-", "_").replace("/", "_")
        if what == path:
            return super()._read(path, query)
        return (200, self.there[what], {}) if what in self.there else (403, {"message": "No"}, {})


@pytest.fixture
def repo(tmp_path: Any) -> Repo:
    """A repository with the workflow that asks a model each month."""
    made = Repo(tmp_path / "repo")
    texts = workflows("backtest", ["reference", "anthropic:claude-opus-4-8"], "5", PIN)
    made.commit("Start", {"a.py": ""})
    (made.path / ".github/workflows").mkdir(parents=True)
    for name, text in texts.items():
        (made.path / ".github/workflows" / name).write_text(text)
    return made


def look(repo: Repo, github: FakeGitHub, **more: str) -> dict[str, Check]:
    """What is found that no file tells."""
    variables = {"GITHUB_TOKEN": "ghp_0123456789", "GITHUB_API_URL": github.api}
    variables |= {"GITHUB_REPOSITORY": NAME, **more}
    found = examine(Flags(repo=repo.path), variables)
    return {
        check.name: check for check in found if check.name in ("secrets set", "GitHub", "token")
    }


def test_all_is_there(repo: Repo) -> None:
    with Settings(secrets=SECRETS, permissions=OPEN) as github:
        found = look(repo, github)
    assert [check.ok for check in found.values()] == [True, True]
    assert found["secrets set"].found == f"ANTHROPIC_API_KEY in {NAME}"
    assert github.tokens == {"token ghp_0123456789"}
    assert all(line.startswith("GET /api/v3/") for line in github.requests)


@pytest.mark.parametrize(
    ("there", "name", "code", "words"),
    [
        ({"secrets": {"secrets": []}, "permissions": OPEN}, "secrets set", 2, "ANTHROPIC_API_KEY"),
        ({"secrets": {"secrets": []}, "organization_secrets": SECRETS, "permissions": OPEN},
         "secrets set", 0, "ANTHROPIC_API_KEY in"),
        ({"secrets": SECRETS, "permissions": {"enabled": False}}, "GitHub", 2, "turned off"),
        ({"secrets": SECRETS, "permissions": {"allowed_actions": "local_only"}}, "GitHub", 2,
         "only actions of its owner"),
        ({"secrets": SECRETS, "permissions": {"allowed_actions": "selected"}}, "GitHub", 0,
         "only selected"),
        ({"permissions": OPEN}, "GitHub", 0, "Actions are on"),
        ({"secrets": [], "permissions": []}, "secrets set", 2, "not in"),
        ({}, "GitHub", 0, "may not see them (403)"),
    ],
)  # fmt: skip
def test_what_may_be_missing(
    repo: Repo, there: dict[str, Any], name: str, code: int, words: str
) -> None:
    with Settings(**there) as github:
        found = look(repo, github)
    assert found[name].exit_code == code
    assert words in found[name].found


def test_the_usual_rights_are_told_where_a_job_says_none(repo: Repo) -> None:
    path = repo.path / ".github/workflows/patchmark-backtest.yml"
    text = path.read_text().replace("permissions: {}\n", "")
    start = text.index("    permissions:\n")
    path.write_text(text[:start] + text[text.index("    steps:\n") :])
    usual = {"default_workflow_permissions": "write"}
    with Settings(secrets=SECRETS, permissions=OPEN, permissions_workflow=usual) as github:
        found = look(repo, github)
    assert found["token"].found == "write, where a job says nothing"


def test_nobody_there_and_no_name(repo: Repo) -> None:
    with Settings(secrets=SECRETS, permissions=OPEN) as github:
        assert "cannot be told" in look(repo, github, GITHUB_REPOSITORY="")["GitHub"].found
        assert github.requests == []
    gone = look(repo, github)
    assert "does not answer" in gone["GitHub"].found
    assert not any(check.exit_code for check in gone.values())
