"""What a file is, one table."""

from __future__ import annotations

import pytest

from core.paths import Kind, is_protected, kind_of

KINDS = {
    Kind.TEST: """
        tests/__init__.py tests/data/big.json test/x.c Tests/Case.txt pkg/tests/helpers.py
        src/pkg/tests/unit/deep/input.bin test_x.py pkg/x_test.py pkg/Test_x.py pkg/tests.py test.py
        testdata/a.txt pkg/testdata/b __tests__/a.py testing/python/fixtures.py spec/x.py specs/y.md
        tests/docs/expected.txt tests/unit/documentation/a.json tests/changes/notes.md
        docs/test_x.py unit_tests/a.json integration_tests/run.py functional_tests/x.txt
        pkg/test_data/x.json pkg/test-data/x.json src/pkg/docs/tests/expected.txt unittests/data.csv
        tests/requirements.txt tests/README.md tests/typing/typed.py
    """,
    Kind.RUNNER: """
        conftest.py tests/conftest.py src/pkg/conftest.py pytest.ini .pytest.ini tox.ini setup.cfg
        noxfile.py .coveragerc sitecustomize.py usercustomize.py tests/setup.cfg src/x.pth
        pytest.toml .pytest.toml
    """,
    Kind.DOCUMENTATION: """
        README.md README docs/testing.md docs/conf.py doc/x.c docs/tests/notes.md docs/index.rst
        LICENSE LICENCE.txt AUTHORS CHANGES CHANGES.rst CHANGELOG.md CONTRIBUTING.rst NOTICE
        changelog.d/12.bugfix newsfragments/1.feature docs/requirements.txt docs/_static/a.css
        examples/README src/pkg/notes.txt .github/pull_request_template.md docs/Makefile
        src/pkg/docs/guide.html
    """,
    Kind.SOURCE: """
        latest.py contest/solver.py src/attestation.py pkg/testing.py src/pkg/testing/helpers.py
        src/pkg/spec/parser.py src/pkg/specs/one.py pkg/protest.py testimony.py pkg/x_tests.py
        setup.py changes.py license.py src/pkg/changes/model.py src/pkg/docs/render.py
        src/pkg/documentation/site.py src/pkg/a.pyi src/pkg/_speed.pyx src/pkg/x.c src/x.rs
        src/pkg/greatest/x.py src/pkg/latest_test_results.py pkg/conftest_helpers.py
    """,
    Kind.OTHER: """
        pyproject.toml uv.lock .gitignore .github/workflows/tests.yml Makefile MANIFEST.in
        src/pkg/py.typed src/pkg/locale/de/x.po requirements.txt dev-requirements.txt
        requirements/testing.txt requirements/dev.in requirements-mypy.txt constraints.txt
        CMakeLists.txt .travis-default-requirements.txt examples/x/pyproject.toml
    """,
}


@pytest.mark.parametrize(
    ("path", "kind"), [(path, kind) for kind, paths in KINDS.items() for path in paths.split()]
)
def test_kind(path: str, kind: Kind) -> None:
    assert kind_of(path) is kind


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("", Kind.OTHER),
        ("tests/a b\n.py", Kind.TEST),
        ("src/\udcff.py", Kind.SOURCE),
        ("docs/test plan.md", Kind.DOCUMENTATION),
        ("src/test plan.py", Kind.SOURCE),
    ],
)
def test_odd_names(path: str, kind: Kind) -> None:
    assert kind_of(path) is kind


def test_a_models_patch_may_touch_neither_tests_nor_what_steers_them() -> None:
    protected = {kind for kind, paths in KINDS.items() if all(map(is_protected, paths.split()))}
    assert protected == {Kind.TEST, Kind.RUNNER}
    assert not any(is_protected(path) for path in KINDS[Kind.SOURCE].split())
    assert not is_protected("pyproject.toml")
