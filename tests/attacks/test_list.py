"""The list of attacks itself: what docs/security.md says of it, and that it can be told apart."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from sandbox.attacks import ATTACKS
from sandbox.attacks.attack import Kind

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
SECTION = re.compile(r"(?<=<!-- attacks -->\n).*?(?=<!-- /attacks -->)", re.DOTALL)


def table() -> str:
    """One row a kind: what its attacks try, which they are, and how they end."""
    rows = ["| It tries to | By | It ends as |", "|:--|:--|:--|"]
    for kind in Kind:
        of_kind = [attack for attack in ATTACKS if attack.kind is kind]
        ends = dict.fromkeys(attack.ends[0] for attack in of_kind)
        names = "; ".join(attack.id for attack in of_kind)
        rows.append(f"| {kind.value} | {names} | {', '.join(f'`{end}`' for end in ends)} |")
    return "".join(f"{row}\n" for row in rows)


def test_the_table_in_the_documentation_is_this_list(request: pytest.FixtureRequest) -> None:
    text = PAGE.read_text(encoding="utf-8")
    if request.config.getoption("--update-golden"):
        PAGE.write_text(SECTION.sub(lambda _: table(), text), encoding="utf-8")
        text = PAGE.read_text(encoding="utf-8")
    assert SECTION.findall(text) == [table()]
    assert f"{len(ATTACKS)} attacks" in text


def test_each_attack_has_a_name_of_its_own_and_no_way_to_pass() -> None:
    assert [name for name, count in Counter(a.id for a in ATTACKS).items() if count > 1] == []
    assert [attack.id for attack in ATTACKS if "passed" in attack.ends or not attack.text] == []
