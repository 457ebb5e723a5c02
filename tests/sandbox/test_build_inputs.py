"""What a build gets: its files, its network, its base."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sandbox.base import _mirror, _suite, base_tag, last_lines
from sandbox.ecosystems.python import toolchain
from sandbox.engine import Build
from sandbox.network import Network
from sandbox.script import FOLDER, build_files


def run(build: Build) -> subprocess.CompletedProcess[bytes]:
    """Read a build's script as its shell would, without removing or copying anything."""
    text = build_files(build)[f"{FOLDER}/build.sh"].content.decode()
    text = text.replace("rm -rf ", "echo removed ").replace("cp ", "echo copied ")
    return subprocess.run(["sh"], input=text.encode(), capture_output=True)


def test_secrets_are_exported_and_the_folder_goes_first() -> None:
    secrets = {"A": 'it\'s $HOME `x` "y"', "B": ""}
    ran = run(Build(image="i", script='echo "$A|$B"\n', tag="t:1", secrets=secrets))
    assert ran.stdout.decode().splitlines() == [f"removed {FOLDER}", f"{secrets['A']}|"]


def test_only_root_can_read_the_files() -> None:
    files = build_files(Build(image="i", script="true", tag="t:1", ca_bundle=b"pem"))
    assert {path: file.mode for path, file in files.items()} == {
        f"{FOLDER}/ca.pem": 0o600,
        f"{FOLDER}/build.sh": 0o600,
    }
    assert files[f"{FOLDER}/ca.pem"].content == b"pem"


def test_the_ca_bundle_is_named_to_every_client() -> None:
    names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE")
    script = "\n".join(f'echo "${name}"' for name in names)
    ran = run(Build(image="i", script=script, tag="t:1", ca_bundle=b"pem"))
    assert ran.stdout.count(b"/run/patchmark/ca.pem\n") == 1 + len(names)


@pytest.mark.parametrize("script", ["false\necho on", "echo $UNSET\necho on", "(exit 3)\necho on"])
def test_a_failing_line_ends_the_build(script: str) -> None:
    ran = run(Build(image="i", script=script, tag="t:1"))
    assert ran.returncode != 0
    assert b"on" not in ran.stdout.splitlines()


def test_builds_get_the_proxy_and_index_variables_alone() -> None:
    given = {
        "HTTPS_PROXY": "http://p",
        "no_proxy": "x",
        "PIP_EXTRA_INDEX_URL": "http://e",
        "ANTHROPIC_API_KEY": "k",
        "HOME": "/root",
        "UV_INDEX": "",
    }
    assert Network(given).build_environment() == {
        "HTTPS_PROXY": "http://p",
        "no_proxy": "x",
        "PIP_EXTRA_INDEX_URL": "http://e",
    }


@pytest.mark.parametrize("own", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_pips_index_serves_uv_unless_uv_has_its_own(own: str) -> None:
    """Bug: an index set by uv's former name lost against the one derived from pip's."""
    pip = {"PIP_INDEX_URL": "http://pip"}
    assert Network(pip).build_environment() == {**pip, "UV_DEFAULT_INDEX": "http://pip"}
    both = {**pip, own: "http://uv"}
    assert Network(both).build_environment() == both


@pytest.mark.parametrize(
    ("text", "suite"),
    [
        ("ID=debian\nVERSION_CODENAME=bookworm\n", "bookworm"),
        ('NAME="x"\nVERSION_CODENAME="noble"\n', "noble"),
        ("DEBIAN_VERSION_CODENAME=x\n", ""),
        ("", ""),
    ],
)
def test_the_suite_of_this_system(tmp_path: Path, text: str, suite: str) -> None:
    """Bug: a code name in quotes, as os-release allows, was not found."""
    (tmp_path / "os-release").write_text(text, encoding="utf-8")
    assert _suite(tmp_path) == suite


def test_a_system_without_os_release_has_no_suite(tmp_path: Path) -> None:
    assert _suite(tmp_path) == ""
    assert _mirror(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "mirror"),
    [
        ("deb http://m.example/debian bookworm main\n", ["http://m.example/debian"]),
        (
            "deb [signed-by=/x] https://m.example/ubuntu/ noble main\n",
            ["https://m.example/ubuntu/"],
        ),
        ("# deb http://old.example/debian x main\ndeb http://m.example/debian x main\n", None),
        ("deb http://m.example/debian-security x main\n", []),
    ],
)
def test_the_mirror_of_this_system(tmp_path: Path, text: str, mirror: list[str] | None) -> None:
    """Bug: a mirror in a comment was taken for the one in use."""
    expected = ["http://m.example/debian"] if mirror is None else mirror
    (tmp_path / "apt").mkdir()
    (tmp_path / "apt/sources.list").write_text(text, encoding="utf-8")
    assert _mirror(tmp_path) == expected


def test_the_mirror_in_the_newer_format(tmp_path: Path) -> None:
    folder = tmp_path / "apt/sources.list.d"
    folder.mkdir(parents=True)
    text = "Types: deb\n# http://snapshot.example/debian\nURIs: http://m.example/debian\n"
    (folder / "debian.sources").write_text(text, encoding="utf-8")
    assert _mirror(tmp_path) == ["http://m.example/debian"]


def test_base_images_differ_by_python() -> None:
    assert base_tag(toolchain("3.11")) != base_tag(toolchain("3.12"))
    assert base_tag(toolchain("3.11")).startswith("patchmark/base:python3.11-")


def test_the_end_of_an_output_fits_one_line() -> None:
    assert last_lines("a\n\n  b \nc\n", 2) == "b / c"
    assert last_lines(" \n") == "it printed nothing"
