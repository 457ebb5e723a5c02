"""Java and Kotlin built with Maven or Gradle."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sandbox.ci import Workflow
from sandbox.facts import Facts
from sandbox.recipe import Recipe, Toolchain

NAME = "java"
SUFFIXES = (".java", ".kt", ".kts", ".groovy", ".scala")
_COLLECT = (
    "status=$?\n"
    "find . -path '*{folder}*/TEST-*.xml' -exec cat {{}} + > \"$PATCHMARK_RESULTS\"\n"
    "exit $status"
)
_DEBIAN = (
    "apt_install default-jdk-headless maven maven-debian-helper libsurefire-java junit4 junit5 "
    "gradle libhamcrest-java"
)
_GRADLE_FILES = ("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts")


def recipes(facts: Facts, workflow: Workflow) -> Iterator[Recipe]:
    """One way for each build tool that is there, Maven before Gradle."""
    version = facts.settings.version or _version(facts, workflow)
    if facts.has("pom.xml"):
        yield _maven(facts, workflow, version)
    if any(facts.has(name) for name in _GRADLE_FILES):
        yield _gradle(facts, workflow, version)


def _maven(facts: Facts, workflow: Workflow, version: str) -> Recipe:
    # Where Debian brings Maven and no index can be asked, Debian's own repository serves.
    home = (
        "export MAVEN_ARGS= MAVEN_OPTS='-Duser.home=/tmp'\n"
        "debian='-o -s /etc/maven/settings-debian.xml' index='-Dmaven.repo.local=/opt/m2'\n"
        "[ -e /etc/maven/settings-debian.xml ] || debian=$index\n"
        "MVN='mvn -B -q'\n"
    )
    return Recipe(
        found_in="files",
        toolchain=Toolchain(
            name=f"java {version}",
            ask="java -version",
            images=(f"maven:3-eclipse-temurin-{version}",),
            install=f"command -v mvn > /dev/null || {_DEBIAN}",
        ),
        dependencies=f"{home}mkdir -p /opt/m2\n"
        "if $MVN $index -DskipTests test-compile dependency:go-offline; then\n"
        '  echo "$index -o" > /opt/m2/options\n'
        "else\n"
        "  $MVN $debian -DskipTests test-compile\n"
        '  echo "$debian" > /opt/m2/options\n'
        "fi\nrm -rf target */target\n",
        inputs=repr([facts.text(path) for path in facts.named("pom.xml")]),
        install=f"{home}$MVN $(cat /opt/m2/options) -DskipTests test-compile\n"
        "chmod -R a+rwX /opt/m2\n",
        test=f"{home}find . -path '*/surefire-reports/TEST-*.xml' -delete\n"
        "$MVN $(cat /opt/m2/options) --fail-at-end test\n"
        + _COLLECT.format(folder="surefire-reports"),
        results="junit",
        environment=workflow.environment,
    )


def _gradle(facts: Facts, workflow: Workflow, version: str) -> Recipe:
    home = (
        "export GRADLE_USER_HOME=/opt/gradle-home\n"
        "GRADLE=gradle; [ -x ./gradlew ] && [ -d /opt/gradle-home/wrapper ] && GRADLE=./gradlew\n"
    )
    fetch = (
        "mkdir -p /opt/gradle-home\n"
        "if [ -x ./gradlew ] && ./gradlew --version > /dev/null 2>&1; then GRADLE=./gradlew; fi\n"
        "$GRADLE --no-daemon -q testClasses || $GRADLE --no-daemon --offline -q testClasses\n"
    )
    return Recipe(
        found_in="files",
        toolchain=Toolchain(
            name=f"java {version}",
            ask="java -version",
            images=(f"gradle:jdk{version}",),
            install=f"command -v gradle > /dev/null || {_DEBIAN}",
        ),
        dependencies=f"{home}{fetch}",
        inputs=repr([facts.text(path) for path in facts.named(*_GRADLE_FILES)]),
        install=f"{home}$GRADLE --no-daemon --offline -q testClasses || true\n"
        "chmod -R a+rwX /opt/gradle-home\n",
        test=f"{home}find . -path '*/test-results/*/TEST-*.xml' -delete\n"
        "$GRADLE --no-daemon --offline --continue cleanTest test\n"
        + _COLLECT.format(folder="test-results"),
        results="junit",
        environment=workflow.environment,
    )


def _version(facts: Facts, workflow: Workflow) -> str:
    tested = [v for v in workflow.versions.get("java", ()) if v.isdigit()]
    found = re.search(
        r"<(?:maven\.compiler\.(?:source|release)|java\.version)>(?:1\.)?(\d+)<",
        facts.text("pom.xml"),
    )
    return max(tested, key=int) if tested else found[1] if found and int(found[1]) >= 8 else "17"
