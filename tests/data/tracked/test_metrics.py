"""Which metric is the test accuracy, and which epochs curves have."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from wellfit.data.tracked.metrics import accuracies_of, history_of
from wellfit.data.tracked.runs import Tracked, TrackedRun
from wellfit.errors import DataError


def runs(*metrics: Mapping[str, float]) -> list[TrackedRun]:
    return [TrackedRun(f"run {at}", metrics=of) for at, of in enumerate(metrics)]


def test_the_only_test_accuracy_is_taken():
    found = accuracies_of(runs({"val_acc": 0.9, "test/accuracy": 0.8}, {"test/accuracy": 0.7}), Tracked())
    assert found == ([0.8, 0.7], ["Accuracy: the last test/accuracy of each run."], "")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("val_acc", "It is of validation examples: where these chose an epoch or a setting, it is too high."),
        ("train_acc", "It is of training examples, and says nothing about others."),
        ("acc", "Its name does not say of which examples; it must be the test set."),
        ("best_test_acc", "If it is the best of several epochs, it is too high"),
        ("value", "Its name does not say"),
    ],
)
def test_what_speaks_against_a_chosen_metric_is_said(name: str, said: str):
    _, notes, caution = accuracies_of(runs({name: 0.9}), Tracked(accuracy=name))
    assert said in caution == notes[0]
    assert caution.endswith("Tables call it the test accuracy.")


def test_percent_is_only_taken_when_said():
    values, notes, _ = accuracies_of(runs({"test_acc": 91.0}, {"test_acc": 0.5}), Tracked(percent=True))
    np.testing.assert_allclose(values, [0.91, 0.005])
    assert notes[0] == "Accuracy: the last test_acc of each run, in percent."
    assert notes[1:] == ["Check test_acc: it is at most 1 percent in 1 of 2 runs."]


NAN = float("nan")


@pytest.mark.parametrize(
    ("metrics", "tracked", "message"),
    [
        ([{}], Tracked(), "run 0: has no metrics; log the test accuracy, or judge predictions"),
        (
            [{"loss": 1.0}],
            Tracked(),
            r"no metric is called a test accuracy; say with --accuracy NAME which is \(metrics",
        ),
        ([{"val_acc": 0.9, "n": 1}], Tracked(), r"one of validation is not the test accuracy \(metrics: val_acc, n\)"),
        ([{"test_acc": 0.9, "test/top1": 0.9}], Tracked(), "'test_acc', 'test/top1' could each be the test accuracy"),
        ([{"test_acc": 0.9}, {"val_acc": 0.9}], Tracked(), "run 1: has no metric 'test_acc', which 1 of 2 runs have"),
        ([{"val_acc": 0.9}], Tracked(accuracy="valacc"), "no run has the metric 'valacc'; did you mean 'val_acc'?"),
        ([{"test_f1": 0.9}], Tracked(accuracy="test_f1"), r"'test_f1' is no plain accuracy \(f1\)"),
        ([{"test_acc": 91.0}], Tracked(), "test_acc 91 is not between 0 and 1; if .* percentages, give --percent"),
        ([{"test_acc": -1.0}], Tracked(), "test_acc -1 is not between 0 and 1; give shares between 0 and 1"),
        ([{"test_acc": NAN}], Tracked(), "test_acc nan is not between 0 and 1; leave the run out if it diverged"),
        (
            [{"test_acc": 0.9}],
            Tracked(percent=True),
            "no 'test_acc' is above 1, so these are shares; leave out --percent",
        ),
        ([{"test_acc": 910.0}], Tracked(percent=True), "test_acc 910 is not between 0 and 100; give percentages"),
    ],
)
def test_metrics_that_cannot_be_judged_are_one_line(
    metrics: list[dict[str, float]], tracked: Tracked, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        accuracies_of(runs(*metrics), tracked)
    assert "\n" not in str(caught.value)


# --- Curves -----------------------------------------------------------------------------------------------------------


def curves(**of: dict[int, float]) -> TrackedRun:
    return TrackedRun("run", curves=of)


@pytest.mark.parametrize("first", [0, 1])
def test_steps_that_count_are_epochs(first: int):
    history, notes = history_of(
        curves(val_loss={first: 3.0, first + 1: 2.0, first + 2: 1.0}, train_acc={first + 1: 0.5})
    )
    assert history is not None
    assert (history["validation_loss"].tolist(), notes) == ([3, 2, 1], [])
    np.testing.assert_array_equal(history["train_accuracy"], [np.nan, 0.5, np.nan])


def test_other_steps_are_numbered_by_validation_and_said():
    history, notes = history_of(
        curves(val_loss={100: 2.0, 200: 1.0}, train_loss={50: 9.0, 90: 8.0, 150: 7.0, 250: 6.0})
    )
    assert history is not None
    assert history["validation_loss"].tolist() == [2, 1]
    assert history["train_loss"].tolist() == [8, 7]
    assert notes == [
        "Curves: their steps are no epochs; the measurements on validation examples are numbered 1, 2, ..."
    ]
    history, notes = history_of(curves(train_loss={10: 2.0, 20: 1.0}))
    assert history is not None
    assert history["train_loss"].tolist() == [2, 1]
    assert "the logged steps are numbered" in notes[0]


def test_a_value_of_an_earlier_epoch_is_not_repeated():
    history, _ = history_of(curves(val_loss={10: 3.0, 20: 2.0, 30: 1.0}, train_loss={5: 9.0, 25: 8.0}))
    assert history is not None
    np.testing.assert_array_equal(history["train_loss"], [9, np.nan, 8])


def test_curves_of_other_metrics_and_doubtful_ones_are_left_out():
    assert history_of(curves(val_f1={0: 1.0}, loss={0: 1.0}, test_acc={0: 1.0}, best_val_acc={0: 1.0})) == (None, [])
    history, notes = history_of(curves(val_loss={0: 1.0}, valid_loss={0: 2.0}))
    assert (history, notes) == (None, ["Curves: val_loss, valid_loss are all the validation loss; none is shown."])
    history, _ = history_of(curves(train_loss_step={0: 1.0}, train_loss_epoch={0: 2.0}, train_loss={0: 3.0}))
    assert history is not None
    assert history["train_loss"].tolist() == [2]


def test_more_steps_than_epochs_can_be_are_one_line():
    with pytest.raises(DataError, match="run: curves of 1,000,001 steps; log once an epoch"):
        history_of(curves(val_loss=dict.fromkeys(range(1_000_001), 1.0)))
