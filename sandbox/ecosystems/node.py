"""Node: npm, pnpm and yarn, with workspaces or without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from sandbox.ci import Workflow
from sandbox.ecosystems.node_scripts import test_command
from sandbox.facts import Facts, table
from sandbox.recipe import Recipe, Toolchain

NAME = "node"
SUFFIXES = (".js", ".ts", ".tsx", ".jsx", ".mjs", ".cjs", ".mts", ".vue", ".svelte")
# When each became a long-term release (github.com/nodejs/release).
_LTS = {
    "12": date(2019, 10, 21),
    "14": date(2020, 10, 27),
    "16": date(2021, 10, 26),
    "18": date(2022, 10, 25),
    "20": date(2023, 10, 24),
    "22": date(2024, 10, 29),
    "24": date(2025, 10, 28),
}
_PATH = 'export PATH="$PWD/node_modules/.bin:$PATH"\n'
_INSTALL = """
export npm_config_cache=/cache/npm npm_config_audit=false npm_config_fund=false
export npm_config_update_notifier=false HUSKY=0 PUPPETEER_SKIP_DOWNLOAD=1
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 CYPRESS_INSTALL_BINARY=0 YARN_CACHE_FOLDER=/cache/yarn
export YARN_NODE_LINKER=node-modules YARN_ENABLE_TELEMETRY=0 COREPACK_ENABLE_DOWNLOAD_PROMPT=0
"""
# All that was installed moves out of /repo, which the next commit fills anew; links of a
# workspace to its own packages must then be whole paths.
_KEEP = """
mkdir -p /opt/patchmark /opt/deps
ROOT=$PWD
find . -name node_modules -prune -print > /opt/patchmark/modules.txt
while read -r place; do
  find "$place" -maxdepth 2 -type l ! -path '*/.bin/*' | while read -r link; do
    goal=$(readlink -f "$link" || true)
    case $goal in "$ROOT"/*node_modules*) ;; "$ROOT"/*) ln -sfn "$goal" "$link" ;; esac
  done
  mkdir -p "/opt/deps/$(dirname "$place")"
  mv "$place" "/opt/deps/$place"
done < /opt/patchmark/modules.txt
(cd /opt/deps && find . -path '*node_modules/*/package.json' -prune | node -e '
  const found = new Set();
  for (const path of require("fs").readFileSync(0, "utf8").split("\\n")) {
    if (!/node_modules\\/(@[^/]+\\/)?[^/]+\\/package.json$/.test(path)) continue;
    try { const p = require(require("path").resolve(path)); found.add(`${p.name}@${p.version}`); }
    catch { continue; }
  }
  console.log([...found].sort().join("\\n"));') > /opt/patchmark/resolved.txt || true
"""
_LINK = """
while read -r place; do
  if [ -d "$(dirname "$place")" ]; then ln -sfn "/opt/deps/$place" "$place"; fi
done < /opt/patchmark/modules.txt
echo node_modules >> .git/info/exclude
"""


def recipes(facts: Facts, workflow: Workflow) -> Iterator[Recipe]:
    """One way: the package manager whose lock file is there, and the runner of `npm test`."""
    package = facts.json("package.json")
    if not package:
        return
    scripts = table(package, "scripts")
    packages = {*table(package, "dependencies"), *table(package, "devDependencies")}
    found = test_command(scripts, packages)
    if found is None:
        return
    version = _version(facts, workflow, package)
    files = facts.named("package.json", *_LOCKS, ".npmrc", ".yarnrc.yml", "pnpm-workspace.yaml")
    build = "npm run build || true\n" if "build" in scripts else ""
    yield Recipe(
        found_in="files",
        toolchain=Toolchain(
            name=f"node {version}",
            ask="node --version",
            images=(f"node:{version}-slim",),
            install=f"node_install {version}",
        ),
        dependencies=f"{_INSTALL}{_manager(facts, package)}{_KEEP}",
        inputs=repr([(p, _of(facts, p)) for p in files if "node_modules/" not in p]),
        install=f"{_LINK}{_PATH}{build}",
        test=f"{_PATH}{found[0]}",
        results=found[1],
        narrows=True,
        environment=workflow.environment,
    )


_LOCKS = ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml")


def _of(facts: Facts, path: str) -> object:
    """Of a manifest, what decides what is installed; of a lock, all."""
    if not path.endswith("package.json"):
        return facts.text(path)
    package = facts.json(path)
    kinds = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")
    more = ("workspaces", "overrides", "resolutions", "packageManager")
    return [package.get(key) for key in (*kinds, *more)]


def _manager(facts: Facts, package: dict[str, object]) -> str:
    """Shell that installs what the lock says, or else what the commit's date says."""
    told = str(package.get("packageManager") or "")
    flags = "--ignore-scripts=false --legacy-peer-deps"
    day = facts.committed_at.date() + timedelta(days=1)
    if facts.has("pnpm-lock.yaml"):
        major = re.match(r"pnpm@\d+", told)
        named = major[0] if major else _pnpm_of(facts.text("pnpm-lock.yaml"))
        return f"npm install -g {named}\npnpm install --frozen-lockfile || pnpm install\n"
    if facts.has("yarn.lock"):
        berry = re.match(r"yarn@([2-9])", told) or "__metadata:" in facts.text("yarn.lock")
        if not berry:
            return "npm install -g yarn@1\nyarn install --frozen-lockfile || yarn install\n"
        return "npm install -g @yarnpkg/cli-dist\nyarn install --immutable || yarn install\n"
    newest = f"npm install {flags}"
    dated = f"{{ npm install {flags} --before={day} && echo 'resolved: as of {day}'; }}"
    if facts.has("package-lock.json") or facts.has("npm-shrinkwrap.json"):
        return f"npm ci {flags} || {newest}\n"
    return f"{dated} || {{ {newest} && echo 'resolved: newest'; }}\n"


def _pnpm_of(lock: str) -> str:
    """The pnpm that reads a lock file of this version."""
    found = re.search(r"lockfileVersion:\s*'?(\d+)", lock)
    return {"5": "pnpm@7", "6": "pnpm@8", "9": "pnpm@9"}.get(found[1] if found else "", "pnpm@9")


def _version(facts: Facts, workflow: Workflow, package: dict[str, object]) -> str:
    if facts.settings.version:
        return facts.settings.version
    pinned = re.search(r"\d+", facts.text(".nvmrc") or facts.text(".node-version"))
    if pinned:
        return pinned[0]
    day = facts.committed_at.date()
    settled = [v for v, since in _LTS.items() if since <= day] or ["12"]
    tested = [v.split(".")[0] for v in workflow.versions.get("node", ())]
    known = [v for v in settled if v in tested]
    engines = package.get("engines")
    least = re.search(r"\d+", str(engines.get("node", ""))) if isinstance(engines, dict) else None
    return max([(known or settled)[-1], least[0] if least else "0"], key=int)
