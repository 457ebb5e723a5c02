"""A dialog in the form of the Gemini API, to and from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from models.dialog import Turn, as_object

if TYPE_CHECKING:
    from google.genai.types import Content, GenerateContentResponse

    from models.provider import Request
    from models.reply import Reply


def contents(request: Request) -> Any:
    """The whole dialog; the API itself finds a beginning that it has cached."""
    from google.genai import types

    first = types.Part(text=request.prefix + request.user)
    said = [content for turn in request.turns for content in _turn(turn)]
    return [types.Content(role="user", parts=[first]), *said]


def tools(request: Request) -> Any:
    """What the model may ask to be done; None for nothing."""
    from google.genai import types

    declared = [
        types.FunctionDeclaration(
            name=tool.name, description=tool.description, parameters_json_schema=tool.parameters
        )
        for tool in request.tools
    ]
    return [types.Tool(function_declarations=declared)] if declared else None


def _turn(turn: Turn) -> list[Content]:
    from google.genai import types

    if turn.said:
        # As JSON text: only so are signatures, which are bytes, read back as they were.
        model = types.Content.model_validate_json(json.dumps(turn.said))
    else:
        model = types.Content(role="model", parts=[types.Part(text=turn.text or "(nothing)")])
    results = [
        types.Part(
            function_response=types.FunctionResponse(
                id=None if result.call.id.startswith("call-") else result.call.id,
                name=result.call.name,
                response={"error" if result.failed else "output": result.content},
            )
        )
        for result in turn.results
    ]
    words = [types.Part(text=turn.reply)] if turn.reply else []
    return [model, types.Content(role="user", parts=[*results, *words])]


class Spoken:
    """An answer's parts as they arrive, with the signatures that some of them carry."""

    def __init__(self) -> None:
        self._parts: list[Any] = []
        self._calls = 0

    def take(self, chunk: GenerateContentResponse, reply: Reply) -> None:
        """Take one chunk; calls of functions go to the reply as well."""
        candidate = chunk.candidates[0] if chunk.candidates else None
        for part in (candidate.content.parts if candidate and candidate.content else None) or []:
            self._parts.append(part.model_dump(mode="json", exclude_none=True))
            call = part.function_call
            if call is not None:
                self._calls += 1
                reply.fragments.add(
                    self._calls,
                    id=call.id,
                    name=call.name,
                    arguments=json.dumps(as_object(call.args)),
                )

    def said(self) -> Any:
        """All parts as they are to be sent back."""
        return {"role": "model", "parts": self._parts}
