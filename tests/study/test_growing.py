"""Studies that grow: by epochs to the bits of one trained at once, by seeds, by variants, and by all three together."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stores
from small_studies import points, small
from wellfit.base import Dataset
from wellfit.data.catalog import load_dataset
from wellfit.errors import OtherStudyError, StoreUnreadableError
from wellfit.spec.study import StudySpec, load_study, study_from_mapping
from wellfit.store import open_existing
from wellfit.study.growing import home
from wellfit.study.outlook import Outlook, foresee
from wellfit.study.runner import Interrupted, Tick, run_study
from wellfit.study.summary import summarize

RESTORE = {"restore_best_weights": True}
VARIANTS: dict[str, Any] = {
    "adam": {},
    "dropout": {"dropout": 0.3},
    "stopped": {"early_stopping": {"patience": 1, "monitor": "val_accuracy", "min_delta": 0.9, **RESTORE}},
    "patient": {"early_stopping": {"patience": 50, **RESTORE}},
    "own": {"epochs": 2, "dropout": 0.1},
    "rmsprop": {"optimizer": "rmsprop"},
    "ema": {"optimizer": "momentum", "average": {"kind": "ema", "decay": 0.9}},
    "batch-norm": {"model": {"batch_norm": True}},
}


def study(epochs: int, seeds: int = 2, variants: dict[str, Any] | None = None, **train: Any) -> StudySpec:
    return study_from_mapping(
        {
            "data": {"name": "digits", "train_share": 0.2},
            "model": {"hidden": [8]},
            "train": {"epochs": epochs, "batch_size": 64, "seeds": seeds, **train},
            "variants": VARIANTS if variants is None else variants,
        }
    )


class Told:
    """What a run announced, and how many epochs of trajectories it trained."""

    def __init__(self, spec: StudySpec, directory: Path, dataset: Dataset | None = None) -> None:
        data = dataset or points()
        self.outlooks: list[Outlook] = []
        self.ticks: list[Tick] = []
        run_study(spec, data, directory, on_plan=self.outlooks.append, on_tick=self.ticks.append)
        train = self.outlook.examples[0]
        self.trained = sum(tick.examples for tick in self.ticks) // train

    @property
    def outlook(self) -> Outlook:
        return self.outlooks[0]


def weights(directory: Path) -> dict[str, bytes]:
    return {name: content for name, content in stores.tree(directory).items() if name.startswith("weights/")}


# --- More epochs ------------------------------------------------------------------------------------------------------


def test_more_epochs_give_the_bits_of_a_study_trained_at_once(tmp_path: Path) -> None:
    digits = load_dataset("digits")
    at_once = Told(study(5), tmp_path / "once", digits)
    first = Told(study(3), tmp_path / "grown", digits)
    before = foresee(study(5), digits, tmp_path / "grown")
    then = Told(study(5), tmp_path / "grown", digits)

    assert stores.same_bits(tmp_path / "grown", tmp_path / "once")
    assert weights(tmp_path / "grown") == weights(tmp_path / "once")
    states = "SELECT variant, seed, recipe, state, epochs, readout_epoch, scores FROM runs ORDER BY variant, seed"
    assert stores.rows(tmp_path / "grown", states) == stores.rows(tmp_path / "once", states)
    assert summarize(tmp_path / "grown").state == "finished"
    # adam, stopped and patient share a trajectory; "own" keeps its two epochs
    assert (first.trained, then.trained) == (2 * (5 * 3 + 2), 2 * 5 * 2)
    assert first.trained + then.trained == at_once.trained
    assert (then.outlook.plan.runs, then.outlook.done) == (2 * 7, 2)
    assert (then.outlook.continued, then.outlook.saved, dict(then.outlook.anew)) == (12, 2 * (5 * 3 + 2), {})
    assert (before.continued, before.saved) == (then.outlook.continued, then.outlook.saved)
    assert [tick.share for tick in then.ticks] == sorted(tick.share for tick in then.ticks)
    assert then.ticks[-1].share == 1


def test_grown_twice_and_interrupted_on_the_way(tmp_path: Path) -> None:
    Told(small(6), tmp_path / "once")
    Told(small(2), tmp_path / "grown")

    def press(tick: Tick) -> None:
        if tick.epoch == 3:
            import os
            import signal

            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        run_study(small(4), points(), tmp_path / "grown", on_tick=press)
    summary = summarize(tmp_path / "grown")
    assert summary.state == "interrupted"
    assert {run.state for variant in summary.variants for run in variant.runs} == {"pending"}  # of too few epochs
    assert summary.comparisons == ()
    assert [tick.epoch for tick in Told(small(4), tmp_path / "grown").ticks] == [4, 0]
    assert summarize(tmp_path / "grown").state == "finished"
    assert Told(small(6), tmp_path / "grown").trained == 4 * 2
    assert stores.same_bits(tmp_path / "grown", tmp_path / "once")
    with open_existing(tmp_path / "grown") as store:
        assert len(str(store.metadata.test_opened()).split(", ")) == 3  # once for every number of epochs
    ends = sorted(path.name for path in (tmp_path / "grown" / "ends").iterdir())
    assert ends == [f"{variant}.{seed}.6.npz" for variant in ("l2", "plain") for seed in (0, 1)]


def test_what_has_stopped_for_good_needs_no_training(tmp_path: Path) -> None:
    rule = {"patience": 1, "monitor": "val_accuracy", "min_delta": 0.9}
    variants = {"plain": {"early_stopping": rule}, "l2": {"l2": 0.1, "early_stopping": {**rule, "patience": 2}}}
    Told(small(3, **variants), tmp_path)  # the rule of the second stops it in its last epoch
    states = "SELECT variant, state, epochs FROM runs WHERE seed = 0 ORDER BY variant"
    assert stores.rows(tmp_path, states) == [("l2", "finished", 3), ("plain", "stopped", 2)]
    grown = Told(small(9, **variants), tmp_path)
    assert (grown.trained, grown.outlook.continued, grown.outlook.saved) == (0, 4, 2 * 5)
    assert grown.outlook.seconds == 0
    assert stores.rows(tmp_path, states) == [("l2", "stopped", 3), ("plain", "stopped", 2)]
    assert summarize(tmp_path).state == "finished"


def test_a_diverged_run_stays_diverged(tmp_path: Path) -> None:
    wild = {"wild": {"learning_rate": 1e38}}
    Told(small(2, **wild), tmp_path)
    grown = Told(small(4, **wild), tmp_path)
    assert (grown.trained, grown.outlook.continued) == (4 * 2, 6)
    assert {run.state for run in summarize(tmp_path).variants[2].runs} == {"diverged"}


def test_what_cannot_go_on_is_trained_anew_and_counted(tmp_path: Path) -> None:
    variants = {
        "cosine": {"schedule": {"kind": "cosine"}},
        "swa": {"l2": 0.2, "average": {"kind": "swa", "last": 3}},
        "late": {"l2": 0.3, "average": {"kind": "swa", "last": 2}},
    }
    Told(small(6, **variants), tmp_path / "once")
    Told(small(4, **variants), tmp_path / "grown")
    grown = Told(small(6, **variants), tmp_path / "grown")
    assert dict(grown.outlook.anew) == {
        "whose schedule spans the epochs": 2,
        "whose weights of an epoch that has gone by were not kept": 2,
    }
    assert (grown.outlook.continued, grown.outlook.saved) == (6, 6 * 4)
    assert grown.trained == 4 * 6 + 6 * 2
    assert stores.same_bits(tmp_path / "grown", tmp_path / "once")


@pytest.mark.slow
def test_without_ends_everything_is_trained_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Told(small(2), tmp_path / "study")
    Told(small(3), tmp_path / "once")
    shutil.copytree(tmp_path / "study", tmp_path / "other")
    shutil.rmtree(tmp_path / "study" / "ends")
    grown = Told(small(3), tmp_path / "study")
    assert (dict(grown.outlook.anew), grown.outlook.saved) == ({"without a state to go on from": 4}, 0)
    assert stores.same_bits(tmp_path / "study", tmp_path / "once")

    monkeypatch.setattr("wellfit.engine.plan._SMALL_COSTS", ((1, 1.0), (2, 5.0)))  # groups of one run, and not of two
    layout = Told(small(3), tmp_path / "other")
    assert dict(layout.outlook.anew) == {"with another precision or layout on this machine": 4}


def test_a_damaged_end_is_told(tmp_path: Path) -> None:
    Told(small(2), tmp_path)
    end = tmp_path / "ends" / "plain.0.2.npz"
    end.write_bytes(end.read_bytes()[:-1])
    with pytest.raises(StoreUnreadableError, match=r"plain\.0\.2\.npz: damaged: .* remove it, .* trained anew"):
        Told(small(3), tmp_path)
    end.unlink()
    assert dict(Told(small(3), tmp_path).outlook.anew) == {"without a state to go on from": 1}


def test_fewer_epochs_are_refused_unless_nothing_has_more(tmp_path: Path) -> None:
    Told(small(3), tmp_path)
    before = stores.tree(tmp_path)
    with pytest.raises(OtherStudyError, match=r"\[train\] epochs is 3 there and 2 here; choose another directory"):
        Told(small(2), tmp_path)
    assert stores.tree(tmp_path) == before

    def stop(outlook: Outlook) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(small(300), points(), tmp_path, on_plan=stop)  # a slip of the finger
    assert summarize(tmp_path).state == "interrupted"
    assert Told(small(3), tmp_path).trained == 0
    assert summarize(tmp_path).state == "finished"


# --- Seeds, variants and epochs ---------------------------------------------------------------------------------------


def test_all_three_together_train_only_what_is_missing(tmp_path: Path) -> None:
    Told(small(2), tmp_path)
    assert Told(small(2, seeds=3), tmp_path).trained == 2 * 2
    assert Told(small(2, seeds=3, dropless={"l2": 0.3}), tmp_path).trained == 3 * 2
    grown = Told(small(5, seeds=4, dropless={"l2": 0.3}, new={"l2": 0.7}), tmp_path)
    # nine trajectories go on for three epochs; the new variant, and the new seed, have all five to go
    assert (grown.outlook.continued, grown.outlook.saved, dict(grown.outlook.anew)) == (9, 9 * 2, {})
    assert grown.trained == 9 * 3 + 7 * 5
    summary = summarize(tmp_path)
    assert summary.state == "finished"
    assert {run.epochs for variant in summary.variants for run in variant.runs} == {5}
    assert sum(len(variant.runs) for variant in summary.variants) == 16
    alone = tmp_path / "alone"
    Told(small(5, seeds=4, dropless={"l2": 0.3}, new={"l2": 0.7}), alone)
    for one, other in zip(stores.epochs(tmp_path), stores.epochs(alone), strict=True):
        assert one[:3] == other[:3]
        np.testing.assert_allclose(np.array(one[3:], float), np.array(other[3:], float), rtol=1e-4, atol=1e-5)


def test_what_is_not_asked_for_grows_too(tmp_path: Path) -> None:
    """No table mixes runs of five epochs with runs of two."""
    Told(small(2, seeds=3, more={"l2": 0.3}), tmp_path)
    assert Told(small(5, seeds=2), tmp_path).trained == 9 * 3
    assert {run.epochs for variant in summarize(tmp_path).variants for run in variant.runs} == {5}


@pytest.mark.slow
def test_growing_on_other_data_too(tmp_path: Path) -> None:
    less = {"few": {"examples": 40}, "wrong": {"label_noise": 0.3}}
    Told(small(5, **less), tmp_path / "once")
    Told(small(2, **less), tmp_path / "grown")
    assert Told(small(5, **less), tmp_path / "grown").outlook.saved == 8 * 2
    assert stores.same_bits(tmp_path / "grown", tmp_path / "once")


def test_the_layout_is_remembered_where_the_machine_forgets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.engine.plan._SMALL", 0)
    monkeypatch.setattr("wellfit.study.outlook._WORTH_MEASURING", 0)

    def measured(costs: Any) -> None:
        monkeypatch.setattr("wellfit.engine.machine.group_costs", lambda costs=costs: costs)

    def interrupt(tick: Tick) -> None:
        raise KeyboardInterrupt

    measured(((1, 1.0), (2, 0.1)))
    told: list[Outlook] = []
    with pytest.raises(KeyboardInterrupt):
        run_study(small(2), points(), tmp_path, on_plan=told.append, on_tick=interrupt)
    measured(((1, 1.0),))
    assert told[0].plan.populations[0].program.width == 2
    assert foresee(small(2), points(), tmp_path).plan == told[0].plan
    assert foresee(small(2), points()).plan.populations[0].program.width == 1


def test_where_a_study_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def place(epochs: int) -> Path:
        return home(load_study(settings=["model.hidden=[4]"], epochs=epochs, seeds=1), None, "digits")

    first = place(2)
    assert place(3) == first  # nothing is there yet
    spec = dataclasses.replace(small(2), name=load_study().name)
    run_study(spec, points(), first)
    assert place(5) == place(2) == first
    shorter = place(1)
    assert shorter != first
    run_study(small(1), points(), shorter)
    assert place(1) == shorter  # the same command finds its directory again
