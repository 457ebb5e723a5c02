"""Shell that installs a Node project's dependencies: what the lock says, else those of the date."""

from __future__ import annotations

import re
import shlex
from typing import Any

from sandbox.facts import Facts, table

_EXPORTS = """
export npm_config_cache=/cache/npm npm_config_audit=false npm_config_fund=false
export npm_config_update_notifier=false npm_config_engine_strict=false HUSKY=0
export npm_config_package_lock=true YARN_CACHE_FOLDER=/cache/yarn
export PUPPETEER_SKIP_DOWNLOAD=1 PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 CYPRESS_INSTALL_BINARY=0
export YARN_NODE_LINKER=node-modules YARN_ENABLE_TELEMETRY=0 YARN_ENABLE_IMMUTABLE_INSTALLS=false
# The other managers ask the index that npm asks, and so do locks that name a public one.
export npm_config_registry="$(npm config get registry)"
export YARN_NPM_REGISTRY_SERVER="${YARN_NPM_REGISTRY_SERVER:-${npm_config_registry%/}}"
for lock in package-lock.json npm-shrinkwrap.json yarn.lock; do
  if [ -f $lock ]; then
    sed -i -E "s#https://registry\\.(npmjs|yarnpkg)\\.[a-z]+/#${npm_config_registry%/}/#" $lock
  fi
done
as=
# What it comes to if the command works, and the command; the first that works is what counts.
try() {
  [ -z "$as" ] || return 0
  told=$1
  shift
  if "$@"; then as=$told; fi
}
without_scripts() {
  "$@" --ignore-scripts || return 1
  npm rebuild || true
}
"""
_PNPM = """
export npm_config_store_dir=/cache/pnpm npm_config_strict_dep_builds=false
export pnpm_config_store_dir=/cache/pnpm pnpm_config_strict_dep_builds=false
"""
# Lock files of npm are made first, so that what a date has is told from what does not install.
_NPM = """
gives_dates() {
  [ -z "$1" ] || npm view "$1" time --json 2> /dev/null | grep -q '[0-9]T[0-9]'
}
resolved() {
  npm install --package-lock-only --ignore-scripts "$@" ||
    npm install --package-lock-only --ignore-scripts --legacy-peer-deps "$@"
}
locked() {
  try "$1" npm ci
  try "$1" npm ci --legacy-peer-deps
  try "$1, no install scripts" without_scripts npm ci --legacy-peer-deps
}
dated() {
  what="newest: the index gives no upload dates"
  if gives_dates "$2"; then
    what="as of $1"
    resolved --before="$1T23:59:59Z" || what="newest: the index has not all of it as of $1"
  fi
  case $what in newest*) resolved || return 0 ;; esac
  locked "$what"
}
"""


def install(facts: Facts, package: dict[str, Any], not_after: str, node: int) -> str:
    """Shell run in /repo; `as` then says what was installed, as of when."""
    manager, lock = _manager(facts, package)
    version = _told(package, manager)
    if manager == "npm":
        lines = [_NPM, f"locked 'locked by {lock}'"] if lock else [_NPM]
        lines.append(f'[ -n "$as" ] || dated {not_after} {shlex.quote(_first(package))}')
    elif manager == "pnpm":
        named = version or _pnpm_of(facts.text(lock), node)
        lines = [f"npm install -g {shlex.quote(named)}{_PNPM}"]
        lines += _tried("pnpm", "--frozen-lockfile", lock)
        lines += _tried("pnpm", "--no-frozen-lockfile", "")
    elif _is_berry(facts, package):
        told = (version or "").replace("yarn@", "@yarnpkg/cli-dist@")
        named = told or f"@yarnpkg/cli-dist@{4 if node >= 18 else 3}"
        lines = [f"npm install -g {shlex.quote(named)}"]
        lines += [f"try 'locked by {lock}' yarn install --immutable"] * bool(lock)
        lines.append("try 'newest: yarn resolves to no date' yarn install")
        lines.append("try 'newest, no install scripts' yarn install --mode=skip-build")
    else:
        lines = ["npm install -g yarn@1"]
        lines += _tried("yarn", "--ignore-engines --frozen-lockfile", lock)
        lines += _tried("yarn", "--ignore-engines", "")
    # Said aloud: `set -e` does not see a failure inside a chain of alternatives.
    return "\n".join([_EXPORTS, *lines, '[ -n "$as" ] || exit 1', 'echo "resolved: $as"', ""])


def _tried(manager: str, flags: str, lock: str) -> list[str]:
    """With the scripts of packages, then without; nothing where a lock is wanted that is not."""
    what = f"locked by {lock}" if lock else f"newest: {manager} resolves to no date"
    if not lock and "--frozen-lockfile" in flags:
        return []
    command = f"{manager} install {flags}"
    return [
        f"try '{what}' {command}",
        f"try '{what}, no install scripts' {command} --ignore-scripts",
    ]


def _manager(facts: Facts, package: dict[str, Any]) -> tuple[str, str]:
    """The package manager and its lock file, `` where there is none."""
    for lock, manager in _LOCKS.items():
        if facts.has(lock):
            return manager, lock
    told = str(package.get("packageManager") or "").partition("@")[0]
    if told in ("pnpm", "yarn"):
        return told, ""
    return ("pnpm" if facts.has("pnpm-workspace.yaml") else "npm"), ""


_LOCKS = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "npm-shrinkwrap.json": "npm",
    "package-lock.json": "npm",
}


def lock_files() -> tuple[str, ...]:
    """Names of the files that pin."""
    return tuple(_LOCKS)


def _told(package: dict[str, Any], manager: str) -> str | None:
    """`pnpm@9.1.0`, where the package names the manager itself."""
    found = re.match(rf"{manager}@\d+(\.\d+)*", str(package.get("packageManager") or ""))
    return found[0] if found else None


def _is_berry(facts: Facts, package: dict[str, Any]) -> bool:
    told = re.match(r"yarn@(\d+)", str(package.get("packageManager") or ""))
    return int(told[1]) > 1 if told else "__metadata:" in facts.text("yarn.lock")


def _pnpm_of(lock: str, node: int) -> str:
    """The pnpm that reads a lock file of this version and runs on this Node."""
    found = re.search(r"lockfileVersion:\s*'?(\d+)", lock)
    of_lock = {"5": 7, "6": 8, "9": 9}.get(found[1] if found else "", 9)
    of_node = 6 if node < 14 else 7 if node < 16 else 8 if node < 18 else 9
    return f"pnpm@{min(of_lock, of_node)}"


def _first(package: dict[str, Any]) -> str:
    """The name of a dependency that comes from an index; `` where none does."""
    asked = {**table(package, "dependencies"), **table(package, "devDependencies")}
    plain = re.compile(r"[\d^~<>=*xv]|latest$|$")
    return next((name for name, spec in asked.items() if plain.match(str(spec))), "")
