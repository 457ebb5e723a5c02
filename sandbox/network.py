"""What builds need to reach package indexes from behind a company's proxy.

Handed to build scripts as secrets; it is in no image and never reaches a test run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PASSED_ON = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "npm_config_registry",
    "NPM_CONFIG_REGISTRY",
    "YARN_NPM_REGISTRY_SERVER",
    "GOPROXY",
    "GONOSUMDB",
    "GOSUMDB",
)


@dataclass(frozen=True)
class Network:
    """Proxy and index variables of the user's environment, and a CA bundle."""

    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_bundle: bytes | None = None

    def build_environment(self) -> dict[str, str]:
        """The variables a build script gets; pip's index serves uv too, unless uv has its own."""
        chosen = {k: v for k, v in self.variables.items() if k in PASSED_ON and v}
        # UV_INDEX_URL is uv's former name for it, and would lose against UV_DEFAULT_INDEX.
        if "PIP_INDEX_URL" in chosen and "UV_INDEX_URL" not in chosen:
            chosen.setdefault("UV_DEFAULT_INDEX", chosen["PIP_INDEX_URL"])
        return chosen
