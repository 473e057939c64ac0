import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wellfit.analysis.diagnostics import best_epoch, overfit_onset, training_findings
from wellfit.base import EarlyStopping, History, Recipe

EPOCHS = 20
E = np.arange(1, EPOCHS + 1)
CONVERGED = 0.4 + 0.5 * np.exp(-E / 2)
RISING = 0.4 + 0.4 * np.exp(-E) + 0.01 * np.maximum(E - 8, 0)
FALLING = 1.0 - 0.03 * E


def history(loss=CONVERGED, **last):
    """A history with this validation loss, and columns that are constant at what ``last`` says."""
    values = {"train_accuracy": 0.9, "validation_accuracy": 0.88, "running_accuracy": 0.89, "train_loss": 0.3} | last
    return History({"validation_loss": np.asarray(loss)} | {k: np.full(len(loss), v) for k, v in values.items()})


def findings(histories, recipe=None, states=None, chance=0.1, name="l2"):
    """Findings of one variant with three runs or more, by code."""
    runs = dict(enumerate(histories))
    states = dict(enumerate(states or ["finished"] * len(runs)))
    found = training_findings({name: runs}, {name: states}, {name: recipe or Recipe()}, chance)
    by_code = {f.code: f for f in found}
    assert len(by_code) == len(found)
    return by_code


# --- Curves -----------------------------------------------------------------------------------------------------------


def test_best_epoch_is_the_first_of_the_lowest_and_passes_over_nan():
    assert best_epoch(history([0.5, np.nan, 0.3, 0.3, np.inf])) == 3
    assert best_epoch(history([np.nan, -np.inf])) is None
    assert best_epoch(history([])) is None


def test_onset_is_found_where_the_loss_begins_to_rise():
    assert overfit_onset(history(RISING)) == pytest.approx(8, abs=1)  # smoothing may move a corner by an epoch
    noisy = RISING + np.random.default_rng(0).normal(size=EPOCHS) * 0.005
    assert overfit_onset(history(noisy)) == pytest.approx(8, abs=2)


@pytest.mark.parametrize("loss", [CONVERGED, FALLING, [0.9, 0.5, 0.6, 0.7], [np.nan] * 9, 0.4 + 0 * E])
def test_no_onset_where_the_loss_does_not_rise_or_is_too_short(loss):
    assert overfit_onset(history(loss)) is None


def test_a_rise_below_one_percent_is_of_no_interest():
    assert overfit_onset(history(0.4 + 0.0001 * E)) is None


def test_a_single_leap_at_the_start_does_not_hide_a_rise():
    loss = RISING.copy()
    loss[2] = 5.0
    assert overfit_onset(history(loss)) == pytest.approx(8, abs=1)


@pytest.mark.parametrize("epochs", [5, 10, 30, 100])
def test_flat_noise_is_rarely_called_overfitting(epochs):
    rng = np.random.default_rng(epochs)
    called = sum(overfit_onset(history(0.5 + 0.02 * rng.normal(size=epochs))) is not None for _ in range(500))
    assert called / 500 <= 0.075  # measured: 3 to 5 %; 7.5 % leaves 2.5 Monte Carlo deviations


@given(st.lists(st.floats(0.1, 5) | st.just(np.nan), max_size=30))
@settings(max_examples=100, deadline=None)
def test_onset_is_an_epoch_with_a_loss_or_none(loss):
    onset = overfit_onset(history(loss))
    assert onset is None or np.isfinite(loss[onset - 1])


# --- Findings ---------------------------------------------------------------------------------------------------------


def test_a_good_training_has_no_finding():
    assert findings([history()] * 5) == {}


def test_overfitting_gives_the_gap_and_the_range_of_the_onset():
    later = 0.4 + 0.4 * np.exp(-E) + 0.01 * np.maximum(E - 12, 0)
    runs = [history(RISING, train_accuracy=0.95), history(later, train_accuracy=0.95), history(train_accuracy=0.95)]
    found = findings(runs)["overfitting"]
    onsets = sorted([overfit_onset(runs[0]), overfit_onset(runs[1])])
    assert found.level == "warning"
    assert (
        f"l2: in 2 of 3 runs the validation loss rises for good after epoch {onsets[0]} to {onsets[1]};"
        in found.message
    )
    assert "7.0 points" in found.message
    assert "early_stopping" in found.fix


def test_overfitting_in_a_minority_of_runs_or_with_restored_weights_is_none():
    assert "overfitting" not in findings([history(RISING), history(), history()])
    restored = Recipe(early_stopping=EarlyStopping(patience=3, restore_best_weights=True))
    assert "overfitting" not in findings([history(RISING)] * 3, restored)
    kept = Recipe(early_stopping=EarlyStopping(patience=3))
    assert "overfitting" in findings([history(RISING)] * 3, kept)


def test_underfitting_blames_the_regularization_that_is_on():
    failed = history(train_accuracy=0.11, validation_accuracy=0.1, running_accuracy=0.11)
    found = findings([failed] * 3, Recipe(l2=(0.1, 0.3), dropout=0.9))["underfitting"]
    assert found.level == "warning"
    assert "training accuracy ends at 11.0%" in found.message
    assert "weaken it (l2 = 0.3 and dropout = 0.9)" in found.fix
    assert "learning rate" in findings([failed] * 3)["underfitting"].fix


