from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from sweeps import gaining, scored, tables
from wellfit.analysis.comparisons import paired_components, summarized
from wellfit.analysis.selection import (
    ValidationSet,
    best_by_validation,
    one_standard_error,
    regularizers,
    validation_components,
    validation_gains,
)
from wellfit.base import TestRows

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
    found = validation_gains(scored(STUDY, lambda n, c, s: 0.9 if n == "l2" and s == 1 else 0.1, seeds=3))
    assert found[0].interval[1] == 1.0
    two = validation_gains(scored(STUDY, lambda n, c, s: 0.9 if n == "l2" and s == 1 else 0.4, seeds=2))
    assert two[0].interval is None  # Student's t with one degree of freedom tells nothing


def test_shared_validation_examples_count_as_chance():
    summary = scored(STUDY, lambda n, c, s: 0.8 + 0.05 * (n == "l2") + NOISE[s] * (2 if n == "l2" else 1))
    own = validation_gains(summary)[0]
    shared = validation_gains(replace(summary, validation_overlap=1.0))[0]
    d = 0.05 + NOISE
    assert own.interval == pytest.approx(stats.t.interval(0.95, 4, d.mean(), stats.sem(d)))
    disagree = 0.2 + 0.15 - 2 * NOISE.mean() - NOISE.mean()  # at most: every error is one variant's alone
    half = np.hypot(2.776 * stats.sem(d), 1.96 * np.sqrt((disagree - d.mean() ** 2) / 500))
    assert shared.interval == pytest.approx((d.mean() - half, d.mean() + half), abs=1e-5)
    assert own.significant
    assert not shared.significant
    adjusted = stats.t.isf(shared.p / 2, 4), stats.norm.isf(shared.p / 2)  # the others equal the baseline: no test
    ends = np.hypot(adjusted[0] * stats.sem(d), adjusted[1] * np.sqrt((disagree - d.mean() ** 2) / 500))
    assert ends == pytest.approx(d.mean(), rel=1e-6)  # the level at which the interval ends at 0
    unknown = validation_gains(replace(summary, validation_examples=0))[0]
    assert (unknown.p, unknown.interval, unknown.significant) == (None, None, False)
    perfect = scored(STUDY, lambda n, c, s: 1.0 - 0.002 * (n == "baseline" and s == 1))
    assert not validation_gains(replace(perfect, validation_overlap=1.0))[0].significant


def answered(rng: np.random.Generator, accuracy: dict[str, float], seeds: int = 5, n: int = 500):
    """Answers to one validation set: variants that differ in some answers, and seeds that hardly do."""
    hard = rng.random(n)  # (n,)
    own = {name: np.where(rng.random(n) < 0.05, rng.random(n), hard) for name in accuracy}
    flips = {name: [rng.random(n) < 0.01 for _ in range(seeds)] for name in accuracy}
    return {name: {s: (own[name] < p) ^ flips[name][s] for s in range(seeds)} for name, p in accuracy.items()}


def test_with_answers_kept_the_examples_count_as_they_vary():
    accuracy = {"baseline": 0.8, "l2": 0.8, "dropout": 0.83, "both": 0.8}
    right = answered(np.random.default_rng(0), accuracy)
    bare = replace(scored(STUDY, lambda n, c, s: right[n][s].mean()), validation_overlap=1.0)
    examples = TestRows({s: np.arange(500) for s in range(5)}, 500)
    summary = replace(bare, validation=validation_components(bare, right, examples))
    assert summary.validation == {
        name: components
        for (name, _), components in paired_components(right, [(n, "baseline") for n in accuracy][1:], examples).items()
    }
    bounded, measured = validation_gains(bare), validation_gains(summary)
    for gain in measured:
        pairs = [(right[gain.variant.name][s], right["baseline"][s]) for s in range(5)]
        assert gain.difference == pytest.approx(np.mean([one.mean() - other.mean() for one, other in pairs]))
        found = summarized(summary.validation[gain.variant.name])
        assert gain.interval == pytest.approx(found.interval)
    assert [gain.variant.name for gain in measured] == [gain.variant.name for gain in bounded]
    widths = [[gain.interval[1] - gain.interval[0] for gain in gains] for gains in (bounded, measured)]
    assert np.less(widths[1], np.multiply(0.6, widths[0])).all()  # what the bound had cost
    assert not bounded[0].significant
    assert (measured[0].variant.name, measured[0].significant) == ("dropout", True)


def test_identical_answers_are_no_comparison():
    right = answered(np.random.default_rng(0), {"baseline": 0.8, "l2": 0.8, "dropout": 0.83, "both": 0.8})
    right["both"] = right["baseline"]
    bare = scored(STUDY, lambda n, c, s: right[n][s].mean())
    examples = TestRows({s: np.arange(500) for s in range(5)}, 500)
    gains = validation_gains(replace(bare, validation=validation_components(bare, right, examples)))
    p = {gain.variant.name: gain.p for gain in gains}
    assert p["both"] is None
    alone = summarized(
        paired_components(right, [("l2", "baseline"), ("dropout", "baseline")], examples)["dropout", "baseline"]
    )
    assert p["dropout"] == pytest.approx(2 * alone.p_value)  # Holm's factor without the identical one


def test_answers_are_used_only_where_all_seeds_have_them():
    right = answered(np.random.default_rng(0), dict.fromkeys(("baseline", "l2", "dropout", "both"), 0.8))
    summary, examples = scored(STUDY, gaining({})), TestRows({s: np.arange(500) for s in range(5)}, 500)
    del right["l2"][3]
    assert validation_components(summary, right, examples).keys() == {"dropout", "both"}
    one = {name: {s: of[s][:1] for s in of} for name, of in right.items()}
    assert validation_components(summary, one, TestRows({s: np.arange(1) for s in range(5)}, 1)) == {}
    del right["baseline"][3]
    assert validation_components(summary, right, examples) == {}
    assert validation_components(summary, {}, examples) == {}


def test_an_epoch_chosen_on_validation_is_not_compared_on_it():
    rule = {"early_stopping": {"patience": 2, "restore_best_weights": True}}
    one = tables({"baseline": {}, "best-epoch": rule, "l2": {"l2": 1e-3}})
    assert [c.variant.name for c in validation_gains(scored(one, gaining({"best-epoch": 0.1})))] == ["l2"]
    every = tables({"baseline": rule, "l2": {"l2": 1e-3, **rule}})
    assert validation_gains(scored(every, gaining({"l2": 0.1}))) == []


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
    assert one_standard_error(strengths, variants, 2, ValidationSet(0)) == 1  # the standard error is 0.0013
    assert one_standard_error(strengths, variants, 2, ValidationSet(10_000, 0.0)) == 1
    assert one_standard_error(strengths, variants, 2, ValidationSet(10)) == 3  # with ten examples, 12.6 points
