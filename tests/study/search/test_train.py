"""A batch: who goes on is trained as if alone, and the epochs of the others cost nothing."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest

from searches import session
from small_studies import NOWHERE
from wellfit.base import RunSpec, SearchSpec
from wellfit.engine.plan import make_plan
from wellfit.engine.train import Epoch, Trainer
from wellfit.errors import WellfitError
from wellfit.spec.search import changes_of, rungs
from wellfit.spec.variants import changed
from wellfit.study.interrupts import Interrupted, StopRequest
from wellfit.study.search.ask import ask
from wellfit.study.search.train import check_space, planned_epochs, rungs_of, train_batch
from wellfit.study.session import Session


def trained(of: Session, asked: list[dict[str, Any]]) -> Any:
    epochs: list[int] = []

    def on_epoch(epoch: Epoch, _: int) -> None:
        epochs.append(epoch.examples // len(of.data.x_train))

    trials, total = train_batch(of, asked, 0, on_epoch, StopRequest())
    return trials, total, sum(epochs)


def alone(of: Session, values: dict[str, Any], seed: int) -> float:
    """The objective of one configuration, trained by itself without a rung."""
    recipe = changed(of.spec.base, changes_of(values, of.spec.base))
    data = of.fold(seed).data
    sizes = len(data.x_train), len(data.x_validation), len(data.sample)
    runs = [RunSpec("alone", seed, recipe)]
    (population,) = make_plan(runs, data.input_shape, data.classes, sizes, of.mesh.size).populations
    (record,) = Trainer(data, of.mesh).train(population)
    assert of.spec.search is not None
    return float(record.scores[of.spec.search.metric])


@pytest.mark.parametrize("how", [{}, {"folds": 1}, {"objective": "val_loss"}])
def test_the_best_are_trained_as_if_alone(how: dict[str, Any]) -> None:
    of = session(NOWHERE, **how)
    search = of.spec.search
    assert search is not None
    asked = ask(search, (), 4)
    trials, total, seen = trained(of, asked)
    assert sorted((trial.rung, trial.epochs) for trial in trials) == [(1, 1), (1, 1), (2, 2), (3, 4)]
    assert total == seen == planned_epochs(4, 4, search) == 2 * (4 * 1 + 2 * 1 + 1 * 2)
    (winner,) = [trial for trial in trials if trial.state == "finished"]
    for seed, score in zip(search.own_seeds, winner.scores, strict=True):
        assert score == pytest.approx(alone(of, asked[winner.number], seed), abs=1e-6)


def test_without_halving_all_are_trained_to_the_end() -> None:
    of = session(NOWHERE, halving=False, seeds=1)
    assert of.spec.search is not None
    trials, total, _ = trained(of, ask(of.spec.search, (), 4))
    assert {(trial.state, trial.rung, trial.epochs) for trial in trials} == {("finished", 1, 4)}
    assert total == 4 * 2 * 4


def test_networks_of_several_structures_train_in_one_batch() -> None:
    of = session(NOWHERE, space={"model.hidden": [[4], [8, 4]], "l2": {"low": 0, "high": 0.1}})
    asked = [{"model.hidden": hidden, "l2": l2} for hidden in ([4], [8, 4]) for l2 in (0.0, 0.01)]
    trials, _, _ = trained(of, asked)
    assert [trial.values for trial in trials] == asked
    assert sum(trial.state == "finished" for trial in trials) == 1


def test_a_diverged_configuration_does_not_go_on() -> None:
    of = session(NOWHERE, space={"learning_rate": {"low": 1e-3, "high": 1e30}, "optimizer": ["sgd"]})
    asked = [{"learning_rate": rate, "optimizer": "sgd"} for rate in (1e-2, 1e30, 1e-3, 1e29)]
    trials, _, _ = trained(of, asked)
    assert [trial.state == "diverged" for trial in trials] == [False, True, False, True]
    assert all(trial.mean is None for trial in trials if trial.state == "diverged")
    assert sum(trial.state == "finished" for trial in trials) == 1  # half of the two that are left


def test_a_configuration_that_does_not_fit_is_refused_and_the_others_are_trained() -> None:
    of = session(NOWHERE, space={"examples": {"low": 20, "high": 10**6}, "l2": [0.0, 0.1]})
    asked = [{"examples": examples, "l2": 0.0} for examples in (100, 10**6, 120, 140)]
    trials, total, _ = trained(of, asked)
    assert [trial.state == "refused" for trial in trials] == [False, True, False, False]
    assert (trials[1].rung, trials[1].epochs, trials[1].scores, trials[1].mean) == (0, 0, (None, None), None)
    assert [trial.number for trial in trials] == [0, 1, 2, 3]
    assert total == 2 * (3 * 2 + 2 * 2)  # rungs of three: epochs 2 and 4
    assert [trial.state for trial in trials].count("finished") == 2


def test_settings_that_do_not_fit_together_are_refused() -> None:
    of = session(NOWHERE, space={"optimizer": ["sgd"], "momentum": [0.1, 0.9], "l2": {"low": 0, "high": 1}})
    asked = [{"optimizer": name, "momentum": 0.1, "l2": 0.0} for name in ("sgd", "adam")]
    trials, _, _ = trained(of, asked)
    assert [trial.state for trial in trials] == ["finished", "refused"]


def test_a_score_that_is_no_number_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    of, train = session(NOWHERE, seeds=1), Trainer.train

    def lost(self: Trainer, *how: Any) -> Any:
        return [dataclasses.replace(record, scores={"validation_accuracy": math.inf}) for record in train(self, *how)]

    monkeypatch.setattr(Trainer, "train", lost)
    assert of.spec.search is not None
    trials, _, _ = trained(of, ask(of.spec.search, (), 4))
    assert {(trial.state, trial.scores) for trial in trials} == {("diverged", (None, None))}


def test_trainings_that_stop_by_themselves_keep_their_score() -> None:
    rule = {"early_stopping.patience": [1, 2], "learning_rate": {"low": 0.2, "high": 0.9}}
    of = session(NOWHERE, epochs=12, space=rule, batch=4)
    asked = [{"early_stopping.patience": p, "learning_rate": r} for p in (1, 2) for r in (0.5, 0.6)]
    trials, total, seen = trained(of, asked)
    assert total == seen <= planned_epochs(12, 4, of.spec.search or SearchSpec())
    assert all(trial.mean is not None for trial in trials)
    assert sum(trial.state == "finished" for trial in trials) == 1


def test_no_rung_is_within_averaged_epochs() -> None:
    of = session(NOWHERE, epochs=8)
    bases = [changed(of.spec.base, {"average": {"kind": "swa", "last": last}}) for last in (2, 5)]
    assert rungs(8, 4, 2) == (2, 4, 8)
    assert rungs_of(of, 4, bases[:1]) == (2, 4, 8)
    assert rungs_of(of, 4, bases) == (2, 8)


def test_a_stop_keeps_nothing_of_the_batch() -> None:
    of, stop = session(NOWHERE), StopRequest()
    assert of.spec.search is not None
    with pytest.raises(Interrupted, match="Finished batches of the search are kept"):
        train_batch(of, ask(of.spec.search, (), 4), 0, lambda *_: stop.make() if not stop.requested else None, stop)


def test_an_overdue_stop_ends_the_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    of, stop = session(NOWHERE), StopRequest()
    assert of.spec.search is not None
    stop.make()
    monkeypatch.setattr("wellfit.study.interrupts.GRACE", 0.0)
    with pytest.raises(Interrupted):
        train_batch(of, ask(of.spec.search, (), 4), 0, lambda *_: pytest.fail("an epoch ended"), stop)


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({"batch_size": [16, 4096], "l2": {"low": 0, "high": 1}}, "batch_size = 4096, but it trains on 160 examples"),
        ({"model.kind": ["logistic", "lenet5"], "l2": {"low": 0, "high": 1}}, "layer 1: conv2d"),
    ],
)
def test_a_space_that_does_not_fit_the_data_is_refused_first(space: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(WellfitError, match=words):
        check_space(session(tmp_path / "study", space=space))


@pytest.mark.parametrize(("epochs", "batch", "halving"), [(30, 10, 3), (4, 4, 2), (1, 8, 2), (27, 27, 3)])
def test_planned_epochs_count_every_rung(epochs: int, batch: int, halving: int) -> None:
    search = SearchSpec(halving=halving, seeds=3)
    left, before, total = batch, 0, 0
    for rung in rungs(epochs, batch, halving):
        total += 3 * left * (rung - before)
        left, before = math.ceil(left / halving), rung
    assert planned_epochs(epochs, batch, search) == total
