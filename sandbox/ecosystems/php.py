"""PHP projects with Composer or without, tested with PHPUnit."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.ci import Workflow
from sandbox.facts import Facts
from sandbox.recipe import Recipe, Toolchain

NAME = "php"
SUFFIXES = (".php",)
_CONFIGURATIONS = ("phpunit.xml", "phpunit.xml.dist", "phpunit.dist.xml")


def recipes(facts: Facts, workflow: Workflow) -> Iterator[Recipe]:
    """One way: what Composer brings, or else Debian's PHPUnit."""
    configured = any(facts.has(name) for name in _CONFIGURATIONS)
    if not configured and not facts.has("composer.json"):
        return
    version = facts.settings.version or next(iter(workflow.versions.get("php", ())), "8")
    folder = next(
        (f for f in ("tests", "test") if any(p.startswith(f"{f}/") for p in facts.names)), ""
    )
    needs = facts.json("composer.json")
    packages = {**needs.get("require", {}), **needs.get("require-dev", {})} if needs else {}
    wanted = any("/" in name for name in packages)
    runner = "phpunit=vendor/bin/phpunit; [ -x $phpunit ] || phpunit=phpunit\n"
    yield Recipe(
        found_in="files",
        toolchain=Toolchain(
            name=f"php {version}",
            ask="php --version | head -1",
            images=(f"php:{version}-cli",),
            install="command -v phpunit > /dev/null || "
            "apt_install php-cli php-xml php-mbstring phpunit composer unzip",
        ),
        dependencies="true\n",
        inputs=repr([facts.text(name) for name in ("composer.json", "composer.lock")]),
        install="composer install --no-interaction --no-progress\n" if wanted else "",
        test=f'{runner}$phpunit --log-junit "$PATCHMARK_RESULTS" '
        f"{'' if configured else folder}".rstrip(),
        results="junit",
        environment=workflow.environment,
    )
