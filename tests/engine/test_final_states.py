"""Final states: when a trajectory can continue from one, and what its stopping rules keep of earlier epochs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest

from wellfit.base import HISTORY_COLUMNS, Averaging, EarlyStopping, FloatArray, IntArray, Recipe, RunSpec
from wellfit.base.histograms import BINS
from wellfit.engine.final_states import (
    FinalState,
    UnusableStateError,
    check_final_state,
    final_state_of,
    fingerprints,
    obstacle,
    resume,
)
from wellfit.engine.packing import pack
from wellfit.engine.plan import Population, make_plan
from wellfit.engine.readouts import Host, Progress, histograms_so_far, note, records
from wellfit.engine.stopping import Watch

LOSSES = [0.9, 0.5, 0.6, 0.7, 0.4]
NAMES = ("dense_1/kernel",)
RESTORE = EarlyStopping(patience=2, restore_best_weights=True)


def population(epochs: int, **recipes: Recipe) -> Population:
    runs = [RunSpec(name, 0, replace(recipe, epochs=recipe.epochs or epochs)) for name, recipe in recipes.items()]
    (planned,) = make_plan(runs, (4,), 3, (40, 20, 20), 1).populations
    return planned


def row(loss: float) -> FloatArray:
    return np.array([loss if name == "validation_loss" else 0.5 for name in HISTORY_COLUMNS])


def weights(epoch: int) -> Host:
    return Host({"dense_1": {"kernel": np.full(2, epoch, np.float32)}}, {}, {})


def counts(epoch: int) -> IntArray:
    """Of one array with two weights, in a bin of their own in every epoch.  # (1, BINS)"""
    return 2 * np.eye(BINS, dtype=np.int64)[epoch : epoch + 1]


def at_work(of: Population) -> Progress:
    (trajectory,) = of.trajectories
    return Progress(trajectory, (0, 0), [Watch()] * len(trajectory.readouts))


def go(p: Progress, losses: list[float]) -> None:
    for loss in losses:
        number = len(p.rows) + 1
        if p.active:
            now = weights(number)
            note([p], number, [row(loss)], [counts(number)], partial(lambda now, place: now, now))


def ended(of: Population, losses: list[float]) -> tuple[Progress, FinalState]:
    p = at_work(of)
    go(p, losses)
    return p, final_state_of(p, of.program, lambda: [np.zeros(3, np.float32)])


@pytest.mark.parametrize("first", [1, 2, 3, 4])
def test_a_continued_rule_equals_an_uninterrupted_one(first: int) -> None:
    recipes = {"plain": Recipe(epochs=0), "rule": Recipe(epochs=0, early_stopping=RESTORE)}
    whole = at_work(population(5, **recipes))
    go(whole, LOSSES)
    _, end = ended(population(first, **recipes), LOSSES[:first])
    longer = population(5, **recipes)
    assert obstacle(end.facts, longer.program, longer.trajectories[0], ()) is None
    p = at_work(longer)
    assert len(resume(p, end)) == 1
    go(p, LOSSES[first:])
    assert p.watches == whole.watches
    for one, other in zip(records(p, NAMES, lambda run, w: {}), records(whole, NAMES, lambda run, w: {}), strict=True):
        assert (one.state, one.epochs, one.readout_epoch) == (other.state, other.epochs, other.readout_epoch)
        assert np.array_equal(one.weights["dense_1/kernel"], other.weights["dense_1/kernel"])
        assert one.weights["dense_1/kernel"][0] == one.readout_epoch
        np.testing.assert_array_equal(one.histograms["dense_1/kernel"], other.histograms["dense_1/kernel"])


def test_epochs_before_there_were_histograms_have_none() -> None:
    recipes = {"plain": Recipe(epochs=0), "early": Recipe(epochs=3)}
    _, end = ended(population(2, **recipes), LOSSES[:2])
    before = replace(end, arrays={name: array for name, array in end.arrays.items() if name != "counts"})
    p = at_work(population(5, **recipes))
    resume(p, before)
    assert histograms_so_far([p], NAMES) == {("plain", 0): {}, ("early", 0): {}}
    go(p, LOSSES[2:])
    made = {record.spec.variant: record for record in records(p, NAMES, lambda run, w: {})}
    known = made["plain"].histograms["dense_1/kernel"]
    assert known.any(axis=1).tolist() == [False, False, True, True, True]
    assert made["early"].histograms["dense_1/kernel"].any(axis=1).tolist() == [False, False, True]
    for begin in (1, 2, 3, 5):
        rest = histograms_so_far([p], NAMES, begin)["plain", 0]["dense_1/kernel"]
        np.testing.assert_array_equal(rest, known[begin - 1 :])
    assert histograms_so_far([p], NAMES, 6) == {("plain", 0): {}, ("early", 0): {}}


def test_who_is_over_keeps_no_state() -> None:
    p, end = ended(population(5, rule=Recipe(epochs=0, early_stopping=RESTORE)), LOSSES)
    assert p.watches[0].stopped
    assert sorted(end.arrays) == ["counts", "kept/0/dense_1/kernel", "rows"]
    longer = population(9, rule=Recipe(epochs=0, early_stopping=RESTORE))
    again = at_work(longer)
    assert resume(again, end) == []
    assert not again.active
    (record,) = records(again, NAMES, lambda run, w: {})
    assert (record.state, record.epochs, record.readout_epoch) == ("stopped", 4, 2)


