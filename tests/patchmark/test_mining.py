"""Mining a run folder again and again: only what is new, and nothing changes its identity."""

from __future__ import annotations

import json
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import ClassVar

import pytest
from rich.console import Console
from support.fake_tracker import NAME as SLUG
from support.fake_tracker import FakeTracker, Fault, nodes
from support.mining import FIX
from support.repos import File, Repo

from core.errors import StoreError
from core.types import Candidate, Dropped
from patchmark.mining import NAME, mine_stage, notices
from patchmark.progress import Show
from patchmark.run import opened
from patchmark.settings import Flags, make


class Bench:
    """A repository and a run folder that mines it."""

    def __init__(self, tmp_path: Path, repo: Repo):
        self.repo, self.out, self.tmp_path = repo, tmp_path / "out", tmp_path

    variables: ClassVar[dict[str, str]] = {}

    def mine(self, repo: Repo | None = None, **flags: object) -> str:
        """Mine once; what was said meanwhile."""
        said = StringIO()
        show = Show(Console(file=said, width=200), lambda: Decimal(0))
        given = Flags(repo=(repo or self.repo).path, out=self.out, **flags)  # type: ignore[arg-type]
        settings = make(given, {"HOME": str(self.tmp_path), **self.variables})
        with opened(settings, lambda _: show) as run:
            mine_stage(run)
            self.candidates = run.candidates()
            self.all = list(run.folder.read(Candidate))
            self.dropped = list(run.folder.read(Dropped))
        return said.getvalue()

    def fix(self, number: int, **options: object) -> str:
        """One more commit that is a candidate."""
        files: dict[str, File] = {
            f"src/m{number}.py": f"x = {number}\n", f"tests/test_m{number}.py": "assert x\n"
        }  # fmt: skip
        return self.repo.commit(f"Fix {number}", files, **options)  # type: ignore[arg-type]

    @property
    def ids(self) -> list[str]:
        return [candidate.fix_commit for candidate in self.candidates]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    repo = Repo(tmp_path / "repo")
    repo.commit("Start", {"src/calc.py": "a = 1\n"})
    return Bench(tmp_path, repo)


def test_a_grown_history_is_read_from_where_it_was(bench: Bench) -> None:
    first = bench.fix(1)
    bench.mine()
    before = bench.all
    second = bench.fix(2)
    assert "mine: 1 of 1" in bench.mine()
    assert bench.ids == [first, second]
    assert bench.all[: len(before)] == before
    assert len({(d.commit, d.reason) for d in bench.dropped}) == len(bench.dropped) == 1


def test_nothing_new_is_no_work(bench: Bench) -> None:
    bench.fix(1)
    bench.mine()
    files = {path.name: path.read_bytes() for path in bench.out.glob("*.jsonl")}
    assert "mine: " not in bench.mine()
    assert {path.name: path.read_bytes() for path in bench.out.glob("*.jsonl")} == files


def test_a_mining_that_was_stopped_goes_on(bench: Bench) -> None:
    """`mined.json` is written last: before that, all is looked at and known ones are kept."""
    bench.fix(1)
    bench.mine()
    state = json.loads((bench.out / NAME).read_text())
    (bench.out / NAME).write_text(json.dumps(state | {"head": None}))
    before = bench.all
    bench.mine()
    assert bench.all == before
    assert len(bench.dropped) == 1


@pytest.mark.parametrize("words", ["This reverts commit {}.", ""])
def test_what_is_taken_back_later_is_a_candidate_no_more(bench: Bench, words: str) -> None:
    """Named by its id, or by nothing but its title."""
    fix = bench.fix(1)
    bench.mine()
    assert bench.ids == [fix]
    back: dict[str, File] = {"src/m1.py": None, "tests/test_m1.py": None}
    bench.repo.commit(f'Revert "Fix 1"\n\n{words.format(fix)}', back)
    bench.mine()
    assert bench.ids == []
    assert {d.commit: d.reason.value for d in bench.dropped}[fix] == "reverted_later"


def test_a_duplicate_of_a_known_candidate_is_found(bench: Bench) -> None:
    first = bench.fix(1)
    bench.mine()
    bench.repo.commit("Undo by hand", {"src/m1.py": None, "tests/test_m1.py": None})
    again = bench.fix(1)
    bench.mine()
    assert bench.ids == [first]
    assert {d.commit: d.reason.value for d in bench.dropped}[again] == "duplicate"


def test_a_long_lived_branch_that_is_merged_again_and_again(bench: Bench) -> None:
    """Only what it brought since the last time is looked at."""
    base = bench.repo.git("rev-parse", "main").decode().strip()
    one = bench.fix(1, parents=(base,), branch="next")
    two = bench.repo.commit("Words (#8)", {"README.md": "x\n"}, parents=(one,), branch="next")
    files: dict[str, File] = {"src/m1.py": "x = 1\n", "tests/test_m1.py": "assert x\n"}
    three = bench.repo.commit("More (#9)", {"b.md": "x\n"}, parents=(two,), branch="next")
    merged = bench.repo.commit(
        "Merge branch 'next'", {**files, "README.md": "x\n", "b.md": "x\n"}, parents=(base, three)
    )
    bench.mine()
    assert bench.ids == [one]
    dropped = len(bench.dropped)
    four = bench.fix(2, parents=(three,), branch="next")
    five = bench.fix(3, parents=(four,), branch="next")
    more = {f"src/m{n}.py": f"x = {n}\n" for n in (2, 3)}
    tests = {f"tests/test_m{n}.py": "assert x\n" for n in (2, 3)}
    six = bench.repo.commit("Doc (#12)", {"c.md": "x\n"}, parents=(five,), branch="next")
    seven = bench.repo.commit("Doc (#13)", {"d.md": "x\n"}, parents=(six,), branch="next")
    bench.repo.commit("Merge branch 'next'", {**more, **tests, "c.md": "x\n", "d.md": "x\n"},
                      parents=(merged, seven))  # fmt: skip
    bench.mine()
    assert bench.ids == [one, four, five]
    assert {d.reason.value for d in bench.dropped[dropped:]} == {"merge", "documentation"}
    assert len(bench.dropped) == dropped + 3


