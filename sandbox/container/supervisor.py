"""Judges inside of the container: patch, tests, tripwires, run, results.

Runs as root with no capability but that of becoming the tests' user. Whatever the patch can
reach runs as that user, who can neither write nor read what stands in OUT, nor stop this
process. For Python 3.7 and newer, standard library only.
"""

import binascii
import collections
import contextlib
import json
import os
import re
import signal
import sys
import tempfile
import threading
import time
import zlib

from laying import REPO, lay_patch, read

IN, OUT = "/patchmark/in", "/patchmark/out"
REJECTED = 71
LARGE = 72
MOST_RAW, MOST_SAID = 8 * 1024 * 1024, 600 * 1024
NOTES = ("resolved.txt", "toolchain.txt")
NONCE_FD, RESULTS_FD = 4, 3
MOST_RESULTS = 48 * 1024 * 1024
MOST_HEAD, MOST_TAIL = 4 * 1024 * 1024, 512 * 1024
LINES = "lines"


def main():
    """Do everything in order; the exit code is REJECTED where a patch was, LARGE where what is
    to be told is only in OUT, else 0.
    """
    os.umask(0o022)
    os.makedirs(OUT, exist_ok=True)
    os.chmod(OUT, 0o700)
    spec = json.loads(read(IN + "/spec.json").decode("utf-8"))
    code = judge(spec)
    return code if say(spec["seal"]) else LARGE


def judge(spec):
    """Lay the patches and run the tests; what came of it is in OUT."""
    keep_notes()
    user = User(spec["user"])
    os.chdir(REPO)
    applied = user.does(lambda: lay_patch(spec))
    write("applied.json", json.dumps(applied).encode("ascii"))
    if "refused" in applied:
        print(applied["refused"], flush=True)
        write("rejected", applied["which"].encode("ascii"))
        return REJECTED
    kill_rest = user.killer()
    exit_code, results = run(spec, user, kill_rest)
    write("results", results)
    write("exit", str(exit_code).encode("ascii"))
    return 0


# -- files ---------------------------------------------------------------------------------


def write(name, content):
    """A file of the results, which only root can read."""
    with open(OUT + "/" + name, "wb") as file:
        file.write(content)


def say(seal):
    """All of OUT as the last line of the output, if it is not too much; whether it was said."""
    names = os.listdir(OUT)
    if sum(os.path.getsize(OUT + "/" + name) for name in names) > MOST_RAW:
        return False
    told = {name: read(OUT + "/" + name).decode("latin-1") for name in names}
    packed = binascii.b2a_base64(zlib.compress(json.dumps(told).encode("ascii"), 1), newline=False)
    if len(packed) > MOST_SAID:
        return False
    with os.fdopen(os.dup(1), "wb") as output:
        output.write(b"\n" + seal.encode("ascii") + b" " + packed)
    return True


def keep_notes():
    """What the image's builder noted, before any test runs."""
    for name in NOTES:
        if os.path.exists("/opt/patchmark/" + name):
            write(name, read("/opt/patchmark/" + name))


# -- the tests' user -----------------------------------------------------------------------


class User:
    """The user whom patch and tests belong to."""

    def __init__(self, number):
        self.number = number

    def become(self):
        """For good, in a child."""
        os.setgroups([])
        os.setgid(self.number)
        os.setuid(self.number)

    def does(self, work):
        """What a function returns that runs in a process of this user."""
        get, put = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(get)
                self.become()
                os.environ["HOME"] = "/home/patchmark"
                told = {"value": work()}
            except BaseException as error:  # noqa: BLE001 - told to the parent, which raises
                told = {"error": "{}: {}".format(type(error).__name__, error)}
            with os.fdopen(put, "w") as file:
                file.write(json.dumps(told))
            os._exit(0)
        os.close(put)
        with os.fdopen(get) as file:
            told = json.loads(file.read() or "{}")
        os.waitpid(child, 0)
        if "value" not in told:
            raise RuntimeError(told.get("error", "a process ended without a word"))
        return told["value"]

    @contextlib.contextmanager
    def acting(self):
        """For a moment, by this user's permissions, and as the owner of what is made."""
        os.setegid(self.number)
        os.seteuid(self.number)
        try:
            yield
        finally:
            os.seteuid(0)
            os.setegid(0)

    def pipe(self):
        """A pipe that belongs to this user, so that it can be opened by its name as well."""
        with self.acting():
            return os.pipe()

    def killer(self):
        """A function that ends every process of this user.

        Its process is made beforehand: afterwards there may be no room for another.
        """
        get, put = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(put)
            os.read(get, 1)
            self.become()
            for _ in range(400):
                if not self.others():
                    break
                os.kill(-1, signal.SIGKILL)
                time.sleep(0.002)
            os._exit(0)
        os.close(get)

        def kill():
            os.close(put)
            os.waitpid(child, 0)

        return kill

    def others(self):
        """Whether another process of this user runs; what is dead counts no more."""
        for name in os.listdir("/proc"):
            if name.isdigit() and int(name) != os.getpid():
                status = read("/proc/" + name + "/status").decode("utf-8", "replace")
                if re.search(r"^Uid:\s+{}\b".format(self.number), status, re.M):
                    if not re.search(r"^State:\s+[ZX]", status, re.M):
                        return True
        return False


