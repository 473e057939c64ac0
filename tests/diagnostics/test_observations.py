"""The input of the checks, and how observations become findings."""

from seen_runs import history, row, variant
from wellfit.base import Recipe
from wellfit.diagnostics.observations import Observation, combined, largest


def observed(name, strength, level="info", code="slow", fix="Wait."):
    return Observation(code, level, name, "were slow", f"takes {strength} s", fix, strength)


def test_a_single_observation_is_a_sentence():
    (found,) = combined([observed("a", 1)], 3)
    assert (found.code, found.level, found.message, found.fix) == ("slow", "info", "a were slow: takes 1 s.", "Wait.")
    assert found.note == "a were slow"


def test_ten_observations_are_one_finding():
    observations = [
        observed(name, i, "error" if i == 2 else "info", fix=f"Wait {i}.") for i, name in enumerate("abcdefghij")
    ]
    (found,) = combined(observations, 12)
    assert found.message == (
        "10 of 12 variants were slow. j: takes 9 s. i: takes 8 s. h: takes 7 s. Likewise g, f, e, d, c, b and a."
    )
    assert found.level == "error"
    assert found.fix == "For j: wait 9."
    assert found.note == "10 of 12 variants were slow"


def test_codes_stay_separate_and_in_order():
    found = combined([observed("a", 1), observed("a", 1, code="fast"), observed("b", 2)], 2)
    assert [f.code for f in found] == ["slow", "fast"]


def test_a_finding_without_a_fix_keeps_none():
    (found,) = combined([observed("a", 1, fix=""), observed("b", 2, fix="")], 2)
    assert found.fix == ""


def test_the_largest_of_several_rates_counts():
    assert (largest(()), largest((0.1, 0.5)), largest(0.2)) == (0.0, 0.5, 0.2)


def test_the_learning_rate_is_the_recipes_or_the_recorded_one():
    assert variant("a", [history(learning_rate=[0.01, 0.02])]).learning_rate == 0.02
    assert variant("a", [history(learning_rate=[0.01])], Recipe(learning_rate=0.5)).learning_rate == 0.5
    assert variant("a", [history(train_loss=[0.1])]).learning_rate is None


def test_scores_are_those_of_the_readout_if_known():
    runs = [history(train_accuracy=[0.1, 0.9])]
    assert variant("a", runs).score("train_accuracy") == 0.9
    assert variant("a", runs, rows={0: row(0, train_accuracy=0.5)}).score("train_accuracy") == 0.5
    assert variant("a", runs).scores("test_accuracy") == {}
    assert variant("a", runs, states=["diverged"]).sound == {}


def test_scores_are_read_once_however_many_variants_are_compared_with_them():
    reads = []

    class Rows(dict):
        def __getitem__(self, seed):
            reads.append(seed)
            return super().__getitem__(seed)

    judged = variant("a", [history(train_accuracy=[0.1])] * 3)
    object.__setattr__(judged, "rows", Rows({seed: row(seed, train_accuracy=seed / 4) for seed in range(3)}))
    assert [judged.score("train_accuracy") for _ in range(5)] == [0.25] * 5
    assert reads == [0, 1, 2]
