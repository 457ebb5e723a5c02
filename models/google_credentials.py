"""Who Vertex AI is asked as: a service account, a person, or a workflow's identity."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.auth.credentials import Credentials

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


def credentials(path: Path) -> Credentials:
    """Read the JSON that Google's tools write. Raises UsageError that names the file."""
    import google.auth.exceptions
    from google.auth.identity_pool import Credentials as WorkflowsIdentity
    from google.oauth2.credentials import Credentials as Person
    from google.oauth2.service_account import Credentials as ServiceAccount

    makers: dict[str, Callable[..., Credentials]] = {
        "service_account": ServiceAccount.from_service_account_info,
        "authorized_user": Person.from_authorized_user_info,
        "external_account": WorkflowsIdentity.from_info,
    }
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return makers[told["type"]](told, scopes=_SCOPES)
    except (KeyError, TypeError) as error:
        known = ", ".join(makers)
        raise UsageError(f"vertex: {path}: `type` is not one of {known}") from error
    except (OSError, ValueError, google.auth.exceptions.GoogleAuthError) as error:
        raise UsageError(f"vertex: {path} holds no usable credentials: {error}") from error
