"""Means of trials, and the winner's curse in the unit of its metric."""

from __future__ import annotations

import pytest

from wellfit.base import FIRST_SEED, SearchResult, SearchSpec, Trial


def trial(*scores: float | None) -> Trial:
    return Trial(0, {}, "finished", 1, 9, scores)


def test_a_mean_needs_every_seed() -> None:
    assert trial(0.5, 1.0).mean == 0.75
    assert trial(0.5, None).mean is None


@pytest.mark.parametrize(("metric", "fresh"), [("validation_accuracy", 0.7), ("validation_loss", 0.8)])
def test_the_curse_is_positive_where_fresh_seeds_do_worse(metric: str, fresh: float) -> None:
    result = SearchResult((trial(0.75),), 1, metric, 1, "found", 0, fresh=fresh, fresh_seeds=5)
    assert result.curse == pytest.approx(0.05)


def test_nothing_is_found_before_a_trial_is_finished() -> None:
    result = SearchResult((), 4, "validation_accuracy", 1, "found", fresh=0.7)
    assert (result.found, result.curse) == (None, None)


def test_the_larger_is_the_better_for_every_objective() -> None:
    assert SearchSpec(objective="val_accuracy").better(0.9) > SearchSpec(objective="val_accuracy").better(0.8)
    assert SearchSpec(objective="val_loss").better(0.1) > SearchSpec(objective="val_loss").better(0.2)
    assert SearchSpec(objective="val_loss").metric == "validation_loss"


def test_seeds_of_a_search_are_consecutive_from_a_multiple_of_five() -> None:
    assert SearchSpec(seeds=3).own_seeds == (FIRST_SEED, FIRST_SEED + 1, FIRST_SEED + 2)
    assert FIRST_SEED % 5 == 0
