"""What a run finds on this machine: interpreters, and whom it trusts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.errors import UsageError

_CA_VARIABLES = ("PATCHMARK_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT")


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Where validations are remembered between runs."""
    home = environment.get("XDG_CACHE_HOME") or f"{environment.get('HOME', '/tmp')}/.cache"  # noqa: S108
    return Path(home) / "patchmark"


def pythons(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Where pyenv and a workflow runner's tool cache keep theirs."""
    pyenv = environment.get("PYENV_ROOT") or f"{environment.get('HOME', '')}/.pyenv"
    found = [Path(pyenv, "versions")]
    if cache := environment.get("RUNNER_TOOL_CACHE"):
        found.append(Path(cache, "Python"))
    return tuple(folder for folder in found if folder.is_dir())


def ca_bundle(environment: Mapping[str, str]) -> Path | None:
    """The certificates to trust, where the environment names a file of them."""
    for name in _CA_VARIABLES:
        if value := environment.get(name):
            path = Path(value)
            if path.is_file():
                return path
            if name == "PATCHMARK_CA_BUNDLE":
                raise UsageError(f"{name}: {value}: no such file")
    return None
