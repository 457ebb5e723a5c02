"""The shell script of a build, with its secrets in front and its standard input closed."""

from __future__ import annotations

import base64
import shlex

from sandbox.engine import Build

_CA_PATH = "/run/patchmark/ca.pem"
_CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE")


def build_script(build: Build) -> str:
    """What is fed to `sh -s`: the whole build is parsed before its first command runs."""
    lines = ["set -eu"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in build.secrets.items()]
    if build.ca_bundle is not None:
        encoded = base64.encodebytes(build.ca_bundle).decode()
        lines += [f"base64 -d > {_CA_PATH} <<'END'", encoded.rstrip("\n"), "END"]
        lines += [f"export {name}={_CA_PATH}" for name in _CA_VARIABLES]
    lines += ["patchmark_build() {", build.script.rstrip("\n"), "}"]
    lines += ["patchmark_build < /dev/null"]
    return "\n".join(lines) + "\n"
