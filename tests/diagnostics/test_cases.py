"""How parts become one finding, and settings that a study takes."""

import pytest

from seen_runs import fixes, history, variant
from wellfit.base import EarlyStopping, Recipe
from wellfit.diagnostics.cases import Case, adding, gathered, largest, mean_text, points_text, rate, runs_text, setting
from wellfit.spec.study import load_study, recipes


def case(variant_name, strength, level="info", code="slow", fix="Wait."):
    return Case(code, level, variant_name, f"takes {strength} s", fix, strength, "are slow")


def test_a_single_case_stands_alone():
    (found,) = gathered([case("a", 1)], 3)
    assert (found.code, found.level, found.message, found.fix) == ("slow", "info", "a: takes 1 s.", "Wait.")


def test_ten_cases_are_one_finding_that_tells_the_three_strongest_and_names_the_others():
    cases = [case(name, i, "error" if i == 2 else "info", fix=f"Wait {i}.") for i, name in enumerate("abcdefghij")]
    (found,) = gathered(cases, 12)
    assert found.message == (
        "10 of 12 variants are slow. j: takes 9 s. i: takes 8 s. h: takes 7 s. Likewise g, f, e, d, c, b and a."
    )
    assert found.level == "error"
    assert found.fix == "For j: wait 9."


def test_codes_keep_apart_and_in_order():
    found = gathered([case("a", 1), case("a", 1, code="fast"), case("b", 2)], 2)
    assert [f.code for f in found] == ["slow", "fast"]


@pytest.mark.parametrize(
    ("key", "value", "variant_name", "expected"),
    [
        ("learning_rate", 1e-4, "l2", ("l2", 1e-4)),
        ("epochs", 60, "l2", ("baseline", 60)),  # of all variants, as all have 30
        ("l2", 0.01, "l2=0.1", ("try-l2=0.01", 0.01)),  # one more value beside the sweep
        ("learning_rate", 1e-4, "l2=0.1", ("baseline", 1e-4)),
    ],
)
def test_a_setting_is_taken_by_the_study_and_does_what_it_says(key, value, variant_name, expected):
    study = load_study("lab5", settings=["sweeps.a.l2=[0.1, 1.0]"])
    known = recipes(study)
    text = setting(key, value, variant(variant_name, [], known[variant_name]), known)
    epochs = int(text.removeprefix("--epochs ")) if key == "epochs" else None
    changed = recipes(load_study("lab5", epochs=epochs, settings=["sweeps.a.l2=[0.1, 1.0]", *fixes(text)]))
    name, number = expected
    assert getattr(changed[name], key) == pytest.approx(number)


def test_a_patience_is_a_setting_within_a_table():
    known = {"a": Recipe(), "b": Recipe(early_stopping=EarlyStopping(patience=1))}
    text = setting("early_stopping.patience", 5, variant("b", [], known["b"]), known)
    assert text == "--set variants.b.early_stopping.patience=5"


def test_a_value_that_is_swept_already_is_named():
    known = {"l2=0.1": Recipe(l2=0.1), "l2=0.01": Recipe(l2=0.01)}
    assert setting("l2", 0.01, variant("l2=0.1", [], known["l2=0.1"]), known) == "as l2=0.01 has it"


def test_a_variant_is_added_with_a_table():
    text = adding("early-stopping", {"early_stopping": "{patience = 5, restore_best_weights = true}"})
    rule = recipes(load_study("lab5", settings=fixes(text)))["early-stopping"].early_stopping
    assert rule == EarlyStopping(patience=5, restore_best_weights=True)


def test_words_and_numbers():
    assert points_text([0.01, 0.02]) == "1.5 points"
    assert mean_text([0.5, 0.5, 0.5]) == "50.0 % [50.0, 50.0]"
    assert runs_text(1, 2) == "1 of 2 runs"
    assert largest(()) == 0.0
    assert rate(variant("a", [history(learning_rate=[0.01, 0.02])])) == 0.02
    assert rate(variant("a", [history(train_loss=[0.1])])) is None


def test_scores_are_those_of_the_readout_where_they_are_known():
    from seen_runs import row

    runs = [history(train_accuracy=[0.1, 0.9])]
    assert variant("a", runs).score("train_accuracy") == 0.9
    assert variant("a", runs, rows={0: row(0, train_accuracy=0.5)}).score("train_accuracy") == 0.5
    assert variant("a", runs).scores("test_accuracy") == {}
    assert variant("a", runs, states=["diverged"]).sound == {}
