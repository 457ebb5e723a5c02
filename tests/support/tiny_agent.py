"""A coding agent of thirty lines: asks, does what the answer says in a shell, and asks again."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from typing import Any

WIRE, STREAM = os.environ["WIRE"], os.environ.get("STREAM") == "1"
TRIES = int(os.environ.get("TRIES", "1"))
MORE = json.loads(os.environ.get("MORE", "{}"))
MODEL = os.environ.get("ASKS_FOR") or os.environ["PATCHMARK_MODEL"]


def question(said: list[str]) -> tuple[str, dict[str, str], dict[str, Any]]:
    """Address, key and body of a question, as the service wants them."""
    turns = list(zip(("user", "assistant") * len(said), said, strict=False))
    if WIRE == "generate":
        contents = [
            {"role": "model" if who == "assistant" else who, "parts": [{"text": words}]}
            for who, words in turns
        ]
        how = "streamGenerateContent?alt=sse" if STREAM else "generateContent"
        base = os.environ["GOOGLE_GEMINI_BASE_URL"]
        key = {"x-goog-api-key": os.environ["GEMINI_API_KEY"]}
        return f"{base}/v1beta/models/{MODEL}:{how}", key, {"contents": contents}
    messages = [{"role": who, "content": words} for who, words in turns]
    if WIRE == "messages":
        key = {"x-api-key": os.environ["ANTHROPIC_API_KEY"], "anthropic-version": "2023-06-01"}
        body = {"model": MODEL, "max_tokens": 1000, "messages": messages, "stream": STREAM}
        return os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", key, body
    key = {"authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}
    path = {"chat": "/chat/completions", "responses": "/responses"}[WIRE]
    field = {"chat": "messages", "responses": "input"}[WIRE]
    body = {"model": MODEL, field: messages, "stream": STREAM}
    return os.environ["OPENAI_BASE_URL"] + path, key, body


def text_of(event: dict[str, Any]) -> str:
    """What an event, or a whole answer, adds to the text."""
    if WIRE == "messages":
        blocks = event.get("content", [event.get("delta", {})])
        return "".join(block.get("text", "") for block in blocks)
    if WIRE == "chat":
        choices = event.get("choices") or [{}]
        said = choices[0].get("delta") or choices[0].get("message") or {}
        return said.get("content") or ""
    if WIRE == "responses":
        if event.get("type") == "response.output_text.delta":
            return str(event["delta"])
        parts = [part for item in event.get("output", []) for part in item.get("content", [])]
        return "".join(part["text"] for part in parts)
    parts = event["candidates"][0]["content"]["parts"]
    return "".join(part.get("text", "") for part in parts)


def ask(said: list[str]) -> str:
    """One question, up to TRIES times."""
    address, key, body = question(said)
    for left in reversed(range(TRIES)):
        content = json.dumps({**body, **MORE}).encode()
        headers = {**key, "content-type": "application/json"}
        try:
            request = urllib.request.Request(address, content, headers)  # noqa: S310 - ours
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - ours
                got = answer.read().decode()
            break
        except (OSError, ValueError, http.client.HTTPException) as error:
            words = error.read().decode() if isinstance(error, urllib.error.HTTPError) else error
            print(f"{type(error).__name__}: {words}", flush=True)  # noqa: T201 - what it is for
            if not left:
                raise SystemExit(7) from error
            time.sleep(0.01)
    if not STREAM:
        return text_of(json.loads(got))
    events = [line[6:] for line in got.splitlines() if line.startswith("data: {")]
    return "".join(text_of(json.loads(event)) for event in events)


said = [os.environ["PATCHMARK_PROMPT"]]
while "DONE" not in (answer := ask(said)):
    done = subprocess.run(answer, shell=True, text=True, capture_output=True)  # noqa: S602
    said += [answer, done.stdout + done.stderr + "."]
