"""When to stop and what to train longer, and that the findings say the same."""

import dataclasses

import numpy as np

from sweeps import FALLING, FOUR, RISEN, gaining, scored, tables
from sweeps import advised as texts
from wellfit.base import Finding, History, SearchResult


def test_the_first_and_the_best_get_an_epoch_to_stop():
    summary = scored(FOUR, gaining({"dropout": 0.03}, 0.002), loss=lambda n: RISEN)
    (text,) = (text for text in texts(summary) if text.startswith("Stop"))
    assert text == (
        "Stop baseline at epoch 10 [10, 10] and dropout at epoch 10 [10, 10], where their validation losses are lowest "
        "(medians) and then rise for good."
    )


def test_a_rule_that_stops_already_is_not_advised_again():
    study = tables({"baseline": {"early_stopping": {"patience": 3, "restore_best_weights": True}}, "l2": {"l2": 1e-3}})
    given_ = texts(scored(study, gaining({}), loss=lambda n: RISEN))
    assert not any(text.startswith("Stop") for text in given_)


def test_what_still_improves_is_trained_longer_and_not_stopped():
    given_ = texts(scored(FOUR, gaining({"dropout": 0.03}, 0.002), loss=lambda n: FALLING))
    (text,) = (text for text in given_ if text.startswith("Train"))
    assert text == (
        "Train baseline and dropout longer, because the validation loss was still falling after 20 epochs: --epochs 40"
    )
    assert not any(text.startswith("Stop") for text in given_)


def test_a_searched_study_is_trained_longer_elsewhere():
    summary = scored(FOUR, gaining({}), loss=lambda n: FALLING)
    searched = dataclasses.replace(summary, search=SearchResult((), 4, "validation_accuracy", 2, "found"))
    (text,) = (text for text in texts(searched) if text.startswith("Train"))
    assert "--epochs 40 --out NEW, since what a search found with these epochs belongs to them" in text


def test_longer_is_not_advised_where_the_learning_rate_is_too_low():
    summary = scored(FOUR, gaining({}), loss=lambda n: FALLING)
    low = Finding(
        "learning-rate-low", "warning", "2 of 4 variants learn slowly. l2: slow. baseline: slow.", "Raise it."
    )
    assert any(text.startswith("Train baseline") for text in texts(summary))
    assert not any(text.startswith("Train ") for text in texts(dataclasses.replace(summary, findings=(low,))))
    alone = dataclasses.replace(low, message="baseline learned too slowly: it did.")
    assert not any(text.startswith("Train ") for text in texts(dataclasses.replace(summary, findings=(alone,))))
    other = dataclasses.replace(low, message="l2 learned too slowly: it did.")
    assert any(text.startswith("Train baseline") for text in texts(dataclasses.replace(summary, findings=(other,))))


def test_accuracy_that_keeps_rising_is_mentioned():
    summary = scored(tables({"baseline": {}}), gaining({}), loss=lambda n: RISEN)
    rising = {
        s: History({"validation_loss": RISEN, "validation_accuracy": np.linspace(0.7, 0.8 + s / 1000, 20)})
        for s in range(5)
    }
    (text,) = texts(dataclasses.replace(summary, histories={"baseline": rising}))
    assert text.endswith("; accuracy, however, keeps rising, by 5.4 points [5.3, 5.5] in baseline by the last epoch.")
    (text,) = texts(dataclasses.replace(summary, histories={"baseline": rising}, metric="brier"))
    assert "; validation accuracy, however, keeps rising" in text


def test_noise_that_hides_a_fall_in_each_run_does_not_in_all_of_them():
    rng = np.random.default_rng(0)
    noisy = {s: History({"validation_loss": np.linspace(0.5, 0.42, 20) + rng.normal(0, 0.01, 20)}) for s in range(5)}
    summary = scored(tables({"baseline": {}}), gaining({}))
    (text,) = texts(dataclasses.replace(summary, histories={"baseline": noisy}))
    assert text.startswith("Train baseline longer, because the validation loss")
