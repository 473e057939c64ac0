import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from wellfit.analysis import calibration, metrics
from wellfit.analysis.intervals import t_interval
from wellfit.errors import DataError

EXACT = 1e-12  # the same sums in another order: some hundred roundings of 1e-16


@st.composite
def predictions(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    m, k = draw(st.integers(1, 60)), draw(st.integers(2, 7))
    sharp = draw(st.sampled_from([0.05, 1.0, 20.0]))
    probabilities = rng.dirichlet(np.full(k, sharp), size=m)
    return probabilities, rng.integers(0, k, size=m)


@given(predictions(), st.integers(1, 20))
@settings(max_examples=40, deadline=None)
def test_calibration_bins_agree_with_scikit_learn(data, bins):
    p, y = data
    found = calibration.calibration_bins(p, y, bins)
    right = metrics.correctness(p, y)
    # np.clip: a dirichlet row may exceed 1 by a rounding, which scikit-learn refuses
    share, mean = calibration_curve(right, np.clip(p.max(axis=1), 0, 1), n_bins=bins, pos_label=True)
    full = found.counts > 0
    assert found.counts.sum() == len(y)
    np.testing.assert_allclose(found.accuracy[full], share, atol=EXACT)
    np.testing.assert_allclose(found.confidence[full], mean, atol=EXACT)
    expected = np.sum(found.counts[full] / len(y) * np.abs(share - mean))
    assert calibration.expected_calibration_error(p, y, bins) == pytest.approx(expected, abs=EXACT)


def test_a_confidence_on_an_edge_falls_in_the_lower_bin():
    found = calibration.calibration_bins(np.array([[0.5, 0.5]]), np.array([0]), bins=2)
    assert found.counts.tolist() == [1, 0]
    assert np.isnan(found.accuracy[1])


def test_no_bins_are_refused():
    with pytest.raises(DataError, match="0 confidence bins"):
        calibration.calibration_bins(np.array([[0.6, 0.4]]), np.array([0]), bins=0)


def test_pooled_calibration_pools_bins_and_averages_scores():
    rng = np.random.default_rng(0)
    p = rng.dirichlet([0.4, 0.4, 0.4], size=(3, 90))
    y = rng.integers(0, 3, 90)
    found = calibration.pooled_calibration("l2", [(run, y) for run in p])
    all_bins = calibration.calibration_bins(np.concatenate(p), np.concatenate([y, y, y]))
    full = all_bins.counts > 0
    assert not full.all()
    np.testing.assert_array_equal(found.count, all_bins.counts[full])
    np.testing.assert_allclose(found.confidence, all_bins.confidence[full], atol=EXACT)
    np.testing.assert_allclose(found.accuracy, all_bins.accuracy[full], atol=EXACT)
    single = {
        "ece": [calibration.expected_calibration_error(run, y) for run in p],
        "brier": [metrics.brier_loss(run, y) for run in p],
    }
    for name, values in single.items():
        assert found.scores[name] == pytest.approx(np.mean(values), abs=EXACT)
        assert found.intervals[name] == pytest.approx(t_interval(values), abs=EXACT)
    assert calibration.pooled_calibration("l2", [(p[0], y)]).intervals == {"ece": None, "brier": None}


def test_intervals_end_where_the_scores_do():
    right, wrong = np.eye(2)[[0, 0]], np.eye(2)[[1, 1]]
    found = calibration.pooled_calibration("l2", [(right, np.array([0, 0])), (wrong, np.array([0, 0]))])
    assert found.intervals == {"ece": (0.0, 1.0), "brier": (0.0, 2.0)}
