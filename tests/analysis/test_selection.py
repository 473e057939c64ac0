from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sweeps import scored, tables
from wellfit.analysis.selection import best_by_validation, one_standard_error, regularizers, validation_gains

STUDY = tables({"baseline": {}, "l2": {"l2": 1e-3}, "dropout": {"dropout": 0.3}, "both": {"l2": 1e-3, "dropout": 0.3}})
NOISE = np.array([0.003, -0.002, 0.001, -0.004, 0.002])


def test_gains_are_paired_by_seed_and_adjusted_by_holm():
    gains = {"baseline": 0.0, "l2": 0.001, "dropout": 0.02, "both": -0.01}
    rng = np.random.default_rng(0)
    extra = {name: 0.002 * rng.standard_normal(5) for name in gains}
    found = validation_gains(scored(STUDY, lambda n, c, s: 0.8 + gains[n] + NOISE[s] + extra[n][s]))
    assert [c.variant.name for c in found] == ["dropout", "l2", "both"]
    p = {n: stats.ttest_1samp(gains[n] + extra[n] - extra["baseline"], 0).pvalue for n in gains if n != "baseline"}
    ranked = sorted(p, key=p.__getitem__)
    adjusted = {name: max((3 - i) * p[name] for i, name in enumerate(ranked[: j + 1])) for j, name in enumerate(ranked)}
    for gain in found:
        differences = gains[gain.variant.name] + extra[gain.variant.name] - extra["baseline"]
        assert gain.difference == pytest.approx(differences.mean())
        assert gain.p == pytest.approx(min(1.0, adjusted[gain.variant.name]))  # Holm's
    assert [c.significant for c in found] == [True, False, False]


def test_equal_differences_are_no_evidence():
    found = validation_gains(scored(STUDY, lambda n, c, s: 0.9 if n == "l2" else 0.8, seeds=2))
    assert (found[0].variant.name, found[0].p, found[0].significant) == ("l2", None, False)


def test_intervals_are_clipped_to_possible_differences():
    found = validation_gains(scored(STUDY, lambda n, c, s: 0.9 if n == "l2" and s == 1 else 0.4, seeds=2))
    assert found[0].interval == (-1.0, 1.0)


def test_only_complete_variants_on_the_same_data_compare():
    study = tables({"baseline": {}, "l2": {"l2": 1e-3}, "few": {"examples": 50}, "dropout": {"dropout": 0.3}})
    summary = scored(study, lambda n, c, s: 0.8 + NOISE[s], states={("dropout", 2): "diverged"})
    assert [c.variant.name for c in validation_gains(summary)] == ["l2"]
    assert validation_gains(scored(study, lambda n, c, s: 0.8, states={("baseline", 2): "diverged"})) == []
    assert validation_gains(scored(study, lambda n, c, s: 0.8, seeds=1)) == []


def test_the_regularizers_that_a_variant_adds():
    summary = scored("regularization", lambda n, c, s: 0.8, seeds=2)
    kinds = {v.name: regularizers(summary, v.name) for v in summary.variants}
    assert kinds["l2+dropout"] == ("dropout", "l2")
    assert kinds["noise"] == ("augmentation",)
    assert kinds["early-stopping"] == ("early_stopping",)
    assert kinds["narrow"] == kinds["batch-norm"] == kinds["baseline"] == ()


def test_the_best_is_chosen_by_accuracy_then_by_loss():
    summary = scored(STUDY, lambda n, c, s: 0.9 if n in ("l2", "dropout") else 0.8)
    assert best_by_validation(summary.variants) == 1
    losses = {"l2": np.full(20, 0.5), "dropout": np.full(20, 0.3)}
    lower = scored(STUDY, lambda n, c, s: 0.9 if n in losses else 0.8, loss=lambda n: losses.get(n, np.full(20, 0.4)))
    assert best_by_validation(lower.variants) == 2
    diverged = scored(STUDY, lambda n, c, s: 0.9 if n == "l2" else 0.8, states={("l2", 0): "diverged"})
    assert best_by_validation(diverged.variants) == 0


def test_one_standard_error_takes_the_strongest_that_is_as_good():
    means = {"baseline": 0.80, "l2": 0.8005, "dropout": 0.801, "both": 0.7}
    variants = scored(STUDY, lambda n, c, s: means[n] + NOISE[s]).variants
    strengths = np.array([0.0, 3.0, 1.0, 9.0])
    assert one_standard_error(strengths, variants, 2) == 1  # the standard error is 0.0013
