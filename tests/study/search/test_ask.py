"""The samplers: inside of the space, the same for the same file, never twice the same, and better than chance."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from typing import Any

import pytest

from wellfit.base import Range, SearchSpec, Trial
from wellfit.errors import WellfitError
from wellfit.study.search.ask import ask, require_sampler

SPACE: dict[str, Any] = {
    "l2": Range(1e-6, 1e-2, log=True),
    "batch_size": Range(8, 64),
    "dropout": Range(0.0, 0.5),
    "model.hidden": ([16], [32, 16]),
}


def told(number: int, values: dict[str, Any], score: float | None) -> Trial:
    return Trial(number, values, "diverged" if score is None else "finished", 1, 3, (score,))


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_configurations_are_inside_of_the_space(sampler: Any) -> None:
    search = SearchSpec(SPACE, sampler=sampler)
    tried: list[Trial] = []
    for _ in range(3):
        asked = ask(search, tried, 8)
        tried += [told(len(tried) + i, values, values["dropout"]) for i, values in enumerate(asked)]
    assert len(tried) == 24
    for trial in tried:
        assert trial.values.keys() == SPACE.keys()
        assert 1e-6 <= trial.values["l2"] <= 1e-2
        assert type(trial.values["batch_size"]) is int
        assert 8 <= trial.values["batch_size"] <= 64
        assert trial.values["model.hidden"] in SPACE["model.hidden"]


def test_the_same_file_and_results_ask_the_same() -> None:
    search = SearchSpec(SPACE)
    first = ask(search, (), 6)
    tried = [told(i, values, values["dropout"]) for i, values in enumerate(first)]
    assert ask(search, (), 6) == first
    assert ask(search, tried, 6) == ask(search, tried, 6)
    assert ask(search, tried, 6) != first
    assert ask(SearchSpec(SPACE, sampler_seed=1), (), 6) != first


def test_nothing_is_tried_twice_and_a_small_space_ends() -> None:
    search = SearchSpec({"l2": (0.1, 0.2, 0.3), "optimizer": ("adam", "sgd")})
    first = ask(search, (), 4)
    second = ask(search, [told(i, values, 0.5) for i, values in enumerate(first)], 4)
    together = [tuple(sorted(values.items())) for values in (*first, *second)]
    assert len(together) == len(set(together)) == 6


def test_a_finite_space_is_filled_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.study.search.ask._TRIES", 0)  # as if the sampler found nothing new any more
    search = SearchSpec({"batch_size": Range(8, 11), "optimizer": ("adam", "sgd", "rmsprop"), "l2": ([0.1], [0.2])})
    tried: list[Trial] = []
    for wanted, found in ((10, 10), (10, 10), (10, 4), (10, 0)):
        asked = ask(search, tried, wanted)
        assert asked == ask(search, tried, wanted)
        assert len(asked) == found
        tried += [told(len(tried) + i, values, 0.5) for i, values in enumerate(asked)]
    different = {(t.values["batch_size"], t.values["optimizer"], t.values["l2"][0]) for t in tried}
    assert different == set(itertools.product(range(8, 12), ("adam", "sgd", "rmsprop"), (0.1, 0.2)))
    huge = SearchSpec({"batch_size": Range(1, 2**40), "examples": Range(1, 2**40)})
    assert len(ask(huge, (), 5)) == 5
    assert ask(SearchSpec({"l2": Range(0, 1)}), (), 5) == []


@pytest.mark.parametrize("objective", ["val_accuracy", "val_loss"])
def test_the_estimator_goes_where_scores_are_good(objective: Any) -> None:
    search = SearchSpec({"dropout": Range(0.0, 0.5)}, objective=objective)
    tried: list[Trial] = []
    for _ in range(6):
        for values in ask(search, tried, 10):
            distance = abs(values["dropout"] - 0.4)
            tried.append(told(len(tried), values, distance if objective == "val_loss" else 1 - distance))
    late = [abs(trial.values["dropout"] - 0.4) for trial in tried[-20:]]
    assert sum(late) / len(late) < 0.08  # 0.17 by chance; 0.03 to 0.06 with versions of Optuna from 4.0


def test_ended_and_diverged_trials_are_the_worse_ones() -> None:
    search = SearchSpec({"dropout": Range(0.0, 0.5)})
    tried: list[Trial] = []
    for _ in range(6):
        for values in ask(search, tried, 10):
            n, good = len(tried), values["dropout"] > 0.3
            tried.append(Trial(n, values, "finished", 2, 9, (0.9,)) if good else told(n, values, None))
    assert sum(trial.state == "finished" for trial in tried[-20:]) >= 15  # 8 by chance


@pytest.mark.parametrize(
    ("missing", "sampler", "words"),
    [("optuna", "tpe", 'pip install "wellfit[search]"'), ("torch", "gp", "pip install torch")],
)
def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, missing: str, sampler: Any, words: str) -> None:
    found = importlib.util.find_spec

    def find_spec(name: str, package: str | None = None) -> Any:
        return None if name == missing else object() if name == "optuna" else found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    with pytest.raises(WellfitError) as caught:
        require_sampler(SearchSpec(SPACE, sampler=sampler))
    assert words in str(caught.value)
    require_sampler(SearchSpec(SPACE)) if missing == "torch" else None


def test_optuna_is_loaded_by_a_search_alone() -> None:
    import subprocess

    code = "import sys, wellfit, wellfit.study.search.drive; sys.exit('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
