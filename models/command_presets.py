"""Coding agents that are often used, ready to be named: data, and no more than their own words.

Versions are pinned, so that two runs compare the same agent; a table `[commands.NAME]` of the
same name in patchmark.toml goes before a preset.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.outlet import Command

_VENV = "/opt/patchmark/uv/bin/uv venv -q --python /usr/bin/python3 /opt/agent"
_PIP = "/opt/patchmark/uv/bin/uv pip install -q --python /opt/agent/bin/python"
_NPM = ("node_install 22", "npm install --global --silent")


@dataclass(frozen=True)
class CommandPreset:
    """One of them."""

    command: Command
    tried: bool
    """Whether it was seen to solve a task here, through the proxy."""


def _npm(package: str) -> tuple[str, ...]:
    return (_NPM[0], f"{_NPM[1]} {package}")


COMMANDS = {
    "mini-swe-agent": CommandPreset(
        Command(
            install=(_VENV, f"{_PIP} mini-swe-agent==2.4.6"),
            run="/opt/agent/bin/mini -y --exit-immediately -l 0 -o /tmp/mini.json "
            '-m "$PATCHMARK_LITELLM" -t "$PATCHMARK_PROMPT"',
            variables={
                "MSWEA_CONFIGURED": "true",
                "MSWEA_COST_TRACKING": "ignore_errors",
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            },
        ),
        tried=True,
    ),
    "aider": CommandPreset(
        Command(
            install=(_VENV, f"{_PIP} aider-chat==0.86.2"),
            run="/opt/agent/bin/aider --yes-always --no-auto-commits --no-gitignore "
            "--no-check-update --no-analytics --no-show-release-notes --no-show-model-warnings "
            "--chat-history-file /tmp/aider.md --input-history-file /tmp/aider.txt "
            '--model "$PATCHMARK_LITELLM" --message-file "$PATCHMARK_PROMPT_FILE"; '
            "code=$?; rm -rf /repo/.aider*; exit $code",
            variables={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        ),
        tried=False,
    ),
    "claude-code": CommandPreset(
        Command(
            install=_npm("@anthropic-ai/claude-code@2.1.332"),
            run='claude --print --dangerously-skip-permissions --model "$PATCHMARK_MODEL" '
            '"$PATCHMARK_PROMPT"',
            variables={
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
                "DISABLE_AUTOUPDATER": "1",
            },
        ),
        tried=False,
    ),
    "gemini-cli": CommandPreset(
        Command(
            install=_npm("@google/gemini-cli@0.61.0"),
            run='gemini --yolo --model "$PATCHMARK_MODEL" --prompt "$PATCHMARK_PROMPT"',
        ),
        tried=False,
    ),
    "codex": CommandPreset(
        Command(
            install=_npm("@openai/codex@0.169.0"),
            run="codex exec --dangerously-bypass-approvals-and-sandbox --skip-git-repo-check "
            '-c model_provider=patchmark -c "model_providers.patchmark={name=\\"patchmark\\",'
            'base_url=\\"$OPENAI_BASE_URL\\",env_key=\\"OPENAI_API_KEY\\",'
            'wire_api=\\"responses\\"}" '
            '--model "$PATCHMARK_MODEL" "$PATCHMARK_PROMPT"',
        ),
        tried=False,
    ),
}
