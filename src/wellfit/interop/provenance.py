"""What an exported file says of itself: classes, and where the model comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wellfit.model.fitted import FittedModel

__all__ = ["provenance"]


def provenance(model: FittedModel) -> dict[str, Any]:
    """Classes and origin of a model as plain data."""
    origin = model.origin
    return {
        "wellfit": origin.version,
        "study": origin.study,
        "title": origin.title,
        "data": origin.data,
        "data hash": origin.data_hash,
        "variant": origin.variant,
        "choice": origin.choice,
        "expected": origin.expected,
        "fingerprint": origin.fingerprint or "",
        "seeds": [network.seed for network in model.networks],
        "classes": list(model.classes),
        "recipe": dict(origin.recipe),
    }
