from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sweeps import scored, tables
from wellfit.analysis.contests import contests, regularizes

STUDY = tables({"baseline": {}, "l2": {"l2": 1e-3}, "dropout": {"dropout": 0.3}, "both": {"l2": 1e-3, "dropout": 0.3}})
NOISE = np.array([0.003, -0.002, 0.001, -0.004, 0.002])


def test_contests_are_paired_by_seed_and_corrected_for_their_number():
    gains = {"baseline": 0.0, "l2": 0.001, "dropout": 0.02, "both": -0.01}
    rng = np.random.default_rng(0)
    extra = {name: 0.002 * rng.standard_normal(5) for name in gains}
    found = contests(scored(STUDY, lambda n, c, s: 0.8 + gains[n] + NOISE[s] + extra[n][s]))
    assert [c.variant.name for c in found] == ["dropout", "l2", "both"]
    p = {n: stats.ttest_1samp(gains[n] + extra[n] - extra["baseline"], 0).pvalue for n in gains if n != "baseline"}
    ranked = sorted(p, key=p.__getitem__)
    adjusted = {name: max((3 - i) * p[name] for i, name in enumerate(ranked[: j + 1])) for j, name in enumerate(ranked)}
    for contest in found:
        differences = gains[contest.variant.name] + extra[contest.variant.name] - extra["baseline"]
        assert contest.difference == pytest.approx(differences.mean())
        assert contest.p == pytest.approx(min(1.0, adjusted[contest.variant.name]))  # Holm's
    assert [c.gains for c in found] == [True, False, False]


def test_equal_differences_are_no_evidence_with_whatever_sign():
    found = contests(scored(STUDY, lambda n, c, s: 0.9 if n == "l2" else 0.8, seeds=2))
    assert (found[0].variant.name, found[0].p, found[0].gains) == ("l2", None, False)


def test_an_interval_promises_no_more_than_a_share_can_differ():
    found = contests(scored(STUDY, lambda n, c, s: 0.9 if n == "l2" and s == 1 else 0.4, seeds=2))
    assert found[0].interval == (-1.0, 1.0)


def test_only_whole_variants_on_the_same_data_are_compared():
    study = tables({"baseline": {}, "l2": {"l2": 1e-3}, "few": {"examples": 50}, "dropout": {"dropout": 0.3}})
    summary = scored(study, lambda n, c, s: 0.8 + NOISE[s], states={("dropout", 2): "diverged"})
    assert [c.variant.name for c in contests(summary)] == ["l2"]
    assert contests(scored(study, lambda n, c, s: 0.8, states={("baseline", 2): "diverged"})) == []
    assert contests(scored(study, lambda n, c, s: 0.8, seeds=1)) == []


def test_which_regularization_a_variant_adds():
    summary = scored("regularization", lambda n, c, s: 0.8, seeds=2)
    kinds = {v.name: regularizes(summary, v.name) for v in summary.variants}
    assert kinds["l2+dropout"] == ("dropout", "l2")
    assert kinds["noise"] == ("augmentation",)
    assert kinds["early-stopping"] == ("early_stopping",)
    assert kinds["narrow"] == kinds["batch-norm"] == kinds["baseline"] == ()
