"""What a prompt tells of files that it has no room for."""

from __future__ import annotations

from support.tasks import Folder, make_task

from miner.outline import outline
from models.prompt import make_prompt

SHOP = """LIMIT = 3


def price(item, *, tax=0.2):
    def inner():
        pass
    return add(item, tax)


class Basket:
    def add(self, item: str) -> None:
        self.items.append(item)
"""
GO = "package shop\n\nfunc Price(item string) int {\n\treturn 1\n}\n\ntype Basket struct{ n int }\n"


def test_classes_functions_and_methods_with_their_signatures() -> None:
    assert list(outline("shop.py", SHOP)) == [
        "price(item, *, tax=0.2)",
        "class Basket",
        "    Basket.add(self, item: str)",
    ]
    assert list(outline("shop.go", GO)) == ["Price(item string)", "class Basket"]
    assert list(outline("notes.txt", "class of 99\n")) == []
    assert list(outline("broken.py", "def (:\n\0")) == []


def test_files_without_room_are_told_by_what_they_define() -> None:
    """One that matches, and is too large to be shown, was not there at all."""
    files = Folder(
        {"src/add.py": "def add(a, b):\n    return a\n", "src/shop.py": SHOP + "#\n" * 3000}
    )
    task = make_task(statement="`add` in src/add.py and the Basket of src/shop.py disagree")
    prompt = make_prompt(task, files, 6000, outline=outline).user
    assert "# What more files define" in prompt
    assert "Basket.add(self, item: str)" in prompt
    assert "self.items.append" not in prompt
    assert prompt.index("def add(a, b)") < prompt.index("# What more files define")
    assert len(prompt) < 9000
    assert "What more files define" not in make_prompt(task, files, 20_000, outline=outline).user
    assert "What more files define" not in make_prompt(task, files, 6000).user
