"""What an exported file says of itself."""

from __future__ import annotations

import json

import fitted_models as made
from wellfit.base import ModelSpec
from wellfit.interop.provenance import provenance


def test_it_is_plain_data() -> None:
    said = provenance(made.image_model(ModelSpec("logistic")))
    assert json.loads(json.dumps(said)) == said
    assert (said["variant"], said["seeds"], said["classes"]) == ("l2", [0, 1], ["a", "b", "c"])
