"""The names that tests use and the base lacks, in every language that is read."""

from __future__ import annotations

import pytest

from miner.expects import MOST, FileChange, expected

PYTHON = """LIMIT = 3
_HIDDEN = 4
class Reader(Base):
    MODE = "r"
    def __init__(self, path, *, strict=False):
        self.path = path
        secret = 1
    def parse(self, text, limit=None):
        local = 2
        raise ValueError(f"no such sign as {text} here, sorry")
    @property
    def size(self): ...
def total(values): return 1
def helper(): ...
"""
BEFORE = """class Reader(Base):
    def __init__(self, path):
        self.path = path
    def parse(self, text):
        return text
"""
TEST = """from lib import LIMIT, Reader, total
def test_reader():
    helper_of_mine = LIMIT
    reader = Reader("x", strict=True)
    assert reader.MODE == "r"
    assert reader.size == 1
    with pytest.raises(ValueError, match=r"no such sign as 3 here\\, sorry"):
        reader.parse("a", limit=3)
    total([])
"""


def names(fix: list[FileChange], tests: list[FileChange]) -> list[str]:
    return [f"{e.kind} {e.name} {e.signature}".strip() for e in expected(fix, tests)]


def test_python_in_depth() -> None:
    fix = FileChange("src/lib.py", BEFORE, PYTHON)
    assert names([fix], [FileChange("tests/test_lib.py", "", TEST)]) == [
        "attribute Reader.MODE",
        "constant LIMIT",
        "function total (values)",
        "message here, sorry",
        "message no such sign as",
        "method Reader.size (self)",
        "parameter limit Reader.parse",
        "parameter strict Reader",
    ]


def test_a_new_class_comes_with_what_makes_it() -> None:
    fix = FileChange("a.py", "", "class New:\n    def __init__(self, a, *, b): ...\n")
    assert names([fix], [FileChange("t.py", "", "New(1, b=2)\n")]) == ["class New (self, a, *, b)"]


def test_only_added_lines_of_the_tests_ask() -> None:
    fix = FileChange("a.py", "", "def one(): ...\ndef two(): ...\n")
    test = FileChange("tests/t.py", "one()\n", "one()\ntwo()\n")
    assert names([fix], [test]) == ["function two ()"]


def test_what_was_there_before_is_no_news() -> None:
    """Neither where it moved from one file of the fix to another, nor where its body changed."""
    fix = [
        FileChange("old.py", "def f(a):\n    return 1\nclass A:\n    def g(self): ...\n", ""),
        FileChange("new.py", None, "def f(a):\n    return 2\nclass A:\n    def g(self): ...\n"),
    ]
    assert names(fix, [FileChange("t.py", None, "f(1)\nA().g()\n")]) == []


def test_members_are_asked_for_after_a_dot_only() -> None:
    fix = FileChange("a.py", "", "class A:\n    name = 1\n    def result(self): ...\n")
    test = FileChange("t.py", "", "name = 3\nresult = name\n")
    assert names([fix], [test]) == []


def test_names_that_everything_has_are_not_told() -> None:
    """Bug: `get` and `copy` of a new mapping were told, and with them how it was solved."""
    code = "class A(dict):\n    def get(self, key): ...\n    def copy(self): ...\n"
    test = FileChange("t.py", "", "A().get(1)\nA().copy()\n")
    assert names([FileChange("a.py", "class A(dict): ...\n", code)], [test]) == []


def test_a_literal_that_the_base_has_is_no_news() -> None:
    fix = FileChange("a.py", 'x = "no such sign here"\n', 'y = "no such sign here"\n')
    assert names([fix], [FileChange("t.py", "", 'assert "no such sign here" in x\n')]) == []


def test_the_shorter_of_two_messages_is_told() -> None:
    fix = FileChange("a.py", "", 'raise E("the number must be given in full")\n')
    test = FileChange("t.py", "", 'with raises(E, match="must be given"): f()\n')
    assert names([fix], [test]) == ["message must be given"]


def test_neither_words_about_the_code_nor_single_words_are_messages() -> None:
    """Bug: examples in docstrings and `tomorrow` were told as messages that the tests expect."""
    code = 'def f():\n    """Gives `no such sign here` for x."""\n    return "see you tomorrow"\n'
    test = 'assert f() == "no such sign here"\nassert "tomorrow" in f()\n'
    assert names([FileChange("a.py", "def f(): ...\n", code)], [FileChange("t.py", "", test)]) == []


