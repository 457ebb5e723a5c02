"""Commits of the days of Python 2.7: when it is chosen, and what they are given then."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sandbox.ci import Workflow
from sandbox.container import dated_index
from sandbox.ecosystems.python import project
from sandbox.ecosystems.python_syntax import has_old_syntax
from sandbox.ecosystems.python_version import versions
from sandbox.facts import Facts

THREE = "classifiers=['Programming Language :: Python :: 3.7']"


@pytest.mark.parametrize(
    ("source", "old"),
    [
        ("print 'a'\n", True),
        ("    print >>out, a\n", True),
        ("try:\n    pass\nexcept ValueError, error:\n    pass\n", True),
        ("raise ValueError, 'a'\n", True),
        ("print('a')\nexcept (A, B):\nraise A(1), 2\n", False),
        ("'''\nprint 'a'\n'''\n# print 'a'\n", False),
        ("print\nprinted = 1\n", False),
    ],
)
def test_old_syntax_is_told_from_texts_about_it(source: str, old: bool) -> None:
    assert has_old_syntax(source) is old


@pytest.mark.parametrize(
    ("files", "day", "pythons"),
    [
        ({"a.py": "print 'a'\n"}, "2018-06-01", ["2.7", "3.6"]),
        ({"a.py": "print 'a'\n", "setup.py": THREE}, "2018-08-01", ["3.7"]),
        ({"a.py": "print 'a'\n"}, "2024-02-01", ["3.11", "3.10"]),
        ({"a.py": "", "docs/a.py": "print 'a'\n"}, "2018-06-01", ["3.6", "2.7"]),
    ],
)
def test_python_2_is_for_sources_that_no_other_reads(
    files: dict[str, str], day: str, pythons: list[str]
) -> None:
    assert versions(facts(files, day), Workflow()) == pythons


def test_its_packages_come_from_an_index_of_the_day() -> None:
    script = project(facts({"setup.py": "name='calc'"}, "2018-06-01"), "2.7").dependencies_script()
    assert "python - 2018-06-30" in script
    assert "{ dated python -m pip install" in script
    assert "uv pip install" not in script


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[str]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/simple"
    finally:
        server.shutdown()
        server.server_close()


class _Index(BaseHTTPRequestHandler):
    """As the real one, asked for JSON by who has a password."""

    def do_GET(self) -> None:
        assert self.headers["Authorization"] == "Basic bWU6cEA="
        times = {"1": "2018-06-30T23:59:00Z", "2": "2018-07-01T00:00:00Z", "3": None}
        files = [
            {"filename": f"a-{number}.tar.gz", "url": f"../../f/a-{number}.tar.gz",
             "hashes": {"sha256": "0"}, "upload-time": at, "requires-python": ">=2.7"}
            for number, at in times.items()
        ]  # fmt: skip
        body = json.dumps({"files": files}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Not into the tests' output."""


def test_the_index_offers_what_was_there_by_that_day(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), _Index)) as index:
        at = index.replace("//", "//me:p%40@")
        monkeypatch.setenv("PIP_INDEX_URL", at)
        with serving(dated_index.server("2018-06-30", {})) as dated:
            page = urllib.request.urlopen(f"{dated}/a/").read().decode()  # noqa: S310
    place = at.removesuffix("/simple")
    wanted = f'<a href="{place}/f/a-1.tar.gz#sha256=0" data-requires-python="&gt;=2.7">a-1.tar.gz'
    assert wanted in page
    assert page.count("<a ") == 1


def facts(files: dict[str, str], day: str) -> Facts:
    at = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return Facts(frozenset(files), files.get, at)
