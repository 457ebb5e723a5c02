"""The same change has the same patch-id, whatever it stands on and whoever took it over.

Like `git patch-id --stable`: the files in any order, line numbers and white space left out.
Unlike git's, it is computed from the patch that is already here, and binary files count.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from core.diff import FileDiff

_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@.*\n?", re.MULTILINE)
_SPACE = re.compile(r"\s+")
_BINARY = "GIT binary patch"
_INDEX = re.compile(r"^index .*\n", re.MULTILINE)


def patch_id(sections: Iterable[FileDiff]) -> str:
    """40 hex digits; equal for changes of the same lines in the same files."""
    files = sorted(_of_file(section) for section in sections)
    return hashlib.sha256(b"".join(files)).hexdigest()[:40]


def _of_file(section: FileDiff) -> bytes:
    # The index line names whole blobs, which differ wherever the rest of the file does; of a
    # binary file it is what the change is.
    text = section.text if section.binary else _INDEX.sub("", section.text, count=1)
    if section.binary:
        text = text.partition(_BINARY)[0]
    words = _SPACE.sub("", _HUNK.sub("@", text))
    return hashlib.sha256(words.encode("utf-8", "surrogateescape")).digest()
