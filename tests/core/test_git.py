"""Reading repositories: all forms they come in, and what they hold to the byte."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from support.repos import Entry, File, Repo

from core.errors import RepositoryError
from core.git import Repository, Snapshot, TreeEntry, touched_paths


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


def test_what_is_no_repository(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for name, words in (
        ("nowhere", "no such folder"),
        ("file", "not a git repository"),
        (".", "not a git repository"),
    ):
        with pytest.raises(RepositoryError, match=words) as caught:
            Repository(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)


def test_an_empty_repository(repo: Repo) -> None:
    with pytest.raises(RepositoryError, match="has no commit yet"):
        Repository(repo.path)


def test_a_broken_configuration_is_told_in_gits_words(repo: Repo) -> None:
    """Bug: this was `not a git repository`, which sends people the wrong way."""
    repo.commit()
    with (repo.path / ".git" / "config").open("a", encoding="utf-8") as config:
        config.write("[broken\n")
    with pytest.raises(RepositoryError, match="bad config line"):
        Repository(repo.path)


def test_a_home_in_the_configuration_needs_no_home(repo: Repo) -> None:
    """Bug: `~/` anywhere in .git/config made it `not a git repository`."""
    commit = repo.commit()
    repo.git("config", "core.excludesFile", "~/.gitignore")
    repo.git("config", "include.path", "~/more")
    assert Repository(repo.path).head == commit


def test_below_the_root_bare_and_in_a_worktree(tmp_path: Path, repo: Repo) -> None:
    commit = repo.commit(files={"src/a.py": "a\n"})
    repo.checkout()
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare"))
    repo.git("worktree", "add", "-q", str(tmp_path / "tree"))
    for path in (repo.path / "src", tmp_path / "bare", tmp_path / "tree", repo.path / ".git"):
        repository = Repository(path)
        assert repository.head == commit
        assert [entry.path for entry in repository.tree(commit)] == ["src/a.py"]
        assert repository.read(commit, "src/a.py") == "a\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_repository_of_somebody_else_can_be_read(repo: Repo) -> None:
    """In a job's container the checkout belongs to another user than the one who runs."""
    commit = repo.commit()
    os.chown(repo.path, 12345, 12345)
    os.chown(repo.path / ".git", 12345, 12345)
    assert Repository(repo.path).head == commit


def test_a_shallow_clone_says_so(tmp_path: Path, repo: Repo) -> None:
    repo.commit("one")
    repo.commit("two")
    source = f"file://{repo.path}"
    repo.git("clone", "-q", "--depth=1", source, str(tmp_path / "shallow"))
    assert Repository(tmp_path / "shallow").is_shallow
    assert not Repository(repo.path).is_shallow


def test_reading_gives_text_or_none(repo: Repo) -> None:
    files: dict[str, File] = {
        "a.py": "ü\r\n\x0c\n",
        "bin": b"a\0b",
        "latin": b"\xe9",
        "new\nline": "x",
        "empty": "",
    }
    commit = repo.commit(files=files)
    snapshot = Snapshot(Repository(repo.path), commit)
    assert snapshot.read("a.py") == "ü\r\n\x0c\n"
    assert snapshot.read("new\nline") == "x"
    assert snapshot.read("empty") == ""
    for path in ("bin", "latin", "missing", "", ".", "../a.py", "/etc/passwd", "a.py/x"):
        assert snapshot.read(path) is None, path


@pytest.mark.parametrize("path", ["a\0b", "x" * 300_000, "\ud800"], ids=["nul", "long", "half"])
def test_a_path_no_command_line_can_carry_is_a_missing_file(repo: Repo, path: str) -> None:
    """Bug: a model's answer that names such a file ended the run with a traceback."""
    commit = repo.commit()
    assert Repository(repo.path).read(commit, path) is None


ODD: dict[str, File] = {
    "plain.py": "a\n",
    "crlf.txt": "a\r\nb\n",
    "run.sh": Entry("100755", b"#!/bin/sh\n"),
    "empty": "",
    "link": Entry("120000", b"../out of/here"),
    "sub/module": Entry("160000", b"a" * 40),
    "binary": bytes(range(256)) * 300,
    "größe \n'\".txt": "x",
    "d/" * 60 + "deep.py": "deep\n",
    "secret.txt": "$Id$\n",
    "version.py": 'v = "$Format:%H$"\n',
    os.fsdecode(b"latin-\xe9"): "x",
}
ATTRIBUTES = """
* text eol=crlf filter=lfs ident working-tree-encoding=UTF-16
secret.txt export-ignore
version.py export-subst
"""


def test_an_archive_is_the_tree_byte_for_byte(repo: Repo) -> None:
    """Whatever .gitattributes asks for: files left out, words put in, line ends changed."""
    commit = repo.commit(files={**ODD, ".gitattributes": ATTRIBUTES})
    with tarfile.open(fileobj=io.BytesIO(Repository(repo.path).archive(commit, "repo"))) as tar:
        found: dict[str, File] = {}
        for member in tar:
            name = member.name.removeprefix("repo/")
            content = tar.extractfile(member) if member.isreg() else None
            if member.issym():
                found[name] = Entry("120000", os.fsencode(member.linkname))
            elif content is not None and member.mode == 0o755:
                found[name] = Entry("100755", content.read())
            elif content is not None:
                assert member.mode == 0o644
                found[name] = content.read()
    expected: dict[str, File] = {
        name: file.encode() if isinstance(file, str) else file
        for name, file in {**ODD, ".gitattributes": ATTRIBUTES}.items()
        if name != "sub/module"
    }
    assert found == expected


