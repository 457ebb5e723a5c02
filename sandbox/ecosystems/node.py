"""Node: npm, pnpm and yarn, with workspaces or without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.ci import Workflow
from sandbox.ecosystems.node_install import install, lock_files
from sandbox.ecosystems.node_scripts import Command, script_command, test_command
from sandbox.ecosystems.node_version import version
from sandbox.ecosystems.node_workspaces import each_command, members
from sandbox.ecosystems.python import month_end
from sandbox.facts import Facts, table
from sandbox.recipe import Recipe, Toolchain

NAME = "node"
SUFFIXES = (".js", ".ts", ".tsx", ".jsx", ".mjs", ".cjs", ".mts", ".vue", ".svelte")
_OLDEST_WHEEL = 18
_PATH = 'export PATH="$PWD/node_modules/.bin:$PATH"\n'
# Those that lie there before anything is installed are fixtures of the repository.
_BEFORE = "find . -name node_modules -prune -print > /tmp/fixtures.txt\n"
# All that was installed moves out of /repo, which the next commit fills anew; links of a
# workspace to its own packages must then be whole paths. Tools keep caches beside packages.
_KEEP = """
mkdir -p /opt/patchmark /opt/deps/node_modules
ROOT=$PWD
find . -name node_modules -prune -print | grep -vxFf /tmp/fixtures.txt \
  > /opt/patchmark/modules.txt || true
while read -r place; do
  find "$place" -maxdepth 2 -type l ! -path '*/.bin/*' | while read -r link; do
    goal=$(readlink -f "$link" || true)
    case $goal in "$ROOT"/*node_modules*) ;; "$ROOT"/*) ln -sfn "$goal" "$link" ;; esac
  done
  mkdir -p "/opt/deps/$place"
  rmdir "/opt/deps/$place"
  mv "$place" "/opt/deps/$place"
  for cache in .cache .vite .vite-temp .vitest; do
    mkdir -p -m 1777 "/opt/deps/$place/$cache"
  done
done < /opt/patchmark/modules.txt
echo "# $as" > /opt/patchmark/resolved.txt
(cd /opt/deps && find . -path '*node_modules/*/package.json' -prune | node -e '
  const found = new Set();
  for (const path of require("fs").readFileSync(0, "utf8").split("\\n")) {
    if (!/node_modules\\/(@[^/]+\\/)?[^/]+\\/package.json$/.test(path)) continue;
    try {
      const { name, version } = require(require("path").resolve(path));
      if (name && version) found.add(`${name}@${version}`);
    } catch { continue; }
  }
  if (found.size) console.log([...found].sort().join("\\n"));') >> /opt/patchmark/resolved.txt
"""
_LINK = """
while read -r place; do
  if [ -d "$(dirname "$place")" ] && [ ! -e "$place" ]; then
    ln -s "/opt/deps/$place" "$place"
  fi
done < /opt/patchmark/modules.txt
echo node_modules >> /repo/.git/info/exclude
"""


def recipes(facts: Facts, workflow: Workflow) -> Iterator[Recipe]:
    """One way: the package manager whose lock file is there, and the runner of `npm test`."""
    package = facts.json("package.json")
    if not package:
        return
    scripts = table(package, "scripts")
    found = _command(facts, package, scripts)
    if found is None:
        return
    major = version(facts, workflow, package)
    told = install(facts, package, month_end(facts), int(major))
    files = facts.named("package.json", *lock_files(), ".npmrc", ".yarnrc.yml", *_WORKSPACES)
    build = next((name for name in ("build", "prepare") if name in scripts), None)
    yield Recipe(
        found_in="files",
        toolchain=toolchain(major),
        dependencies=f"{_BEFORE}{told}{_KEEP}",
        inputs=repr([(p, _of(facts, p)) for p in files if "node_modules/" not in p]),
        install=f"{_LINK}{_PATH}" + (f"HUSKY=0 npm run {build} || true\n" if build else ""),
        test=f"{_PATH}{found.shell}",
        results=found.form,
        narrows=found.narrows,
        environment=workflow.environment,
    )


_WORKSPACES = ("pnpm-workspace.yaml", "lerna.json")


def toolchain(major: str) -> Toolchain:
    """Node of this major version."""
    brought = f"node_install {major}"
    if int(major) < _OLDEST_WHEEL:
        brought = _of_npm(major)
    return Toolchain(
        name=f"node {major}",
        ask="node --version",
        images=(f"node:{major}-slim",),
        install=brought,
    )


def _of_npm(major: str) -> str:
    """Shell that brings a Node which the Python index lacks, and an npm that runs on it."""
    npm = "npm@8" if int(major) >= 12 else "npm@6"
    return f"""if ! command -v node > /dev/null; then
  node_install {_OLDEST_WHEEL}
  at=/opt/patchmark/node-{major}
  if npm install -g --prefix $at "node-linux-$(node -p process.arch)@{major}" {npm}; then
    ln -sf $at/bin/node $at/bin/npm $at/bin/npx /usr/local/bin/
    npm config set --global prefix /usr/local
  fi
fi"""


def _command(facts: Facts, package: dict[str, Any], scripts: dict[str, Any]) -> Command | None:
    """Of the package itself; where it leaves that to others, of each package of its workspace."""
    packages = {*table(package, "dependencies"), *table(package, "devDependencies")}
    folders = members(facts, package) if script_command(scripts) is None else []
    return each_command(facts, folders) or test_command(scripts, packages)


def _of(facts: Facts, path: str) -> object:
    """Of a manifest, what decides what is installed; of a lock, all."""
    if not path.endswith("package.json"):
        return facts.text(path)
    package = facts.json(path)
    kinds = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")
    more = ("workspaces", "overrides", "resolutions", "packageManager")
    return [package.get(key) for key in (*kinds, *more)]
