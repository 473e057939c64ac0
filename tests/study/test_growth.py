"""Studies that grow: by epochs to the bits of one trained at once, by seeds, by variants, and by all three together."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import stores
import wellfit
from small_studies import NOWHERE, points, small, unsplit
from wellfit.base import Dataset
from wellfit.data.catalog import load_dataset
from wellfit.errors import OtherStudyError, StoreUnreadableError
from wellfit.spec.study import StudySpec, study_from_mapping
from wellfit.store import create_or_open, open_existing
from wellfit.store.arrays import unpack, write_arrays
from wellfit.study import provenance as provenance_module
from wellfit.study.as_json import to_json
from wellfit.study.planning import Forecast
from wellfit.study.provenance import several_machines
from wellfit.study.run import Interrupted, Progress, run_study
from wellfit.study.session import Session
from wellfit.study.summarize import summarize
from wellfit.study.verify import verify_study

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
            "data": {"name": "digits", "train_share": 0.2, "folds": 1},
            "model": {"hidden": [8]},
            "train": {"epochs": epochs, "batch_size": 64, "seeds": seeds, **train},
            "variants": VARIANTS if variants is None else variants,
        }
    )


class Run:
    """The forecast and the progress of a run, and the trajectory-epochs that it trained."""

    def __init__(self, spec: StudySpec, directory: Path, dataset: Dataset | None = None) -> None:
        data = dataset or points()
        self.forecasts: list[Forecast] = []
        self.progress: list[Progress] = []
        run_study(Session(spec, data, directory), on_plan=self.forecasts.append, on_progress=self.progress.append)
        train = self.forecast.examples[0]
        self.trained = sum(tick.examples for tick in self.progress) // train

    @property
    def forecast(self) -> Forecast:
        return self.forecasts[0]


def weights(directory: Path) -> dict[str, bytes]:
    return {name: content for name, content in stores.tree(directory).items() if name.startswith("weights/")}


# --- More epochs ------------------------------------------------------------------------------------------------------


def test_more_epochs_give_the_bits_of_training_at_once(tmp_path: Path) -> None:
    digits = load_dataset("digits")
    at_once = Run(study(5), tmp_path / "once", digits)
    first = Run(study(3), tmp_path / "grown", digits)
    before = Session(study(5), digits, tmp_path / "grown").forecast
    then = Run(study(5), tmp_path / "grown", digits)

    assert stores.same_bits(tmp_path / "grown", tmp_path / "once")
    assert weights(tmp_path / "grown") == weights(tmp_path / "once")
    states = "SELECT variant, seed, recipe, state, epochs, readout_epoch, scores FROM runs ORDER BY variant, seed"
    assert stores.rows(tmp_path / "grown", states) == stores.rows(tmp_path / "once", states)
    assert summarize(tmp_path / "grown").state == "finished"
    # adam, stopped and patient share a trajectory; "own" keeps its two epochs
    assert (first.trained, then.trained) == (2 * (5 * 3 + 2), 2 * 5 * 2)
    assert first.trained + then.trained == at_once.trained
    assert (then.forecast.plan.runs, then.forecast.done) == (2 * 7, 2)
    assert (then.forecast.continued, then.forecast.saved, dict(then.forecast.restarted)) == (12, 2 * (5 * 3 + 2), {})
    assert (before.continued, before.saved) == (then.forecast.continued, then.forecast.saved)
    assert [tick.share for tick in then.progress] == sorted(tick.share for tick in then.progress)
    assert then.progress[-1].share == 1


@pytest.mark.parametrize("made", [pytest.param(points, marks=pytest.mark.slow), unsplit])
def test_folds_grow_by_seeds_and_epochs_to_the_bits_of_training_at_once(
    made: Callable[[], Dataset], tmp_path: Path
) -> None:
    dataset = made()
    Run(small(3, 4, folds=3), tmp_path / "once", dataset)
    Run(small(2, 2, folds=3), tmp_path / "grown", dataset)
    before = stores.epochs(tmp_path / "grown"), stores.probabilities(tmp_path / "grown")
    seeds = Run(small(2, 4, folds=3), tmp_path / "grown", dataset)  # the fourth is of further folds
    assert (seeds.forecast.done, seeds.trained) == (4, 2 * 2 * 2)
    after = stores.epochs(tmp_path / "grown"), stores.probabilities(tmp_path / "grown")
    assert [row for row in after[0] if row[1] < 2] == before[0]
    assert {name: after[1][name] for name in before[1] if name != "keepsakes.npz"}.items() <= before[1].items()
    epochs = Run(small(3, 4, folds=3), tmp_path / "grown", dataset)
    assert (epochs.forecast.continued, epochs.trained) == (8, 4 * 2)
    assert stores.same_bits(tmp_path / "grown", tmp_path / "once")
    assert weights(tmp_path / "grown") == weights(tmp_path / "once")
    assert summarize(tmp_path / "grown").comparisons == summarize(tmp_path / "once").comparisons
    assert verify_study(tmp_path / "grown").problems == ()


def test_growing_twice_survives_an_interruption(tmp_path: Path) -> None:
    Run(small(6), tmp_path / "once")
    Run(small(2), tmp_path / "grown")

    def press(tick: Progress) -> None:
        if tick.epoch == 3:
            import os
            import signal

            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        run_study(Session(small(4), points(), tmp_path / "grown"), on_progress=press)
    summary = summarize(tmp_path / "grown")
    assert summary.state == "interrupted"
    assert {run.state for variant in summary.variants for run in variant.runs} == {"pending"}  # of too few epochs
    assert summary.comparisons == ()
    assert [tick.epoch for tick in Run(small(4), tmp_path / "grown").progress] == [4, 0]
    assert summarize(tmp_path / "grown").state == "finished"
    assert Run(small(6), tmp_path / "grown").trained == 4 * 2
    assert stores.same_bits(tmp_path / "grown", tmp_path / "once")
    with open_existing(tmp_path / "grown") as store:
        assert len(str(store.metadata.test_opened()).split(", ")) == 3  # once for every number of epochs
    ends = sorted(path.name for path in (tmp_path / "grown" / "ends").iterdir())
    assert ends == [f"{variant}.{seed}.6.npz" for variant in ("l2", "plain") for seed in (0, 1)]


def test_stopped_runs_need_no_training(tmp_path: Path) -> None:
    rule = {"patience": 1, "monitor": "val_accuracy", "min_delta": 0.9}
    variants = {"plain": {"early_stopping": rule}, "l2": {"l2": 0.1, "early_stopping": {**rule, "patience": 2}}}
    Run(small(3, **variants), tmp_path)  # the rule of the second stops it in its last epoch
    states = "SELECT variant, state, epochs FROM runs WHERE seed = 0 ORDER BY variant"
    assert stores.rows(tmp_path, states) == [("l2", "finished", 3), ("plain", "stopped", 2)]
    grown = Run(small(9, **variants), tmp_path)
    assert (grown.trained, grown.forecast.continued, grown.forecast.saved) == (0, 4, 2 * 5)
    assert grown.forecast.seconds == 0
    assert stores.rows(tmp_path, states) == [("l2", "stopped", 3), ("plain", "stopped", 2)]
    assert summarize(tmp_path).state == "finished"


def test_a_diverged_run_stays_diverged(tmp_path: Path) -> None:
    wild = {"wild": {"learning_rate": 1e38}}
    Run(small(2, **wild), tmp_path)
    grown = Run(small(4, **wild), tmp_path)
    assert (grown.trained, grown.forecast.continued) == (4 * 2, 6)
    assert {run.state for run in summarize(tmp_path).variants[2].runs} == {"diverged"}


def test_trainings_that_cannot_continue_start_over(tmp_path: Path) -> None:
    variants = {
        "cosine": {"schedule": {"kind": "cosine"}},
        "swa": {"l2": 0.2, "average": {"kind": "swa", "last": 3}},
        "late": {"l2": 0.3, "average": {"kind": "swa", "last": 2}},
    }
    Run(small(6, **variants), tmp_path / "once")
    Run(small(4, **variants), tmp_path / "grown")
    grown = Run(small(6, **variants), tmp_path / "grown")
    assert dict(grown.forecast.restarted) == {
        "whose schedule spans the epochs": 2,
        "whose weights at an earlier epoch were not kept": 2,
    }
    assert (grown.forecast.continued, grown.forecast.saved) == (6, 6 * 4)
    assert grown.trained == 4 * 6 + 6 * 2
    assert stores.same_bits(tmp_path / "grown", tmp_path / "once")


@pytest.mark.slow
def test_without_final_states_everything_starts_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Run(small(2), tmp_path / "study")
    Run(small(3), tmp_path / "once")
    shutil.copytree(tmp_path / "study", tmp_path / "other")
    shutil.rmtree(tmp_path / "study" / "ends")
    grown = Run(small(3), tmp_path / "study")
    assert (dict(grown.forecast.restarted), grown.forecast.saved) == ({"without a saved state to continue from": 4}, 0)
    assert stores.same_bits(tmp_path / "study", tmp_path / "once")

    monkeypatch.setattr("wellfit.engine.plan._SMALL_COSTS", ((1, 1.0), (2, 5.0)))  # groups of one run, and not of two
    layout = Run(small(3), tmp_path / "other")
    assert dict(layout.forecast.restarted) == {"with another precision or layout on this machine": 4}


def test_runs_with_a_missing_or_damaged_file_are_trained_again(tmp_path: Path) -> None:
    Run(small(2), tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "study")
    (tmp_path / "study" / "weights" / "plain.0.npz").unlink()
    (tmp_path / "study" / "test" / "l2.1.npz").write_bytes(b"half")
    again = Run(small(2), tmp_path / "study")
    assert dict(again.forecast.restarted) == {"with a missing or damaged file": 2}
    assert again.forecast.done == 2
    assert verify_study(tmp_path / "study").problems == ()
    for name, content in weights(tmp_path / "whole").items():
        with np.load(io.BytesIO(content)) as one, np.load(tmp_path / "study" / name) as other:
            assert all(np.allclose(one[key], other[key], atol=1e-5) for key in one.files)  # another layout rounds
    assert Run(small(2), tmp_path / "study").forecast.plan.runs == 0


def test_a_damaged_final_state_is_reported(tmp_path: Path) -> None:
    Run(small(2), tmp_path)
    end = tmp_path / "ends" / "plain.0.2.npz"
    end.write_bytes(end.read_bytes()[:-1])
    with pytest.raises(StoreUnreadableError, match=r"plain\.0\.2\.npz: damaged: .* remove it and .* starts again"):
        Run(small(3), tmp_path)
    end.unlink()
    assert dict(Run(small(3), tmp_path).forecast.restarted) == {"without a saved state to continue from": 1}


def test_a_final_state_of_a_stranger_is_refused_in_one_line(tmp_path: Path) -> None:
    Run(small(1, seeds=1), tmp_path)
    end = tmp_path / "ends" / "plain.0.1.npz"
    with closing(sqlite3.connect(tmp_path / "study.db")) as database:
        ((before,),) = database.execute("SELECT value FROM study WHERE key = 'end of plain.0'").fetchall()

    def describe(**changes: Any) -> None:
        with closing(sqlite3.connect(tmp_path / "study.db")) as database, database:
            told = json.dumps({**json.loads(before), **changes})
            database.execute("UPDATE study SET value = ? WHERE key = 'end of plain.0'", (told,))

    arrays = unpack(end.read_bytes())
    for name, array in (("counts", np.zeros(9, np.uint8)), ("rows", arrays["rows"][:, 1:])):
        describe(sha256=write_arrays(end, {**arrays, name: array}))
        with pytest.raises(
            StoreUnreadableError, match=rf"plain\.0\.1\.npz: not a file of wellfit \({name}.*; restore it"
        ):
            Run(small(2, seeds=1), tmp_path)
    for changes in (
        {"over": []},
        {"over": [5]},
        {"runs": ["a"]},
        {"population": 5},
        {"seconds": "x"},
        {"usable": None},
    ):
        describe(**changes)
        with pytest.raises(StoreUnreadableError, match="damaged: the final states of its trainings"):
            Run(small(2, seeds=1), tmp_path)


def test_fewer_epochs_are_refused_after_training_more(tmp_path: Path) -> None:
    Run(small(3), tmp_path)
    before = stores.tree(tmp_path)
    with pytest.raises(OtherStudyError, match=r"\[train\] epochs is 3 there and 2 here; choose another directory"):
        Run(small(2), tmp_path)
    assert stores.tree(tmp_path) == before

    def stop(forecast: Forecast) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(Session(small(300), points(), tmp_path), on_plan=stop)  # a slip of the finger
    assert summarize(tmp_path).state == "interrupted"
    assert Run(small(3), tmp_path).trained == 0
    assert summarize(tmp_path).state == "finished"


# --- Seeds, variants and epochs ---------------------------------------------------------------------------------------


def test_growing_in_every_way_trains_only_what_is_missing(tmp_path: Path) -> None:
    Run(small(2), tmp_path)
    assert Run(small(2, seeds=3), tmp_path).trained == 2 * 2
    assert Run(small(2, seeds=3, dropless={"l2": 0.3}), tmp_path).trained == 3 * 2
    grown = Run(small(5, seeds=4, dropless={"l2": 0.3}, new={"l2": 0.7}), tmp_path)
    # nine trajectories go on for three epochs; the new variant, and the new seed, have all five to go
    assert (grown.forecast.continued, grown.forecast.saved, dict(grown.forecast.restarted)) == (9, 9 * 2, {})
    assert grown.trained == 9 * 3 + 7 * 5
    summary = summarize(tmp_path)
    assert summary.state == "finished"
    assert {run.epochs for variant in summary.variants for run in variant.runs} == {5}
    assert sum(len(variant.runs) for variant in summary.variants) == 16
    alone = tmp_path / "alone"
    Run(small(5, seeds=4, dropless={"l2": 0.3}, new={"l2": 0.7}), alone)
    for one, other in zip(stores.epochs(tmp_path), stores.epochs(alone), strict=True):
        assert one[:3] == other[:3]
        np.testing.assert_allclose(np.array(one[3:], float), np.array(other[3:], float), rtol=1e-4, atol=1e-5)


def test_runs_not_asked_for_grow_too(tmp_path: Path) -> None:
    """No table mixes runs of five epochs with runs of two."""
    Run(small(2, seeds=3, more={"l2": 0.3}), tmp_path)
    assert Run(small(5, seeds=2), tmp_path).trained == 9 * 3
    assert {run.epochs for variant in summarize(tmp_path).variants for run in variant.runs} == {5}


@pytest.mark.slow
def test_growing_on_other_data_too(tmp_path: Path) -> None:
    less = {"few": {"examples": 40}, "wrong": {"label_noise": 0.3}}
    Run(small(5, **less), tmp_path / "once")
    Run(small(2, **less), tmp_path / "grown")
    assert Run(small(5, **less), tmp_path / "grown").forecast.saved == 8 * 2
    assert stores.same_bits(tmp_path / "grown", tmp_path / "once")


def test_the_layout_outlives_the_machines_measurements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.engine.plan._SMALL", 0)
    monkeypatch.setattr("wellfit.study.planning._WORTH_MEASURING", 0)

    def measured(costs: Any) -> None:
        monkeypatch.setattr("wellfit.engine.machine.group_costs", lambda costs=costs: costs)

    def interrupt(tick: Progress) -> None:
        raise KeyboardInterrupt

    measured(((1, 1.0), (2, 0.1)))
    output: list[Forecast] = []
    with pytest.raises(KeyboardInterrupt):
        run_study(Session(small(2), points(), tmp_path), on_plan=output.append, on_progress=interrupt)
    measured(((1, 1.0),))
    assert output[0].plan.populations[0].program.width == 2
    assert Session(small(2), points(), tmp_path).forecast.plan == output[0].plan
    assert Session(small(2), points(), NOWHERE).forecast.plan.populations[0].program.width == 1


# --- On another number of cores ---------------------------------------------------------------------------------------

CHILD = """
import sys
from pathlib import Path
from wellfit.engine import devices
devices.cores = lambda: int(sys.argv[1])
from wellfit.data.catalog import load_dataset
from wellfit.spec.study import study_from_mapping
from wellfit.study.run import run_study
from wellfit.study.session import Session

