"""A repository's own Dockerfile or devcontainer as the start of its environment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.calc_repo import COMMITTED_AT, FILES
from support.repos import Repo

from core.git import Repository
from sandbox.docker import DockerEngine
from sandbox.engine import Job
from sandbox.image import BrokenEnvironmentError, Images
from sandbox.network import Network
from sandbox.own_image import OwnImage, own_image
from sandbox.recipe import EnvironmentSettings

START = 'FROM {}\nENTRYPOINT []\nSHELL ["/bin/sh", "-c"]\n'
JSONC = """// For our editors
{
  "name": "http://not.a/comment", /* nor
  this */ "build": { "dockerfile": "Own.Dockerfile", "context": "..", },
}
"""


@pytest.mark.parametrize(
    ("path", "content", "found"),
    [
        ("Dockerfile", "FROM x", OwnImage(dockerfile="Dockerfile", text="FROM x")),
        ("d.json", '{"image": "python:3"}', OwnImage(image="python:3")),
        (".dev/d.json", '{"dockerFile": "D"}', OwnImage(None, ".dev/D", ".dev", "FROM d")),
        (
            ".devcontainer/devcontainer.json",
            JSONC,
            OwnImage(None, ".devcontainer/Own.Dockerfile", ".", "FROM y"),
        ),
    ],
)
def test_what_is_asked_for(path: str, content: str, found: OwnImage, tmp_path: Path) -> None:
    more = {".devcontainer/Own.Dockerfile": "FROM y", ".dev/D": "FROM d"}
    commit = Repo(tmp_path).commit("Start", {**more, path: content})
    assert own_image(Repository(tmp_path), commit, path) == found


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no d.json"),
        ("{", "d.json cannot be read"),
        ("[]", "d.json cannot be read: it is no object"),
        ("{}", "names neither an image nor a Dockerfile"),
        ('{"build": {"dockerfile": "Gone"}}', "names Gone, which is not there"),
    ],
)
def test_what_is_missing_is_said(content: str | None, words: str, tmp_path: Path) -> None:
    commit = Repo(tmp_path).commit("Start", {"a": "", **({"d.json": content} if content else {})})
    with pytest.raises(ValueError, match=re.escape(words)):
        own_image(Repository(tmp_path), commit, "d.json")


def made(
    folder: Path, engine: DockerEngine, network: Network, dockerfile: str
) -> tuple[Images, str]:
    commit = Repo(folder / "repo").commit("Start", {**FILES, "Dockerfile": dockerfile})
    images = Images(
        engine=engine,
        repository=Repository(folder / "repo"),
        settings=EnvironmentSettings(dockerfile="Dockerfile"),
        network=network,
        logs=folder / "logs",
        tell=print,
    )
    return images, commit


@pytest.mark.docker
def test_tests_run_on_the_image_of_a_dockerfile(
    engine: DockerEngine, base: str, network: Network, tmp_path: Path
) -> None:
    text = START.format(base) + "COPY calc.py /own.py\nRUN echo x > /made\n"
    images, commit = made(tmp_path, engine, network, text)
    found = images.prepare(commit, images.recipes(commit, COMMITTED_AT)[0])
    ran = engine.run(
        Job(image=found.image, command=("sh", "-c", "cat /made; diff /own.py /repo/calc.py"))
    )
    assert (ran.output, ran.exit_code) == ("x\n", 0)


@pytest.mark.docker
def test_a_dockerfile_that_fails_says_why(
    engine: DockerEngine, base: str, network: Network, tmp_path: Path
) -> None:
    text = START.format(base) + "RUN echo no luck; exit 3\n"
    images, commit = made(tmp_path, engine, network, text)
    with pytest.raises(BrokenEnvironmentError, match="no luck"):
        images.prepare(commit, images.recipes(commit, COMMITTED_AT)[0])
