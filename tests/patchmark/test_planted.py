"""Keys planted wherever they could come back from: none may be in anything that is written."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from support.action_step import Step
from support.calc_repo import FILES, FIXED, TEST_ADD, TESTS
from support.command_line import command, environment, patchmark
from support.fake_anthropic import FakeAnthropic
from support.fake_github import BOT, FakeGitHub
from support.loopback import Asked, Behaviour
from support.repos import Repo

from patchmark.secrets import secrets_in

KEY = 'sk-ant-planted/4+8_"Qz&7'
GOOGLE = "AIza-planted-google-55"
TOKEN = "ghs_planted0123456789"
PASSWORD = "pl@nted:pass-9"
ADDRESS = f"https://builder:{quote(PASSWORD, safe='')}@127.0.0.1:9/go"
SECRETS = (KEY, GOOGLE, TOKEN, PASSWORD)


def forms(secret: str) -> list[str]:
    """What each of these would be seen as."""
    encoded = secret.encode()
    inner = [base64.b64encode(bytes(n) + encoded).decode()[4:-4] for n in range(3)]
    return [secret, quote(secret, safe=""), json.dumps(secret)[1:-1], encoded.hex(), *inner]


def found_in(content: bytes) -> list[str]:
    """The secrets that can be read in this, in any form."""
    return [form for secret in SECRETS for form in forms(secret) if form.encode() in content]


def spoken(secret: str) -> str:
    """A sentence with a secret in every form."""
    whole = [base64.b64encode(start + secret.encode()).decode() for start in (b"", b"me:", b"u:")]
    return "SPOKEN " + " | ".join([*forms(secret)[:4], *whole]) + " END"


@dataclass
class Planted:
    """A finished run of the Action on a repository that knows the secrets, and all it left."""

    step: Step
    log: str
    code: int
    received: list[str]

    def files(self) -> Iterator[Path]:
        """Everything below the folders that the run could write to."""
        for folder in ("temp", "cache", "output", "summary.md"):
            place = self.step.folder / folder
            yield from (p for p in (place, *place.rglob("*")) if p.is_file())

    def read(self, pattern: str) -> str:
        """All files of the run folder with such a name, together."""
        paths = sorted((self.step.folder / "temp/patchmark-run").glob(pattern))
        assert paths, pattern
        return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def answers(asked: Asked, number: int) -> Behaviour:
    """First an overload that quotes the key, then an answer that does, as its model does."""
    if number == 1:
        echo = (("x-echo", quote(KEY)), ("retry-after", "0"))
        return Behaviour(kind="error", status=529, message=spoken(KEY), headers=echo)
    before, after = (
        "    return a - b\n\n\ndef sub(a, b):",
        f"    return a - b  # {KEY}\n\n\ndef sub(a, b):",
    )
    block = f"calc.py\n<<<<<<< SEARCH\n{before}\n=======\n{after}\n>>>>>>> REPLACE\n"
    return Behaviour(text=f"{spoken(KEY)}\n{spoken(TOKEN)}\n\n{block}", model=f"claude {GOOGLE}")


def _repository(folder: Path) -> Path:
    """One task. Its statement, sources, build and tests say what they should not know."""
    repo = Repo(folder)
    setup = [
        "echo BUILD $GOPROXY; printenv GOPROXY | base64",
        f"printf '%s\\n' '{spoken(KEY)}'",
        f"echo {uuid.uuid4()}",
    ]
    toml = "max-tasks = 1\n[limits]\nvalidation-runs = 1\n[environment]\n"
    toml += f"setup = {json.dumps(setup)}\n"
    far = "\n" * 40
    source = f"{FILES['calc.py']}{far}TOLD = {KEY!r}\n"
    # Far from what is changed: a redacted line in a patch's context keeps it from applying.
    test = f"def test_loud():\n    print({spoken(KEY)!r})\n{far}{TESTS}"
    failing = TEST_ADD.replace("== 5", f"== 5, {spoken(GOOGLE)!r}")
    repo.commit("Start", {"calc.py": source, "tests/test_calc.py": test, "patchmark.toml": toml})
    repo.commit(
        f"add() subtracts\n\nWe saw {spoken(KEY)} and {spoken(TOKEN)} in the log of add(2, 3).",
        {"calc.py": f"{FIXED}{far}TOLD = {KEY!r}\n", "tests/test_calc.py": test + failing},
    )
    repo.checkout()
    return folder


def _variables(tmp_path: Path, step: Step, github: FakeGitHub, url: str) -> Mapping[str, str]:
    return environment(
        tmp_path,
        **step.environment(
            GITHUB_API_URL=github.url,
            PATCHMARK_INPUT_GITHUB_TOKEN=TOKEN,
            PATCHMARK_INPUT_ANTHROPIC_API_KEY=KEY,
            PATCHMARK_INPUT_MODELS="reference,empty,anthropic:claude-opus-4-8",
            PATCHMARK_INPUT_REPO_PATH="repo",
            **step.pull_request(),
        ),
        GOOGLE_API_KEY=GOOGLE,
        ANTHROPIC_BASE_URL=url,
        GOPROXY=ADDRESS,
    )


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    tmp_path = tmp_path_factory.mktemp("planted")
    step = Step(tmp_path)
    repository = _repository(tmp_path / "repo")
    with FakeGitHub(viewer=BOT) as github, FakeAnthropic(answers) as server:
        done = subprocess.run(
            command("action"),
            cwd=repository,
            env=_variables(tmp_path, step, github, server.url),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=540,
        )
    return Planted(step, done.stdout, done.returncode, github.received)


@pytest.mark.docker
def test_no_secret_is_in_anything_that_was_written(planted: Planted) -> None:
    """Files, caches, outputs, summary, log, and what GitHub was sent; the masks alone name them.

    Bug, found by this: a key given as the Action's input was thrown away before it was read, so
    that the run ended with `needs an API key`.
    """
    assert planted.code == 0, planted.log
    names = [path.name for path in planted.files()]
    assert {"report.json", "report.html", "report.md", "patches.jsonl", "output"} <= {*names}
    told = {str(path): found_in(path.read_bytes()) for path in planted.files()}
    assert {path: found for path, found in told.items() if found} == {}
    unmasked = re.sub("(?m)^::add-mask::.*", "", planted.log)
    assert found_in(unmasked.encode()) == []
    assert any("issues/7/comments" in line for line in planted.received)
    assert [line for line in planted.received if found_in(line.encode())] == []


@pytest.mark.docker
def test_the_secrets_did_come_by_there(planted: Planted) -> None:
    """Else the test above would prove nothing: each place shows the mark in a secret's stead."""
    assert "BUILD https://***@127.0.0.1:9/go" in planted.read("logs/build-*.log")
    for name in ("logs/build-*.log", "candidates.jsonl", "tasks.jsonl", "report.json"):
        assert "SPOKEN ***" in planted.read(name) or name == "report.json", name
    patches = map(json.loads, planted.read("patches.jsonl").splitlines())
    assert any("+    return a - b  # ***" in patch["diff"] for patch in patches)
    (sent,) = (planted.read("exchanges/*/*.1.1.request.json"),)
    assert "TOLD = '***'" in json.loads(sent)["request"]["user"]
    failed = json.loads(planted.read("exchanges/*/*.failed-1.json"))
    assert "SPOKEN ***" in failed["error"]
    answer = json.loads(planted.read("exchanges/*/*.1.1.json"))
    assert answer["text"].startswith("SPOKEN ***")
    assert answer["served_model"] == "claude ***"
    assert (answer["redacted"], failed["redacted"], json.loads(sent)["redacted"]) == (True,) * 3


