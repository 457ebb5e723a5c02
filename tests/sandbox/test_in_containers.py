"""Runners that are containers themselves, with the host's engine behind a mounted socket.

Whatever patchmark names in its own file system is another place for that engine: nothing may be
mounted from there. Here neither sources nor packages nor certificates lie where they do outside.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import docker
import pytest
from support.containers import own_containers

from sandbox.docker import DockerEngine

pytestmark = pytest.mark.docker
ROOT = Path(__file__).parents[2]
PACKAGES = Path(docker.__file__).parents[1]
SCRIPT = """
import io, json, sys, tarfile
from pathlib import Path
sys.path[:0] = ["/inside/patchmark", "/inside/packages"]
from sandbox.discover import connect
from sandbox.engine import Build, File, Job, Limits
from sandbox.owned import owner

Path("/inside-only").mkdir()
Path("/inside-only/ca.crt").write_text("an authority of this company\\n")
packed = io.BytesIO()
with tarfile.open(fileobj=packed, mode="w") as tar:
    tar.add("/inside-only/ca.crt", "repo/from-here")
limits = Limits(seconds=60, memory_mib=128)
engine = connect({})
tag = "patchmark-test/inside:1"
built = engine.build(Build(
    image=sys.argv[1], tag=tag, limits=limits, cache_volume="patchmark-test-inside",
    archives=(packed.getvalue(),), ca_bundle=Path("/inside-only/ca.crt").read_bytes(),
    secrets={"PIP_INDEX_URL": "https://index.example"},
    script="cat $SSL_CERT_FILE; echo $PIP_INDEX_URL; touch /cache/x; mv /repo/from-here /built",
))
ran = engine.run(Job(
    image=tag, user="10001", folders=("/patchmark/out",), limits=limits,
    files={"/patchmark/in/x": File(content=Path("/inside-only/ca.crt").read_bytes())},
    command=("sh", "-c", "cat /built /patchmark/in/x > /patchmark/out/y; ls /sys/class/net"),
))
engine.remove_image(tag)
with engine.api() as api:
    api.remove_volume("patchmark-test-inside")
print(json.dumps({
    "built": [built.exit_code, built.output], "ran": [ran.exit_code, ran.output],
    "back": {name: content.decode() for name, content in ran.files.items()},
    "owner": owner(), "left": engine.close(),
}))
"""


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the base image has Python 3.11")
def test_the_sandbox_works_from_a_container_that_has_the_socket_alone(
    engine: DockerEngine, base: str
) -> None:
    path = engine.endpoint.removeprefix("unix://")
    if not engine.endpoint.startswith("unix://"):
        pytest.skip("the engine is reached over the network")
    binds = [f"{path}:/var/run/docker.sock", f"{ROOT}:/inside/patchmark:ro"]
    with engine.api() as api:
        name = api.create_container(
            base,
            entrypoint=["python3", "-c", SCRIPT, base],
            user="0",
            host_config=api.create_host_config(
                binds=[*binds, f"{PACKAGES}:/inside/packages:ro"], network_mode="none"
            ),
        )["Id"]
        try:
            api.start(name)
            code = api.wait(name, timeout=90)["StatusCode"]
            said = api.logs(name, stderr=False).decode()
            assert code == 0, api.logs(name).decode()
        finally:
            api.remove_container(name, force=True)
    told = json.loads(said)
    authority = "an authority of this company\n"
    assert told["built"] == [0, f"{authority}https://index.example\n"]
    assert told["ran"] == [0, "lo\n"]
    assert told["back"] == {"/patchmark/out/y": authority * 2}
    assert told["left"] == []
    # Its process 1 is not ours, though the engine is the same.
    assert told["owner"].rpartition("/")[0] == name[:12] != socket.gethostname()
    assert own_containers(engine) == []