def test_a_run_that_was_read_before_is_not_read_again() -> None:
    recipes = {"own": Recipe(epochs=2), "plain": Recipe(epochs=0)}
    _, end = ended(population(3, **recipes), LOSSES[:3])
    longer = population(5, **recipes)
    trajectory = longer.trajectories[0]
    assert obstacle(end.facts, longer.program, trajectory, {("own", 0)}) is None
    assert obstacle(end.facts, longer.program, trajectory, ()) is not None  # its weights were not kept
    p = at_work(longer)
    resume(p, end)
    go(p, LOSSES[3:])
    assert [record.spec.variant for record in records(p, NAMES, lambda run, w: {})] == ["plain"]


def test_a_rule_that_needs_earlier_epochs_cannot_continue() -> None:
    """It had stopped looking at epoch 1; what it would have kept of the second is lost."""
    before = {"rule": Recipe(epochs=1, early_stopping=RESTORE), "plain": Recipe(epochs=0)}
    _, end = ended(population(4, **before), LOSSES[:4])
    after = population(4, **{**before, "rule": Recipe(epochs=4, early_stopping=RESTORE)})
    reason = obstacle(end.facts, after.program, after.trajectories[0], {("plain", 0)})
    assert reason == "whose weights at an earlier epoch were not kept"


@pytest.mark.parametrize(("epochs", "last", "goes_on"), [(5, 2, True), (5, 3, False), (4, 1, True), (4, 2, False)])
def test_swa_continues_if_it_starts_after_the_final_state(epochs: int, last: int, goes_on: bool) -> None:
    recipe = Recipe(epochs=0, average=Averaging("swa", last=last))
    _, end = ended(population(3, swa=recipe), LOSSES[:3])
    longer = population(epochs, swa=recipe)
    assert (obstacle(end.facts, longer.program, longer.trajectories[0], ()) is None) == goes_on


def test_divergence_is_the_end() -> None:
    p, end = ended(population(3, plain=Recipe(epochs=0)), [0.9, float("nan")])
    assert p.diverged
    assert sorted(end.arrays) == ["counts", "rows"]
    longer = population(9, plain=Recipe(epochs=0))
    assert obstacle(end.facts, longer.program, longer.trajectories[0], ()) is None
    again = at_work(longer)
    resume(again, end)
    assert not again.active
    (record,) = records(again, NAMES, lambda run, w: {})
    assert (record.state, record.epochs) == ("diverged", 2)
    assert record.histograms["dense_1/kernel"].any(axis=1).tolist() == [True, False]


def test_another_program_or_training_cannot_continue(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Recipe(epochs=0)
    _, end = ended(population(2, plain=plain), LOSSES[:2])
    longer = population(4, plain=plain)
    mixed = replace(longer.program, precision="mixed")
    trajectory = longer.trajectories[0]
    assert obstacle(end.facts, mixed, trajectory, ()) == "with another precision or layout on this machine"
    other = replace(trajectory, seed=1)
    assert obstacle(end.facts, longer.program, other, ()) == "whose schedule spans the epochs"


def test_final_states_of_the_first_edition_still_match() -> None:
    recipes = {"plain": Recipe(epochs=2, l2=1e-3), "rule": Recipe(epochs=2, l2=1e-3, early_stopping=RESTORE)}
    planned = population(2, **recipes)
    saved = "69d307358a1ab1f216868115b5df0f2f"  # as the first edition stored it
    assert fingerprints(planned.program, planned.trajectories[0])["training"] == saved


def test_arrays_of_another_network_are_refused() -> None:
    recipes = {"plain": Recipe(epochs=0), "rule": Recipe(epochs=0, early_stopping=RESTORE)}
    _, end = ended(population(2, **recipes), LOSSES[:2])
    leaves = [jnp.zeros((1, 1, 3), jnp.float32)]
    shapes = {"dense_1/kernel": (2,)}
    check_final_state(end, shapes, 1, leaves)
    check_final_state(replace(end, arrays={n: a for n, a in end.arrays.items() if n != "counts"}), shapes, 1, leaves)
    kept = next(name for name in end.arrays if name.startswith("kept/"))
    for name, array, words in (
        ("rows", end.arrays["rows"][:, 1:], "rows are not the history of 2 epochs"),
        ("rows", end.arrays["rows"][1:], "rows are not the history of 2 epochs"),
        ("rows", None, "rows are not the history of 2 epochs"),
        ("counts", np.zeros(9, np.uint8), "counts: a packed histogram is damaged"),
        ("counts", pack(np.ones((2, 3, BINS))), "counts: a packed histogram is not of 2 epochs"),
        ("counts", np.zeros(9), "counts: float64"),
        ("state/0", np.zeros(4, np.float32), "its state is not that of this network"),
        ("state/0", np.zeros(3, np.int32), "its state is not that of this network"),
        ("state/0", None, "its state is not that of this network"),
        ("state/evil", np.zeros(3, np.float32), "its state is not that of this network"),
        (kept, np.zeros(3, np.float32), "the weights that it keeps are not those of this network"),
        (f"{kept}/more", np.zeros(3, np.float32), "the weights that it keeps are not those of this network"),
    ):
        arrays = {**end.arrays, name: array}
        if array is None:
            del arrays[name]
        with pytest.raises(UnusableStateError) as caught:
            check_final_state(replace(end, arrays=arrays), shapes, 1, leaves)
        assert caught.value.name == end.name
        assert caught.value.reason.startswith(words), name
