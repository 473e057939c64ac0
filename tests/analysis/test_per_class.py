import numpy as np
import pytest
from sklearn import metrics as sk

from wellfit.analysis.confusions import confusion_difference
from wellfit.analysis.intervals import t_interval, two_way_interval, wilson_interval
from wellfit.analysis.per_class import class_table, ensemble
from wellfit.base import TestRows

EXACT = 1e-12


@pytest.fixture(scope="module")
def runs():
    """Three runs on 200 examples of 5 classes, right more often than not."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, 200)
    p = rng.dirichlet(np.full(5, 0.5), size=(3, 200))
    p[:, np.arange(200), labels] += 0.6
    return p / p.sum(axis=2, keepdims=True), labels


def table_of(name, p, labels, difference=None):
    """The table of runs that all judge all examples."""
    return class_table(name, [(run, labels) for run in p], p.argmax(axis=2), labels, difference)


def test_scores_are_the_means_of_scikit_learns(runs):
    p, labels = runs
    table = table_of("l2", p, labels)
    theirs = [sk.precision_recall_fscore_support(labels, run.argmax(axis=1)) for run in p]
    for ours, column in ((table.precision, 0), (table.recall, 1), (table.f1, 2), (table.support, 3)):
        np.testing.assert_allclose(ours, np.mean([scores[column] for scores in theirs], axis=0), atol=EXACT)
    expected = {
        "macro_precision": [sk.precision_score(labels, run.argmax(axis=1), average="macro") for run in p],
        "macro_recall": [sk.recall_score(labels, run.argmax(axis=1), average="macro") for run in p],
        "macro_f1": [sk.f1_score(labels, run.argmax(axis=1), average="macro") for run in p],
        "weighted_f1": [sk.f1_score(labels, run.argmax(axis=1), average="weighted") for run in p],
        "top_k": [sk.top_k_accuracy_score(labels, run, k=3) for run in p],
        "roc_auc": [sk.roc_auc_score(labels, run, multi_class="ovr") for run in p],
    }
    assert table.averages.keys() == expected.keys()
    for name, values in expected.items():
        mean, interval = table.averages[name]
        assert mean == pytest.approx(np.mean(values), abs=EXACT)
        assert interval == pytest.approx(np.clip(t_interval(values), 0, 1), abs=EXACT)


def test_recall_has_a_two_way_interval_of_its_class(runs):
    p, labels = runs
    table = table_of("l2", p, labels)
    for k in range(5):
        mean, interval = two_way_interval(p.argmax(axis=2)[:, labels == k] == k)
        assert table.recall[k] == pytest.approx(mean, abs=EXACT)
        assert (table.recall_low[k], table.recall_high[k]) == pytest.approx(interval)


def test_gains_are_differences_of_recall(runs):
    p, labels = runs
    other = np.roll(p, 1, axis=1)
    text = p.argmax(axis=2), other.argmax(axis=2)
    difference = confusion_difference("l2", "baseline", *text, labels, 5)
    table = table_of("l2", p, labels, difference)
    expected = table.recall - table_of("baseline", other, labels).recall
    np.testing.assert_allclose(table.gain, expected, atol=EXACT)
    assert (table.gain_low < table.gain).all()
    assert (table.gain < table.gain_high).all()
    assert table_of("baseline", other, labels).gain is None


def test_a_class_of_which_a_fold_has_one_example_has_no_interval():
    labels = np.repeat([0, 1], [6, 3])
    folds = [np.array([0, 1, 6]), np.array([2, 3, 7]), np.array([4, 5, 8])]
    predicted = np.full((3, 9), -1)
    for seed, rows in enumerate(folds):
        predicted[seed, rows] = labels[rows]
    predicted[0, 6] = 0
    tests = [(np.eye(2)[run[run >= 0]] * 0.8 + 0.1, labels[run >= 0]) for run in predicted]
    table = class_table("l2", tests, predicted, labels)
    assert table.recall.tolist() == [1.0, pytest.approx(2 / 3)]
    assert table.support.tolist() == [6, 3]
    assert np.isnan(table.recall_low).tolist() == np.isnan(table.recall_high).tolist() == [False, True]


def test_one_seed_and_rare_classes_leave_gaps_without_a_warning():
    p = np.array([[[0.9, 0.1, 0.0], [0.8, 0.2, 0.0], [0.6, 0.4, 0.0]]])
    table = table_of("l2", p, np.array([0, 0, 1]))
    assert table.precision[0] == pytest.approx(2 / 3)
    assert np.isnan(table.precision[1:]).all()
    assert np.isnan(table.recall_low).all()
    assert table.averages["macro_recall"] == (0.5, None)
    assert "top_k" not in table.averages  # three classes: always 1
    alone = table_of("l2", p[:, :2], np.array([0, 0]))
    assert "roc_auc" not in alone.averages


def test_an_ensemble_is_the_mean_of_its_members(runs):
    p, labels = runs
    found = ensemble("l2", p, labels)
    mean = p.mean(axis=0)
    right = sk.accuracy_score(labels, mean.argmax(axis=1))
    assert found.accuracy == pytest.approx(right, abs=EXACT)
    assert found.loss == pytest.approx(sk.log_loss(labels, mean), rel=1e-9)
    assert found.single == pytest.approx(np.mean([sk.accuracy_score(labels, run.argmax(axis=1)) for run in p]))
    assert found.interval == wilson_interval(right * 200, 200)
    assert found.members == 3


def test_with_folds_every_run_is_scored_on_the_examples_that_it_judged(runs):
    p, labels = runs
    rows = np.array_split(np.random.default_rng(1).permutation(200), 3)
    predicted = np.full((3, 200), -1)
    for seed, of in enumerate(rows):
        predicted[seed, of] = p[seed, of].argmax(axis=1)
    table = class_table("l2", [(run[of], labels[of]) for run, of in zip(p, rows, strict=True)], predicted, labels)
    together = predicted.max(axis=0)
    theirs = sk.precision_recall_fscore_support(labels, together)
    for ours, column in ((table.precision, 0), (table.recall, 1), (table.f1, 2)):
        np.testing.assert_allclose(ours, theirs[column], atol=EXACT)
    aucs = [sk.roc_auc_score(labels[of], run[of], multi_class="ovr") for run, of in zip(p, rows, strict=True)]
    assert table.averages["roc_auc"][0] == pytest.approx(np.mean(aucs), abs=EXACT)
    assert table.support.tolist() == np.bincount(labels).tolist()
    tested = TestRows(
        {seed: np.flatnonzero((predicted[seed] >= 0)[labels == 0]) for seed in range(3)}, sum(labels == 0)
    )
    of_class = [predicted[seed, (labels == 0) & (predicted[seed] >= 0)] == 0 for seed in range(3)]
    assert (table.recall_low[0], table.recall_high[0]) == pytest.approx(two_way_interval(of_class, tested=tested)[1])