# -- the run -------------------------------------------------------------------------------


def run(spec, user, kill_rest):
    """Run the tests; their process's exit code and what was reported."""
    results, say = user.pipe()
    output, print_to = user.pipe()
    nonce, tell_nonce = user.pipe()
    folder = user.does(lambda: tempfile.mkdtemp(prefix="results-"))
    environment = child_environment(spec, folder)
    pid = os.fork()
    if pid == 0:
        try:
            take_place(user, {1: print_to, 2: print_to, NONCE_FD: nonce, RESULTS_FD: say})
            os.execve("/bin/sh", ["sh", IN + "/command.sh"], environment)
        finally:
            os._exit(126)
    for descriptor in (say, print_to, nonce):
        os.close(descriptor)
    os.write(tell_nonce, spec["nonce"].encode("ascii"))
    os.close(tell_nonce)
    told = Drain(results)
    shown = threading.Thread(target=show, args=(output,))
    shown.start()
    _, status = os.waitpid(pid, 0)
    kill_rest()
    told.join(20)
    shown.join(20)
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
    if spec["form"] == LINES:
        return code, told.content()
    with user.acting():
        return code, from_file(folder + "/results")


def take_place(user, descriptors):
    """In the child: nothing of ours stays open, and the tests' user is who goes on."""
    os.setsid()
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    user.become()
    high = {goal: os.dup2(now, 100 + goal) for goal, now in descriptors.items()}
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    for goal, now in high.items():
        os.dup2(now, goal, inheritable=True)
    os.closerange(5, 1024)


def child_environment(spec, folder):
    """The image's own variables, then ours; what would load a plugin into pytest goes."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    environment.update(
        PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1", HOME="/home/patchmark",
        USER="patchmark", LOGNAME="patchmark",
    )  # fmt: skip
    to = "/dev/fd/{}".format(RESULTS_FD) if spec["form"] == LINES else folder + "/results"
    environment["PATCHMARK_RESULTS"] = to
    environment.update(spec["environment"])
    return environment


class Drain(threading.Thread):
    """Reads a pipe to its end, and keeps the beginning."""

    def __init__(self, descriptor):
        super().__init__(daemon=True)
        self.descriptor, self.chunks, self.size = descriptor, [], 0
        self.start()

    def run(self):
        """Read on even when there is too much, or the writer would hang."""
        while True:
            chunk = os.read(self.descriptor, 65536)
            if not chunk:
                return
            if self.size < MOST_RESULTS:
                self.chunks.append(chunk)
                self.size += len(chunk)

    def content(self):
        """What was read."""
        return b"".join(self.chunks)


def show(descriptor):
    """Pass output on: its beginning at once, its end at the end, a flood in between not at all."""
    tail, tail_size, shown = collections.deque(), 0, 0
    while True:
        chunk = os.read(descriptor, 65536)
        if not chunk:
            break
        if shown < MOST_HEAD:
            os.write(1, chunk)
            shown += len(chunk)
            continue
        tail.append(chunk)
        tail_size += len(chunk)
        while tail_size > MOST_TAIL:
            tail_size -= len(tail.popleft())
    for chunk in tail:
        os.write(1, chunk)


def from_file(path):
    """A report that the runner left, when nothing of its user's runs any more."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        return file.read(MOST_RESULTS)

