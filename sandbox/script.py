"""The files of a build: its script with the secrets in front, gone before the image is kept."""

from __future__ import annotations

import shlex

from sandbox.engine import Build, File

FOLDER = "/.patchmark-build"
_MEMORY = "/run/patchmark"
_CA_VARIABLES = (
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO"),
    *("NODE_EXTRA_CA_CERTS", "npm_config_cafile", "CARGO_HTTP_CAINFO"),
)


def build_files(build: Build) -> dict[str, File]:
    """What is put into the container of a build.

    The script removes its own folder before anything else runs. What a layer's container
    made and removed again is not in the layer, so secrets live only in the memory of the
    running shell, and the CA bundle in a tmpfs.
    """
    # Through one stream: from two, the engine would hand the lines over in any order.
    lines = ["set -eu", "exec 2>&1"]
    files = {}
    if build.ca_bundle is not None:
        files[f"{FOLDER}/ca.pem"] = File(content=build.ca_bundle, mode=0o600)
        lines += [f"cp {FOLDER}/ca.pem {_MEMORY}/ca.pem"]
        lines += [f"export {name}={_MEMORY}/ca.pem" for name in _CA_VARIABLES]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in build.secrets.items()]
    # As a function: the whole script is read before its first command removes the file.
    script = ["patchmark_build() {", *lines, f"rm -rf {FOLDER}", build.script.rstrip("\n"), "}"]
    text = "\n".join([*script, "patchmark_build", ""])
    files[f"{FOLDER}/build.sh"] = File(content=text.encode(), mode=0o600)
    return files