def stop(tick):
    if tick.share > 0.8:
        raise KeyboardInterrupt

spec = study_from_mapping({
    "data": {"name": "digits", "train_share": 0.4, "folds": 1},
    "model": {"hidden": [16]},
    "train": {"epochs": 3, "seeds": 3},
    "variants": {"plain": {}, "l2": {"l2": 0.01}, "deep": {"dropout": 0.2, "model": {"hidden": [8, 8]}}},
})
def run(directory, on_progress):
    session = Session(spec, load_dataset("digits"), Path(directory))
    try:
        run_study(session, on_progress=on_progress)
    except KeyboardInterrupt:
        pass
    return session

session = run(sys.argv[2], None)
print(session.mesh.size, session.plan.populations[0].program.width, *session.forecast.cautions)
for directory in sys.argv[3:]:
    run(directory, stop)
"""


def on_cores(cores: int, directory: Path, *stopped: Path) -> list[str]:
    """The number of devices and the width of groups that a child trained a study with, and its cautions.

    It compiles as its users' processes do, and then stops the study short of its end in other directories.
    """
    environment = {**os.environ, "XLA_FLAGS": "", "PYTHONPATH": str(Path(wellfit.__file__).parents[1])}
    command = [sys.executable, "-c", CHILD, *map(str, (cores, directory, *stopped))]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize(
    ("first", "then"), [(1, 4), *(pytest.param(*pair, marks=pytest.mark.slow) for pair in [(4, 1), (2, 3), (8, 2)])]
)
def test_a_study_continued_on_another_number_of_cores_has_the_same_bits(first: int, then: int, tmp_path: Path) -> None:
    whole = on_cores(first, tmp_path / "whole", tmp_path / "killed")
    assert 0 < len(weights(tmp_path / "killed")) < 9
    continued = on_cores(then, tmp_path / "killed")
    assert (whole[0], continued[0]) == (str(max(2, first)), str(max(2, then)))
    assert whole[1:] == continued[1:]  # the same width, and no caution
    assert weights(tmp_path / "killed") == weights(tmp_path / "whole")
    assert stores.tree(tmp_path / "killed").keys() == stores.tree(tmp_path / "whole").keys()


def test_a_study_of_the_first_edition_keeps_its_width(tmp_path: Path) -> None:
    Run(small(2), tmp_path)
    with open_existing(tmp_path) as store:
        noted = store.metadata.note("choices")
    before = Session(small(2), points(), tmp_path).choices
    assert noted["devices"] == before.devices == len(jax.devices())
    with create_or_open(tmp_path, Session(small(2), points(), tmp_path).resolved, provenance={}) as store:
        store.metadata.write_note("choices", {key: value for key, value in noted.items() if key != "devices"})
    assert Session(small(2), points(), tmp_path).choices == before  # told by the provenance


def test_damaged_choices_are_reported(tmp_path: Path) -> None:
    Run(small(2), tmp_path)
    with create_or_open(tmp_path, Session(small(2), points(), tmp_path).resolved, provenance={}) as store:
        store.metadata.write_note("choices", {"costs": [[1, "cheap"]], "precision": "float32"})
    with pytest.raises(StoreUnreadableError, match=r"study\.db: damaged: the choices of its plan"):
        Session(small(2), points(), tmp_path).forecast  # noqa: B018


def test_a_study_that_continues_on_another_machine_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = {**provenance_module.machine_facts(), "processor": "M9, 3 cores"}
    with monkeypatch.context() as patch:
        patch.setattr(provenance_module, "machine_facts", lambda **_: elsewhere)
        Run(small(2), tmp_path)
    more = small(2, seeds=3)
    (caution,) = Session(more, points(), tmp_path).forecast.cautions
    assert "instead of M9, 3 cores: the last bits of its runs may differ" in caution
    assert Session(small(2), points(), tmp_path).forecast.cautions == ()  # nothing to train
    assert Session(more, points(), tmp_path, fresh=True).forecast.cautions == ()
    Run(more, tmp_path)
    assert list(to_json(summarize(tmp_path), "0")["several"]) == ["processor"]
    (note,) = verify_study(tmp_path).notes
    assert note.startswith("trained with more than one processor (M9, 3 cores, then ")
    assert several_machines(summarize(tmp_path).provenance) == f"T{note[1:]}."
