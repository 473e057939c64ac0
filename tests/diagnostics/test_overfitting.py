"""Overfitting as a finding, calibration that worsens, and dropout that explains."""

from dataclasses import replace

import numpy as np
import pytest

from seen_runs import fixes, history, row, variant
from wellfit.analysis.intervals import median_interval
from wellfit.base import Augmentation, EarlyStopping, Recipe, VariantSummary
from wellfit.diagnostics.overfitting import (
    calibration_worsened,
    dropout_explains,
    onset,
    overfitting,
    with_onsets,
)
from wellfit.spec.study import load_study

E = np.arange(1, 21)
CONVERGED = 0.4 + 0.5 * np.exp(-E / 2)
FALLING = 0.9 * np.exp(-E / 8)


def rising(turn=8, scale=0.01):
    return 0.4 + 0.4 * np.exp(-E) + scale * np.maximum(E - turn, 0)


def over(runs, recipe=None, others=()):
    seen = variant("l2", runs, recipe)
    return overfitting(seen, [seen, *others], 0.1)


def test_onset_rise_and_gap_have_intervals():
    runs = [
        history(validation_loss=rising(turn), train_accuracy=0.95 + shift, train_loss=FALLING)
        for turn, shift in ((7, 0), (8, 0.01), (9, -0.01))
    ]
    found = over(runs)
    assert found.level == "warning"
    # Smoothing moves a corner that is flat on its left by one epoch.
    assert "is lowest after epoch 7 (median of 3 runs; 6 to 8)" in found.evidence
    assert "training minus validation accuracy is 7.0 points [4.5, 9.5]" in found.evidence  # 4.303 * 1 / sqrt(3) = 2.48
    assert found.strength == pytest.approx(0.27, abs=0.04)
    for text in fixes(found.fix):
        assert load_study("lab5", settings=[text]).variants["stop"]


def test_what_is_no_overfitting():
    good, bad = history(validation_loss=CONVERGED), history(validation_loss=rising())
    assert over([bad, good, good]) is None
    restored = Recipe(early_stopping=EarlyStopping(patience=3, restore_best_weights=True))
    assert over([bad] * 3, restored) is None
    assert over([history(validation_loss=rising(), train_accuracy=0.11)] * 3) is None
    assert over([history(validation_loss=rising()[:4])] * 3) is None


def test_training_loss_that_rises_as_well_is_no_overfitting():
    assert over([history(validation_loss=rising(), train_loss=rising())] * 3) is None


def test_weights_that_are_kept_can_be_restored():
    found = over([history(validation_loss=rising())] * 3, Recipe(early_stopping=EarlyStopping(patience=3)))
    assert fixes(found.fix) == ["train.early_stopping.restore_best_weights=true"]
    assert found.code == "overfitting"
    stopped = variant(
        "a", [history(validation_loss=rising())] * 3, Recipe(early_stopping=EarlyStopping(3)), ["stopped"] * 3
    )
    assert overfitting(stopped, [stopped], 0.1).code == "best-not-restored"
    other = variant("stop", [], Recipe(early_stopping=EarlyStopping(patience=3)))
    assert "Stop earlier, as stop does, or add" in over([history(validation_loss=rising())] * 3, None, [other]).fix


def test_all_runs_together_overcome_noise():
    epochs, rng = np.arange(1, 41), np.random.default_rng(0)
    rise = 0.30 + 0.2 * np.exp(-epochs / 3) + 0.0012 * np.maximum(epochs - 15, 0)
    noisy = [
        history(validation_loss=rise + rng.normal(0, 0.01, 40), train_loss=0.3 * np.exp(-epochs / 20)) for _ in range(8)
    ]
    assert sum(over([run]) is not None for run in noisy) < 4
    assert over(noisy) is not None


def test_calibration_worsens_if_loss_and_accuracy_rise():
    def found(loss, accuracy, seeds=3):
        runs = [history(validation_loss=loss, validation_accuracy=accuracy + 0.001 * s) for s in range(seeds)]
        seen = variant("a", runs)
        return calibration_worsened(seen, [seen])

    up, flat = np.linspace(0.7, 0.9, 20), np.full(20, 0.9)
    assert "validation accuracy rose by" in found(rising(), up).evidence
    assert found(rising(), flat) is None
    assert found(rising(), up[::-1]) is None
    assert found(CONVERGED, up) is None
    assert found(rising(), up, seeds=2) is None
    for text in fixes(found(rising(), up).fix):
        assert load_study("lab5", settings=[text])


def test_dropout_explains_a_low_running_accuracy():
    runs = [history(validation_loss=CONVERGED, running_accuracy=0.82)] * 3
    found = dropout_explains(variant("d", runs, Recipe(dropout=(0.0, 0.5))))
    assert found.fix == ""
    assert all(number in found.evidence for number in ("82.0 %", "88.0 %", "90.0 %"))
    assert dropout_explains(variant("d", runs)) is None
    above = [history(validation_loss=CONVERGED)] * 3
    assert dropout_explains(variant("d", above, Recipe(dropout=0.5))) is None


