"""What a file defines and what it uses, read from its syntax tree on chosen lines only."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from miner.grammars import (
    CLASSES,
    CLOSURES,
    CONTAINERS,
    DOTS,
    FUNCTIONS,
    IDENTIFIERS,
    KEYWORDS,
    PARAMETERS,
    VALUES,
    WITH_BODY,
    is_piece,
    parsed,
    text_of,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_NAME_FIELDS = ("name", "property", "declarator", "left", "type", "pattern")
_DEEPEST = 12
"""Steps from a definition to its name."""
_LONGEST_SIGNATURE = 200


@dataclass(frozen=True)
class Definition:
    """A name that a file gives to something."""

    kind: str
    """`function`, `class` or `value`."""
    name: str
    holder: str = ""
    """The class that it belongs to."""
    signature: str = ""
    parameters: tuple[str, ...] = ()

    @property
    def full(self) -> str:
        """The name as others would write it."""
        return f"{self.holder}.{self.name}" if self.holder else self.name


@dataclass
class Uses:
    """The names that stand on lines, and how."""

    names: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    """Those after a dot."""
    keywords: set[str] = field(default_factory=set)
    """Those that name an argument."""
    strings: list[str] = field(default_factory=list)


def definitions(path: str, text: str, rows: Collection[int]) -> list[Definition]:
    """What is defined on these lines, counted from 0. Local names are left out."""
    tree = parsed(path, text)
    if tree is None:
        return []
    wanted = sorted(rows)
    found: list[Definition] = []
    stack = [(node, "", False) for node in reversed(tree.root_node.named_children)]
    while stack:
        node, holder, local = stack.pop()
        if not _touches(node, wanted):
            continue
        made = _definition(node, holder, local=local)
        if made is not None:
            found.append(made)
        inner, closed = _inside(node, holder, local=local)
        stack += [(child, inner, closed) for child in reversed(node.named_children)]
    return found


def uses(path: str, text: str, rows: Collection[int]) -> Uses:
    """The names and the strings on these lines."""
    found = Uses()
    for node, member, keyword in _nodes(path, text, rows):
        if is_piece(node):
            found.strings.append(text_of(node))
        elif node.type in IDENTIFIERS and not node.named_child_count:
            name = text_of(node)
            found.names.add(name)
            if member:
                found.members.add(name)
            if keyword:
                found.keywords.add(name)
    return found


def strings(path: str, text: str, rows: Collection[int]) -> list[str]:
    """The texts of strings on these lines; of one with holes, the pieces between them."""
    return [text_of(node) for node, _, _ in _nodes(path, text, rows) if is_piece(node)]


def _nodes(path: str, text: str, rows: Collection[int]) -> Iterator[tuple[Node, bool, bool]]:
    """The nodes on lines; whether each stands after a dot, and whether it names an argument.

    A node is not asked for its parent: that search begins at the root, each time.
    """
    tree = parsed(path, text)
    wanted = sorted(rows)
    stack = [(tree.root_node, False, False)] if tree is not None else []
    while stack:
        node, member, keyword = stack.pop()
        if not _touches(node, wanted) or _is_docstring(node):
            continue
        yield node, member, keyword
        names_argument = node.type in KEYWORDS and node.named_child_count > 1
        dotted = member
        inner: list[tuple[Node, bool, bool]] = []
        for child in node.children:
            if child.is_named:
                inner.append((child, dotted, names_argument and not inner))
            dotted = child.type in DOTS
        stack += reversed(inner)


def _is_docstring(node: Node) -> bool:
    """A string that stands by itself: words about the code, and none of its own."""
    inner = node.named_children if node.type == "expression_statement" else []
    return len(inner) == 1 and inner[0].type == "string"


def _touches(node: Node, rows: Sequence[int]) -> bool:
    place = bisect_left(rows, node.start_point[0])
    return place < len(rows) and rows[place] <= node.end_point[0]


def _definition(node: Node, holder: str, *, local: bool) -> Definition | None:
    kind = _kind(node)
    if kind is None:
        return None
    name = _named(node, own=local)
    if name is None or (local and not name.startswith("self.")):
        return None
    name = name.removeprefix("self.")
    parameters = _parameters(node)
    if kind == "value" and parameters is not None:
        kind = "function"  # a prototype, or a name for a closure
    return Definition(
        kind,
        name.lstrip("$"),
        holder,
        _signature(parameters) if kind == "function" else "",
        _names(parameters) if kind == "function" else (),
    )


def _kind(node: Node) -> str | None:
    if node.type in FUNCTIONS:
        return "function"
    if node.type in CLASSES:
        bare = node.type in WITH_BODY and node.child_by_field_name("body") is None
        return None if bare else "class"
    return "value" if node.type in VALUES else None


def _inside(node: Node, holder: str, *, local: bool) -> tuple[str, bool]:
    """Whose the names inside of a node are, and whether nobody outside can see them."""
    if node.type in CONTAINERS and not local:
        return _named(node, own=False) or holder, False
    return holder, local or node.type in FUNCTIONS or node.type in CLOSURES


def _named(node: Node, *, own: bool) -> str | None:
    """The name that a definition gives; with `own`, `self.x` alone."""
    left = node.child_by_field_name("left")
    if left is not None and left.type == "attribute":
        text = text_of(left)
        return text if text.startswith("self.") and text.count(".") == 1 else None
    if own:
        return None
    found: Node | None = node
    for _ in range(_DEEPEST):
        if found is None or (found.type in IDENTIFIERS and not found.named_child_count):
            break
        fields = (found.child_by_field_name(name) for name in _NAME_FIELDS)
        found = next(
            (child for child in fields if child is not None),
            next((c for c in found.named_children if c.type in _NAMES_OF_MORE), None),
        )
    return text_of(found) if found is not None and found.type in IDENTIFIERS else None


_NAMES_OF_MORE = IDENTIFIERS | {"variable_declaration", "variable_name", "function_declarator"}


def _parameters(node: Node) -> Node | None:
    """The parameters of a function, of what declares one, or of the closure it names."""
    found: Node | None = node
    for _ in range(_DEEPEST):
        if found is None:
            return None
        own = found.child_by_field_name("parameters")
        if own is not None:
            return own
        direct = next((c for c in found.named_children if c.type in PARAMETERS), None)
        if direct is not None:
            return direct
        value = found.child_by_field_name("value")
        closure = value if value is not None and value.type in CLOSURES else None
        found = closure or found.child_by_field_name("declarator")
    return None


def _signature(parameters: Node | None) -> str:
    text = " ".join(text_of(parameters).split()) if parameters is not None else ""
    return text[:_LONGEST_SIGNATURE]


def _names(parameters: Node | None) -> tuple[str, ...]:
    if parameters is None:
        return ()
    found = []
    for child in parameters.named_children:
        name = _named(child, own=False) or _first(child)
        if name is not None:
            found.append(name)
    return tuple(found)


def _first(node: Node) -> str | None:
    for child in node.named_children:
        if child.type in IDENTIFIERS:
            return text_of(child)
    return None
