"""A Node recipe's own install lines against an index on the loopback: dates and locks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.npm_registry import NpmRegistry, Release

from sandbox.ci import workflow
from sandbox.ecosystems.node import recipes
from sandbox.ecosystems.node_install import install
from sandbox.facts import Facts
from sandbox.recipe import EnvironmentSettings

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm here")

PACKAGES = {
    "upper": {
        "1.0.0": Release("2023-05-01", {"lower": "^2.0.0"}),
        "1.1.0": Release("2024-02-20", {"lower": "^2.0.0"}),
        "1.2.0": Release("2024-03-05", {"lower": "^2.0.0"}),
    },
    "lower": {"2.0.0": Release("2022-01-01"), "2.1.0": Release("2024-05-01")},
    "late": {"1.0.0": Release("2025-01-01")},
}
NODE = 20


def installed(
    folder: Path, index: NpmRegistry, files: Mapping[str, str], *, fails: bool = False
) -> tuple[str, dict[str, str]]:
    """What the install lines of a commit of February 2024 say they did, and what is there then."""
    for name, text in files.items():
        (folder / name).write_text(text)
    facts = Facts(
        frozenset(files), files.get, datetime(2024, 2, 7, tzinfo=UTC), EnvironmentSettings()
    )
    lines = install(facts, facts.json("package.json"), "2024-02-29", NODE)
    (recipe,) = recipes(facts, workflow(facts))
    assert lines in recipe.dependencies
    # Builds keep the cache in a volume of this name.
    script = f"set -eu\n{lines}".replace("=/cache/", f"={folder}/cache/")
    with index:
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "npm_config_registry": index.url,
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode != 0) is fails, done.stdout + done.stderr
    found = (json.loads(p.read_text()) for p in folder.glob("node_modules/*/package.json"))
    told = [line for line in done.stdout.splitlines() if line.startswith("resolved: ")]
    return "".join(told).removeprefix("resolved: "), {p["name"]: p["version"] for p in found}


def asking(**dependencies: str) -> str:
    return json.dumps(
        {"name": "calc", "scripts": {"test": "node --test"}, "dependencies": dependencies}
    )


def lock(index: NpmRegistry, **versions: str) -> str:
    places = {
        f"node_modules/{name}": {
            "version": version,
            "integrity": index.integrity(name, version),
            "dependencies": dict(PACKAGES[name][version].dependencies),
        }
        for name, version in versions.items()
    }
    root = {"name": "calc", "dependencies": {"upper": "^1.0.0"}}
    return json.dumps({"name": "calc", "lockfileVersion": 3, "packages": {"": root, **places}})


def test_what_was_uploaded_after_the_commits_month_is_not_chosen(tmp_path: Path) -> None:
    told, there = installed(
        tmp_path, NpmRegistry(PACKAGES), {"package.json": asking(upper="^1.0.0")}
    )
    assert told == "as of 2024-02-29"
    assert there == {"upper": "1.1.0", "lower": "2.0.0"}


def test_a_lock_is_obeyed_whatever_the_date(tmp_path: Path) -> None:
    # One older than what is newest, the other of a later day than the commit.
    index = NpmRegistry(PACKAGES)
    text = lock(index, upper="1.0.0", lower="2.1.0")
    told, there = installed(
        tmp_path, index, {"package.json": asking(upper="^1.0.0"), "package-lock.json": text}
    )
    assert told == "locked by package-lock.json"
    assert there == {"upper": "1.0.0", "lower": "2.1.0"}


def test_an_index_without_dates_is_said_and_the_newest_taken(tmp_path: Path) -> None:
    index = NpmRegistry(PACKAGES, dates=False)
    told, there = installed(tmp_path, index, {"package.json": asking(upper="^1.0.0")})
    assert told == "newest: the index gives no upload dates"
    assert there == {"upper": "1.2.0", "lower": "2.1.0"}


def test_what_did_not_exist_yet_is_said_and_the_newest_taken(tmp_path: Path) -> None:
    package = asking(upper="^1.0.0", late="^1.0.0")
    told, there = installed(tmp_path, NpmRegistry(PACKAGES), {"package.json": package})
    assert told == "newest: the index has not all of it as of 2024-02-29"
    assert there == {"upper": "1.2.0", "lower": "2.1.0", "late": "1.0.0"}


def test_what_no_index_has_fails_the_build(tmp_path: Path) -> None:
    package = asking(unheard_of="^1.0.0")
    told, there = installed(tmp_path, NpmRegistry(PACKAGES), {"package.json": package}, fails=True)
    assert (told, there) == ("", {})
