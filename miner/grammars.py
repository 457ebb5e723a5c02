"""The languages that can be parsed, and what their syntax trees call things.

The one place that imports tree-sitter and its grammars, each when a file of its language first
comes along.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

from core.languages import language_of

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

LONGEST = 1_000_000
"""Bytes of a file that is parsed."""

_MODULES = {
    "python": ("tree_sitter_python", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "go": ("tree_sitter_go", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "java": ("tree_sitter_java", "language"),
    "kotlin": ("tree_sitter_kotlin", "language"),
    "ruby": ("tree_sitter_ruby", "language"),
    "php": ("tree_sitter_php", "language_php"),
    "c": ("tree_sitter_c", "language"),
    "cpp": ("tree_sitter_cpp", "language"),
}
BY_KEYWORD = frozenset({"python", "ruby", "kotlin", "php"})
"""Languages whose calls can name parameters."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Names of nodes, of all languages together: they do not contradict each other.
FUNCTIONS = _words(
    """
    function_definition function_declaration generator_function_declaration method_definition
    method_declaration method_signature constructor_declaration function_item
    function_signature_item macro_definition method singleton_method preproc_function_def
    """
)
CLASSES = _words(
    """
    class_definition class_declaration abstract_class_declaration interface_declaration
    type_alias_declaration enum_declaration record_declaration trait_declaration
    object_declaration type_spec type_alias struct_item enum_item trait_item type_item union_item
    class module struct_specifier class_specifier enum_specifier union_specifier type_definition
    """
)
VALUES = _words(
    """
    assignment const_spec var_spec variable_declarator const_item static_item field_declaration
    field_definition public_field_definition property_signature const_element property_element
    property_declaration enum_variant enumerator enum_assignment enum_constant preproc_def
    declaration class_parameter
    """
)
WITH_BODY = _words("struct_specifier class_specifier enum_specifier union_specifier")
"""Without one, these are uses of a type and no definitions."""
CONTAINERS = CLASSES | {"impl_item"}
CLOSURES = _words("arrow_function function_expression")
IDENTIFIERS = _words(
    """
    identifier property_identifier field_identifier type_identifier namespace_identifier
    shorthand_property_identifier constant name hash_key_symbol simple_identifier
    """
)
KEYWORDS = _words("keyword_argument pair value_argument argument")
DOTS = _words(". :: -> ?. &. ?->")
_PIECES = _words(
    """
    string_content string_fragment string_value interpreted_string_literal_content
    raw_string_literal_content
    """
)
PARAMETERS = _words(
    "parameters formal_parameters parameter_list method_parameters function_value_parameters"
)


@lru_cache(maxsize=8)
def parsed(path: str, text: str) -> Tree | None:
    """The syntax tree of a file; None where its language is not known, or it is too long."""
    language = grammar_of(path)
    content = text.encode("utf-8", "replace")
    if language is None or len(content) > LONGEST:
        return None
    return _parser(language).parse(content)


def grammar_of(path: str) -> str | None:
    """The grammar that reads a file."""
    language = "tsx" if path.lower().endswith(".tsx") else language_of(path)
    return language if language in _MODULES else None


def text_of(node: Node) -> str:
    """What a node stands for in the file."""
    return (node.text or b"").decode("utf-8", "replace")


def is_piece(node: Node) -> bool:
    """Whether a node is the text of a string, or a part of it."""
    return node.type in _PIECES


@cache
def _parser(language: str) -> Parser:
    from tree_sitter import Language, Parser

    module, function = _MODULES[language]
    return Parser(Language(getattr(import_module(module), function)()))