CASES = {
    "go": (
        "a.go",
        'package a\nfunc F(x int) {}\n',
        'package a\nfunc F(x int, y string) {}\nfunc New(a, b int) error {\n'
        ' return errors.New("no such file here")\n}\ntype T struct {\n A int\n}\nconst C = 1\n',
        'package a\nfunc TestX(t *testing.T) {\n F(1, "a")\n x := New(1,2)\n y := T{}.A + C\n'
        ' want("no such file here")\n}\n',
        ["attribute T.A", "class T", "constant C", "function New (a, b int)",
         "message no such file here", "parameter y F"],
    ),
    "javascript": (
        "a.js",
        "",
        "export const f = (a, b) => a;\nexport class A {\n m(x) { const loc = 1 }\n y = 1 }\n"
        "export function g(a, b = 2) {}\n",
        'import { f, A, g } from "./a"\ntest("x", () => { f(1); new A().m(2); g(); a.y; loc })\n',
        ["attribute A.y", "class A", "function f (a, b)", "function g (a, b = 2)",
         "method A.m (x)"],
    ),
    "typescript": (
        "a.ts",
        "",
        "export interface I { a: string }\nexport class A { m(a: string, b?: number): void {} }\n"
        "export enum E { One }\n",
        'import { I, A, E } from "./a"\nnew A().m("x"); E.One\n',
        ["class A", "class E", "class I", "method A.m (a: string, b?: number)"],
    ),
    "tsx": (
        "a.tsx", "", "export function View(p: P) { return <b>x</b> }\n", "<View/>\n",
        ["function View (p: P)"],
    ),
    "rust": (
        "a.rs",
        "",
        "pub fn f(a: i32) {}\npub struct S { a: i32 }\nimpl S { pub fn m(&self, b: u8) {} }\n"
        "enum E { One }\nconst C: u8 = 1;\n",
        "use x::{f, S, E, C};\nfn t() { f(1); S{a: 1}.m(2); E::One; C; }\n",
        ["attribute E.One", "class E", "class S", "constant C", "function f (a: i32)",
         "method S.m (&self, b: u8)"],
    ),
    "java": (
        "A.java",
        "",
        'class A { int x = 1; void m(int a, String b) { throw new E("no such thing"); } }\n',
        'class ATest { void t() { new A().m(1, "x"); a.x; says("no such thing"); } }\n',
        ["attribute A.x", "class A", "message no such thing", "method A.m (int a, String b)"],
    ),
    "kotlin": (
        "A.kt",
        "fun g(x: Int) = 1\n",
        "fun g(x: Int, more: Int) = 1\nclass A { fun m(a: Int) {}\n val p = 1 }\n"
        "fun f(x: Int) = 1\n",
        "fun t() { A().m(1); A().p; f(1); g(1, more = 2) }\n",
        ["attribute A.p", "class A", "function f (x: Int)", "method A.m (a: Int)",
         "parameter more g"],
    ),
    "ruby": (
        "a.rb",
        "",
        'module M\n class A\n  C = 1\n  def m(a, b: 1)\n   raise E, "no such thing"\n  end\n'
        "  def self.s(x) end\n end\nend\n",
        "it do\n M::A.new.m(1, b: 2)\n M::A::C\n M::A.s(1)\nend\n",
        ["attribute A.C", "class M", "class M.A", "method A.m (a, b: 1)", "method A.s (x)"],
    ),
    "php": (
        "A.php",
        "",
        "<?php class A { const C = 1; public $p; function m($a, int $b = 1) {} }\n"
        "function f($x) {}\n",
        "<?php $a = new A; $a->m(1, b: 2); f(1); A::C; $a->p;\n",
        ["attribute A.C", "attribute A.p", "class A", "function f ($x)",
         "method A.m ($a, int $b = 1)"],
    ),
    "c": (
        "a.c",
        "",
        "#define LIMIT 1\nint *f(int a, char *b) { return 0; }\nstruct S { int a; };\n"
        "int g(void);\n",
        "int main() { f(1); struct S s; s.a; g(); LIMIT; }\n",
        ["attribute S.a", "class S", "constant LIMIT", "function f (int a, char *b)",
         "function g (void)"],
    ),
    "c++": (
        "a.cpp",
        "",
        "class A { public: int m(int a); int x; };\nenum class E { One };\n",
        "int main() { A a; a.m(1); a.x; E::One; }\n",
        ["attribute A.x", "attribute E.One", "class A", "class E", "method A.m (int a)"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", CASES)
def test_every_language(language: str) -> None:
    path, before, after, test, wanted = CASES[language]
    suffix = path.rpartition(".")[2]
    fix = FileChange(path, before, after)
    assert names([fix], [FileChange(f"tests/t.{suffix}", "", test)]) == wanted


@pytest.mark.parametrize(
    "text",
    ["def f(:\n", "\0\0", "(" * 20_000, "class " * 5_000, "é\ud800", "f'" * 5_000, "x = " * 20_000],
)
def test_broken_code_is_no_error(text: str) -> None:
    expected([FileChange("a.py", text, text + "\ndef f(): ...\n")], [FileChange("t.py", "", text)])


def test_what_is_unknown_gone_or_too_long_gives_nothing() -> None:
    test = FileChange("t.py", "", "f()\n")
    assert expected([FileChange("a.xyz", "", "def f(): ...")], [test]) == ()
    assert expected([FileChange("a.py", "def f(): ...", None)], [test]) == ()
    assert expected([FileChange("a.py", "", "#" * 1_000_001 + "\ndef f(): ...")], [test]) == ()
    assert expected([], []) == ()


def test_there_is_an_end() -> None:
    many = "".join(f"def f{n}(): ...\n" for n in range(100))
    uses = "".join(f"f{n}()\n" for n in range(100))
    assert len(expected([FileChange("a.py", "", many)], [FileChange("t.py", "", uses)])) == MOST
