"""How much a model takes at once, in tokens, and what that is in characters."""

from __future__ import annotations

from models.presets import PRESETS
from models.services import SERVICES
from models.spec import Spec

CHARACTERS = 2.5
"""Of a token, at least: code has about three, and an overfull question is refused."""


def window(spec: Spec) -> int | None:
    """Tokens of question and answer together: the name's own, a preset's, the price list's."""
    if spec.window is not None:
        return spec.window
    for preset in PRESETS.values():
        if preset.name == spec.priced_as:
            return preset.window
    return _listed(spec)


def _listed(spec: Spec) -> int | None:
    from genai_prices.data_snapshot import get_snapshot

    service = SERVICES.get(spec.service)
    if service is None or service.prices is None:
        return None
    try:
        _, model = get_snapshot().find_provider_model(spec.model, None, service.prices, None)
    except LookupError:
        return None
    return model.context_window
