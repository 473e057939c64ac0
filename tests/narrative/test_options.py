"""Command-line options that sentences recommend: the study accepts them, and they have the stated effect."""

import shlex

import pytest

from wellfit.base import EarlyStopping, Recipe
from wellfit.narrative.options import new_variant_option, option_for, setting_text, toml_value
from wellfit.spec.study import load_study, recipes


def settings(option):
    """What follows each --set, as the shell passes it."""
    words = shlex.split(option)
    return [words[i + 1] for i, word in enumerate(words) if word == "--set"]


@pytest.mark.parametrize(
    ("key", "value", "variant", "expected"),
    [
        ("learning_rate", 1e-4, "l2", ("l2", 1e-4)),
        ("epochs", 60, "l2", ("baseline", 60)),  # for all variants, since all have 30
        ("l2", 0.01, "l2=0.1", ("try-l2=0.01", 0.01)),  # one more value beside the sweep
        ("learning_rate", 1e-4, "l2=0.1", ("baseline", 1e-4)),
    ],
)
def test_the_study_takes_an_option(key, value, variant, expected):
    study = load_study("lab5", settings=["sweeps.a.l2=[0.1, 1.0]"])
    option = option_for(key, value, variant, recipes(study))
    epochs = int(option.removeprefix("--epochs ")) if key == "epochs" else None
    changed = load_study("lab5", epochs=epochs, settings=["sweeps.a.l2=[0.1, 1.0]", *settings(option)])
    name, number = expected
    assert getattr(recipes(changed)[name], key) == pytest.approx(number)


def test_a_setting_in_a_table_has_a_dotted_key():
    known = {"a": Recipe(), "b": Recipe(early_stopping=EarlyStopping(patience=1))}
    option = option_for("early_stopping.patience", 5, "b", known)
    assert option == "--set variants.b.early_stopping.patience=5"
    assert option_for("early_stopping.restore_best_weights", True, "b", known).endswith("=true")


def test_a_value_of_the_sweep_is_named():
    known = {"l2=0.1": Recipe(l2=0.1), "l2=0.01": Recipe(l2=0.01)}
    assert option_for("l2", 0.01, "l2=0.1", known) == "as in l2=0.01"


def test_the_study_takes_a_new_variant_with_a_table():
    option = new_variant_option("early-stopping", {"early_stopping": "{patience = 5, restore_best_weights = true}"})
    rule = recipes(load_study("lab5", settings=settings(option)))["early-stopping"].early_stopping
    assert rule == EarlyStopping(patience=5, restore_best_weights=True)


def test_values_are_written_as_in_a_study_file():
    assert setting_text("model.hidden", (64, 32)) == "model.hidden = [64, 32]"
    assert setting_text("optimizer", "adam") == "optimizer = adam"
    assert toml_value({"a": [1, True], "b": "c"}) == '{a=[1,true],b="c"}'
