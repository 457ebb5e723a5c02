"""Ruby projects with Bundler or without, tested with minitest or RSpec."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sandbox.ci import Workflow
from sandbox.facts import Facts
from sandbox.recipe import Recipe, Toolchain

NAME = "ruby"
SUFFIXES = (".rb",)
_GEMS = "export BUNDLE_PATH=/opt/gems BUNDLE_APP_CONFIG=/opt/bundle\n"
_LOAD = (
    "ruby $plugin -Ilib -Itest "
    '-e \'Dir["test/**/{*_test,test_*}.rb"].sort.each { |f| require "./#{f}" }\''
)


def recipes(facts: Facts, workflow: Workflow) -> Iterator[Recipe]:
    """One way: with the Gemfile's gems, or else with Debian's minitest and RSpec."""
    specs = [p for p in facts.names if p.startswith("spec/") and p.endswith("_spec.rb")]
    tests = [p for p in facts.names if re.search(r"^test/(.*/)?(test_[^/]*|[^/]*_test)\.rb$", p)]
    if not specs and not tests:
        return
    version = facts.settings.version or next(iter(workflow.versions.get("ruby", ())), "3")
    bundled = re.search(r"^\s*(gem|gemspec)\b", facts.text("Gemfile"), re.MULTILINE) is not None
    run = "bundle exec " if bundled else ""
    manifests = facts.named("Gemfile", "Gemfile.lock") + [
        p for p in facts.names if p.endswith(".gemspec")
    ]
    rspec = f'{run}rspec --format json --out "$PATCHMARK_RESULTS"'
    minitest = f"plugin='-r/patchmark/in/patchmark_minitest.rb'\n{run}{_LOAD}"
    yield Recipe(
        found_in="files",
        toolchain=Toolchain(
            name=f"ruby {version}",
            ask="ruby --version",
            images=(f"ruby:{version}",),
            install="command -v rspec > /dev/null || "
            "apt_install ruby ruby-dev ruby-minitest ruby-test-unit ruby-rspec bundler",
        ),
        dependencies=f"{_GEMS}mkdir -p /opt/bundle /opt/gems\nbundle install\n"
        if bundled
        else "true\n",
        inputs=repr([facts.text(path) for path in sorted(manifests)]),
        test=f"{_GEMS}{rspec if specs else minitest}",
        results="rspec" if specs else "lines",
        environment=workflow.environment,
    )
