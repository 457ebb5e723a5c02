"""What models are asked to answer with, and the one more answer they get if it is of no use."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from support.fake_anthropic import FakeAnthropic
from support.loopback import Asked, Behaviour, in_order
from support.tasks import CALC, FIX, make_task

from core.redact import NOTHING
from core.types import Patch, Stop
from models.answer import read_answer
from models.budget import Budget
from models.desk import Desk
from models.registry import build

CLAUDE = "anthropic:claude-opus-4-8"
COST = Decimal("0.0075")  # 1,000 in at $5 and 100 out at $25 a million
GOOD = Behaviour(text=FIX, output_tokens=100)
MISPLACED = Behaviour(text=FIX.replace("def add", "def plus"), output_tokens=100)
WHOLE = """The sign is wrong. For example:

```python
add(1, 2)
```

**src/calc.py**
````python
def add(a, b):
    return a + b
````

src/more/new.py:
````
```not the end```
````
"""
DIFF = """```diff
--- a/src/calc.py
+++ b/src/calc.py
@@ -1,2 +1,2 @@
 def add(a, b):
-    return a - b
+    return a + b
```
"""


def desk(folder: Path, url: str, replay: Path | None = None) -> Desk:
    return Desk(
        exchanges=folder / "exchanges", budget=Budget(None), redactor=NOTHING, replay=replay,
        keys={"anthropic": "k"}, base_urls={"anthropic": url}, timeout_seconds=20,
    )  # fmt: skip


def solve(folder: Path, *behaviours: Behaviour, name: str = CLAUDE) -> tuple[Patch, list[Asked]]:
    with FakeAnthropic(in_order(*behaviours)) as server:
        patch = build(name, desk(folder, server.url)).solve(make_task(), CALC, 1)
    return patch, server.asked


def test_an_answer_that_fits_nowhere_may_be_given_once_more(tmp_path: Path) -> None:
    patch, asked = solve(tmp_path, MISPLACED, GOOD)
    assert patch.stop is Stop.ANSWERED
    assert "+    return a + b" in patch.diff
    assert patch.detail.startswith("asked once more: src/calc.py: the block 'def plus(a, b):'")
    assert (patch.cost_usd, len(patch.exchanges)) == (2 * COST, 2)
    first, said, told = asked[1].body["messages"]
    assert first == asked[0].body["messages"][0]
    assert said["content"] == MISPLACED.text
    assert "is not in the file" in told["content"][0]["text"]
    # Paid for, both of them, whenever they are needed again.
    again, none = solve(tmp_path)
    assert (again, none) == (patch, [])
    new = tmp_path / "new"
    offline = build(CLAUDE, desk(new, "http://127.0.0.1:9", tmp_path)).solve(make_task(), CALC, 1)
    assert offline == patch.model_copy(update={"replayed": True})


def test_it_may_be_of_no_use_again(tmp_path: Path) -> None:
    patch, asked = solve(tmp_path, Behaviour(text="no idea"), MISPLACED, GOOD)
    assert len(asked) == 2
    assert patch.stop is Stop.MISPLACED
    assert "asked once more: no SEARCH/REPLACE block" in patch.detail


def test_a_second_answer_that_fails_leaves_the_first_paid_for(tmp_path: Path) -> None:
    broken = Behaviour(kind="error", status=400, error_type="invalid_request_error")
    patch, _ = solve(tmp_path, MISPLACED, broken)
    assert (patch.stop, patch.cost_usd) == (Stop.PROVIDER_FAILED, COST)
    patch, asked = solve(tmp_path, GOOD)
    assert (patch.stop, patch.cost_usd, len(asked)) == (Stop.ANSWERED, 2 * COST, 1)


@pytest.mark.parametrize("text", ["", "I will not."])
def test_a_refusal_is_not_asked_again(tmp_path: Path, text: str) -> None:
    patch, asked = solve(tmp_path, Behaviour(text=text, finish="refusal"))
    assert (patch.stop, len(asked)) == (Stop.REFUSED, 1)


@pytest.mark.parametrize(("form", "text"), [("whole", WHOLE), ("diff", DIFF), ("blocks", FIX)])
def test_each_form_is_asked_for_and_read(tmp_path: Path, form: str, text: str) -> None:
    patch, asked = solve(tmp_path, Behaviour(text=text), name=f"{CLAUDE}+format={form}")
    assert len(asked) == 1
    assert (patch.stop, patch.detail) == (Stop.ANSWERED, "")
    assert "-    return a - b\n+    return a + b\n" in patch.diff
    words = {"whole": "every file that you change", "diff": "one unified diff", "blocks": "SEARCH"}
    assert words[form] in asked[0].text


def test_whole_files() -> None:
    edit = read_answer(WHOLE, "stop", CALC, "whole")
    assert "+++ b/src/more/new.py\n@@ -0,0 +1 @@\n+```not the end```\n" in edit.diff
    assert "add(1, 2)" not in edit.diff
    # Code that is shown is no file, unless whole files were asked for.
    assert read_answer(WHOLE, "stop", CALC).stop is Stop.UNREADABLE


@pytest.mark.parametrize(
    "line",
    ["1. `src/util.py`", "Changes to `src/util.py`:", "- **`./src/util.py`**", "# src/util.py"],
)
def test_lines_that_name_a_file(line: str) -> None:
    """Bug: a model that numbered its files was taken for one that gave none."""
    edit = read_answer(f"Files:\n\n{line}\n\n```python\nX = 1\n```\n", "stop", CALC, "whole")
    assert (edit.stop, edit.diff.split()[2]) == (Stop.ANSWERED, "a/src/util.py")


@pytest.mark.parametrize(
    ("text", "stop", "words"),
    [
        ("src/calc.py\n````\ndef", Stop.UNREADABLE, "line 2: the file has no end"),
        ("nothing\n```\nx\n```", Stop.UNREADABLE, "no whole file, block or diff"),
        ("../x.py\n````\n1\n````", Stop.UNREADABLE, "not a path within"),
        (".git/config\n````\n1\n````", Stop.UNREADABLE, "git's own folder"),
        ("README.md\n````\n# calc\n````", Stop.EMPTY, "change nothing"),
    ],
)
def test_whole_files_that_are_none(text: str, stop: Stop, words: str) -> None:
    edit = read_answer(text, "stop", CALC, "whole")
    assert (edit.stop, edit.diff) == (stop, "")
    assert words in edit.detail
