import time

import numpy as np
import pytest
import scipy.stats

from wellfit.analysis import comparisons, intervals
from wellfit.analysis.pooling import pooled
from wellfit.analysis.sequential import InterimAnalysis, nominal_level, over_all_analyses
from wellfit.analysis.verdicts import adjusted, equivalence_p
from wellfit.base import TestRows
from wellfit.errors import DataError


def test_a_hundred_seeds_on_ten_thousand_images_take_milliseconds():
    rng = np.random.default_rng(4)
    first, second = rng.random((2, 100, 10_000)) < 0.9
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        comparisons.paired_comparison(first, second)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.25  # measured: 0.016 on one core; residuals by loops would take seconds


def test_the_p_value_and_the_interval_say_the_same():
    rng = np.random.default_rng(5)
    first, second = rng.random((2, 3, 200)) < np.array([0.92, 0.85])[:, None, None]
    result = comparisons.paired_comparison(first, second)
    low, _ = intervals.two_way_interval(first.astype(int) - second, level=1 - result.p_value)[1]
    assert low == pytest.approx(0, abs=1e-9)
    mirrored = comparisons.paired_comparison(second, first)
    assert mirrored.difference == -result.difference
    assert mirrored.p_value == result.p_value
    assert result.interval[0] < result.interval90[0] < result.difference < result.interval90[1] < result.interval[1]


def test_without_image_effects_it_is_the_paired_t_test():
    seeds = np.random.default_rng(6).normal(0.3, 1, size=6)
    x = np.repeat(seeds[:, None], 40, axis=1)
    ours = comparisons.paired_comparison(x, np.zeros_like(x)).p_value
    assert ours == pytest.approx(scipy.stats.ttest_1samp(seeds, 0).pvalue, rel=1e-9)


def test_identical_variants_are_equivalent_on_many_images():
    for images, expected in ((60, "undecided"), (10_000, "equivalent")):
        right = np.ones((5, images), dtype=bool)
        same = comparisons.paired_comparison(right, right)
        half = 1.959964 * np.sqrt(2) / (images + 2)  # Bonett & Price: no image was seen to differ, the next may
        np.testing.assert_allclose(same.interval, (-half, half), rtol=1e-6)
        assert (same.difference, same.p_value) == (0.0, 1.0)
        runs = {"a": dict(enumerate(right)), "b": dict(enumerate(right))}
        (found,) = comparisons.compare_pairs(runs, [("b", "a")])
        assert (found.verdict, found.identical, found.p_adjusted) == (expected, True, 1.0)


def test_two_that_always_differ():
    right = np.ones((3, 20), dtype=bool)
    always = comparisons.paired_comparison(right, ~right)
    assert always.difference == 1.0
    assert 0 < always.p_value < 1e-50


def test_a_difference_on_a_handful_of_images_is_uncertain():
    first = np.ones((5, 360), dtype=bool)
    second = first.copy()
    second[:, :5] = False  # the same five images wrong with every seed: McNemar's exact test gives 2 / 2**5 = 0.0625
    assert comparisons.paired_comparison(first, second).p_value > 0.05


def study(shares, seeds=5, n=1000):
    rng = np.random.default_rng(7)
    hardness = rng.random(n)
    noise = rng.normal(size=(seeds, n)) * 0.02
    return {name: {s: hardness + noise[s] < share for s in range(seeds)} for name, share in shares.items()}


def with_first(runs, **options):
    """Every variant compared with the first."""
    first, *others = runs or [""]
    return comparisons.compare_pairs(runs, [(name, first) for name in others], **options)


def test_compare_pairs_finds_what_is_there():
    found = with_first(study({"baseline": 0.85, "l2": 0.9, "l1": 0.7, "same": 0.85}))
    assert [(c.variant, c.against, c.metric) for c in found] == [
        (v, "baseline", "test_accuracy") for v in ("l2", "l1", "same")
    ]
    # the same answers on too few images to tell a tenth of a point
    assert [c.verdict for c in found] == ["better", "worse", "undecided"]
    # the identical one is no test and does not count
    assert [c.identical for c in found] == [False, False, True]
    assert [c.p_adjusted for c in found[:2]] == list(adjusted([c.p_value for c in found[:2]]))
    for c in found:
        assert c.interval[0] <= c.difference <= c.interval[1]


