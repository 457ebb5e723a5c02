"""pip in uv's place: for what uv refuses, with an index of the day, which pip alone lacks."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

_TRIES = 100
"""Tenths of a second that the index may take to start."""


def functions(not_after: str, exceptions: Mapping[str, str]) -> str:
    """Shell: `dated pip …` runs one with only what was uploaded by the day, `by_pip` the usual.

    `by_path` is for back ends of before 2021, which can install nothing in place: it makes the
    folders of pure Python importable. `exceptions` are packages with a last day of their own.
    """
    program = (files("sandbox") / "container" / "dated_index.py").read_text("utf-8").rstrip()
    days = " ".join([not_after, *(f"{name}={day}" for name, day in exceptions.items())])
    return f"""dated() {{
  said=$(mktemp)
  /opt/patchmark/uv/bin/python - {days} > $said 2> /dev/null << 'PATCHMARK' &
{program}
PATCHMARK
  for _ in $(seq {_TRIES}); do [ ! -s $said ] && kill -0 $! || break; sleep 0.1; done 2> /dev/null
  index=$(cat $said)
  rm -f $said
  env PIP_EXTRA_INDEX_URL= PIP_INDEX_URL=$index "$@"
}}
by_pip() {{
  dated /opt/patchmark/uv/bin/pip --python /opt/venv/bin/python install -q "$@"
}}
by_path() {{
  site='import sysconfig; print(sysconfig.get_path("purelib"))'
  site=$(/opt/venv/bin/python -c "$site") || return 1
  for at in "$@"; do
    for compiled in setup.py Cargo.toml CMakeLists.txt meson.build; do
      [ ! -e "$at/$compiled" ] || return 1
    done
    printf '%s\\n' "$PWD/$at/src" "$PWD/$at" >> "$site/patchmark.pth"
  done
}}
"""