def test_an_empty_tree_is_an_empty_archive(repo: Repo) -> None:
    commit = repo.commit()
    with tarfile.open(fileobj=io.BytesIO(Repository(repo.path).archive(commit, "repo"))) as tar:
        assert tar.getmembers() == []


def test_a_tree_has_no_submodules_and_a_snapshot_no_links(repo: Repo) -> None:
    repo.commit(files=ODD)
    repository = Repository(repo.path)
    entries = repository.tree(repository.head)
    assert {entry.path for entry in entries} == set(ODD) - {"sub/module"}
    assert next(entry.mode for entry in entries if entry.path == "link") == "120000"
    assert set(Snapshot(repository, repository.head).files()) == set(ODD) - {"sub/module", "link"}


def lose(repo: Repo, blob: str) -> None:
    (repo.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()


def test_a_missing_blob_is_a_repository_error(repo: Repo) -> None:
    """As in a partial clone, where git would fetch it, and we do not let it."""
    commit = repo.commit(files={"a.py": "a\n", "b.py": "b\n"})
    repository = Repository(repo.path)
    entry: TreeEntry = repository.tree(commit)[0]
    lose(repo, entry.blob)
    with pytest.raises(RepositoryError, match=f"no object {entry.blob}.*partial clone"):
        repository.archive(commit, "repo")
    assert repository.read(commit, "a.py") is None


def test_many_blobs_of_which_the_first_is_missing(repo: Repo) -> None:
    """Neither side waits for the other for ever, and the error is ours."""
    repo.commit()
    with pytest.raises(RepositoryError, match="no object"):
        list(Repository(repo.path).blobs(["0" * 40] * 100_000))


def test_a_stream_that_fails_tells_gits_words(repo: Repo) -> None:
    """Bug: it said `git log ended with 128` and no more."""
    repo.commit()
    with (
        pytest.raises(RepositoryError, match="git log: fatal: bad revision 'nothing'"),
        Repository(repo.path).stream("log", "nothing", "--") as out,
    ):
        out.read()


def test_a_stream_may_be_left_early(repo: Repo) -> None:
    commit = repo.commit(files={"big": b"x" * 1_000_000})
    with Repository(repo.path).stream("cat-file", "blob", f"{commit}:big") as out:
        assert out.read(10) == b"x" * 10


RENAME = "diff --git a/conftest.py b/x.py\nrename {} conftest.py\nrename {} x.py\n"


@pytest.mark.parametrize(
    ("diff", "expected"),
    [
        ("", []),
        ("no diff at all\n", []),
        ("--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n", ["x.py"]),
        ("diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", ["x"]),
        ("diff --git a/x b/x\nnew file mode 100644\nindex 0000000..e69de29\n", ["x"]),
        ("--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", ["x"]),
        ('--- /dev/null\n+++ "b/\\303\\274 \\n\\377"\n@@ -0,0 +1 @@\n+a\n', ["ü \n\udcff"]),
        ("diff --git a/c.py b/c.py\r\n--- a/c.py\r\n+++ b/c.py\r\n@@ -1 +1 @@\n-a\n+b\n", ["c.py"]),
        ("--- a/x.py\n+++ b/x.py\n@@ -1,5 +1 @@\n-a\n+b\n", []),
    ],
)
def test_the_paths_git_reads_in_a_diff(diff: str, expected: list[str]) -> None:
    assert touched_paths(diff) == expected


@pytest.mark.parametrize("words", [("from", "to"), ("old", "new")])
def test_a_renamed_file_is_touched_under_both_names(words: tuple[str, str]) -> None:
    """Bug: git names the new one only, so that a protected file could be renamed away."""
    assert touched_paths(RENAME.format(*words)) == ["x.py", "conftest.py"]


def test_paths_are_read_also_where_temporary_files_lie_in_a_repository(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bug: git then passed over every path that is not below the temporary folder."""
    monkeypatch.setattr("tempfile.tempdir", str(repo.path))
    assert touched_paths("--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n") == ["x.py"]


def test_files_of_an_archive_carry_the_commits_date_and_none_before_1980(tmp_path: Path) -> None:
    """Bug: they were of 1970, and a build back end refused: ZIP knows no dates before 1980."""
    repo = Repo(tmp_path)
    old = repo.commit("Long ago", {"a.py": ""}, date="86400 +0000")
    new = repo.commit("Now", {"b.py": ""}, date="1750000000 +0200")
    repository = Repository(tmp_path)
    for commit, date in ((old, 315_619_200), (new, 1_750_000_000)):
        with tarfile.open(fileobj=io.BytesIO(repository.archive(commit, "repo"))) as tar:
            assert {member.mtime for member in tar} == {date}