@pytest.mark.docker
def test_the_runner_is_told_every_secret_before_anything_is_printed(planted: Planted) -> None:
    masks = re.findall("(?m)^::add-mask::(.*)$", planted.log)
    wanted = {KEY, GOOGLE, TOKEN, PASSWORD, quote(PASSWORD, safe="")}
    assert wanted <= {mask.replace("%25", "%") for mask in masks}
    assert planted.log.startswith("::add-mask::")


@pytest.mark.parametrize("kind", ["terminal", "json"])
def test_an_error_that_quotes_a_key_does_not_print_it(tmp_path: Path, kind: str) -> None:
    """Narrow, so that a line break falls into the key."""
    Repo(tmp_path / "repo").commit("Start", {"a.py": ""})
    asked = ("--repo", "repo", *(["--json"] if kind == "json" else []))
    done = patchmark(
        tmp_path, "run", *asked, "--budget-usd", KEY, ANTHROPIC_API_KEY=KEY, COLUMNS="20"
    )
    assert done.returncode == 2
    assert "***" in done.stderr
    assert found_in((done.stdout + done.stderr).encode()) == []


PRINTED = (
    "print(KEY)",
    "sys.stdout.write(KEY[:9]); sys.stdout.write(KEY[9:] + '\\n')",
    "sys.stdout.write('x' * 8185 + KEY + 'y' * 9000 + '\\n')",
    "sys.stdout.buffer.write(KEY.encode()); sys.stdout.buffer.flush()",
    "import rich.console; rich.console.Console(width=400).print(KEY)",
    "import click; click.echo(KEY, err=True)",
    "import logging; logging.warning(KEY)",
    "import warnings; warnings.warn(KEY)",
    "import threading; t = threading.Thread(target=print, args=(KEY,)); t.start(); t.join()",
    "t = threading.Thread(target=lambda: {}[KEY]); t.start(); t.join()",
)
ENDS = (
    "raise RuntimeError(KEY)",
    "sys.exit(KEY)",
    "\n    try: int(KEY)\n    except ValueError as error: raise KeyError(1) from error",
)