def test_underfitting_is_measured_against_the_best_variant():
    runs = {"baseline": {0: history()}, "l1": {0: history(train_accuracy=0.45)}, "l2": {0: history(train_accuracy=0.8)}}
    states = {name: {0: "finished"} for name in runs}
    recipes = {"baseline": Recipe(), "l1": Recipe(l1=0.1), "l2": Recipe(l2=0.1)}
    found = [f for f in training_findings(runs, states, recipes, 0.1) if f.code == "underfitting"]
    assert len(found) == 1
    assert found[0].message.startswith("l1: ")
    assert "90.0%" in found[0].message


def test_divergence_names_seeds_and_epochs():
    broken = history([0.9, 0.8, np.nan])
    recorded_before = history([0.9, 0.8])
    at_once = History({})
    found = findings(
        [history(), broken, recorded_before, at_once], Recipe(learning_rate=0.5), ["finished"] + ["diverged"] * 3
    )["diverged"]
    assert found.level == "error"
    assert "3 of 4 runs diverged (seed 1 in epoch 3, seed 2 in epoch 3 and seed 3 in epoch 1)" in found.message
    assert found.fix == "Lower the learning rate, now 0.5: try a tenth of it."


def test_a_variant_that_diverged_altogether_and_left_no_history_is_reported():
    states = {"sgd": dict.fromkeys(range(3), "diverged")}
    (found,) = training_findings({"sgd": {}}, states, {"sgd": Recipe()}, 0.1)
    assert found.code == "diverged"
    assert found.fix == "Lower the learning rate: try a tenth of it."


def test_still_improving_counts_only_runs_that_used_all_their_epochs():
    found = findings([history(FALLING)] * 3)["still-improving"]
    assert found.level == "info"
    assert "3 of 3 runs" in found.message
    assert "last epoch, 20" in found.message
    assert "still-improving" not in findings([history(FALLING)] * 3, states=["stopped"] * 3)


def test_dropout_explains_a_running_accuracy_below_the_validation_accuracy():
    runs = [history(running_accuracy=0.82)] * 3
    found = findings(runs, Recipe(dropout=(0.0, 0.5)))["dropout-explains"]
    assert found.level == "info"
    assert all(number in found.message for number in ("82.0%", "88.0%", "90.0%"))
    assert "dropout-explains" not in findings(runs)
    assert "dropout-explains" not in findings([history()] * 3, Recipe(dropout=0.5))


def test_stopped_at_once():
    rule = EarlyStopping(patience=3, start_epoch=1, min_delta=0.5)
    short, longer = history(RISING[:5]), history(RISING[:6])
    found = findings([short, short, longer], Recipe(early_stopping=rule), ["stopped"] * 3)["stopped-at-once"]
    assert found.level == "warning"
    assert "2 of 3 runs stopped after 5 epochs: validation loss never improved on epoch 2" in found.message
    assert "patience, now 3" in found.fix
    assert "stopped-at-once" not in findings([longer] * 3, Recipe(early_stopping=rule), ["stopped"] * 3)
    impatient = Recipe(early_stopping=EarlyStopping(patience=0, monitor="val_accuracy"))
    assert (
        "validation accuracy"
        in findings([history(RISING[:2])] * 3, impatient, ["stopped"] * 3)["stopped-at-once"].message
    )


@pytest.mark.parametrize(("seeds", "word"), [(1, "1 seed:"), (2, "2 seeds:")])
def test_few_seeds_are_told_once_for_the_study(seeds, word):
    runs = {name: {s: history() for s in range(seeds)} for name in ("baseline", "l2")}
    states = {name: dict.fromkeys(range(seeds), "finished") for name in runs}
    (found,) = training_findings(runs, states, dict.fromkeys(runs, Recipe()), 0.1)
    assert found.code == "few-seeds"
    assert word in found.message


def test_pending_runs_count_as_seeds_and_have_no_findings():
    states = {"l2": {0: "finished", 1: "pending", 2: "pending"}}
    assert training_findings({"l2": {0: history()}}, states, {"l2": Recipe()}, 0.1) == ()
    assert training_findings({}, {}, {}, 0.1) == ()


def test_overfitting_that_noise_hides_in_each_run_shows_on_average() -> None:
    epochs = np.arange(1, 41)
    rise = 0.30 + 0.2 * np.exp(-epochs / 3) + 0.0008 * np.maximum(epochs - 15, 0)
    generator = np.random.default_rng(0)
    noisy = {
        seed: History(
            {
                "validation_loss": rise + generator.normal(0, 0.01, 40),
                "train_loss": 0.3 * np.exp(-epochs / 20),
                "train_accuracy": np.full(40, 0.95),
                "validation_accuracy": np.full(40, 0.89),
                "running_accuracy": np.full(40, 0.94),
            }
        )
        for seed in range(8)
    }
    assert sum(overfit_onset(history) is not None for history in noisy.values()) < 4
    found = training_findings({"a": noisy}, {"a": dict.fromkeys(noisy, "finished")}, {"a": Recipe(epochs=40)}, 0.1)
    (finding,) = [f for f in found if f.code == "overfitting"]
    assert "on average over 8 runs" in finding.message


def test_underfitting_does_not_blame_regularization_where_the_baseline_fails_too() -> None:
    failed = history(train_accuracy=0.11, validation_accuracy=0.1, running_accuracy=0.11)
    runs = {"baseline": {0: failed}, "l2": {0: failed}}
    states = {name: {0: "finished"} for name in runs}
    found = training_findings(runs, states, {"baseline": Recipe(), "l2": Recipe(l2=0.1)}, 0.1)
    fixes = [f.fix for f in found if f.code == "underfitting"]
    assert len(fixes) == 2
    assert all("learning rate" in fix for fix in fixes)
