"""GitHub Enterprise Server: its API's prefix, its own address in links, and its own authority."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import pytest
from support.action_step import Step
from support.fake_github import NUMBER, REPOSITORY_ID, FakeGitHub
from support.fake_tracker import NAME, FakeTracker
from support.own_authority import Authority, authority
from support.report_data import demo
from support.repos import Repo

from core.errors import InfrastructureError
from core.git import Repository
from patchmark import fork_report, posting
from patchmark.fork_report import run
from patchmark.posting import Posting, post, repository_at, run_of
from patchmark.settings import Flags, make
from patchmark.sources import tracker_for
from reports.patience import Pace
from reports.tally import tally

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
HEAD = "a" * 40
REPORT = tally(demo()).model_copy(update={"head": HEAD})
SERVER = "https://github.company"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("company") / "authority")


@pytest.fixture
def github(company: Authority) -> FakeGitHub:
    """Behind TLS that nobody trusts by itself."""
    server = company.serves(FakeGitHub(viewer=404, prefix="/api/v3"))
    server.pull(NUMBER, HEAD)
    return server


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (posting, fork_report):
        monkeypatch.setattr(module, "PACE", Pace(settle=0, again=0.01, unsaid=0.01, patience=1))
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)


def test_issues_are_read_by_graphql_beside_the_prefix(tmp_path: Path, company: Authority) -> None:
    repo = Repo(tmp_path / "repo")
    repo.commit()
    told: list[str] = []
    server = company.serves(FakeTracker())
    server.prefix = "/api/v3"
    with server:
        server.issue(3, title="It is broken", body="In all cases.")
        variables = {
            "GITHUB_TOKEN": "t", "GITHUB_API_URL": f"{server.url}/api/v3",
            "GITHUB_REPOSITORY": NAME, "XDG_CACHE_HOME": str(tmp_path / "cache"),
        }  # fmt: skip
        for more, found in (({}, 0), ({"PATCHMARK_CA_BUNDLE": str(company.bundle)}, 1)):
            settings = make(Flags(repo=repo.path), {**variables, **more})
            tracker = tracker_for(settings, Repository(repo.path), told.append, lambda _: None)
            assert len(tracker.issues([3])) == found
    assert any("CERTIFICATE_VERIFY_FAILED" in line for line in told)


def test_a_comment_is_written_with_the_companys_authority_and_not_without(
    company: Authority, github: FakeGitHub
) -> None:
    environment = {
        "GITHUB_API_URL": github.api, "GITHUB_REPOSITORY": "owner/sample",
        "GITHUB_SERVER_URL": SERVER, "GITHUB_RUN_ID": "1", "GITHUB_RUN_ATTEMPT": "1",
    }  # fmt: skip
    how = Posting(mode="always", run=run_of(environment, REPORT))
    with github:
        with (
            repository_at(environment, "ghs_0123456789", "") as place,
            pytest.raises(InfrastructureError, match=r"does not answer.*certificate verify failed"),
        ):
            post(place, NUMBER, REPORT, how)
        with repository_at(environment, "ghs_0123456789", str(company.bundle)) as place:
            post(place, NUMBER, REPORT, how)
    assert len(github.bodies) == 1
    assert all("/api/v3/" in line or line.endswith("/api/graphql") for line in github.requests)


def test_a_forks_report_is_fetched_and_posted(
    tmp_path: Path, company: Authority, github: FakeGitHub
) -> None:
    """Artifacts of another run, too, without what an Enterprise Server has not."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("report.json", REPORT.model_dump_json())
    github.artifacts[77] = {"patchmark-report": packed.getvalue()}
    base = {"id": REPOSITORY_ID, "full_name": "owner/sample", "owner": {"login": "owner"}}
    measured = {
        "id": 77, "event": "pull_request", "head_sha": HEAD, "head_branch": "change",
        "head_repository": {"id": len("x/fork"), "full_name": "x/fork", "owner": {"login": "x"}},
        "repository": base, "updated_at": "2026-03-02T09:30:00Z",
    }  # fmt: skip
    step = Step(tmp_path)
    shutil.copy(company.bundle, step.folder / "ca.crt")
    with github:
        code = run(
            step.environment(
                GITHUB_API_URL=github.api, GITHUB_SERVER_URL=SERVER,
                GITHUB_EVENT_NAME="workflow_run", PATCHMARK_INPUT_ARTIFACT="patchmark-report",
                PATCHMARK_INPUT_CA_BUNDLE="ca.crt", **step.event(workflow_run=measured),
            )
        )  # fmt: skip
    assert code == 0
    (body,) = github.bodies
    assert f"({SERVER}/owner/sample/actions/runs/77)" in body
    assert github.storage_tokens == {""}
