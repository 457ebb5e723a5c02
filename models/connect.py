"""From a service to what asks it: each SDK is imported here, and only when it is wanted."""

from __future__ import annotations

from models.batch import BatchApi
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


def connect_batches(service: Service, connection: Connection) -> BatchApi | None:
    """Make a service's batch API ready; None where it has none that is known here."""
    if service.name == "anthropic":
        from models.anthropic_batch import AnthropicBatches

        return AnthropicBatches(connection)
    if service.name == "google":
        from models.google_batch import GoogleBatches

        return GoogleBatches(connection)
    if service.name == "openai":
        from models.openai_batch import OpenAIBatches

        return OpenAIBatches(connection)
    return None