def test_augmentation_explains_it_too_but_not_a_low_training_accuracy():
    runs = [history(validation_loss=CONVERGED, running_accuracy=0.82)] * 3
    recipe = Recipe(dropout=0.3, augmentation=Augmentation(shift=0.1))
    assert "is measured with dropout and augmentation on" in dropout_explains(variant("d", runs, recipe)).evidence
    assert "with augmentation on" in dropout_explains(variant("d", runs, replace(recipe, dropout=None))).evidence
    low = [history(validation_loss=CONVERGED, running_accuracy=0.7, train_accuracy=0.8)] * 3
    assert dropout_explains(variant("d", low, recipe)) is None


def test_the_runs_and_the_finding_have_the_same_onsets():
    runs = {s: history(validation_loss=rising(turning), train_loss=FALLING) for s, turning in enumerate((7, 8, 9))}
    level = dict.fromkeys(runs, history(validation_loss=CONVERGED))
    rows = tuple(row(s, epochs=20, train_accuracy=0.9) for s in runs)
    of = [VariantSummary(name, {}, 1, rows, {}, {}, 1.0, {}) for name in ("up", "level")]
    up, flat = with_onsets(of, {"up": runs, "level": level}, {"up": Recipe(), "level": Recipe()}, 0.1).variants
    assert [run.overfit_onset for run in flat.runs] == [None] * 3
    middle = median_interval([run.overfit_onset for run in up.runs])
    seen = variant("up", list(runs.values()))
    evidence = overfitting(seen, [seen], 0.1).evidence
    assert f"is lowest after epoch {middle.median:g} (median of 3 runs; {middle.low:g} to {middle.high:g})" in evidence
    assert onset(variant("none", []), (), 0.1) is None


def test_a_rise_with_another_cause_has_no_onset_and_says_which():
    up = rising(scale=0.06)
    histories = {
        "overfits": dict.fromkeys(range(5), history(validation_loss=up, train_loss=FALLING)),
        "goes wrong": dict.fromkeys(range(5), history(validation_loss=up, train_loss=up)),
        "has not learned": dict.fromkeys(range(5), history(validation_loss=up, train_loss=FALLING, train_accuracy=0.3)),
        "level": dict.fromkeys(range(5), history(validation_loss=CONVERGED, train_loss=FALLING)),
    }
    accuracies = {"has not learned": 0.3}
    of = [
        VariantSummary(
            name,
            {},
            1,
            tuple(row(s, epochs=20, train_accuracy=accuracies.get(name, 0.9)) for s in runs),
            {},
            {},
            1.0,
            {},
        )
        for name, runs in histories.items()
    ]
    recipes = dict.fromkeys(histories, Recipe())
    found, causes = with_onsets(of, histories, recipes, 0.1)
    assert [v.name for v in found if v.runs[0].overfit_onset] == ["overfits"]
    assert causes == {
        "goes wrong": "training loss rose",
        "has not learned": "hardly learned",
    }


def test_a_negligible_difference_needs_no_explanation():
    last = {"validation_loss": np.full(3, 0.4), "running_accuracy": 0.879, "validation_accuracy": 0.88}
    assert dropout_explains(variant("a", [history(**last)], Recipe(dropout=0.5))) is None


def test_the_setting_that_stops_earlier_fits_a_line_of_a_terminal():
    fix = over([history(validation_loss=rising())] * 3).fix
    setting = fix[fix.index("--set") :]
    assert len(f"  {setting}") <= 80


def tried(verdict, **changes):
    """A variant with these settings and its verdict against the first."""
    return replace(variant("tried", [], Recipe(**changes)), verdict=verdict)


@pytest.mark.parametrize(
    ("others", "start", "end"),
    [
        ([], "Add or strengthen l2 or dropout, or stop earlier: ", "}\""),
        ([tried("undecided", l2=1e-3)], "Add or strengthen l2 or dropout, or stop earlier: ", "}\""),
        ([tried("worse", l2=1e-3), tried("undecided", l2=1e-4)], "Add or strengthen l2 or dropout, or ", "}\""),
        ([tried("worse", l2=1e-3, dropout=0.5)], "Add or strengthen l2 or dropout, or ", "}\""),
        ([tried("worse", l2=1e-3)], "L2 was worse in this study's test. Add or strengthen dropout, or stop", "}\""),
        (
            [tried("worse", l2=1e-3), tried("worse", dropout=0.5)],
            "L2 and dropout were worse in this study's test. Stop earlier: ", "}\"",
        ),
        ([tried("better", early_stopping=EarlyStopping(3))], "Stop earlier, as tried does, or add", "l2 or dropout."),
        (
            [tried("worse", early_stopping=EarlyStopping(3))],
            "Add or strengthen l2 or dropout. Early ", " was worse in this study's test.",
        ),
        (
            [tried("worse", **{key: value}) for key, value in
             {"l2": 1e-3, "dropout": 0.5, "early_stopping": EarlyStopping(3)}.items()],
            "Add training examples or augmentation. L2, dropout and early ", " were worse in this study's test.",
        ),
    ],
)  # fmt: skip
def test_what_was_worse_is_not_recommended_again_and_that_is_said(others, start, end):
    fix = over([history(validation_loss=rising())] * 3, others=others).fix
    assert fix.startswith(start)
    assert fix.endswith(end)
