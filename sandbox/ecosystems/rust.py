"""Rust crates and workspaces, tested with `cargo test`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sandbox.ci import Workflow
from sandbox.facts import Facts
from sandbox.recipe import Recipe, Toolchain

NAME = "rust"
SUFFIXES = (".rs",)
_HOME = "export CARGO_HOME=/opt/cargo CARGO_TARGET_DIR=/opt/target CARGO_TERM_COLOR=never\n"
# Both streams in one file, for only together they say whose tests these are; then shown, for a
# crate that does not compile is explained nowhere else.
_TEST = """ended=0
cargo test --offline --no-fail-fast > "$PATCHMARK_RESULTS" 2>&1 || ended=$?
cat "$PATCHMARK_RESULTS"
exit $ended"""


def recipes(facts: Facts, workflow: Workflow) -> Iterator[Recipe]:
    """One way, for the compiler that rust-toolchain or the settings name."""
    manifests = [path for path in facts.named("Cargo.toml") if path.count("/") <= 1]
    if not manifests:
        return
    folder = manifests[0].removesuffix("Cargo.toml") or "."
    version = facts.settings.version or _version(facts) or "1"
    locked = "--locked " if facts.has(f"{manifests[0].removesuffix('toml')}lock") else ""
    everywhere = " --workspace" if "workspace" in facts.toml(manifests[0]) else ""
    test = _TEST.replace("cargo test", f"cargo test{everywhere}")
    files = facts.named("Cargo.toml", "Cargo.lock", "rust-toolchain", "rust-toolchain.toml")
    yield Recipe(
        found_in="files",
        toolchain=Toolchain(
            name=f"rust {version}",
            ask="rustc --version",
            images=(f"rust:{version}-slim",),
            install="command -v cargo > /dev/null || apt_install cargo rustc",
        ),
        dependencies=f"{_HOME}mkdir -p /opt/cargo /opt/target\ncd {folder}\n"
        f"cargo fetch {locked}|| cargo fetch || cargo metadata --offline > /dev/null\n",
        inputs=repr([facts.text(path) for path in files]),
        # Compiled once here, so that a test run compiles what a patch changed and no more.
        install=f"{_HOME}cd {folder}\ncargo test --offline{everywhere} --no-run || true\n"
        "chmod -R a+rwX /opt/cargo /opt/target\n",
        test=f"{_HOME}cd {folder}\n{test}",
        results="libtest",
        environment=workflow.environment,
    )


def _version(facts: Facts) -> str | None:
    told = f"{facts.text('rust-toolchain')}\n{facts.text('rust-toolchain.toml')}"
    found = re.search(r"\b(1\.\d+)", told)
    return found.group(1) if found else None
