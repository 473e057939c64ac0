import numpy as np
import pytest
import sklearn.metrics as oracle

from wellfit.analysis.comparisons import compare_pairs, paired_comparison
from wellfit.analysis.intervals import two_way_interval
from wellfit.analysis.metrics import brier_loss, log_loss
from wellfit.analysis.scores import MARGINS, SCORED, scores_of
from wellfit.base import TestRows
from wellfit.errors import DataError, StudyFileError


def outcomes(n=400, K=4, seed=0, skill=1.5):
    """Unequal classes, probabilities of some skill."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(K, n, p=np.arange(1, K + 1) / (K * (K + 1) / 2))
    logits = rng.normal(size=(n, K)) + skill * np.eye(K)[labels] * rng.random((n, 1))
    p = np.exp(logits)
    return p / p.sum(axis=1, keepdims=True), labels


def value(metric, p, labels):
    """The metric by scikit-learn, the larger the better."""
    predicted = p.argmax(axis=1)
    return {
        "accuracy": lambda: oracle.accuracy_score(labels, predicted),
        "balanced_accuracy": lambda: oracle.balanced_accuracy_score(labels, predicted),
        "macro_f1": lambda: oracle.f1_score(labels, predicted, average="macro"),
        "roc_auc": lambda: np.mean([oracle.roc_auc_score(labels == k, p[:, k]) for k in np.unique(labels)]),
        "log_loss": lambda: -oracle.log_loss(labels, p, labels=range(p.shape[1])),
        "brier": lambda: -brier_loss(p, labels),
    }[metric]()


@pytest.mark.parametrize("metric", SCORED)
@pytest.mark.parametrize("K", [2, 4])
def test_the_mean_score_is_the_metric(metric, K):
    p, labels = outcomes(K=K)
    (scores,) = scores_of(metric, [(p, labels)])
    assert scores.mean() == pytest.approx(value(metric, p, labels), rel=1e-12)
    assert scores.shape == labels.shape


def mean_score(metric, p, labels):
    return scores_of(metric, [(p, labels)])[0].mean()


@pytest.mark.parametrize("metric", SCORED)
@pytest.mark.parametrize("difference", [False, True])
def test_the_spread_of_the_scores_is_that_of_the_metric(metric, difference):
    """Against the bootstrap of the metric itself, which is a mean score, as the test above shows."""
    (p, labels), noise = outcomes(), np.random.default_rng(3).dirichlet(np.ones(4), 400)
    q = 0.8 * p + 0.2 * noise
    rng = np.random.default_rng(2)
    draws = [rng.integers(0, 400, 400) for _ in range(400)]
    ours = [mean_score(metric, p[i], labels[i]) for i in draws]
    scores = scores_of(metric, [(p, labels)])[0]
    if difference:
        ours = np.subtract(ours, [mean_score(metric, q[i], labels[i]) for i in draws])
        scores = np.subtract(scores, scores_of(metric, [(q, labels)])[0], dtype=float)
    # 400 draws know a standard deviation to 3.5 %: four standard errors
    assert scores.std(ddof=1) / 20 == pytest.approx(np.std(ours), rel=0.14)


def test_folds_are_counted_together():
    p, labels = outcomes(n=200)
    tests = [(p[k::5], labels[k::5]) for k in range(5)]
    for metric in ("balanced_accuracy", "macro_f1", "accuracy", "brier", "log_loss"):
        found = scores_of(metric, tests, together=True)
        assert [len(one) for one in found] == [40] * 5
        assert np.concatenate(found).mean() == pytest.approx(value(metric, p, labels), rel=1e-12)
    areas = scores_of("roc_auc", tests, together=True)
    assert [one.mean() for one in areas] == pytest.approx([value("roc_auc", *test) for test in tests])


def test_a_class_that_occurs_only_among_the_predictions_counts_for_f1_as_in_scikit_learn():
    p, labels = outcomes(K=3)
    labels = np.where(labels == 0, 1, labels)
    for metric in ("macro_f1", "balanced_accuracy", "roc_auc"):
        (scores,) = scores_of(metric, [(p, labels)])
        with np.errstate(all="ignore"):
            expected = value(metric, p, labels) if metric != "balanced_accuracy" else np.mean(
                [np.mean(p.argmax(1)[labels == k] == k) for k in (1, 2)])  # fmt: skip
        assert scores.mean() == pytest.approx(expected)


def test_every_metric_gives_comparisons_and_intervals():
    tested = TestRows({s: np.arange(300)[s::5] for s in range(5)}, 300)
    _, labels = outcomes(n=300)
    of = {skill: outcomes(n=300, skill=skill)[0] for skill in (0.5, 4.0)}
    for metric in SCORED:
        tests = {name: [(of[skill][r], labels[r]) for r in tested.rows.values()] for name, skill in
                 (("weak", 0.5), ("strong", 4.0))}  # fmt: skip
        runs = {name: dict(enumerate(scores_of(metric, test, together=True))) for name, test in tests.items()}
        (found,) = compare_pairs(runs, [("strong", "weak")], MARGINS[metric], tested=tested, metric=f"test_{metric}")
        assert found.verdict == "better"
        mean, (low, high) = two_way_interval(list(runs["strong"].values()), tested=tested)
        assert low < mean < high


def test_the_losses_are_those_of_the_metrics():
    p, labels = outcomes()
    assert scores_of("log_loss", [(p, labels)])[0].mean() == pytest.approx(-log_loss(p, labels))
    one = scores_of("accuracy", [(p, labels)] * 2)
    assert paired_comparison(*([x] * 2 for x in one)).difference == 0
    assert one[0].dtype == bool


def test_bad_input_is_refused_with_one_line():
    p, labels = outcomes()
    with pytest.raises(StudyFileError, match="metric 'f2'; use one of accuracy, "):
        scores_of("f2", [(p, labels)])
    with pytest.raises(DataError, match="all belong to class 1"):
        scores_of("roc_auc", [(p, np.ones_like(labels))])
