"""Base images: from a registry where one can be reached, else built from Debian packages.

A base image has Python, git, patch, a C compiler and uv, and a user without privileges.
It is made once and kept; its name carries the hash of how it was made.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from core.errors import EngineError, InfrastructureError
from sandbox.engine import Build, Engine
from sandbox.network import Network

USER = "10001"
_ETC = Path("/etc")
_PACKAGES = ("ca-certificates", "git", "patch", "gcc", "g++", "make", "libc6-dev")
_NO_BASE = (
    "no base image could be made of {}, which needs a shell, python3 with venv, and git and gcc "
    "or Debian's apt-get"
)
_DEBIAN_PYTHON = {"bookworm": "3.11", "trixie": "3.13", "noble": "3.12", "jammy": "3.10"}
_TOOLCHAIN = f"""
if ! command -v git > /dev/null || ! command -v gcc > /dev/null; then
  apt-get update
  apt-get install -y --no-install-recommends {" ".join(_PACKAGES)}
  rm -rf /var/lib/apt/lists/*
fi
python3 -m venv /opt/patchmark/uv
/opt/patchmark/uv/bin/pip install --quiet --no-cache-dir 'uv>=0.9,<1'
id patchmark > /dev/null 2>&1 ||
  useradd --uid {USER} --user-group --create-home --shell /bin/sh patchmark
git config --system --add safe.directory '*'
git config --system user.name patchmark
git config --system user.email patchmark@localhost
"""


def base_tag(python: str, start: str = "") -> str:
    """Name of the base image with this Python (`3.11`), or on top of the image `start`."""
    made_by = hashlib.sha256(f"{_TOOLCHAIN}{start}".encode()).hexdigest()[:10]
    return f"patchmark/base:{'own' if start else f'py{python}'}-{made_by}"


def ensure_base(
    engine: Engine,
    python: str,
    network: Network,
    tell: Callable[[str], None],
    *,
    image: str | None = None,
) -> str:
    """Tag of a base image with this Python, or made of the user's own `image`; made if missing.

    Raises InfrastructureError saying what to do when it can neither be pulled nor built.
    """
    start = _own_image(engine, image, tell) if image else ""
    tag = base_tag(python, engine.image_id(start) or "" if start else "")
    if engine.image_id(tag) is not None:
        return tag
    start = start or _root_image(engine, python, tell)
    build = Build(
        image=start,
        script=_TOOLCHAIN,
        tag=tag,
        secrets=network.build_environment(),
        ca_bundle=network.ca_bundle,
    )
    try:
        ran = engine.build(build)
    except EngineError as error:  # An image without a shell fails at the start of its container.
        if not engine.answers():
            raise
        raise InfrastructureError(f"{_NO_BASE.format(start)}: {error}") from error
    if ran.exit_code != 0:
        raise InfrastructureError(f"{_NO_BASE.format(start)}: {last_lines(ran.output)}")
    return tag


def last_lines(output: str, count: int = 5) -> str:
    """The end of a build's output, on one line, for a message."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return " / ".join(lines[-count:]) or "it printed nothing"


def _own_image(engine: Engine, image: str, tell: Callable[[str], None]) -> str:
    if engine.image_id(image) is None:
        tell(f"pulling {image}")
        if not engine.pull(image):
            raise InfrastructureError(f"[environment] image = {image!r} cannot be pulled")
    return image


def _root_image(engine: Engine, python: str, tell: Callable[[str], None]) -> str:
    official = f"python:{python}-slim"
    if engine.image_id(official) is not None:
        return official
    tell(f"pulling {official}")
    if engine.pull(official):
        return official
    suite = _suite()
    if _DEBIAN_PYTHON.get(suite) != python:
        have = _DEBIAN_PYTHON.get(suite, "none")
        raise InfrastructureError(
            f"{official} cannot be pulled, and packages of {suite or 'this system'} bring Python "
            f"{have}, not {python}; make a registry reachable or set [environment] python"
        )
    root = f"patchmark/root:{suite}"
    if engine.image_id(root) is None:
        tell(f"no registry answers: building {root} from Debian packages (about a minute)")
        _debootstrap(engine, suite, root)
    return root


def _suite(etc: Path = _ETC) -> str:
    try:
        text = (etc / "os-release").read_text(encoding="utf-8")
    except OSError:
        return ""
    found = re.search(r"^VERSION_CODENAME=[\"']?(\w+)", text, re.MULTILINE)
    return found.group(1) if found else ""


def _mirror(etc: Path = _ETC) -> list[str]:
    """The package mirror this machine uses for the suite itself, if it can be told."""
    for path in [etc / "apt/sources.list", *sorted((etc / "apt/sources.list.d").glob("*.sources"))]:
        try:
            text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
        except OSError:
            continue
        for url in re.findall(r"https?://\S+", text):
            if re.search(r"/(debian|ubuntu)/?$", url):
                return [url]
    return []


def _debootstrap(engine: Engine, suite: str, tag: str) -> None:
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        raise InfrastructureError(
            "no image registry can be reached; to build the base image from Debian packages "
            "run as root with debootstrap installed (apt-get install debootstrap)"
        )
    include = ",".join([*_PACKAGES, "python3", "python3-venv", "python3-dev"])
    with tempfile.TemporaryDirectory(prefix="patchmark-root-") as folder:
        root = Path(folder) / "root"
        done = subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={include}", suite, root, *_mirror()],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise InfrastructureError(f"debootstrap failed: {last_lines(done.stdout, 3)}")
        for waste in ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc"):
            shutil.rmtree(root / waste, ignore_errors=True)
        with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as tar:
            if tar.stdout is None:
                raise EngineError("tar gave no output")
            engine.load_rootfs(tar.stdout, tag)