def test_only_shared_seeds_count():
    runs = study({"baseline": 0.85, "l2": 0.9, "gone": 0.9, "once": 0.9})
    runs["l2"].pop(1)
    runs["gone"] = {}
    runs["once"] = {4: runs["once"][4]}
    l2, once = with_first(runs)
    seeds = [0, 2, 3, 4]
    alone = comparisons.paired_comparison(*(np.stack([runs[v][s] for s in seeds]) for v in ("l2", "baseline")))
    assert (l2.variant, l2.difference, l2.p_value) == ("l2", alone.difference, alone.p_value)
    assert l2.p_adjusted == l2.p_value  # the comparison that could not be made does not count
    assert (once.variant, once.interval, once.p_value, once.p_adjusted) == ("once", None, None, None)
    assert once.verdict == "undecided"


def test_no_variant_and_one_variant_have_nothing_to_compare():
    assert with_first({}) == ()
    assert with_first(study({"baseline": 0.85})) == ()


def test_one_seed_has_a_difference_and_nothing_else():
    x = np.array([[True, False, True, True]])
    assert comparisons.paired_comparison(x, ~x) == (0.5, None, None, None)


def test_intervals_are_clipped_to_possible_differences():
    first, second = np.array([[True] * 50, [False] * 50]), np.zeros((2, 50), bool)
    found = comparisons.paired_comparison(first, second)
    low, high = intervals.two_way_interval(first.astype(float) - second)[1]
    assert low < -1 < 1 < high
    assert (found.interval, found.interval90) == ((-1.0, 1.0), (-1.0, 1.0))
    assert found.p_value == pytest.approx(0.5, abs=0.01)  # Student's t of 0.5 / 0.5 with one degree of freedom


def test_interim_intervals_follow_their_levels():
    rng = np.random.default_rng(9)
    first, second = rng.random((2, 5, 300)) < np.array([0.92, 0.85])[:, None, None]
    interim = InterimAnalysis(2, (3, 5, 10))
    plain, found = comparisons.paired_comparison(first, second), comparisons.paired_comparison(first, second, interim)
    difference = first.astype(int) - second
    for interval, alpha in ((found.interval, 0.05), (found.interval90, 0.10)):
        level = 1 - nominal_level(interim, alpha)
        assert interval == pytest.approx(intervals.two_way_interval(difference, level)[1], rel=1e-9)
    assert (found.difference, found.p_value) == (plain.difference, plain.p_value)


def test_interim_verdicts_allow_for_all_analyses():
    runs = study({"baseline": 0.85, "l2": 0.87, "l1": 0.86, "gone": 0.8})
    runs["gone"] = {0: runs["gone"][0]}
    interim = InterimAnalysis(1, (5, 10, 20))
    one, several = with_first(runs), with_first(runs, interim=interim)
    assert [c.p_value for c in several] == [c.p_value for c in one]
    assert [c.p_adjusted for c in several] == list(adjusted([over_all_analyses(c.p_value, interim) for c in one]))
    for a, b in zip(one[:2], several, strict=False):
        assert b.p_adjusted > a.p_adjusted
        assert b.interval[0] < a.interval[0] < a.interval[1] < b.interval[1]
    only = with_first(runs, interim=InterimAnalysis(1, (5,)))
    assert [c.p_adjusted for c in only] == pytest.approx([c.p_adjusted for c in one])


# --- Folds, pooling, many comparisons ---------------------------------------------------------------------------------


def folds_of(n, folds, rounds=1, seed=0):
    rng = np.random.default_rng(seed)
    order = [rng.permutation(n) for _ in range(rounds)]
    rows = [np.sort(o[k::folds]) for o in order for k in range(folds)]
    return TestRows(dict(enumerate(rows)), n)


