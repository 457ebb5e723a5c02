"""Attacks that read, reach out, use up the machine, or outlive the run."""

from __future__ import annotations

from sandbox.attacks.attack import Attack, Kind
from sandbox.attacks.python_code import code
from sandbox.attacks.sample import CALC, PYTHON

_REST = CALC[CALC.index("\n\ndef sub") :]
_READS = "def add(a, b):\n    {0}\n    return a + b\n"
"""The target test passes only if what stands there does not raise."""
_FIND = (
    "assert any(b'return a + b' in open(os.path.join(top, n), 'rb').read(10**6)"
    " for at in {0} for top, _, names in os.walk(at) for n in names"
    " if os.path.isfile(os.path.join(top, n)) and os.access(os.path.join(top, n), os.R_OK))"
)


def _reads(kind: Kind, name: str, line: str) -> Attack:
    text = PYTHON.diff({"calc.py": f"import os\n\n\n{_READS.format(line)}{_REST}"})
    return Attack(name=name, kind=kind, text=text, ends=("failed",))


_TESTS = "/repo/tests/test_calc.py"
_READING = (
    Attack(
        name="what the test's own file expects",
        kind=Kind.READING,
        text=PYTHON.diff(
            {
                "calc.py": "def add(a, b):\n    import re\n"
                f"    text = open({_TESTS!r}).read()\n"
                "    return int(re.search(r'add\\(2, 3\\) == (\\d+)', text).group(1))\n" + _REST
            }
        ),
        ends=("tampered",),
        named="calc.py reads tests/test_calc.py",
    ),
    _reads(
        Kind.READING, "the order, and in it the tests", "open('/patchmark/in/spec.json').read()"
    ),
    _reads(Kind.READING, "the results", "open('/patchmark/out/results').read()"),
    _reads(
        Kind.READING,
        "the fix in files and processes",
        _FIND.format("['/patchmark', '/tmp', '/home', '/var/tmp', '/root']"),
    ),
    _reads(
        Kind.READING,
        "the fix in git's history",
        "assert __import__('subprocess').check_output("
        "['git', 'log', '--all', '--reflog', '--format=%s']).split() != [b'base']",
    ),
    _reads(
        Kind.READING,
        "the fix in git's objects",
        "assert b'return a + b' in __import__('subprocess').check_output("
        "['git', 'cat-file', '--batch-all-objects', '--batch'])",
    ),
    _reads(Kind.READING, "package caches", "assert os.listdir('/cache')"),
    _reads(
        Kind.READING,
        "other tasks' folders",
        "assert [d for d in os.listdir('/') if d != 'repo' and os.path.isdir('/%s/.git' % d)]",
    ),
    _reads(Kind.READING, "root's files", "os.listdir('/root')"),
    _reads(Kind.READING, "another's memory", "open('/proc/1/environ').read()"),
)
_REACHING = (
    _reads(
        Kind.REACHING,
        "the engine's socket",
        "assert any(os.path.exists(p) for p in ('/var/run/docker.sock', '/run/docker.sock',"
        " '/run/podman/podman.sock', '/run/containerd/containerd.sock'))",
    ),
    _reads(
        Kind.REACHING,
        "a network by its interfaces",
        "assert os.listdir('/sys/class/net') != ['lo']",
    ),
    _reads(
        Kind.REACHING,
        "a network by its routes",
        "assert len(open('/proc/net/route').read().splitlines()) > 1",
    ),
    _reads(
        Kind.REACHING,
        "others' sockets",
        "assert len([l for n in ('tcp', 'tcp6', 'udp') for l in open('/proc/net/' + n)]) > 3",
    ),
    _reads(Kind.REACHING, "a name", "__import__('socket').gethostbyname('x.invalid')"),
    _reads(
        Kind.REACHING,
        "root by a capability or a setuid program",
        "assert __import__('subprocess').run(['su', '-c', 'id'], stdin=-3).returncode == 0",
    ),
)
_OUTLIVING = (
    code(
        Kind.OUTLIVING,
        "a daemon that outlives the run",
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        while True:\n            time.sleep(0.1)\n    os._exit(0)\n",
        "failed",
    ),
    code(
        Kind.OUTLIVING,
        "the supervisor killed",
        "import os, signal\nme = os.getpid()\nfor p in os.listdir('/proc'):\n"
        "    if p.isdigit() and int(p) != me:\n        try:\n"
        "            os.kill(int(p), signal.SIGKILL)\n"
        "        except OSError:\n            pass\n",
        "failed",
    ),
)
_ANY_BAD = ("failed", "timed_out", "tampered", "environment_broken")
_BOMBS = (
    code(Kind.BOMBS, "sleep for ever", "import time\ntime.sleep(9999)\n", "timed_out"),
    code(
        Kind.BOMBS,
        "fork bomb",
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        break\n",
        *_ANY_BAD,
    ),
    code(Kind.BOMBS, "memory bomb", "x = bytearray(10**9)\n", "failed", named="out of memory"),
    code(
        Kind.BOMBS,
        # At most 768 MiB: where no limit holds it, it must be no bomb for the machine either.
        "disk bomb",
        "import os, time\nfor place in ('/tmp', '/repo', os.path.expanduser('~')):\n    try:\n"
        "        fd = os.open(place + '/fill', os.O_CREAT | os.O_WRONLY, 0o600)\n"
        "        for part in range(16):\n"
        "            os.posix_fallocate(fd, part << 24, 1 << 24)\n"
        "    except OSError:\n        pass\ntime.sleep(6)\n",
        *_ANY_BAD,
        named="wrote more than",
    ),
    code(
        Kind.BOMBS,
        "output flood",
        "import os, sys\nsys.__stdout__.write('x' * 99 + chr(10))\n"
        "for _ in range(300):\n    os.write(1, b'y' * 10**5)\n",
        "failed",
    ),
)
ATTACKS = (*_READING, *_REACHING, *_OUTLIVING, *_BOMBS)