def _printed(script: str, *, guarded: bool) -> str:
    guard = "with quiet(redactor_for(os.environ)):" if guarded else "if True:"
    top = (
        "import os, sys\nKEY = os.environ['ANTHROPIC_API_KEY']\n"
        "from patchmark.streams import quiet\nfrom patchmark.secrets import redactor_for\n"
        "from patchmark.commands import errors\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"{top}{guard}\n    {script}\n"],
        env={"ANTHROPIC_API_KEY": KEY, "COLUMNS": "20"},
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


def test_whatever_is_printed_is_redacted() -> None:
    """By us, by libraries, by threads; without the guard the key is there as often."""
    script = "\n    ".join(PRINTED)
    assert _printed(script, guarded=False).count("sk-ant-planted") >= len(PRINTED)
    found = _printed(script, guarded=True)
    assert "sk-ant-planted" not in found
    assert found.count("***") >= len(PRINTED)


def test_a_line_is_broken_after_the_secret_was_taken_out() -> None:
    found = _printed("errors().print('word ' * 3 + KEY)", guarded=False)
    assert (found.count("***"), found.count("plant")) == (1, 0)


@pytest.mark.parametrize("end", ENDS)
def test_the_end_of_a_broken_program_tells_no_secret(end: str) -> None:
    """Python prints it when all of ours has ended."""
    found = _printed(end, guarded=True)
    assert "***" in found
    assert "planted" not in found


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("http://me:hunter2222@proxy:3128", ["me:hunter2222", "hunter2222"]),
        (
            "https://a:p%40ss-word@h/s https://b:other-word@h",
            [
                *("a:p%40ss-word", "a:p@ss-word", "p%40ss-word", "p@ss-word"),
                *("b:other-word", "other-word"),
            ],
        ),
        ("https://ghp_0123456789@github.com/x", ["ghp_0123456789"]),
        ("https://ghp_0123456789:x-oauth-basic@host", ["ghp_0123456789"]),
        ("ssh://patchmark@builder", []),
        ("http://host/simple", []),
        ("git@github.com:owner/repo", []),
    ],
)
def test_credentials_in_addresses(value: str, wanted: list[str]) -> None:
    assert secrets_in({"ANYTHING": value}) == wanted


def test_keys_and_tokens_are_secrets_and_nothing_else() -> None:
    keys = {"GEMINI_API_KEY": "k1", "GITHUB_TOKEN": "k2", "PATCHMARK_INPUT_GITHUB_TOKEN": " k3 "}
    others = {"PATH": "/bin", "PATCHMARK_INPUT_MODELS": "m", "HOME": "/h", "GOOGLE_API_KEY": ""}
    assert sorted(secrets_in(keys | others)) == ["k1", "k2", "k3"]
