import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from wellfit.analysis.comparisons import paired_comparison
from wellfit.analysis.confusions import confusion_difference
from wellfit.analysis.intervals import two_way_interval
from wellfit.errors import DataError

CLOSE = 1e-9  # integers summed exactly here, floats with roundings of 1e-16 there


@st.composite
def pairs(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    seeds, m, k = draw(st.integers(2, 6)), draw(st.integers(8, 80)), draw(st.integers(2, 5))
    labels = rng.integers(0, k, m)
    hard = rng.random(m)
    first, second = (
        np.where(rng.random((seeds, m)) < hard * rng.random((seeds, 1)), rng.integers(0, k, (seeds, m)), labels)
        for _ in range(2)
    )
    return first, second, labels, k


@given(pairs())
@settings(max_examples=60, deadline=None)
def test_every_cell_is_a_paired_comparison_of_its_class(pair):
    first, second, labels, k = pair
    found = confusion_difference("a", "b", first, second, labels, k)
    for true in range(k):
        of_class = labels == true
        for taken in range(k):
            cell = found.low[true, taken], found.high[true, taken]
            if of_class.sum() < 2:
                assert np.isnan(cell).all()
                continue
            one, other = first[:, of_class] == taken, second[:, of_class] == taken
            expected = paired_comparison(one, other)
            assert found.difference[true, taken] == pytest.approx(expected.difference, abs=CLOSE)
            assert cell == pytest.approx(np.clip(expected.interval, -1, 1), abs=CLOSE)


def test_where_images_differ_enough_the_interval_is_two_way_interval():
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1, 2], 300)
    first, second = (np.where(rng.random((4, 900)) < 0.3, rng.integers(0, 3, (4, 900)), labels) for _ in range(2))
    found = confusion_difference("a", "b", first, second, labels, 3)
    for true, taken in np.ndindex(3, 3):
        of_class = labels == true
        scores = (first[:, of_class] == taken).astype(float) - (second[:, of_class] == taken)
        mean, interval = two_way_interval(scores)
        assert found.difference[true, taken] == pytest.approx(mean, abs=CLOSE)
        assert (found.low[true, taken], found.high[true, taken]) == pytest.approx(interval, abs=CLOSE)


def test_rows_sum_to_zero_and_swapping_flips_the_sign():
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 4, 200)
    first, second = rng.integers(0, 4, (2, 3, 200))
    found = confusion_difference("a", "b", first, second, labels, 4)
    turned = confusion_difference("b", "a", second, first, labels, 4)
    np.testing.assert_allclose(found.difference.sum(axis=1), 0, atol=CLOSE)
    np.testing.assert_allclose(found.difference, -turned.difference, atol=CLOSE)
    np.testing.assert_allclose(found.low, -turned.high, atol=CLOSE)


def test_missing_seeds_and_images_give_nan():
    labels = np.array([0, 0, 1, 1])
    text = np.array([[0, 1, 1, 1]])
    found = confusion_difference("a", "b", text, labels[None], labels, 3)
    assert found.difference[:2].tolist() == [[-0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]
    assert np.isnan(found.difference[2]).all()
    assert np.isnan(found.low).all()
    assert np.isnan(found.high).all()


def test_variants_of_other_seeds_or_images_are_refused():
    labels = np.array([0, 1])
    with pytest.raises(DataError, match="the same seeds and images"):
        confusion_difference("a", "b", np.zeros((2, 2), int), np.zeros((3, 2), int), labels, 2)
    with pytest.raises(DataError, match="the same seeds and images"):
        confusion_difference("a", "b", np.zeros((2, 3), int), np.zeros((2, 3), int), labels, 2)


def test_the_intervals_cover_the_true_difference():
    """300 studies, 4 seeds, 2 classes of 250 images; seeds and images both vary, and the truth is known.

    An interval of 95 % that holds the truth in fewer than 92 % of 600 cells would be detected: the Monte Carlo error
    is 0.9 points.
    """
    rng = np.random.default_rng(3)
    held = []
    labels = np.repeat([0, 1], 250)
    for _ in range(300):
        hard = rng.uniform(0, 0.4, 500)  # mean 0.2
        rates = 1.2, 0.8  # of the two variants: 0.24 and 0.16 wrong on average, 0.08 apart
        first, second = (
            np.where(rng.random((4, 500)) < hard * rate * rng.uniform(0.9, 1.1, (4, 1)), 1 - labels, labels)
            for rate in rates
        )
        found = confusion_difference("a", "b", first, second, labels, 2)
        held.extend(found.low[k, 1 - k] <= 0.08 <= found.high[k, 1 - k] for k in range(2))
    assert 0.92 <= np.mean(held) <= 0.999


def test_with_folds_the_means_are_those_of_what_was_judged():
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 3, 300)
    first, second = (np.where(rng.random((5, 300)) < 0.8, labels, rng.integers(0, 3, (5, 300))) for _ in range(2))
    fold = rng.integers(0, 5, 300)
    for seed in range(5):
        first[seed, fold != seed] = second[seed, fold != seed] = -1
    found = confusion_difference("a", "b", first, second, labels, 3)
    shares = [
        sk.confusion_matrix(labels, of.max(axis=0), normalize="true") for of in (first, second)
    ]  # each example is judged once
    np.testing.assert_allclose(found.difference, shares[0] - shares[1], atol=1e-12)
    assert (found.low <= found.difference).all()
    assert (found.difference <= found.high).all()
    assert np.isnan(confusion_difference("a", "b", first[:1], second[:1], labels, 3).low).all()


def test_with_folds_the_intervals_cover_images_and_seeds():
    missed = 0
    for study in range(200):
        rng = np.random.default_rng(study)
        fold = np.arange(500) % 5
        labels = np.zeros(500, int)
        wrong = np.clip(0.1 + rng.normal(0, 0.03, 5), 0.01, 1)[fold]  # the seed moves the first variant's errors
        first = np.where(np.arange(5)[:, None] == fold, rng.random(500) < wrong, -1).astype(int)
        second = np.where(np.arange(5)[:, None] == fold, rng.random(500) < 0.1, -1).astype(int)
        found = confusion_difference("a", "b", first, second, labels, 2)
        missed += not found.low[0, 1] <= 0 <= found.high[0, 1]
    assert missed <= 20  # 5 % of 200, and three standard errors of 1.5 points


def test_variants_judged_on_different_images_are_refused():
    one, other = np.array([[0, -1], [-1, 1]]), np.array([[0, -1], [0, -1]])
    with pytest.raises(DataError, match="judged on different images"):
        confusion_difference("a", "b", one, other, np.array([0, 1]), 2)
