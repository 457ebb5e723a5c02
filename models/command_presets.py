"""Coding agents that are often used, ready to be named: data, and no more than their own words.

Versions are pinned, so that two runs compare the same agent; a table `[commands.NAME]` of the
same name in patchmark.toml goes before a preset.
"""

from __future__ import annotations

import json

from core.outlet import Command

_VENV = "/opt/patchmark/uv/bin/uv venv -q --python /usr/bin/python3 /opt/agent"
_PIP = "/opt/patchmark/uv/bin/uv pip install -q --compile-bytecode --python /opt/agent/bin/python"
_NPM = ("node_install 22", "npm install --global --silent")

_GEMINI = {
    # With an address of one's own it takes itself to be behind a gateway, and refuses to start.
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
    "privacy": {"usageStatisticsEnabled": False},
}

# What it does not know it asks for whole files of 4096 tokens, at a temperature that newer models
# refuse.
_AIDER = """cat > /tmp/aider.yml <<EOF
- name: "$PATCHMARK_LITELLM"
  edit_format: diff
  use_repo_map: true
  use_temperature: false
  extra_params:
    max_tokens: $PATCHMARK_MAX_OUTPUT_TOKENS
EOF"""


def _npm(package: str) -> tuple[str, ...]:
    return (_NPM[0], f"{_NPM[1]} {package}")


COMMANDS = {
    "mini-swe-agent": Command(
        install=(_VENV, f"{_PIP} mini-swe-agent==2.4.6"),
        run="/opt/agent/bin/mini -y --exit-immediately -l 0 -o /tmp/mini.json "
        '-m "$PATCHMARK_LITELLM" -t "$PATCHMARK_PROMPT"',
        variables={
            "MSWEA_CONFIGURED": "true",
            "MSWEA_COST_TRACKING": "ignore_errors",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        },
    ),
    "aider": Command(
        install=(_VENV, f"{_PIP} aider-chat==0.86.2"),
        run=f"{_AIDER}\n/opt/agent/bin/aider --yes-always --no-auto-commits --no-gitignore "
        "--no-check-update --no-analytics --no-show-release-notes --no-show-model-warnings "
        "--no-detect-urls --disable-playwright --no-suggest-shell-commands "
        "--max-chat-history-tokens 100000 --model-settings-file /tmp/aider.yml "
        "--chat-history-file /tmp/aider.md --input-history-file /tmp/aider.txt "
        '--model "$PATCHMARK_LITELLM" --message-file "$PATCHMARK_PROMPT_FILE"; '
        "code=$?; rm -rf /repo/.aider*; exit $code",
        variables={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    ),
    "claude-code": Command(
        install=_npm("@anthropic-ai/claude-code@2.1.332"),
        run="CLAUDE_CODE_MAX_OUTPUT_TOKENS=$PATCHMARK_MAX_OUTPUT_TOKENS "
        'claude --print --dangerously-skip-permissions --model "$PATCHMARK_MODEL" '
        '"$PATCHMARK_PROMPT"',
        variables={
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
        },
        asks=("messages",),
    ),
    "gemini-cli": Command(
        install=(
            *_npm("@google/gemini-cli@0.61.0"),
            "mkdir -p /etc/gemini-cli",
            f"echo '{json.dumps(_GEMINI)}' > /etc/gemini-cli/settings.json",
        ),
        run='gemini --yolo --skip-trust --model "$PATCHMARK_MODEL" --prompt "$PATCHMARK_PROMPT"',
        variables={"GEMINI_CLI_NO_RELAUNCH": "true"},
        asks=("generate",),
    ),
    "codex": Command(
        install=_npm("@openai/codex@0.169.0"),
        run="codex exec --dangerously-bypass-approvals-and-sandbox --skip-git-repo-check "
        "-c check_for_update_on_startup=false -c analytics.enabled=false "
        "-c allow_login_shell=false "
        '-c model_provider=patchmark -c "model_providers.patchmark={name=\\"patchmark\\",'
        'base_url=\\"$OPENAI_BASE_URL\\",env_key=\\"OPENAI_API_KEY\\",'
        'wire_api=\\"responses\\"}" '
        '--model "$PATCHMARK_MODEL" "$PATCHMARK_PROMPT"',
        asks=("responses",),
    ),
}
