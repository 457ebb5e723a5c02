"""From a service to what asks it: each SDK is imported here, and only when it is wanted."""

from __future__ import annotations

from models.provider import Connection, Provider
from models.services import Service


def connect(service: Service, connection: Connection) -> Provider:
    """Make a provider ready to be asked; nothing is sent yet. Raises UsageError."""
    if service.api == "anthropic":
        from models.anthropic import AnthropicProvider

        return AnthropicProvider(connection)
    if service.api in ("gemini", "vertex"):
        from models.google import GoogleProvider

        return GoogleProvider(connection, service.name)
    from models.openai import ChatProvider, ResponsesProvider

    kind = ResponsesProvider if service.api == "responses" else ChatProvider
    return kind(service.name, connection)
