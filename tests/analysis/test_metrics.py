import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from wellfit.analysis import metrics
from wellfit.errors import DataError

EXACT = 1e-12  # the same sums in another order: some hundred roundings of 1e-16


@st.composite
def predictions(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    m, k = draw(st.integers(1, 60)), draw(st.integers(2, 7))
    sharp = draw(st.sampled_from([0.05, 1.0, 20.0]))
    probabilities = rng.dirichlet(np.full(k, sharp), size=m)
    return probabilities, rng.integers(0, k, size=m)


@given(predictions())
@settings(max_examples=60, deadline=None)
def test_every_metric_agrees_with_scikit_learn(data):
    p, y = data
    classes = np.arange(p.shape[1])
    predicted = p.argmax(axis=1)
    assert metrics.accuracy(p, y) == pytest.approx(sk.accuracy_score(y, predicted), abs=EXACT)
    assert metrics.log_loss(p, y) == pytest.approx(sk.log_loss(y, p, labels=classes), rel=EXACT)
    for one, loss in enumerate(metrics.log_losses(p, y)):
        alone = sk.log_loss(y[one : one + 1], p[one : one + 1], labels=classes)
        assert loss == pytest.approx(alone, rel=EXACT)
    confusion = metrics.confusion_matrix(y, predicted, len(classes))
    assert confusion.dtype == np.int64
    np.testing.assert_array_equal(confusion, sk.confusion_matrix(y, predicted, labels=classes))
    scores = metrics.class_scores(confusion)
    oracle = sk.precision_recall_fscore_support(y, predicted, labels=classes, zero_division=np.nan)
    for ours, theirs in zip(scores, oracle, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=EXACT)


def test_brier_loss_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    p, y = rng.dirichlet([1.0, 1.0], size=50), rng.integers(0, 2, 50)
    assert metrics.brier_loss(p, y) == pytest.approx(2 * sk.brier_score_loss(y, p[:, 1]), abs=EXACT)
    assert metrics.brier_loss(np.eye(3), np.array([1, 2, 0])) == 2.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log_loss_clips_a_confident_mistake_as_scikit_learn_does(dtype):
    p = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=dtype)
    y = np.array([1, 1])
    assert metrics.log_loss(p, y) == pytest.approx(sk.log_loss(y, p, labels=[0, 1]), rel=1e-6)
    assert metrics.log_loss(p, y) == pytest.approx(-np.log(np.finfo(dtype).eps) / 2, rel=1e-6)


def test_correctness_takes_the_first_of_equally_probable_classes():
    p = np.array([[0.5, 0.5], [0.5, 0.5], [0.1, 0.9]], dtype=np.float32)
    right = metrics.correctness(p, np.array([0, 1, 1], dtype=np.int32))
    assert right.dtype == np.bool_
    assert right.tolist() == [True, False, True]


@given(predictions(), st.booleans())
@settings(max_examples=40, deadline=None)
def test_averaged_scores_agree_with_scikit_learn(data, weighted):
    p, y = data
    classes = np.arange(p.shape[1])
    predicted = p.argmax(axis=1)
    ours = metrics.averaged_scores(metrics.confusion_matrix(y, predicted, len(classes)), weighted)
    *theirs, _ = sk.precision_recall_fscore_support(
        y, predicted, labels=classes, average="weighted" if weighted else "macro", zero_division=np.nan
    )
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=EXACT)


def test_an_average_over_no_class_is_undefined():
    assert np.isnan(metrics.averaged_scores(np.zeros((2, 2), dtype=int))).all()
    # only class 1 was predicted, and never occurred: its precision is all there is, whatever it weighs
    assert metrics.averaged_scores(np.array([[0, 3], [0, 0]]), weighted=True).precision == 0


@given(predictions(), st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_top_k_accuracy_agrees_with_scikit_learn(data, k):
    p, y = data
    classes = np.arange(p.shape[1])
    k = min(k, len(classes))
    if k == 1:
        assert metrics.top_k_accuracy(p, y, 1) == metrics.accuracy(p, y)
    elif k == len(classes):
        assert metrics.top_k_accuracy(p, y, k) == 1.0
    else:
        # scikit-learn counts the last of equals first: turned around, they agree where zeros are tied too
        theirs = sk.top_k_accuracy_score(len(classes) - 1 - y, p[:, ::-1], k=k, labels=classes)
        assert metrics.top_k_accuracy(p, y, k) == pytest.approx(theirs, abs=EXACT)


@given(predictions())
@settings(max_examples=40, deadline=None)
def test_roc_auc_is_the_share_of_pairs_in_order(data):
    p, y = data
    if len(np.unique(y)) < 2:
        return
    areas = []
    for k in np.unique(y):
        mine, others = p[y == k, k][:, None], p[y != k, k]
        areas.append(np.mean((mine > others) + 0.5 * (mine == others)))
    assert metrics.roc_auc(p, y) == pytest.approx(np.mean(areas), abs=EXACT)
    if len(areas) == p.shape[1] > 2:
        theirs = sk.roc_auc_score(y, p, multi_class="ovr", average="macro")
        assert metrics.roc_auc(p, y) == pytest.approx(theirs, abs=EXACT)


P = np.array([[0.6, 0.4], [0.3, 0.7]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.accuracy(P, np.array([0])), r"shape \(2, 2\) with labels of shape \(1,\)"),
        (lambda: metrics.log_loss(P[0], np.array([0, 1])), r"shape \(2,\)"),
        (lambda: metrics.accuracy(P[:0], np.array([], dtype=int)), r"shape \(0, 2\)"),
        (lambda: metrics.brier_loss(P * np.nan, np.array([0, 1])), "contain NaN; leave out diverged"),
        (lambda: metrics.correctness(P, np.array([0, 2])), "label 2 in row 1 of 2 classes"),
        (lambda: metrics.correctness(P, np.array([-1, 0])), "label -1 in row 0"),
        (lambda: metrics.correctness(P, np.array([0.0, 1.0])), "labels of type float64"),
        (lambda: metrics.top_k_accuracy(P, np.array([0, 1]), k=3), "the 3 most probable of 2 classes"),
        (lambda: metrics.top_k_accuracy(P, np.array([0, 1]), k=0), "from 1 to 2"),
        (lambda: metrics.roc_auc(P, np.array([1, 1])), "all belong to class 1"),
        (lambda: metrics.averaged_scores(np.ones(4, dtype=int)), r"shape \(4,\)"),
        (lambda: metrics.confusion_matrix(np.array([0]), np.array([0, 1]), 2), "one of each per example"),
        (lambda: metrics.confusion_matrix(np.array([0]), np.array([3]), 2), "prediction 3 in row 0"),
        (lambda: metrics.class_scores(np.ones((2, 3), dtype=int)), r"shape \(2, 3\)"),
    ],
)
def test_bad_input_is_refused_with_one_line(call, message):
    with pytest.raises(DataError, match=message) as error:
        call()
    assert "\n" not in str(error.value)
