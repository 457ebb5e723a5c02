"""Judges one patch of one task in the container it runs in, which is fresh and has no network.

The judging itself is patchmark's own, file by file: only the engine is another (here.py). Prints
what the tests printed and, as its last line, the verdict as JSON. With `--reward FOLDER` it leaves
`reward.txt` there as well, for Harbor: 1 for a pass, 0 for any other outcome that says something
about the patch, nothing where the judging itself failed. Exit code 0 where there is a verdict that
counts, else 1.
"""
import argparse
import json
import os
import re
import stat

from core.diff import split
from core.outcomes import Stop
from core.paths import PathRules
from core.types import Patch, Task
from here import Here, end_all_of
from sandbox.base import USER
from sandbox.engine import Limits
from sandbox.judge import Judge
from sandbox.suite import IN, OUT

MOST = 8 * 1024 * 1024
SHOWN = 64 * 1024


def main(arguments):
    """The program: see the top."""
    given = argparse.ArgumentParser("judge.pyz", description=__doc__.splitlines()[0])
    given.add_argument("task", help="the task's record, as JSON")
    given.add_argument("patch", help="the patch to be judged; none, or an empty one, is no patch")
    given.add_argument("--reward", metavar="FOLDER", help="where Harbor looks for reward.txt")
    given.add_argument("--seconds", type=float, default=Limits.seconds)
    options = given.parse_args(arguments)
    if os.path.lexists(IN) or os.path.lexists(OUT):
        raise SystemExit("this container has judged before: a fresh one is needed each time")
    task = read_task(options.task)
    limits = Limits(seconds=options.seconds, cpus=task.environment["cpus"])
    before = closed(options.reward) if options.reward else None
    try:
        verdict = judged(task, read_patch(options.patch), limits)
    finally:
        end_all_of(int(USER))
        if before is not None:
            emptied(options.reward, before)
    scored = verdict["outcome"].scored
    if options.reward and scored:
        leave_reward(options.reward, verdict)
    print(json.dumps(verdict), flush=True)
    return 0 if scored else 1


def judged(task, diff, limits):
    """A verdict's fields; prints the end of what the run printed."""
    engine = Telling()
    patch = Patch(
        entrant="", attempt=1, diff=diff, detail="", stop=Stop.ANSWERED if diff else Stop.EMPTY
    )
    # Once: this container is used up by then.
    found = vars(Judge(engine, limits, attempts=1).judge(task, patch))
    print(engine.output[-SHOWN:], flush=True)
    return {name: found[name] for name in found if name not in ("task_id", "entrant", "attempt", "key")}


class Telling(Here):
    """Keeps what was printed."""

    output = ""

    def run(self, job):
        """See sandbox.engine.Engine.run."""
        ran = super().run(job)
        # Its last line is the supervisor's parcel.
        self.output = re.sub(r"\n[0-9a-f]{32} [A-Za-z0-9+/=]+\s*\Z", "\n", ran.output)
        return ran


def read_task(path):
    """A task's record."""
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    rules = {name: tuple(globs) for name, globs in found.pop("path_rules").items()}
    found = {name: tuple(v) if isinstance(v, list) else v for name, v in found.items()}
    return Task(**found, path_rules=PathRules(**rules))


def read_patch(path):
    """Its text: files that are not text for us, or for git, no patch of text can hold."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SystemExit("{}: the patch is no regular file".format(path))
        content = file.read(MOST + 1)
    if len(content) > MOST:
        raise SystemExit("{}: the patch has more than {} bytes".format(path, MOST))
    kept = []
    for section in re.split(rb"(?m)^(?=diff --git )", content):
        try:
            kept.append(section.decode())
        except UnicodeDecodeError:
            pass
    text = "".join(kept)
    sections = split(text)
    return "".join(s.text for s in sections if not s.binary) if sections else text.strip()


def closed(folder):
    """Keep all but root out of a folder; what it was like before."""
    os.makedirs(folder, exist_ok=True)
    before = os.stat(folder)
    os.chown(folder, 0, 0)
    os.chmod(folder, 0o700)
    return before


def emptied(folder, before):
    """As it was, without any reward that is not ours."""
    for name in ("reward.txt", "reward.json", "verdict.json"):
        path = os.path.join(folder, name)
        if os.path.lexists(path):
            os.remove(path)
    os.chown(folder, before.st_uid, before.st_gid)
    os.chmod(folder, stat.S_IMODE(before.st_mode))


def leave_reward(folder, verdict):
    """What Harbor reads, and the verdict for a person."""
    for name, text in (
        ("verdict.json", json.dumps(verdict, indent=1)),
        ("reward.txt", str(int(verdict["outcome"] == "passed"))),
    ):
        with open(os.path.join(folder, name), "x") as file:
            file.write(text + "\n")
