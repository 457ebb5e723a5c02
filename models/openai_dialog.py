"""A dialog in both of OpenAI's forms, to and from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models.dialog import Turn, arguments_text

if TYPE_CHECKING:
    from openai.types.chat.chat_completion_chunk import ChoiceDelta
    from openai.types.responses import Response

    from models.provider import Request
    from models.reply import Reply


def items(request: Request) -> Any:
    """The whole dialog for Responses."""
    if not request.turns:
        return request.prefix + request.user
    said = [item for turn in request.turns for item in _items(turn)]
    return [{"role": "user", "content": request.prefix + request.user}, *said]


def responses(request: Request) -> dict[str, Any]:
    """All that a question is made of for Responses."""
    return {
        "model": request.model,
        "instructions": request.system,
        "input": items(request),
        "max_output_tokens": request.max_output_tokens,
        "store": False,
        **responses_settings(request),
    }


def responses_settings(request: Request) -> dict[str, Any]:
    """What Responses is sent only where it is asked for."""
    found: dict[str, Any] = {}
    if request.effort is not None:
        found["reasoning"] = {"effort": request.effort}
    if request.temperature is not None:
        found["temperature"] = request.temperature
    if request.tools:
        # Thoughts come back sealed: nothing of the dialog is kept on their side.
        found["include"] = ["reasoning.encrypted_content"]
        found["tools"] = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
                "strict": False,
            }
            for tool in request.tools
        ]
    return found


def take_response(response: Response, reply: Reply) -> None:
    """Calls, and all that was put out, of a response that has ended."""
    for place, item in enumerate(response.output):
        if item.type == "function_call":
            reply.fragments.add(place, id=item.call_id, name=item.name, arguments=item.arguments)
    reply.said = [
        item.model_dump(mode="json", exclude_none=True, warnings=False) for item in response.output
    ] or None


def _items(turn: Turn) -> list[Any]:
    said = turn.said if isinstance(turn.said, list) else []
    results = [
        {
            "type": "function_call_output",
            "call_id": result.call.id,
            "output": f"failed: {result.content}" if result.failed else result.content,
        }
        for result in turn.results
    ]
    words = [{"role": "user", "content": turn.reply}] if turn.reply else []
    spoken = said or [{"role": "assistant", "content": turn.text or "(nothing)"}]
    return [*spoken, *results, *words]


def messages(request: Request) -> Any:
    """The whole dialog for chat completions."""
    return [
        {"role": "system", "content": request.system},
        {"role": "user", "content": request.prefix + request.user},
        *(message for turn in request.turns for message in _messages(turn)),
    ]


def chat_settings(request: Request) -> dict[str, Any]:
    """What chat completions are sent only where it is asked for."""
    found: dict[str, Any] = {}
    if request.effort is not None:
        found["reasoning_effort"] = request.effort
    if request.temperature is not None:
        found["temperature"] = request.temperature
    if request.tools:
        found["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                },
            }
            for tool in request.tools
        ]
    return found


def take_chat(delta: ChoiceDelta, reply: Reply) -> None:
    """The pieces of calls that a chunk brings."""
    for call in delta.tool_calls or []:
        function = call.function
        reply.fragments.add(
            call.index,
            id=call.id,
            name=function.name if function else None,
            arguments=function.arguments if function else None,
        )


def _messages(turn: Turn) -> list[dict[str, Any]]:
    spoken: dict[str, Any] = {"role": "assistant", "content": turn.text or None}
    if turn.calls:
        spoken["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": arguments_text(call)},
            }
            for call in turn.calls
        ]
    elif not turn.text:
        spoken["content"] = "(nothing)"
    results = [
        {
            "role": "tool",
            "tool_call_id": result.call.id,
            "content": f"failed: {result.content}" if result.failed else result.content,
        }
        for result in turn.results
    ]
    words = [{"role": "user", "content": turn.reply}] if turn.reply else []
    return [spoken, *results, *words]
