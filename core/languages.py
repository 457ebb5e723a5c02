"""Which programming language a file is written in, by its suffix alone."""

from __future__ import annotations

from pathlib import PurePosixPath

_SUFFIXES = {
    "python": ".py .pyi",
    "cython": ".pyx .pxd",
    "javascript": ".js .jsx .mjs .cjs",
    "typescript": ".ts .tsx .mts .cts",
    "vue": ".vue",
    "svelte": ".svelte",
    "go": ".go",
    "rust": ".rs",
    "java": ".java",
    "kotlin": ".kt .kts",
    "scala": ".scala",
    "groovy": ".groovy",
    "clojure": ".clj .cljs .cljc",
    "ruby": ".rb",
    "php": ".php",
    "c": ".c .h",
    "cpp": ".cc .cpp .cxx .hh .hpp .hxx",
    "objective-c": ".m .mm",
    "csharp": ".cs",
    "fsharp": ".fs",
    "swift": ".swift",
    "dart": ".dart",
    "elixir": ".ex .exs",
    "erlang": ".erl",
    "haskell": ".hs",
    "ocaml": ".ml .mli",
    "lua": ".lua",
    "perl": ".pl .pm",
    "julia": ".jl",
    "zig": ".zig",
    "nim": ".nim",
}
_LANGUAGES = {suffix: name for name, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}


def language_of(path: str) -> str | None:
    """The language of a source file in lower case, `cpp` and `csharp` spelled out.

    None for what is no source code: data, prose, configuration, shell scripts, build files.
    """
    return _LANGUAGES.get(PurePosixPath(path).suffix.lower())
