"""A release: one version, said the same everywhere, and a wheel that works without a checkout."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from patchmark import __version__

ROOT = Path(__file__).parents[1]
LOG = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-11-25\n\n### Added\n\n- It.\n\n"
OLDER = "## [1.1.0] - 2026-10-01\n\n- That.\n"


@pytest.fixture(scope="module")
def release() -> ModuleType:
    """The script, which is no module of a package."""
    spec = importlib.util.spec_from_file_location("release", ROOT / "scripts/release.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tree(folder: Path, version: str = "1.2.0", log: str = LOG + OLDER) -> Path:
    """As much of a checkout as is looked at."""
    (folder / "patchmark").mkdir()
    (folder / "patchmark/__init__.py").write_text(f'"""."""\n\n__version__ = "{version}"\n')
    (folder / "CHANGELOG.md").write_text(log)
    return folder


def test_what_may_be_released(release: ModuleType, tmp_path: Path) -> None:
    assert release.wrong(tree(tmp_path), "v1.2.0") == []
    notes = release.notes(tmp_path, "v1.2.0", "c" * 40)
    assert notes.startswith("### Added\n\n- It.\n")
    assert f"uses: patchmark/patchmark@{'c' * 40} # v1.2.0" in notes
    assert "That" not in notes


@pytest.mark.parametrize(
    ("tag", "version", "log", "why"),
    [
        ("v1.2", "1.2.0", LOG, "the tag is v1.2,"),
        ("1.2.0", "1.2.0", LOG, "the tag is 1.2.0,"),
        ("v1.2.0", "1.3.0", LOG, "says 1.3.0"),
        ("v1.3.0", "1.3.0", LOG, "the newest version is 1.2.0, not 1.3.0"),
        ("v1.2.0", "1.2.0", LOG.replace("ed]\n", "ed]\n\n- New.\n"), "Unreleased is not empty"),
        ("v1.2.0", "1.2.0", LOG.replace(" - 2026-11-25", ""), "write a day"),
        ("v1.2.0", "1.2.0", LOG.replace("### Added\n\n- It.\n", ""), "says nothing"),
        ("v1.2.0", "1.2.0", "# Changelog\n\n## [Unreleased]\n", "the newest version is missing"),
        ("v1.2.0", "1.2.0", "# Changelog\n", "the newest version is missing"),
    ],
)
def test_what_may_not(
    release: ModuleType, tmp_path: Path, tag: str, version: str, log: str, why: str
) -> None:
    assert why in "\n".join(release.wrong(tree(tmp_path, version, log), tag))


def test_the_command_says_so(release: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(["check", "v99.0.0"]) == 2
    assert "v99.0.0" in capsys.readouterr().err
    assert release.main([]) == 2


def test_the_wheel_has_the_version_and_the_examples_and_works_alone(tmp_path: Path) -> None:
    """From what is in it: no file of this checkout is on the path of the process."""
    built = subprocess.run(
        [Path(sys.executable).with_name("hatchling"), "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob(f"patchmark-{__version__}-*.whl")
    inside = tmp_path / "inside"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(inside)
    examples = {path.name for path in (ROOT / "examples/workflows").glob("*.yml")}
    assert {path.name for path in (inside / "examples/workflows").iterdir()} == examples
    script = (
        f"import sys; sys.path = [p for p in sys.path if p != {str(ROOT)!r}]; "
        f"sys.path.insert(0, {str(inside)!r}); import patchmark.cli as cli; "
        f"assert cli.__file__.startswith({str(inside)!r}); "
        "sys.exit(cli.main(['init', '--repo', 'repo']))"
    )
    subprocess.run(["git", "init", "-q", tmp_path / "repo"], check=True)
    us = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    start = ("commit", "-q", "--allow-empty", "-m", "Start")
    subprocess.run(["git", *us, "-C", tmp_path / "repo", *start], check=True)
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "backtest" in (tmp_path / "repo/.github/workflows/patchmark-backtest.yml").read_text()


def test_only_the_job_that_runs_nothing_of_ours_may_write() -> None:
    text = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    assert jobs["build"]["permissions"] == {"contents": "read"}
    assert jobs["publish"]["permissions"] == {"contents": "write"}
    assert not any("checkout" in step.get("uses", "") for step in jobs["publish"]["steps"])
    assert "--force" not in text
    assert "--clobber" not in text
