"""What no one else may read: keys, tokens and passwords of the environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from core.redact import Redactor
from models.services import KEY_VARIABLES

_TOKENS = (
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
)
_INPUT = re.compile(r"PATCHMARK_INPUT_\w*(KEY|TOKEN)")
_USER_INFO = re.compile(r"\b([a-z][a-z0-9+.-]*)://([^/?#\s@]+)@", re.IGNORECASE)
_NO_PASSWORD = ("", "x-oauth-basic")


def secrets_in(environment: Mapping[str, str]) -> list[str]:
    """Providers' keys, GitHub's tokens, and the credentials in the address of any variable."""
    named = {name for names in KEY_VARIABLES.values() for name in names} | set(_TOKENS)
    found = [
        value.strip()
        for name, value in environment.items()
        if name in named or _INPUT.fullmatch(name)
    ]
    for value in environment.values():
        for scheme, user_info in _USER_INFO.findall(value):
            found += _credentials(scheme.lower(), user_info)
    return list(dict.fromkeys(secret for secret in found if secret))


def redactor_for(environment: Mapping[str, str]) -> Redactor:
    """The one that everything which writes is given."""
    return Redactor(secrets_in(environment))


def _credentials(scheme: str, user_info: str) -> Iterator[str]:
    user, _, password = user_info.partition(":")
    if password not in _NO_PASSWORD:
        # A name alone is no secret, and may well be a word of the repository.
        secrets = [user_info, password]
    else:
        secrets = [user] if scheme in {"http", "https"} else []
    for secret in secrets:
        yield from (secret, unquote(secret))
