"""The services that models are asked through, a row each: data, and nothing that imports an SDK."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Api = Literal["anthropic", "gemini", "vertex", "responses", "chat"]


@dataclass(frozen=True, kw_only=True)
class Service:
    """One row: what stands before the colon of an entrant's name."""

    name: str
    api: Api
    """What it speaks, and so which file asks it."""
    keys: tuple[str, ...] = ()
    """Environment variables that its key is usually in."""
    needs_key: bool = True
    address: str = ""
    """Environment variable of an address to ask instead of the usual one."""
    url: str | None = None
    """The usual address; None = there is none, or it depends on the location."""
    suffix: str = ""
    """What an address of the environment needs behind it."""
    prices: str | None = None
    """Its name in the price list; None = it is not in there."""
    at_once: int = 32
    """Requests at once, however well it goes."""
    note: str = ""

    @property
    def needs_address(self) -> bool:
        """Whether nobody but the user knows where it is."""
        return self.url is None and self.api != "vertex"


SERVICES = {
    service.name: service
    for service in (
        Service(
            name="anthropic", api="anthropic", keys=("ANTHROPIC_API_KEY",),
            address="ANTHROPIC_BASE_URL", url="https://api.anthropic.com", prices="anthropic",
            note="Claude, Messages API",
        ),
        Service(
            name="google", api="gemini", keys=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
            address="GOOGLE_GEMINI_BASE_URL", url="https://generativelanguage.googleapis.com",
            prices="google", note="Gemini API for developers",
        ),
        Service(
            name="vertex", api="vertex", needs_key=False, address="GOOGLE_VERTEX_BASE_URL",
            prices="google",
            note="Gemini on Vertex AI: GOOGLE_CLOUD_PROJECT, GOOGLE_CLOUD_LOCATION and the file "
            "of GOOGLE_APPLICATION_CREDENTIALS, or of `gcloud auth application-default login`",
        ),
        Service(
            name="openai", api="responses", keys=("OPENAI_API_KEY",), address="OPENAI_BASE_URL",
            url="https://api.openai.com/v1", prices="openai", note="GPT, Responses API",
        ),
        Service(
            name="azure", api="responses", keys=("AZURE_OPENAI_API_KEY",),
            address="AZURE_OPENAI_ENDPOINT", suffix="/openai/v1", prices="azure",
            note="the model is the name of your deployment",
        ),
        Service(
            name="openrouter", api="chat", keys=("OPENROUTER_API_KEY",),
            address="OPENROUTER_BASE_URL", url="https://openrouter.ai/api/v1",
            prices="openrouter", note="many vendors behind one key: openrouter:VENDOR/MODEL",
        ),
        Service(
            name="ollama", api="chat", needs_key=False, address="OLLAMA_BASE_URL",
            url="http://127.0.0.1:11434/v1", at_once=4, note="models on this machine",
        ),
        Service(
            name="server", api="chat", keys=("PATCHMARK_SERVER_KEY",), needs_key=False,
            address="PATCHMARK_SERVER_URL", at_once=4,
            note="any server that speaks OpenAI's chat completions: vLLM, llama.cpp, a gateway; "
            "the address usually ends in /v1",
        ),
    )
}  # fmt: skip
KEY_VARIABLES = {service.name: service.keys for service in SERVICES.values() if service.keys}
"""Services that take a key, and the environment variables it is usually in."""
