"""Variants that trained for unlike numbers of epochs: conclusion, answers and advice say so."""

import numpy as np

from sweeps import FALLING, gaining, scored, tables
from sweeps import advised as texts
from wellfit.narrative.unlike_epochs import unlike_epochs

EPOCHS = {"lenet5": 10, "dropout": 15, "batch-norm": 15}


def test_the_same_number_for_all_needs_no_words():
    assert unlike_epochs(["a", "b", "unknown"], {"a": 3, "b": 3}) == unlike_epochs([], EPOCHS) == []


def test_of_many_numbers_the_fewest_and_the_most_are_named():
    (found,) = unlike_epochs([f"v{n}" for n in range(1, 7)], {f"v{n}": 10 * n for n in range(1, 7)}, why=True)
    assert found.text == (
        "Epochs differ: from 10 for v1 to 60 for v6; differences between them include the effect of training longer."
    )
    assert "settings.variants[v3].recipe.epochs" in found.sources


def test_each_variant_is_trained_longer_than_its_own_epochs():
    study = tables({"baseline": {}, "dropout": {"dropout": 0.3, "epochs": 20}})
    losses = {"baseline": FALLING, "dropout": np.linspace(1.0, 0.4, 30)}
    (longer,) = (t for t in texts(scored(study, gaining({"dropout": 0.03}, 0.002), loss=losses.get)) if "longer" in t)
    assert longer == (
        "Train baseline and dropout longer, because the validation loss was still falling after 20 and 30 epochs: "
        "try 40 and 60."
    )


def test_what_validation_supports_comes_with_its_epochs():
    study = tables({"baseline": {}, "dropout": {"dropout": 0.3, "epochs": 20}})
    (use,) = (t for t in texts(scored(study, gaining({"dropout": 0.03}, 0.002))) if t.startswith("Use dropout"))
    assert "trained for 20 epochs, baseline for 30." in use
