"""Models that teams weigh against each other, under short names: data, with notes.

Any other model is named `service:model`, and a price that is in no list stands in the settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

READ_ON = date(2026, 11, 23)
"""When names, windows and notes were read from the vendors' SDKs and pages."""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A model under a short name."""

    name: str
    """`service:model`."""
    window: int | None
    """Tokens of prompt and answer together; None = not stated."""
    most_output: int | None
    """Tokens of an answer, thinking included."""
    note: str


PRESETS = {
    "gemini-3.5-flash": Preset(
        name="google:gemini-3.5-flash", window=1_048_576, most_output=65_536,
        note="may be answered by a newer Flash: the report shows who did; thinks: minimal to high",
    ),
    "gemini-3.1-pro": Preset(
        name="google:gemini-3.1-pro-preview", window=1_048_576, most_output=65_536,
        note="a preview; dearer above 200,000 tokens of prompt; thinks: low to high",
    ),
    "claude-opus-4-8": Preset(
        name="anthropic:claude-opus-4-8", window=1_000_000, most_output=128_000,
        note="thinks as much as it likes; effort low to max",
    ),
    "claude-haiku": Preset(
        name="anthropic:claude-haiku-4-5", window=200_000, most_output=None,
        note="takes no effort; claude-haiku-5-5 is newer and cheaper",
    ),
    "gpt-4o": Preset(
        name="openai:gpt-4o-2024-11-20", window=128_000, most_output=None,
        note="its end is announced for 2027-01-14; does not think, takes no effort",
    ),
    "gpt-mini": Preset(
        name="openai:gpt-5.4-mini", window=400_000, most_output=None,
        note="thinks; effort none to xhigh",
    ),
}  # fmt: skip
NOT_YET = (
    "gemini-3.5-pro, Deep Think: no published id is known; once there is one, name it "
    'google:ID and give its price under [prices]."google:ID"'
)
