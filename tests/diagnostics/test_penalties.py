"""A penalty is blamed for what it did, and for nothing else."""

import numpy as np
import pytest

from seen_runs import fixes, history, variant
from wellfit.base import Recipe
from wellfit.diagnostics.penalties import active_strengths, penalty_beaten, penalty_dominates, weakened

E = np.arange(1, 21)
LOSS = 0.4 + 0.5 * np.exp(-E)


def runs(train, validation=0.88, seeds=3, **columns):
    return [
        history(validation_loss=LOSS, train_accuracy=train + 0.001 * s, validation_accuracy=validation, **columns)
        for s in range(seeds)
    ]


GOOD = variant("baseline", runs(0.9))


def beaten(recipe, accuracy, *others, **columns):
    seen = variant("mine", runs(accuracy, accuracy, **columns), recipe)
    return penalty_beaten(seen, [*others, seen], 0.1)


def test_a_penalty_is_blamed_if_less_of_it_learns():
    found = beaten(Recipe(l2=0.1), 0.1, GOOD, small_weights=0.95)
    assert found.code == "penalty-too-strong"
    assert "with l2 = 0.1; with less regularization, baseline reaches 90.1 %; 95 % of its weights" in found.evidence
    assert "most frequent class gives 10.0 %" in found.evidence
    assert fixes(found.fix) == ["variants.mine.l2=0.01"]
    weaker = beaten(Recipe(l2=0.1), 0.72, GOOD)  # far from chance, yet far too strong
    assert weaker.code == "penalty-too-strong"
    assert "most frequent" not in weaker.evidence


def test_dropout_is_no_penalty():
    found = beaten(Recipe(dropout=0.9), 0.3, GOOD)
    assert (found.code, found.claim) == ("penalty-too-strong", "had too much regularization")
    assert found.fix.startswith("Weaken the regularization (now dropout = 0.9): ")
    assert beaten(Recipe(l2=0.1), 0.3, GOOD).claim == "had too strong a penalty"


def test_the_remedy_is_the_value_that_worked():
    works = variant("works", runs(0.9), Recipe(l2=0.002))
    assert fixes(beaten(Recipe(l2=0.1), 0.1, works).fix) == ["variants.mine.l2=0.002"]


def test_a_penalty_is_not_blamed_if_the_baseline_fails_too_or_there_is_none():
    failed = variant("baseline", runs(0.1, 0.1))
    assert beaten(Recipe(l2=0.1), 0.1, failed) is None
    assert beaten(Recipe(), 0.1, failed) is None
    assert beaten(Recipe(l2=0.1), 0.1) is None
    assert beaten(Recipe(l2=0.1, batch_size=7), 0.1, GOOD) is None  # it differs in more than the penalty


def dominates(recipe, penalty, weights, gradient, **columns):
    columns = {"penalty": penalty, "weight_norm": weights, "gradient_norm": gradient} | columns
    seen = variant("mine", runs(0.1, 0.1, **columns), recipe)
    return penalty_dominates(seen, [seen], 0.1)


@pytest.mark.parametrize("key", ["l1", "l2"])
def test_the_pull_of_a_penalty_is_a_share_of_the_gradient(key):
    strong = dominates(Recipe(**{key: 0.5}), 18.0, 6.0, 10.0)  # l2: 2 sqrt(0.5 * 18) = 6 of 10; l1: 18 / 6 = 3 of 10
    assert f"at least {60 if key == 'l2' else 30} % of the gradient" in strong.evidence
    assert fixes(strong.fix) == [f"train.{key}=0.01"]  # a tenth of log(10) is 1.3 % of the penalty
    assert dominates(Recipe(**{key: 0.5}), 18.0, 6.0, 100.0) is None
    assert dominates(Recipe(**{key: 0.5}), np.nan, 6.0, 1.0) is None
    assert dominates(Recipe(), 18.0, 6.0, 10.0) is None


def test_several_strengths_count_by_what_all_kernels_have():
    assert "at least 60 % of" in dominates(Recipe(l2=(0.1, 0.5)), 18.0, 6.0, 10.0).evidence


def test_penalties_outside_the_loss_show_in_the_weights():
    unseen = {"penalty": 0.0, "weights": np.linspace(8, 2, 20), "gradient": 1.0}
    found = dominates(Recipe(weight_decay=5.0), **unseen)
    assert fixes(found.fix) == ["train.weight_decay=0.5"]
    assert dominates(Recipe(proximal_l1=1.0), 0.0, 1.0, 1.0, small_weights=0.9) is not None
    assert dominates(Recipe(weight_decay=5.0), 0.0, 8.0, 1.0) is None
    assert dominates(Recipe(dropout=0.9, label_smoothing=0.9), **unseen) is None  # no trace of these


def test_shares_halve_and_bounds_double():
    seen = variant("a", runs(0.1), Recipe(dropout=0.8, max_norm=0.25, label_smoothing=0.5))
    assert active_strengths(seen.recipe) == {"dropout": 0.8, "label_smoothing": 0.5, "max_norm": 4.0}
    assert weakened(seen, "max_norm", [seen], 0.1) == "--set train.max_norm=0.5"
    assert weakened(seen, "label_smoothing", [seen], 0.1) == "--set train.label_smoothing=0.25"
