"""An index of Python packages as it was on a day, for pip, which knows no such date itself.

Runs in build containers, as a program: `python dated_index.py YYYY-MM-DD [NAME=DATE …]`
serves on the loopback, and prints its address. Needs an index behind it that gives upload times.
"""

import base64
import html
import json
import os
import sys
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any

_JSON = "application/vnd.pypi.simple.v1+json"
_INDEXES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")


def upstreams() -> list[str]:
    """The indexes that this machine uses, credentials included; else pip's own choice."""
    main = next((os.environ[name] for name in _INDEXES if os.environ.get(name)), "")
    if not main:
        main = str(import_module("pip._internal.models.index").PyPI.simple_url)
    return [main, *os.environ.get("PIP_EXTRA_INDEX_URL", "").split()]


def files(index: str, name: str) -> list[dict[str, Any]]:
    """The files of a package, their addresses complete. Raises OSError or ValueError."""
    at = urllib.parse.urlsplit(f"{index.rstrip('/')}/{name}/")
    own, _, host = at.netloc.rpartition("@")
    plain = at._replace(netloc=host)
    request = urllib.request.Request(plain.geturl(), headers={"Accept": _JSON})  # noqa: S310
    if own:
        secret = base64.b64encode(urllib.parse.unquote(own).encode()).decode()
        request.add_header("Authorization", f"Basic {secret}")
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        found = json.load(answer)["files"]
    for file in found:
        url = urllib.parse.urlsplit(urllib.parse.urljoin(plain.geturl(), file["url"]))
        file["url"] = (url._replace(netloc=at.netloc) if url.netloc == host else url).geturl()
    return list(found)


def page(found: list[dict[str, Any]], last_day: str) -> str:
    """The page of a package for pip: what was uploaded until the end of that day."""
    lines = []
    for file in found:
        # Days as text compare as days. Without a time nobody can tell, so it is not offered.
        if str(file.get("upload-time") or "9999")[:10] > last_day:
            continue
        needs = file.get("requires-python")
        more = f' data-requires-python="{html.escape(needs)}"' if needs else ""
        digest = file.get("hashes", {}).get("sha256")
        url = html.escape(f"{file['url']}#sha256={digest}" if digest else file["url"])
        lines.append(f'<a href="{url}"{more}>{html.escape(file["filename"])}</a><br>')
    return "<!DOCTYPE html><html><body>" + "\n".join(lines) + "</body></html>"


def server(last_day: str, others: dict[str, str]) -> ThreadingHTTPServer:
    """Not yet started; `others` are packages with a last day of their own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.strip("/").rpartition("/")[2].lower()
            found = []
            for index in upstreams():
                try:
                    found += files(index, name)
                except (OSError, ValueError, KeyError):
                    continue
            body = page(found, others.get(name, last_day)).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Say nothing: the address may hold what is nobody's business."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


if __name__ == "__main__":
    serving = server(sys.argv[1], dict(word.split("=") for word in sys.argv[2:]))
    sys.stdout.write(f"http://127.0.0.1:{serving.server_address[1]}/simple\n")
    sys.stdout.flush()
    serving.serve_forever()