def test_folds_are_paired_by_their_rows():
    whole, tested = study({"baseline": 0.85, "l2": 0.9}, n=500), folds_of(500, 5)
    runs = {name: {s: right[tested.rows[s]] for s, right in of.items()} for name, of in whole.items()}
    (found,) = with_first(runs, tested=tested)
    wins = np.concatenate([runs["l2"][s].astype(int) - runs["baseline"][s] for s in range(5)])
    assert found.difference == pytest.approx(wins.mean(), rel=1e-12)
    alone = comparisons.paired_comparison(*(list(runs[v].values()) for v in ("l2", "baseline")), tested=tested)
    assert (found.p_value, found.interval) == (alone.p_value, alone.interval)
    assert found.verdict == "better"


def test_seeds_of_different_folds_are_paired_over_what_both_have():
    tested = folds_of(90, 3, rounds=2)
    rng = np.random.default_rng(1)
    runs = {name: {s: rng.random(30) < 0.8 for s in range(6)} for name in ("a", "b")}
    del runs["a"][1], runs["b"][4]
    (found,) = with_first(runs, tested=tested)
    seeds = [0, 2, 3, 5]
    first, second = ([runs[v][s] for s in seeds] for v in ("b", "a"))
    assert found.p_value == comparisons.paired_comparison(first, second, tested=tested.only(seeds)).p_value


def test_a_study_pools_its_variances_and_leaves_out_who_is_identical():
    runs = study({"baseline": 0.85, **{f"v{i}": 0.85 + 0.01 * i for i in range(1, 6)}, "same": 0.85})
    pairs = [(name, "baseline") for name in list(runs)[1:]]
    found = comparisons.paired_components(runs, pairs)
    alone = [
        comparisons.difference_components(list(runs[v].values()), list(runs["baseline"].values())) for v, _ in pairs
    ]
    assert list(found.values()) == [*pooled(alone[:-1]), alone[-1]]
    assert found["v1", "baseline"].seed_df == 5  # of five seeds, plus half of each comparison beyond three
    compared = comparisons.compare_pairs(runs, pairs, margin=0.05)
    assert [c.p_value for c in compared] == [comparisons.summarized(c).p_value for c in found.values()]
    for c, parts in zip(compared[:-1], found.values(), strict=False):
        alike = equivalence_p(parts, 0.05, 5)
        expected = "better" if c.p_adjusted < 0.05 else "equivalent" if alike < 0.05 else "undecided"
        assert c.verdict == expected
    assert {"better", "equivalent"} <= {c.verdict for c in compared}


def test_losses_are_not_clipped():
    rng = np.random.default_rng(2)
    runs = {name: {s: rng.normal(scale, 9, 30) for s in range(2)} for name, scale in (("a", 0.0), ("b", 3.0))}
    (loss,), (accuracy,) = (with_first(runs, metric=metric) for metric in ("test_log_loss", "test_accuracy"))
    assert loss.interval[1] > 1
    assert accuracy.interval == (-1, 1)
    assert (loss.metric, accuracy.metric) == ("test_log_loss", "test_accuracy")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: comparisons.paired_comparison(np.ones((2, 3)), np.ones((2, 4))), DataError, "the same seeds"),
        (lambda: with_first({"a": {0: np.ones(2, bool)}, "b": {0: np.ones(3, bool)}}),
         DataError, r"different numbers of test images \(2, 3\)"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_scores_of_runs_alone_are_compared_by_student_s_paired_t():
    random = np.random.default_rng(4)
    first, second = random.normal(0.9, 0.01, 5).round(4), random.normal(0.89, 0.01, 5).round(4)
    runs = {"a": dict(enumerate(map(np.asarray, first))), "b": dict(enumerate(map(np.asarray, second)))}
    (found,) = comparisons.compare_pairs(runs, [("a", "b")])
    assert found.p_value == pytest.approx(scipy.stats.ttest_rel(first, second).pvalue, rel=1e-9)
    equal = {name: dict.fromkeys(range(5), np.asarray(0.9)) for name in ("a", "b")}
    (found,) = comparisons.compare_pairs(equal, [("a", "b")])
    assert (found.identical, found.p_value) == (False, 1.0)
