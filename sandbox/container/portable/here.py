"""This very container as the engine of one judgement: fresh, without network, given by others.

What patchmark's own engine sees to is done here as far as root can: no privileges are gained, none
are kept but that of becoming the tests' user, time and the size of a file are limited, and nothing
of that user is left. Not done: limits of memory, processors and disk, which the tool that made the
container sets or not, and the end of a run that neither works nor prints. Processes are limited for
all containers of a machine together: root can do no more.
"""
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time

from sandbox.base import USER
from sandbox.engine import Ran

_KEPT = 1024 * 1024
_BARE = (
    "setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all,+setuid,+setgid", "--",
)
_CONTAINERS = 8
"""So many together may have as many processes as each of them."""
_EVENTS = "/sys/fs/cgroup/memory.events"


class Here:
    """Runs one job, in place."""

    def image_id(self, reference):
        """The image is what this container was made of."""
        return reference

    def answers(self):
        """This process runs, so it does."""
        return True

    def run(self, job):
        """See sandbox.engine.Engine.run."""
        for path, file in job.files.items():
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file.mode), "wb") as to:
                to.write(file.content)
        for folder in job.folders:
            os.makedirs(folder, exist_ok=True)
        killed = _out_of_memory()
        began = time.monotonic()
        with tempfile.TemporaryFile() as printed:
            code, late = _ran(job, printed)
            seconds = time.monotonic() - began
            output = _end(printed)
        # The same words as sandbox/watch.py has.
        stopped = "ran for more than {:g} s".format(job.limits.seconds) if late else ""
        return Ran(
            exit_code=code,
            timed_out=late,
            stopped=stopped,
            out_of_memory=_out_of_memory() > killed,
            output=output,
            files={} if code in job.told else _brought_back(job.folders),
            seconds=seconds,
        )


def _ran(job, printed):
    if shutil.which("setpriv") is None:
        raise OSError("there is no setpriv, which util-linux brings")
    process = subprocess.Popen(
        (*_BARE, *job.command),
        stdin=subprocess.DEVNULL,
        stdout=printed,
        stderr=subprocess.STDOUT,
        env={**os.environ, **job.environment},
        cwd="/",
        start_new_session=True,
        preexec_fn=lambda: _bound(job.limits),
    )
    try:
        return process.wait(job.limits.seconds), False
    except subprocess.TimeoutExpired:
        return None, True
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        end_all_of(int(USER))


def _bound(limits):
    most = limits.processes * _CONTAINERS
    resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
    largest = limits.disk_mib << 20
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))


def end_all_of(user):
    """End every process of a user, and come back when there is none."""
    for _ in range(2000):
        found = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _is(pid, user)]
        if not found:
            return
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.005)
    raise OSError("processes of the tests' user cannot be ended")


def _is(pid, user):
    try:
        with open("/proc/{}/status".format(pid)) as file:
            lines = dict(line.split(":", 1) for line in file if ":" in line)
    except OSError:
        return False
    return str(user) in lines["Uid"].split() and lines["State"].split()[0] not in "ZX"


def _end(printed):
    size = printed.seek(0, os.SEEK_END)
    printed.seek(max(0, size - _KEPT))
    return printed.read().decode("utf-8", "replace")


def _brought_back(folders):
    files = {}
    for folder in folders:
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as file:
                files["{}/{}".format(folder, name)] = file.read()
    return files


def _out_of_memory():
    try:
        with open(_EVENTS) as file:
            return int(dict(line.split() for line in file).get("oom_kill", 0))
    except (OSError, ValueError):
        return 0
