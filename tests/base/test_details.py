"""The vocabulary of a report's details: frozen, and empty where there is nothing to show."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from wellfit.base import Mistakes, StudyDetails, details


def test_every_detail_is_a_frozen_dataclass() -> None:
    kinds = [getattr(details, name) for name in details.__all__ if isinstance(getattr(details, name), type)]
    assert StudyDetails in kinds
    for kind in kinds:
        assert dataclasses.is_dataclass(kind), kind
        assert kind.__dataclass_params__.frozen, kind


def test_mistakes_without_images_have_no_votes() -> None:
    none = np.zeros(0, np.int64)
    mistakes = Mistakes((), none, none, none, none, none, none, none, {}, none, none, np.zeros((0, 0, 0), np.uint8))
    assert mistakes.votes.shape == (0, 0, 0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        mistakes.votes = none  # type: ignore[misc]
