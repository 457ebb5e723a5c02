"""patchmark.toml: what is wrong is named with its line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import UsageError
from patchmark.config import load


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "patchmark.toml"
    path.write_text(text)
    return path


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    config = load(
        write(
            tmp_path,
            """
models = ["reference", "google:gemini-3.5-flash"]
attempts = 2
max-tasks = 30
budget-usd = 2.50
fail-under = 0.5
max-output-tokens = 8000

[environment]
python = "3.12"
image = "our/base:1"
packages = ["pytest-asyncio"]
setup = ["make fixtures"]
pytest-args = ["-m", "'not slow'"]

[limits]
test-seconds = 120
memory-mib = 2048
cpus = 2
validation-runs = 5
workers = 4

[prices."google:ours"]
input = "0.1"
output = 1
cache-read = 0.01

[cutoffs]
"google:ours" = "2026-01"
"google:theirs" = 2026-01-15
""",
        )
    )
    assert config.models == ("reference", "google:gemini-3.5-flash")
    assert config.budget_usd == Decimal("2.5")
    assert config.environment.packages == ("pytest-asyncio",)
    assert config.limits.workers == 4
    assert config.prices["google:ours"].input == Decimal("0.1")
    assert config.cutoffs == {"google:ours": "2026-01", "google:theirs": "2026-01-15"}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("models = []\nmodel = 'x'\n", 2, "model: unknown setting"),
        ("\n[limits]\ntest-seconds = 'soon'\n", 3, "limits.test-seconds: "),
        ("[limits]\nmemory-mib = 1\n", 2, "greater than or equal to 64, got 1"),
        ("max-tasks = 3.5\n", 1, "max-tasks: "),
        ("# a\n[environment]\n# b\npackages = 'pytest'\n", 4, "environment.packages: "),
        ("[environment]\npython = '2.6'\n", 2, "environment.python: "),
        ("a = 1\n[environment]\nenv = 1\n", 1, "a: unknown setting"),
        ("[prices.'x:y']\ninput = 1\n", 1, "prices.x:y.output: field required"),
        ("[prices]\n'x:y' = 3\n", 2, "prices.x:y: "),
        ("[cutoffs]\n'x:y' = 'soon'\n", 2, "cutoffs.x:y: "),
        ("[cutoffs]\n'x:y' = 2026\n", 2, "cutoffs.x:y: "),
        ("limits.workers = 0\n", 1, "limits.workers: "),
        ("[limits]\nidle-seconds = -1\n", 2, "limits.idle-seconds: "),
        ("[limits]\nprocesses = 1\n", 2, "limits.processes: "),
        ("[limits]\n\ndisk-mib = '1 GB'\n", 3, "limits.disk-mib: "),
        ("[limits]\noutput-mib = 0\n", 2, "limits.output-mib: "),
        ("[limits]\nnetwork = 'host'\n", 2, "limits.network: unknown setting"),
        ("[sandbox]\nruntime = 'run c'\n", 2, "sandbox.runtime: "),
        ("[sandbox]\nuser = 'root'\n", 2, "sandbox.user: unknown setting"),
        ("[commands.x]\ninstall = ['a']\n", 1, "commands.x.run: field required"),
        ("[commands.'x y']\nrun = 'a'\n", 1, "commands.x y"),
        ("[commands.x]\nrun = 'a'\nkey = 'b'\n", 3, "commands.x.key: unknown setting"),
        (
            "[commands.x]\nrun = 'a'\n[commands.x.variables]\nOPENAI_BASE_URL = 'http://y'\n",
            3,
            "openai_base_url is set by patchmark",
        ),
        ("models = ['a'\n", 1, "unclosed array"),
        ("attempts = 1\nmodels = ['a\n", 2, ""),
    ],
)
def test_a_wrong_setting_is_named_with_its_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load(path)
    message = str(caught.value)
    assert words in message
    assert f"{path}:{line}: " in message
    assert "\n" not in message


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "patchmark.toml"
    path.write_bytes(b"models = ['\xff']")
    with pytest.raises(UsageError, match="cannot be read"):
        load(path)


def test_the_repository_cannot_say_where_keys_are_sent(tmp_path: Path) -> None:
    """The file lies in the repository under test, which is not trusted with keys."""
    for setting in ("base-url = 'http://x'", "anthropic-api-key = 'x'", "out = '/etc'"):
        with pytest.raises(UsageError, match="unknown setting"):
            load(write(tmp_path, setting))
