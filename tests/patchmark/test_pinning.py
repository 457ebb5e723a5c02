"""The commit that workflows are pinned to: known for certain, or left open."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from support.repos import Repo

from core.errors import UsageError
from core.git import clean_environment
from patchmark import pinning
from patchmark.pinning import RELEASED, given, known, pinned

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def _noted(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """What pip noted of its install is the test's to say."""

    class Installed:
        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return getattr(request, "param", None)

    monkeypatch.setattr(pinning, "distribution", lambda _: Installed())


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", folder, *arguments], check=True, env=clean_environment())


@pytest.mark.parametrize(
    "url",
    ["https://github.com/acme/patchmark.git", "git@ghe.example:acme/patchmark",
     "ssh://git@ghe.example:22/acme/patchmark.git/"],
)  # fmt: skip
def test_a_clone_knows_its_commit_once_the_origin_has_it(tmp_path: Path, url: str) -> None:
    head = Repo(tmp_path / "clone").commit("Start", {"a.py": ""})
    assert known(tmp_path / "clone") == ""
    _git(tmp_path / "clone", "remote", "add", "origin", url)
    assert known(tmp_path / "clone") == ""
    _git(tmp_path / "clone", "update-ref", "refs/remotes/origin/main", head)
    assert known(tmp_path / "clone") == f"acme/patchmark@{head}"
    _git(tmp_path / "clone", "tag", "v1.2.3")
    assert known(tmp_path / "clone") == f"acme/patchmark@{head} # v1.2.3"


@pytest.mark.parametrize("url", ["../main", "/srv/git/a/patchmark", "file:///srv/a/patchmark"])
def test_a_clone_of_a_folder_tells_nobody_a_name(tmp_path: Path, url: str) -> None:
    head = Repo(tmp_path).commit("Start", {"a.py": ""})
    _git(tmp_path, "remote", "add", "origin", url)
    _git(tmp_path, "update-ref", "refs/remotes/origin/main", head)
    assert known(tmp_path) == ""


def test_another_projects_clone_around_the_install_is_not_ours(tmp_path: Path) -> None:
    head = Repo(tmp_path).commit("Start", {"env/lib/a.py": ""})
    _git(tmp_path, "remote", "add", "origin", "https://github.com/they/theirs.git")
    _git(tmp_path, "update-ref", "refs/remotes/origin/main", head)
    assert known(tmp_path / "env/lib") == ""


def test_a_released_wheel_says_it(tmp_path: Path) -> None:
    (tmp_path / RELEASED).parent.mkdir()
    for line in (f"acme/patchmark@{SHA} # v1.2.3", f"acme/patchmark@{SHA[:-1]} # v1.2.3", "\xff"):
        (tmp_path / RELEASED).write_text(f"{line}\n", encoding="latin-1")
        assert known(tmp_path) == (line if SHA in line else "")


@pytest.mark.parametrize(
    ("_noted", "pin"),
    [
        (json.dumps({"url": "https://github.com/acme/patchmark", "vcs_info": {"commit_id": SHA}}),
         f"acme/patchmark@{SHA}"),
        (json.dumps({"url": "file:///here", "dir_info": {}}), ""),
        (json.dumps({"url": "https://github.com/acme", "vcs_info": {"commit_id": SHA}}), ""),
        ("[", ""),
        ("[]", ""),
    ],
    indirect=["_noted"],
)  # fmt: skip
def test_what_pip_noted(tmp_path: Path, pin: str) -> None:
    assert known(tmp_path) == pin


@pytest.mark.parametrize(
    "pin",
    [
        "acme/patchmark",
        "acme/patchmark@v1.2.3",
        f"a/b/c@{SHA}",
        f"@{SHA}",
        f"a/b@{SHA} # v1\nx: y",
    ],
)
def test_what_is_no_commit_is_refused(pin: str) -> None:
    with pytest.raises(UsageError, match="full SHA"):
        given(pin)


def test_each_of_our_actions_is_pinned_and_nothing_else() -> None:
    text = "".join(
        f"uses: {name} # zizmor: ignore[unpinned-uses] a release's commit\n"
        for name in ("patchmark/patchmark@COMMIT", "patchmark/patchmark/post@COMMIT", "o/p@COMMIT")
    )
    assert pinned(text, "") == text
    assert pinned(text, given(f"acme/patchmark@{SHA}")).splitlines() == [
        f"uses: acme/patchmark@{SHA}",
        f"uses: acme/patchmark/post@{SHA}",
        text.splitlines()[2],
    ]
