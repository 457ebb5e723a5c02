"""A dialog in the form of Anthropic's Messages API, to and from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models.dialog import Turn, object_in

if TYPE_CHECKING:
    from anthropic.types import RawMessageStreamEvent

    from models.provider import Request
    from models.reply import Reply

_CACHED = {"cache_control": {"type": "ephemeral"}}


def parameters(request: Request) -> dict[str, Any]:
    """All that a question is made of."""
    return {
        "model": request.model,
        "max_tokens": request.max_output_tokens,
        "system": request.system,
        "messages": messages(request),
        **settings(request),
    }


def messages(request: Request) -> Any:
    """The whole dialog; a prefix that many questions share is marked for the cache."""
    first: Any = request.user
    if request.prefix:
        first = [
            {"type": "text", "text": request.prefix, **_CACHED},
            {"type": "text", "text": request.user},
        ]
    said = [message for turn in request.turns for message in _turn(turn)]
    return [{"role": "user", "content": first}, *said]


def settings(request: Request) -> dict[str, Any]:
    """What is sent only where it is asked for."""
    found: dict[str, Any] = {}
    if request.effort is not None:
        found["output_config"] = {"effort": request.effort}
    if request.tools:
        found["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
            for tool in request.tools
        ]
        # Marks the end of what is sent: the next turn reads all of it from the cache.
        found.update(_CACHED)
    return found


def _turn(turn: Turn) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = [
        {
            "type": "tool_result",
            "tool_use_id": result.call.id,
            "content": result.content or "(nothing)",
            "is_error": result.failed,
        }
        for result in turn.results
    ]
    words = [{"type": "text", "text": turn.reply}] if turn.reply else []
    return [
        {"role": "assistant", "content": turn.said or turn.text or "(nothing)"},
        {"role": "user", "content": [*results, *words]},
    ]


class Blocks:
    """An answer's blocks as they arrive: text, thinking with its signature, uses of tools."""

    def __init__(self) -> None:
        self._blocks: dict[int, dict[str, Any]] = {}
        self._inputs: dict[int, str] = {}

    def take(self, event: RawMessageStreamEvent, reply: Reply) -> None:
        """Take one event; uses of tools go to the reply as well."""
        if event.type == "content_block_start":
            block = event.content_block.model_dump(mode="json", exclude_none=True)
            self._blocks[event.index] = block
            if block["type"] == "tool_use":
                self._inputs[event.index] = ""
                reply.fragments.add(event.index, id=block["id"], name=block["name"])
        elif event.type == "content_block_delta":
            block, delta = self._blocks.setdefault(event.index, {"type": "text"}), event.delta
            if delta.type == "text_delta":
                block["text"] = block.get("text", "") + delta.text
            elif delta.type == "thinking_delta":
                block["thinking"] = block.get("thinking", "") + delta.thinking
            elif delta.type == "signature_delta":
                block["signature"] = delta.signature
            elif delta.type == "input_json_delta" and event.index in self._inputs:
                self._inputs[event.index] += delta.partial_json
                reply.fragments.add(event.index, arguments=delta.partial_json)

    def said(self) -> Any:
        """All blocks as they are to be sent back; empty texts, which the API refuses, are not."""
        for place, text in self._inputs.items():
            self._blocks[place]["input"] = object_in(text) or {}
        blocks = (block for _, block in sorted(self._blocks.items()))
        return [block for block in blocks if block["type"] != "text" or block.get("text")]
