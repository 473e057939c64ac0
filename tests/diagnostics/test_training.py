"""The findings of a whole study: which codes occur together, in what order, and with real trainings."""

import numpy as np
import pytest

from seen_runs import fixes, history, row
from wellfit.base import EarlyStopping, History, Recipe
from wellfit.diagnostics.training import training_findings
from wellfit.spec.study import load_study

EPOCHS = 20
E = np.arange(1, EPOCHS + 1)
CONVERGED = 0.4 + 0.5 * np.exp(-E / 2)
RISING = 0.4 + 0.4 * np.exp(-E) + 0.01 * np.maximum(E - 8, 0)
FALLING = 1.0 - 0.03 * E


def study(variants, states=None, rows=None, examples=(0, 0)):
    """Findings by code, of variant -> (recipe, runs)."""
    histories = {name: dict(enumerate(runs)) for name, (_, runs) in variants.items()}
    ended = {name: {s: (states or {}).get((name, s), "finished") for s in runs} for name, runs in histories.items()}
    recipes = {name: recipe for name, (recipe, _) in variants.items()}
    found = training_findings(histories, ended, recipes, 0.1, rows, examples)
    by_code = {f.code: f for f in found}
    assert len(by_code) == len(found), "each code once"
    return by_code


def runs(loss=CONVERGED, count=3, **columns):
    return [history(validation_loss=loss + 0.001 * s, **columns) for s in range(count)]


def test_a_good_training_has_no_finding():
    assert study({"l2": (Recipe(), runs(count=5))}) == {}


def test_ten_variants_share_one_finding():
    found = study(
        {f"v{i}": (Recipe(l2=i / 1000), runs(RISING + 0.01 * i * np.maximum(E - 8, 0) / 10)) for i in range(10)}
    )
    message = found["overfitting"].message
    assert message.startswith("10 of 10 variants overfit. v9: the smoothed validation loss is lowest after epoch")
    assert message.endswith("Likewise v6, v5, v4, v3, v2, v1 and v0.")


def test_errors_come_first_and_the_whole_study_last():
    found = study(
        {"a": (Recipe(), runs(RISING, count=2)), "b": (Recipe(), runs(FALLING, count=2))}, {("b", 0): "diverged"}
    )
    assert list(found) == ["diverged", "overfitting", "still-improving", "few-seeds"]


def test_each_failure_has_one_cause():
    small = {"train_accuracy": 0.1, "validation_accuracy": 0.1}
    found = study(
        {
            "baseline": (Recipe(learning_rate=1e-3), runs()),
            "penalized": (Recipe(learning_rate=1e-3, l2=0.1), runs(**small, dead_units=0.9)),
            "steep": (Recipe(learning_rate=1.0), runs(**small, dead_units=0.95)),
            "gone": (Recipe(learning_rate=1e-3, batch_size=7), runs(**small, dead_units=0.97)),
        }
    )
    assert set(found) == {"penalty-too-strong", "learning-rate-high", "dead-units"}
    assert "90.0 % [90.0, 90.0] of the ReLU units" in found["penalty-too-strong"].message
    assert found["dead-units"].message.startswith("gone ended with many dead ReLU units: ")
    assert found["learning-rate-high"].message.startswith("steep took steps that were too large: ")


def test_a_slow_variant_is_not_still_improving_too():
    slow = np.linspace(2.28, 1.7, EPOCHS)
    found = study({"slow": (Recipe(learning_rate=1e-5), runs(slow, train_loss=slow))})
    assert set(found) == {"learning-rate-low"}


def test_scores_and_sizes_reach_the_checks_that_need_them():
    rows = {"a": [row(s, train_accuracy=0.96, validation_accuracy=0.95, test_accuracy=0.9) for s in range(3)]}
    variants = {"a": (Recipe(), runs())}
    assert set(study(variants, rows=rows, examples=(2000, 2000))) == {"validation-optimism"}
    assert study(variants, rows=rows) == {}


def test_stopping_at_once_precedes_stopping_too_soon():
    rule = Recipe(early_stopping=EarlyStopping(patience=1, restore_best_weights=True))
    short = [History({name: h[name][:2] for name in h.columns}) for h in runs(RISING[::-1])]
    found = study(
        {"stop": (rule, short), "long": (Recipe(), runs(FALLING))}, {("stop", s): "stopped" for s in range(3)}
    )
    assert "stopped-at-once" in found
    assert "stopped-too-soon" not in found


def test_a_variant_without_any_history_is_reported():
    states = {"sgd": dict.fromkeys(range(3), "diverged")}
    (found,) = training_findings({"sgd": {}}, states, {"sgd": Recipe()}, 0.1)
    assert found.code == "diverged"


def test_pending_runs_count_as_seeds_and_have_no_findings():
    states = {"l2": {0: "finished", 1: "pending", 2: "pending"}}
    assert training_findings({"l2": {0: runs()[0]}}, states, {"l2": Recipe()}, 0.1) == ()
    assert training_findings({}, {}, {}, 0.1) == ()


@pytest.mark.parametrize("seeds", [1, 3, 5])
def test_studies_of_converged_noisy_curves_seldom_have_a_warning(seeds):
    rng = np.random.default_rng(seeds)

    def noisy():
        accuracy = 0.88 + 0.004 * rng.normal(size=EPOCHS)
        return history(
            validation_loss=CONVERGED + 0.01 * rng.normal(size=EPOCHS),
            train_loss=CONVERGED - 0.05 + 0.005 * rng.normal(size=EPOCHS),
            running_loss=CONVERGED + 0.005 * rng.normal(size=EPOCHS),
            validation_accuracy=accuracy,
            train_accuracy=accuracy + 0.02,
            dead_units=0.1,
        )

    def warned():
        found = study({name: (Recipe(l2=l2), [noisy() for _ in range(seeds)]) for name, l2 in (("a", 0), ("b", 1e-4))})
        return any(f.level != "info" for f in found.values())

    assert sum(warned() for _ in range(100)) <= 9  # 5 % and two Monte Carlo deviations


def test_the_study_takes_every_fix_of_a_real_training(tmp_path):
    """Bad on purpose: rates and penalties that fail, overfitting, too little patience."""
    from wellfit.data.catalog import load_dataset
    from wellfit.study.run import run_study
    from wellfit.study.session import Session
    from wellfit.study.summarize import summarize

    settings = [
        "train.epochs=10",
        "data.train_share=0.3",
        "variants={baseline={}, fast={learning_rate=10.0}, slow={learning_rate=1e-6}, l2={l2=10.0}}",
    ]
    study_spec = load_study("regularization", seeds=3, settings=settings)
    run_study(Session(study_spec, load_dataset("digits"), tmp_path))
    found = {f.code: f for f in summarize(tmp_path).findings}
    assert found["penalty-too-strong"].message.startswith("l2 had too strong a penalty: training accuracy ends at")
    assert {"learning-rate-low"} <= set(found)
    assert {"dead-units", "learning-rate-high", "diverged"} & set(found)
    for finding in found.values():
        for text in fixes(finding.fix) if "--set" in finding.fix else ():
            assert load_study("regularization", settings=[*settings, text])
