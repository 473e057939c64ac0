"""Early stopping that stopped at once, or too early."""

import numpy as np

from seen_runs import fixes, history, row, variant
from wellfit.base import EarlyStopping, Recipe
from wellfit.diagnostics.early_stopping import never_stopped, stopped_at_once, stopped_too_soon

E = np.arange(1, 41)
FALLING = 0.4 + 0.6 * np.exp(-E / 12)


def test_stopped_at_once():
    rule = EarlyStopping(patience=3, start_epoch=1, min_delta=0.5)
    short, longer = history(validation_loss=FALLING[:5]), history(validation_loss=FALLING[:6])

    def found(runs, rule=rule, states=("stopped",) * 3):
        seen = variant("stop", runs, Recipe(early_stopping=rule), states)
        return stopped_at_once(seen, [seen, variant("baseline", [])])

    observation = found([short, short, longer])
    assert "2 of 3 runs ended after 5 epochs because validation loss never improved on epoch 2" in observation.evidence
    assert observation.fix == (
        "Lower the learning rate or min_delta (now 0.5), or raise patience (now 3): "
        "--set variants.stop.early_stopping.patience=6"
    )
    assert found([longer] * 3) is None
    assert found([short] * 3, states=("finished",) * 3) is None
    impatient = EarlyStopping(patience=0, monitor="val_accuracy")
    assert "validation accuracy" in found([history(validation_loss=FALLING[:2])] * 3, impatient).evidence
    assert found([short] * 3, rule=None) is None


def soon(whole, at, monitor="val_loss", recipe=None, seeds=5, read=None):
    rule = EarlyStopping(patience=1, monitor=monitor, restore_best_weights=True)
    long = variant("long", [history(**columns) for columns in whole[:seeds]], recipe)
    cut = [history(**{k: v[:at] for k, v in columns.items()}) for columns in whole[:seeds]]
    rows = {s: row(s, readout_epoch=read or at) for s in range(seeds)}
    stopped = variant("stop", cut, Recipe(early_stopping=rule), ["stopped"] * seeds, rows)
    return stopped_too_soon(stopped, [long, stopped])


def test_the_same_recipe_trained_longer_is_the_evidence():
    rng = np.random.default_rng(0)
    whole = [{"validation_loss": FALLING + 0.005 * rng.normal(size=40)} for _ in range(5)]
    found = soon(whole, 12, read=11)
    assert "long trained on and improved its validation loss by 0.2" in found.evidence
    assert found.fix == "Raise patience (now 1): --set variants.stop.early_stopping.patience=5"
    assert soon(whole, 12, seeds=2) is not None
    flat = [{"validation_loss": 0.4 + np.exp(-E / 3) + 0.005 * rng.normal(size=40)} for _ in range(5)]
    assert soon(flat, 30) is None
    accuracies = [{"validation_loss": FALLING, "validation_accuracy": 1 - FALLING} for _ in range(5)]
    assert " points" in soon(accuracies, 12, "val_accuracy").evidence


def test_noise_on_a_plateau_is_no_better_metric_later():
    rng = np.random.default_rng(1)

    def false_alarm():
        whole = [{"validation_loss": 0.4 + np.exp(-E) + 0.01 * rng.normal(size=40)} for _ in range(5)]
        return soon(whole, 12, read=int(rng.integers(6, 12))) is not None

    assert sum(false_alarm() for _ in range(200)) <= 10  # 5 %


def test_a_dip_is_seen_without_a_longer_variant():
    whole = [{"validation_loss": FALLING + 0.01 * s} for s in range(5)]
    found = soon(whole, 20, recipe=Recipe(l2=0.1))
    assert "still falling when training stopped" in found.evidence
    flat = [{"validation_loss": 0.4 + np.exp(-E)} for _ in range(5)]
    assert soon(flat, 20, recipe=Recipe(l2=0.1)) is None
    assert stopped_too_soon(variant("a", []), []) is None


def never(loss, patience=50, states=("finished",) * 3, **rule):
    recipe = Recipe(epochs=40, early_stopping=EarlyStopping(patience=patience, **rule))
    seen = variant("a", [history(validation_loss=loss, validation_accuracy=1 - loss)] * 3, recipe, states)
    return never_stopped(seen, [seen])


def test_a_rule_that_never_stops():
    turning = 0.4 + 0.01 * np.abs(E - 10)
    found = never(turning)
    assert "with patience 50, which is no less than the epochs it could wait, no run ended" in found.evidence
    assert "validation loss was best 30 epochs before the end (median of 3 runs)" in found.evidence
    assert fixes(found.fix) == [
        "train.early_stopping.patience=2",
        "train.early_stopping.restore_best_weights=true",
    ]
    assert fixes(never(turning, restore_best_weights=True).fix) == ["train.early_stopping.patience=2"]
    assert "validation accuracy was best" in never(turning, monitor="val_accuracy").evidence
    bumpy = turning + np.where((E > 3) & (E < 8), 0.5, 0)  # it waits 5 epochs for the improvement of epoch 8
    assert fixes(never(bumpy).fix)[0] == "train.early_stopping.patience=6"


def test_a_rule_that_has_no_reason_to_stop():
    assert never(FALLING) is None
    assert never(0.4 + 0.01 * np.abs(E - 10), states=("finished", "finished", "stopped")) is None
    assert never(0.4 + 0.01 * np.abs(E - 10), start_epoch=39) is None
    assert never_stopped(variant("a", []), []) is None
