"""Real patches, mutated: what keeps the meaning applies to the byte, the rest never by halves."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.patching import APPLYING, apply, git, repository

PATHS = ("f.py", "pkg/g.py", "a b.txt", "pkg/sub/é.c")
REPEATING = ("", "a", "b", "  a", "a ", "-- x", "++ y", "\t", "@@", "é\f")
Tree = dict[str, bytes]


@dataclass(frozen=True)
class Change:
    """A change that git wrote as `lines`; `heads` are the numbers of those outside of hunks."""

    old: Tree
    new: Tree
    lines: list[bytes]
    heads: frozenset[int]


def file_lines(random: Random, unique: bool) -> list[str]:
    """Unique lines with some empty ones in between, so that any hunk has one place; or not."""
    size = random.choice((0, 1, 4, 12, 40))
    if not unique:
        return [random.choice(REPEATING) for _ in range(size)]
    return ["" if n % 4 == 3 else f"{' ' * (n % 3 * 2)}{random.random()}" for n in range(size)]


def edited(random: Random, lines: list[str], unique: bool) -> list[str]:
    lines = list(lines)
    for _ in range(random.randint(1, 3)):
        at = random.randint(0, len(lines))
        fresh = [f"new {random.random()}" if unique else random.choice(REPEATING) for _ in "12"]
        lines[at : at + random.randint(0, 2)] = fresh[: random.randint(0, 2)]
    return lines


def content(random: Random, lines: list[str]) -> bytes:
    return ("\n".join(lines) + ("\n" if lines and random.random() < 0.8 else "")).encode()


def changed(random: Random, unique: bool, folder: Path) -> Change:
    """A repository at the old tree, and the change to the new one."""
    held = {path: file_lines(random, unique) for path in PATHS if random.random() < 0.8}
    old = {path: content(random, lines) for path, lines in held.items()}
    new = dict(old)
    for path in PATHS:
        what = random.choice(("keep", "edit", "edit", "drop", "move"))
        if path not in old:
            new.update(
                {path: content(random, file_lines(random, unique))} if what == "edit" else {}
            )
        elif what != "keep":
            del new[path]
            if what != "drop":
                to = path if what == "edit" else f"moved/{path}"
                new[to] = content(random, edited(random, held[path], unique))
    repository(folder, dict(old))
    for name in old:
        (folder / name).unlink()
    for name, held_now in new.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(held_now)
    git(folder, "add", "--all")
    diff = git(folder, "diff", "--no-ext-diff", "--cached", "-M", "--text", "--no-color")
    git(folder, "reset", "--quiet", "--hard")
    lines = diff.split(b"\n")[:-1]
    return Change(old, new, lines, frozenset(heads(lines)))


def heads(lines: list[bytes]) -> list[int]:
    found, left = [], [0, 0]
    for number, line in enumerate(lines):
        if left != [0, 0]:
            left[0] -= line[:1] in b" -"
            left[1] -= line[:1] in b" +"
        elif not line.startswith(b"\\"):
            found.append(number)
            hunk = re.match(rb"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@", line)
            left = [int(count or 1) for count in hunk.groups()] if hunk else [0, 0]
    return found


def tree(folder: Path) -> Tree:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


Mutation = Callable[[Random, list[tuple[bool, bytes]]], list[tuple[bool, bytes]]]


def each(only: bool, change: Callable[[bytes], bytes | None]) -> Mutation:
    def mutate(_: Random, lines: list[tuple[bool, bytes]]) -> list[tuple[bool, bytes]]:
        made = [(head, change(line) if head is only else line) for head, line in lines]
        return [(head, line) for head, line in made if line is not None]

    return mutate


def numbers(start: bool) -> Mutation:
    """Other line counts in hunk headers, or other line numbers, or none at all."""

    def mutate(random: Random, lines: list[tuple[bool, bytes]]) -> list[tuple[bool, bytes]]:
        def other(match: re.Match[bytes]) -> bytes:
            if not start:
                return b"%s,%d" % (match[1], random.randint(0, 9))
            moved = int(match[1][1:]) + random.randint(-3, 9)
            return match[1][:1] + b"%d" % max(moved, 1) + (match[2] or b"")

        def header(line: bytes) -> bytes:
            if start and random.random() < 0.2:
                return b"@@"
            return re.sub(rb"([-+]\d+)(,\d+)?(?= )", other, line, count=2)

        # What is created or deleted has no other number than 0.
        plain = [
            head and line.startswith(b"@@ ") and b" -0,0 " not in line and b" +0,0 " not in line
            for head, line in lines
        ]
        return [
            (head, header(line) if at else line)
            for at, (head, line) in zip(plain, lines, strict=True)
        ]

    return mutate


def prefixed(old: bytes, new: bytes) -> Mutation:
    def change(line: bytes) -> bytes:
        if line.startswith((b"diff --git ", b"--- ", b"+++ ")):
            line = re.sub(rb'(?<=[ "])a/', old, line, count=1)
            return re.sub(rb'(?<=[ "])b/(?!.*[ "]b/)', new, line, count=1)
        return line

    return each(True, change)


def without_git(line: bytes) -> bytes | None:
    return line if line.startswith((b"--- ", b"+++ ", b"@@")) else None


KEEPING: dict[str, Mutation] = {
    "counts": numbers(start=False),
    "numbers": numbers(start=True),
    "no prefix": prefixed(b"", b""),
    "old and new": prefixed(b"old/", b"new/"),
    "blanks": each(False, lambda line: line[1:] if line in (b" ", b" \r") else line),
    "no git header": each(True, without_git),
}
WRAPPING: dict[str, Callable[[bytes], bytes]] = {
    "no end": lambda diff: diff[:-1],
    "fences": lambda diff: b"```diff\n" + diff + b"```\n",
    "prose": lambda diff: b"Here:\n- it is\n\n" + diff + b"\nIt was wrong.\n",
    "crlf": lambda diff: diff.replace(b"\n", b"\r\n"),
}


def can_go(change: Change, names: list[str]) -> bool:
    """Whether these mutations leave enough in this diff to tell what it says."""
    head_lines = [change.lines[number] for number in sorted(change.heads)]
    if "no git header" in names:
        sections = sum(line.startswith(b"diff --git") for line in head_lines)
        told = sum(line.startswith(b"+++ ") for line in head_lines)
        moved = any(line.startswith(b"rename ") for line in head_lines)
        both_sides = sum(line.startswith(b"--- a/") for line in head_lines) > sum(
            line.startswith(b"+++ /dev/null") for line in head_lines
        )
        return told == sections and not moved and (both_sides or "old and new" not in names)
    return True


def mutated(random: Random, change: Change, names: list[str], wraps: list[str]) -> bytes:
    lines = [(number in change.heads, line) for number, line in enumerate(change.lines)]
    for name in names:
        lines = KEEPING[name](random, lines)
    diff = b"".join(line + b"\n" for _, line in lines)
    for name in wraps:
        diff = WRAPPING[name](diff)
    return diff


@settings(max_examples=45, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.randoms(use_true_random=False),
    st.booleans(),
    st.lists(st.sampled_from(sorted(KEEPING)), unique=True),
    st.sampled_from([[], ["no end"], ["fences"], ["prose"], ["prose", "fences"]]),
    st.booleans(),
)
def test_mutations_that_keep_the_meaning_give_the_true_tree(
    random: Random, unique: bool, names: list[str], wraps: list[str], crlf: bool
) -> None:
    if not unique:  # there the number alone tells one place from another
        names = [name for name in names if name != "numbers"]
    if {"no prefix", "old and new"} <= set(names):
        names.remove("no prefix")
    names.sort(key=lambda name: name == "no git header")
    with tempfile.TemporaryDirectory() as name:
        change = changed(random, unique, Path(name))
        if not change.lines or not can_go(change, names):
            return
        diff = mutated(random, change, names, wraps + ["crlf"] * crlf)
        told = apply(diff, Path(name))
        # An empty line at a miscounted hunk's end: context, or what parts two files.
        unsure = "blanks" in names and {"counts", "numbers"} & set(names)
        if "rung" in told:
            assert tree(Path(name)) == change.new
        else:
            assert (unsure and "no rung" in told["refused"]) or not unique, told
            assert unsure or "several places" in told["refused"]


@settings(max_examples=45, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False), st.sampled_from(["change", "drop", "swap", "unhead"]))
def test_mutations_that_break_the_meaning_are_refused_or_harmless(random: Random, how: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        change = changed(random, True, Path(name))
        lines = list(change.lines)
        inside = [n for n, line in enumerate(lines) if n not in change.heads]
        # Without the line between them, a removal and an addition are a replacement.
        context = [
            n
            for n in inside
            if lines[n].startswith(b" ")
            and {lines[n - 1][:1], b"".join(lines[n + 1 : n + 2])[:1]} != {b"-", b"+"}
        ]
        old = [n for n in inside if lines[n][:1] in b" -" and {n + 1} <= set(inside)]
        hunks = [n for n in change.heads if lines[n].startswith(b"@@")]
        able = {"change": inside, "drop": context, "swap": old, "unhead": hunks}[how]
        if not able:
            return
        at = random.choice(able)
        if how == "change":
            if lines[at][:1] not in b" -":
                return
            lines[at] = lines[at][:1] + b"nowhere"
        elif how == "swap":
            if lines[at + 1][:1] not in b" -":
                return
            lines[at], lines[at + 1] = lines[at + 1], lines[at]
        else:
            del lines[at]
        told = apply(b"".join(line + b"\n" for line in lines), Path(name))
        assert tree(Path(name)) == (change.old if "refused" in told else change.new)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False))
def test_a_hunk_that_is_left_out_leaves_the_others_as_git_reads_them(random: Random) -> None:
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        change = changed(random, True, Path(first))
        starts = sorted(n for n in change.heads if change.lines[n].startswith(b"@@"))
        ends = [
            next((n for n in sorted(change.heads) if n > start), len(change.lines))
            for start in starts
        ]
        if len(starts) < 2:
            return
        start, end = random.choice([*zip(starts, ends, strict=True)])
        lines = change.lines[:start] + change.lines[end:]
        diff = b"".join(line + b"\n" for line in lines)
        told = apply(diff, Path(first))
        if "refused" not in told:
            repository(Path(second), dict(change.old))
            command = ["git", "apply", "--whitespace=nowarn", "-"]
            subprocess.run(command, cwd=second, input=diff, capture_output=True, check=True)
            assert tree(Path(first)) == tree(Path(second))


@settings(max_examples=400, deadline=None)
@given(
    st.binary()
    | st.lists(
        st.sampled_from(
            ["diff --git a/f b/f", "--- a/f", "+++ b/f", "--- f", "+++ /dev/null", "@@ -1 +1 @@",
             "@@ -1,2 +1,3 @@", "@@", "-a", "+b", " c", "", "```", "- so", "-- ", "\\ No newline",
             "rename from f", "rename to g", "new file mode 100644", "GIT binary patch", "x\r"]
        )
    ).map(lambda lines: "\n".join(lines).encode())
)  # fmt: skip
def test_no_bytes_make_the_mender_fail_and_what_it_mended_it_leaves(diff: bytes) -> None:
    text, _ = APPLYING.mend(diff)
    assert APPLYING.mend(text) == (text, [])
