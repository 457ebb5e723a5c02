"""What is taken out of a statement: a closed list, counted for each task."""

from __future__ import annotations

from enum import StrEnum


class Removed(StrEnum):
    """Kinds of what gives the answer away, or says nothing."""

    COMMIT_IDS = "commit ids"
    LINKS = "links to commits and pull requests"
    REFERENCES = "references"
    """`Closes #12`, `(#12)`."""
    FIXED_IN = "fixed in"
    """Sentences on where or when it is fixed, and on who will do it."""
    DIFFS = "diffs"
    CODE_OF_THE_FIX = "code of the fix"
    """Code that equals what the fix adds."""
    ACCOUNT_OF_THE_FIX = "account of the fix"
    """Sections of a pull request or a commit message that tell how it was done."""
    CHATTER = "review chatter"
    IMAGES = "images"
    SIGNATURES = "signatures"
    TEMPLATES = "templates"
    """What a form left: its comments, headings with nothing below, empty checklists."""
    WRITTEN_AFTER = "written after the fix"
    """Issues and comments that were not there yet when the fix was written."""