def test_a_rewritten_history_is_looked_at_anew(bench: Bench) -> None:
    """After a forced push, what is not there any more is no candidate, and what is stays."""
    first = bench.fix(1)
    gone = bench.fix(2)
    bench.mine()
    bench.repo.git("update-ref", "refs/heads/main", first)
    new = bench.fix(3)
    bench.repo.git("reflog", "expire", "--expire=all", "--all")
    bench.repo.git("gc", "--prune=now", "-q")
    bench.mine()
    assert bench.ids == [first, new]
    assert {d.commit: d.reason.value for d in bench.dropped}[gone] == "unreadable"


def test_other_rules_mine_anew_and_lose_nothing(bench: Bench) -> None:
    bench.repo.commit("Fix", {"src/a.py": "x\n", "checks/a.py": "y\n"})
    bench.mine()
    assert bench.ids == []
    (bench.repo.path / "patchmark.toml").write_text("[mine]\ntests = ['checks/**']\n")
    bench.mine()
    (found,) = bench.candidates
    assert found.test_files == ("checks/a.py",)
    assert found.path_rules.tests == ("checks/**",)
    assert (bench.out / "dropped.before.jsonl").is_file()


def test_a_shallow_clone_that_was_completed(bench: Bench, tmp_path: Path) -> None:
    """Bug: what had been the first commit there stayed dropped as the root of the history."""
    first = bench.fix(1)
    second = bench.fix(2)
    source = f"file://{bench.repo.path}"
    bench.repo.git("clone", "-q", "--depth=2", source, str(tmp_path / "shallow"))
    clone = Repo(tmp_path / "shallow")
    assert "the clone is shallow" in bench.mine(clone)
    assert bench.ids == [second]
    clone.git("fetch", "-q", "--unshallow")
    bench.mine(clone)
    assert bench.ids == [first, second]


def test_without_github_the_run_goes_on_and_says_what_that_cost(bench: Bench) -> None:
    bench.repo.commit("Fix add (#3)\n\nFixes #2", {**FIX, "src/calc.py": "a = 2\n"})
    assert "GITHUB_TOKEN is not set" in bench.mine()
    (words,) = notices(bench.out)
    assert words.startswith("2 issues, pull requests and commits could not be looked up")
    bench.mine()
    assert notices(bench.out) == (words,)


def on_github(bench: Bench, server: FakeTracker) -> None:
    """An issue of some time ago, closed by a squashed pull request; one direct push."""
    server.issue(2, title="Adding is wrong", body="`add(1, 2)` is -1, should be 3.",
                 labels=nodes({"name": "bug"}))  # fmt: skip
    closes = nodes({"number": 2, "repository": {"nameWithOwner": SLUG}})
    server.pull(3, title="Fix add", body="Use plus.", closingIssuesReferences=closes)
    bench.repo.commit("Fix add (#3)", {**FIX, "src/calc.py": "a = 2\n"}, date="1767000000 +0000")
    server.commit(bench.fix(1, date="1767000001 +0000"))
    bench.variables = {  # type: ignore[misc]
        "GITHUB_TOKEN": "token", "GITHUB_REPOSITORY": SLUG, "GITHUB_API_URL": server.url
    }  # fmt: skip


def test_with_github_the_issue_speaks_and_a_second_run_costs_nothing(bench: Bench) -> None:
    with FakeTracker() as server:
        on_github(bench, server)
        bench.mine()
        squashed, pushed = bench.candidates
        assert squashed.statement == "Adding is wrong\n\n`add(1, 2)` is -1, should be 3."
        assert (squashed.statement_source.value, squashed.pull_request) == ("issue", 3)
        assert [(link.issue, link.rule) for link in squashed.links] == [
            (2, "closing reference of the pull request")
        ]
        assert squashed.labels == ("bug",)
        assert (pushed.statement_source.value, pushed.pull_request) == ("commit_message", None)
        assert notices(bench.out) == ()
        asked = len(server.requests)
        bench.mine()
        assert len(server.requests) == asked
        # In another run folder the same machine asks once whether anything has changed.
        bench.out = bench.out.with_name("other")
        bench.mine()
        assert bench.candidates == [squashed, pushed]
        assert len(server.requests) <= asked + 2


@pytest.mark.parametrize("status", [403, 404, 410, 422, 500, 502])
def test_an_api_that_refuses_ends_no_run(bench: Bench, status: int) -> None:
    with FakeTracker() as server:
        on_github(bench, server)
        server.always = Fault(status, {"message": "no"})
        said = bench.mine()
        assert "GitHub answered" in said
        assert [c.statement_source.value for c in bench.candidates] == ["commit_message"] * 2
        assert "could not be looked up" in notices(bench.out)[0]


def test_a_damaged_state_names_itself(bench: Bench) -> None:
    bench.mine()
    (bench.out / NAME).write_text("{")
    with pytest.raises(StoreError, match=NAME):
        bench.mine()
