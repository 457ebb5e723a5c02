"""An authority of a company's own, and servers on the loopback with a certificate by it."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from support.served import Served

S = TypeVar("S", bound=Served)


@dataclass(frozen=True)
class Authority:
    """Nobody knows it but who is given `bundle`."""

    folder: Path

    @property
    def bundle(self) -> Path:
        """Its certificate."""
        return self.folder / "ca.crt"

    def serves(self, server: S) -> S:
        """Have a server speak TLS; its `url` begins with https from now on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.crt", self.folder / "server.key")
        server.use_tls(context)
        return server


def authority(folder: Path) -> Authority:
    """Make one, and a certificate for 127.0.0.1, with openssl."""
    folder.mkdir()
    name = [
        "-subj",
        "/CN=A company's own authority",
        "-addext",
        "basicConstraints=critical,CA:TRUE",
    ]
    ours = ["-subj", "/CN=github.company", "-addext", "subjectAltName=IP:127.0.0.1"]
    signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-addext", "basicConstraints=CA:FALSE"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    made += ["-nodes", "-days", "2"]
    for what in (
        [*name, "-keyout", "ca.key", "-out", "ca.crt"],
        [*ours, *signed, "-keyout", "server.key", "-out", "server.crt"],
    ):
        subprocess.run([*made, *what], cwd=folder, check=True, capture_output=True)
    return Authority(folder)
