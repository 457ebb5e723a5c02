"""What the environment says of the services that models are asked through."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.errors import UsageError
from models.provider import Cloud
from models.services import KEY_VARIABLES, SERVICES

_PERSONAL = ".config/gcloud/application_default_credentials.json"


def keys(environment: Mapping[str, str]) -> dict[str, str]:
    """Service → API key, from the usual variables."""
    found = {}
    for service, names in KEY_VARIABLES.items():
        value = next((environment[name] for name in names if environment.get(name)), "")
        if value.strip():
            found[service] = value.strip()
    return found


def addresses(environment: Mapping[str, str]) -> dict[str, str]:
    """Service → where it is asked, where that is not the usual place."""
    given = {
        service.name: environment[service.address].rstrip("/")
        for service in SERVICES.values()
        if environment.get(service.address)
    }
    return {
        name: url if url.endswith(SERVICES[name].suffix) else url + SERVICES[name].suffix
        for name, url in given.items()
    }


def cloud(environment: Mapping[str, str]) -> Cloud | None:
    """The project of Vertex AI; None unless project and credentials are known.

    Raises UsageError where a file of credentials is named that is not there.
    """
    project = environment.get("GOOGLE_CLOUD_PROJECT", "").strip()
    named = environment.get("GOOGLE_APPLICATION_CREDENTIALS", "").strip()
    if named and project and not Path(named).is_file():
        raise UsageError(f"GOOGLE_APPLICATION_CREDENTIALS: {named}: no such file")
    path = Path(named) if named else Path(environment.get("HOME", "/nowhere"), _PERSONAL)
    if not project or not path.is_file():
        return None
    location = environment.get("GOOGLE_CLOUD_LOCATION", "").strip() or "global"
    return Cloud(project=project, location=location, credentials=path)
