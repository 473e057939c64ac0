"""The runner's promises: a test set opened once, bits that survive interrupts and kills, nothing that vanishes."""

from __future__ import annotations

import ast
import functools
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import stores
import wellfit
from wellfit.base import Dataset, TrainingData
from wellfit.data.assemble import make_dataset
from wellfit.data.audits import audit
from wellfit.data.splits import make_splits
from wellfit.engine.evaluation import predict_program
from wellfit.engine.predicting import _predictor
from wellfit.engine.train import Trainer, _compiled
from wellfit.errors import (
    DataError,
    OtherStudyError,
    ShapeError,
    StoreBusyError,
    StoreUnreadableError,
    StudyFileError,
)
from wellfit.spec.study import StudySpec, study_from_mapping
from wellfit.store import open_existing
from wellfit.store.checkpoints import Checkpoints
from wellfit.store.metadata import Metadata
from wellfit.study import run
from wellfit.study.planning import Forecast
from wellfit.study.run import Interrupted, Progress, run_study
from wellfit.study.session import Session
from wellfit.study.summarize import summarize

EPOCHS = 6
CURVED: dict[str, Any] = {"baseline": {}, "dropout": {"dropout": 0.3}}
STRAIGHT: dict[str, Any] = {"straight": {"model": {"kind": "logistic"}}}


def study(variants: dict[str, Any], seeds: int = 2, folds: int = 1, **train: Any) -> StudySpec:
    return study_from_mapping(
        {
            "data": {"name": "points", "scale": "standardize", "folds": folds},
            "model": {"hidden": [8]},
            "train": {"epochs": EPOCHS, "batch_size": 32, "seeds": seeds, **train},
            "variants": variants,
        }
    )


TWO = study({**CURVED, **STRAIGHT})
"""Two populations: the networks with a hidden layer, then those without."""


@functools.cache
def points(test_seed: int = 1) -> Dataset:
    """Three overlapping clouds in six dimensions, and a constant one; the test set is drawn from a seed of its own."""

    def draw(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        generator = np.random.default_rng(seed)
        y = generator.integers(0, 3, n)  # (n,)
        x = generator.normal(y[:, None], 2.0, (n, 7)).astype(np.float32)  # (n, 7)
        x[:, 6] = 1
        return x, y

    return make_dataset(*draw(0, 200), *draw(test_seed, 60), name="points")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study of two populations, never interrupted; to be read, not written."""
    directory = tmp_path_factory.mktemp("whole") / "study"
    run_study(Session(TWO, points(), directory))
    return directory


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "study"))


def outlook(spec: StudySpec, directory: Path, dataset: Dataset | None = None) -> Forecast:
    """Run a study, and return what it announced."""
    output: list[Forecast] = []
    run_study(Session(spec, dataset or points(), directory), on_plan=output.append)
    return output[0]


# --- The test set -----------------------------------------------------------------------------------------------------


class Watched(Dataset):
    """A data set that notes which module looks at its test set, and when."""

    looks: ClassVar[list[tuple[str, str, str]]] = []

    def __getattribute__(self, name: str) -> Any:
        if name in ("x_test", "y_test"):
            self.looks.append((phase[0], sys._getframe(1).f_globals["__name__"], name))
        return super().__getattribute__(name)


phase = ["before"]
CHECKING = ("wellfit.data.folds", "wellfit.study.fold", "wellfit.base.data", "dataclasses")
"""Modules that check the sets of all seeds before training, by their sizes and labels."""


def test_the_test_set_is_not_touched_while_anything_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train, opened = Trainer.train, Metadata.mark_test_opened

    def training(*arguments: Any) -> Any:
        phase[0] = "training"
        return train(*arguments)

    def opening(metadata: Metadata) -> None:
        phase[0] = "opened"
        with open_existing(tmp_path / "study") as store:
            assert len(store.runs.finished()) == 6  # everything is trained and saved
        opened(metadata)

    def on_progress(tick: Progress) -> None:
        ticks.append(tick)
        if tick.epochs:
            with open_existing(tmp_path / "study") as store:
                assert store.metadata.test_opened() is None
                assert store.runs.test_scores() == {}

    monkeypatch.setattr(Trainer, "train", training)
    monkeypatch.setattr(Metadata, "mark_test_opened", opening)
    phase[0] = "before"
    dataset = Watched(**vars(points()))
    Watched.looks.clear()
    ticks: list[Progress] = []
    run_study(Session(TWO, dataset, tmp_path / "study"), on_plan=lambda _: None, on_progress=on_progress)

    looks = {kind: {look[1:] for look in dataset.looks if look[0] == kind} for kind in ("before", "training", "opened")}
    assert looks["training"] == set()
    audits, ours, counts = "wellfit.data.audits.sets", "wellfit.study.run", "wellfit.study.session"
    foreseen = "wellfit.study.forecasting"  # how many there are
    facts = "wellfit.data.facts"
    assert ("wellfit.study.run", "x_test") in looks["opened"]
    # before: compared with the training examples, counted for the plan, and the labels saved for the report
    compared = {(audits, "x_test"), (audits, "y_test"), (facts, "x_test"), (facts, "y_test")}
    checked = {(module, name) for module, name in looks["before"] if module in CHECKING}  # sizes and labels
    assert looks["before"] <= {*compared, *checked, (counts, "y_test"), (foreseen, "y_test"), (ours, "y_test")}
    with open_existing(tmp_path / "study") as store:
        assert store.metadata.test_opened() is not None
        assert len(store.runs.test_scores()) == 6

    assert [tick.epoch for tick in ticks] == [*range(1, EPOCHS + 1)] * 2 + [0]
    assert [tick.active for tick in ticks] == [4] * (EPOCHS - 1) + [0] + [2] * (EPOCHS - 1) + [0, 6]
    shares = [tick.share for tick in ticks]
    assert shares == sorted(shares)
    assert shares[0] == pytest.approx(4 / 36)  # four trajectories of six went through one of six epochs
    assert shares[-1] == 1
    assert {tick.examples for tick in ticks[:EPOCHS]} == {4 * 160}


def test_what_is_learnt_does_not_depend_on_the_test_set(whole: Path, tmp_path: Path) -> None:
    other = replace(points(test_seed=2), hash=points().hash)
    run_study(Session(study(STRAIGHT), other, tmp_path / "study"))
    straight = [row for row in stores.epochs(whole) if row[0] == "straight"]
    assert stores.epochs(tmp_path / "study") == straight
    assert stores.probabilities(tmp_path / "study")["straight.0.npz"] != stores.probabilities(whole)["straight.0.npz"]


def test_neither_engine_nor_networks_know_of_a_data_set() -> None:
    source = Path(wellfit.__file__).parent
    for path in [*source.glob("engine/*.py"), *source.glob("nn/*.py")]:
        names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
        imported = {
            alias.name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom | ast.Import)
            for alias in node.names
        }
        assert not (names | imported) & {"Dataset", "make_dataset", "load_dataset"}, path
        assert not any(name.startswith("wellfit.data") for name in imported), path


# --- Interrupts and kills ---------------------------------------------------------------------------------------------


def press(tick: Progress, times: int = 1) -> None:
    for _ in range(times):
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(
    ("at", "kept", "trained"),
    [
        (2, 1, 0),  # in the midst of the first population
        (EPOCHS, 0, 4),  # at its end
        (EPOCHS + 3, 1, 4),  # in the midst of the second
        (2 * EPOCHS, 0, 6),  # at its end, before the test set
    ],
)
def test_an_interrupted_study_continues_to_the_same_bits(
    at: int, kept: int, trained: int, whole: Path, tmp_path: Path
) -> None:
    ticks: list[Progress] = []

    def on_progress(tick: Progress) -> None:
        ticks.append(tick)
        if len(ticks) == at:
            press(tick)

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted):
        run_study(Session(TWO, points(), tmp_path), on_progress=on_progress)
    assert signal.getsignal(signal.SIGINT) is handler
    assert len(ticks) == at  # the epoch was the last
    assert len(list((tmp_path / "checkpoints").iterdir())) == kept
    assert summarize(tmp_path).state == "interrupted"
    with open_existing(tmp_path) as store:
        assert len(store.runs.finished()) == trained
        assert store.metadata.test_opened() is None

    run_study(Session(TWO, points(), tmp_path), on_progress=ticks.append)
    assert len(ticks) == 2 * EPOCHS + 1  # no epoch was trained twice, and the test set opened once
    assert not list((tmp_path / "checkpoints").iterdir())
    assert summarize(tmp_path).state == "finished"
    assert stores.same_bits(tmp_path, whole)


def test_a_checkpoint_of_another_network_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Interrupted):
        run_study(Session(study(STRAIGHT), points(), tmp_path), on_progress=press)
    load = Checkpoints.load

    def tampered(self: Checkpoints, name: str) -> Any:
        arrays, meta = load(self, name) or ({}, {})
        return {**arrays, "rows/0": np.zeros((1, 2))}, meta

    monkeypatch.setattr(Checkpoints, "load", tampered)
    with pytest.raises(StoreUnreadableError, match=r"\.checkpoint: not a file of wellfit \(rows/0 are no history\);"):
        run_study(Session(study(STRAIGHT), points(), tmp_path))


def test_pressed_twice_it_ends_at_once_and_can_be_continued(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt) as stop:
        run_study(Session(study(STRAIGHT), points(), tmp_path), on_progress=lambda tick: press(tick, times=2))
    assert not isinstance(stop.value, Interrupted)
    run_study(Session(study(STRAIGHT), points(), tmp_path))  # the lock is free
    assert stores.epochs(tmp_path) == [row for row in stores.epochs(whole) if row[0] == "straight"]


def die(directory: str) -> None:
    """Train, with a checkpoint after every epoch, and die in the midst of the second population."""
    vars(run)["CHECKPOINT_SECONDS"] = -1.0
    ticks: list[Progress] = []

    def on_progress(tick: Progress) -> None:
        ticks.append(tick)
        if len(ticks) == EPOCHS + 4:
            os.kill(os.getpid(), signal.SIGKILL)

    run_study(Session(TWO, points(), Path(directory)), on_progress=on_progress)


def test_a_killed_study_continues_from_its_checkpoint_to_the_same_bits(whole: Path, tmp_path: Path) -> None:
    places = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    script = f"import sys; sys.path[:0] = {places}; import test_run as t; t.die(sys.argv[1])"
    environment = {**os.environ, "PYTHONPATH": str(Path(wellfit.__file__).parents[1])}
    killed = subprocess.run([sys.executable, "-c", script, tmp_path], env=environment, check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert summarize(tmp_path).state == "interrupted"
    ticks: list[Progress] = []
    run_study(Session(TWO, points(), tmp_path), on_progress=ticks.append)
    assert [tick.epoch for tick in ticks] == [4, 5, 6, 0]  # its third epoch was the last to be kept
    assert stores.same_bits(tmp_path, whole)


def test_a_checkpoint_of_other_companions_is_not_continued(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        run_study(Session(study(STRAIGHT), points(), tmp_path), on_progress=press)
    ticks: list[Progress] = []
    run_study(Session(study(STRAIGHT, seeds=3), points(), tmp_path), on_progress=ticks.append)
    assert [tick.epoch for tick in ticks] == [*range(1, EPOCHS + 1), 0]
    assert summarize(tmp_path).state == "finished"
    assert len(stores.epochs(tmp_path)) == 3 * EPOCHS


def mixed_is_faster(monkeypatch: pytest.MonkeyPatch, has: bool) -> None:
    monkeypatch.setattr("wellfit.engine.precision.mixed_is_faster", lambda: has)


def test_a_study_keeps_its_precision_on_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = study(STRAIGHT, precision="auto")
    monkeypatch.setattr("wellfit.study.planning.is_small", lambda shape, examples: False)  # or float32 anywhere
    mixed_is_faster(monkeypatch, True)
    with pytest.raises(Interrupted):
        run_study(Session(spec, points(), tmp_path), on_progress=press)
    mixed_is_faster(monkeypatch, False)  # the directory was carried to another machine
    ticks: list[Progress] = []
    output: list[Forecast] = []
    run_study(Session(spec, points(), tmp_path), on_plan=output.append, on_progress=ticks.append)
    assert [tick.epoch for tick in ticks] == [*range(2, EPOCHS + 1), 0]
    assert output[0].precision == (
        "products in bfloat16, sums in float32, as when this study began, although this machine gains nothing from it"
    )
    with open_existing(tmp_path) as store:
        assert store.metadata.provenance()["precision"] == "products in bfloat16, sums in float32"
        assert store.metadata.study()["precision"] == "auto"


def test_checkpoints_wait_their_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[str] = []
    monkeypatch.setattr(Checkpoints, "save", lambda self, name, arrays, meta: saved.append(name))
    monkeypatch.setattr("wellfit.study.run.CHECKPOINT_SECONDS", 3600.0)  # however busy the machine is
    run_study(Session(study(STRAIGHT), points(), tmp_path))
    assert saved == []


# --- Folds ------------------------------------------------------------------------------------------------------------

FOLDED = study(
    {
        **STRAIGHT,
        "l2": {"model": {"kind": "logistic"}, "l2": 0.1},
        "deep": {"model": {"kind": "mlp", "hidden": (4,)}},
    },
    seeds=3,
    folds=3,
)
"""Two programs, and for each one population for every seed, since each has data of its own."""

FROM_THE_FIRST, LATER = [*range(1, EPOCHS + 1)], [*range(3, EPOCHS + 1)]


@functools.cache
def unbalanced() -> Dataset:
    """The points without a test set of their own, and half of those of one class."""
    x, y = (
        np.concatenate([*both]) for both in ((points().x_train, points().x_test), (points().y_train, points().y_test))
    )
    kept = np.delete(np.arange(len(y)), np.flatnonzero(y == 2)[::2])
    return make_dataset(x[kept], y[kept], name="points")


@pytest.fixture(scope="module")
def folded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study with folds, never interrupted; to be read, not written."""
    directory = tmp_path_factory.mktemp("folded") / "study"
    run_study(Session(FOLDED, unbalanced(), directory))
    return directory


def test_the_seeds_test_every_example_once(folded: Path) -> None:
    dataset = unbalanced()
    with open_existing(folded) as store:
        judged = [store.runs.tested("l2", seed) for seed in range(3)]
        labels, _ = store.keepsakes.labels()
        scores = store.runs.test_scores()
    rows = [tested.rows for tested in judged]
    assert sorted(np.concatenate(rows)) == list(range(len(dataset.x_train) + len(dataset.x_test)))  # type: ignore[arg-type]
    for seed, (p, of_fold, *_) in enumerate(judged):
        assert scores["l2", seed][0] == pytest.approx(np.mean(p.argmax(axis=1) == labels[of_fold]))
    assert np.bincount(labels).tolist() == (np.bincount(dataset.y_train) + np.bincount(dataset.y_test)).tolist()


@pytest.mark.parametrize(
    ("at", "kept", "trained", "ticked"),
    [
        (2, 3, 0, [1, 2, *LATER * 3, *FROM_THE_FIRST]),  # each fold from its checkpoint
        (EPOCHS, 0, 6, FROM_THE_FIRST * 2),  # between the programs
        (EPOCHS + 2, 3, 6, [*FROM_THE_FIRST, 1, 2, *LATER * 3]),
    ],
)
def test_interrupted_among_folds_it_continues_to_the_same_bits(
    at: int, kept: int, trained: int, ticked: list[int], folded: Path, tmp_path: Path
) -> None:
    ticks: list[Progress] = []

    def on_progress(tick: Progress) -> None:
        ticks.append(tick)
        if len(ticks) == at:
            press(tick)

    with pytest.raises(Interrupted):
        run_study(Session(FOLDED, unbalanced(), tmp_path), on_progress=on_progress)
    assert len(list((tmp_path / "checkpoints").iterdir())) == kept
    with open_existing(tmp_path) as store:
        assert len(store.runs.finished()) == trained
        assert store.metadata.test_opened() is None
    run_study(Session(FOLDED, unbalanced(), tmp_path), on_progress=ticks.append)
    assert [tick.epoch for tick in ticks] == [*ticked, 0]
    assert stores.same_bits(tmp_path, folded)


def test_joined_folds_have_the_bits_that_each_has_alone(
    folded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wellfit.study.together.MOST", 1)
    ticks: list[Progress] = []
    run_study(Session(FOLDED, unbalanced(), tmp_path), on_progress=ticks.append)
    assert [tick.epoch for tick in ticks] == [*FROM_THE_FIRST * 6, 0]
    assert stores.same_bits(tmp_path, folded)


def ends_of(directory: Path) -> dict[str, Any]:
    """The final states of a study's trajectories, without what differs from training to training."""
    with open_existing(directory) as store:
        return {
            name: {key: value for key, value in end.items() if key not in ("seconds", "sha256")}
            for name, end in store.final_states.descriptions().items()
        }


def test_a_fold_that_ended_before_an_interruption_keeps_its_final_state(tmp_path: Path) -> None:
    spec = study({"stop": {"early_stopping": {"patience": 1}}}, seeds=3, folds=3, epochs=40, learning_rate=0.06)
    run_study(Session(spec, unbalanced(), tmp_path / "whole"))
    with open_existing(tmp_path / "whole") as store:
        epochs = {record.spec.seed: record.epochs for record in store.runs.records()}
    first, last = min(epochs.values()), max(epochs.values())
    assert first < last - 1
    ticks: list[Progress] = []

    def on_progress(tick: Progress) -> None:
        ticks.append(tick)
        if len(ticks) == last - 1:
            press(tick)

    with pytest.raises(Interrupted):
        run_study(Session(spec, unbalanced(), tmp_path / "cut"), on_progress=on_progress)
    run_study(Session(spec, unbalanced(), tmp_path / "cut"))
    assert stores.same_bits(tmp_path / "cut", tmp_path / "whole")
    assert ends_of(tmp_path / "cut") == ends_of(tmp_path / "whole")
    assert len(ends_of(tmp_path / "cut")) == 3


def test_a_feature_that_is_constant_in_some_folds_is_scaled_as_in_each_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = np.random.default_rng(0).random((60, 3)).astype(np.float32), np.arange(60) % 2
    x[:, 0] = 0
    x[0, 0] = 1
    dataset = make_dataset(x, y, name="points")
    spec = study(STRAIGHT, seeds=5, folds=5, epochs=2)
    spec = replace(spec, data=replace(spec.data, scale="unit"))
    session = Session(spec, dataset, tmp_path / "joined")
    assert {session.fold(seed).data.scaling.shift.shape for seed in range(5)} == {(), (3,)}
    run_study(session)
    monkeypatch.setattr("wellfit.study.together.MOST", 1)
    run_study(Session(spec, dataset, tmp_path / "apart"))
    assert stores.same_bits(tmp_path / "joined", tmp_path / "apart")


def test_killed_among_the_tests_of_folds_it_continues_to_the_same_bits(
    folded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(store: Any, whole: Any, fold: Any, seed: int, counts: Any) -> None:
        if seed == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("wellfit.study.run.save_inputs", killed)
        with pytest.raises(KeyboardInterrupt):
            run_study(Session(FOLDED, unbalanced(), tmp_path))
    with open_existing(tmp_path) as store:
        assert {seed for _, seed in store.runs.test_scores()} == {0}
    run_study(Session(FOLDED, unbalanced(), tmp_path))
    assert stores.same_bits(tmp_path, folded)


def test_a_part_that_is_run_again_changes_nothing_that_is_known_of_the_whole(folded: Path, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(folded, tmp_path / "study"))
    with open_existing(directory) as store:
        notes, findings = store.metadata.notes(), store.metadata.findings()
    assert notes["validation overlap"]["seeds"] == [0, 1, 2]
    assert outlook(replace(FOLDED, seeds=(1,)), directory, unbalanced()).done == 3
    with open_existing(directory) as store:
        assert (store.metadata.notes(), store.metadata.findings()) == (notes, findings)


def test_folds_are_trained_with_the_programs_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainers: list[Trainer] = []
    begin = Trainer.__init__

    def beginning(trainer: Trainer, data: TrainingData, mesh: Any, places: int) -> None:
        trainers.append(trainer)
        begin(trainer, data, mesh, places)

    monkeypatch.setattr(Trainer, "__init__", beginning)
    _compiled.cache_clear()  # of other tests
    session = Session(study(STRAIGHT, seeds=5, folds=5, epochs=1), unbalanced(), tmp_path)
    run_study(session)
    assert len(trainers) == 1  # for all folds
    assert _compiled.cache_info().currsize == 1
    compiled = trainers[0].compiled(session.together[0].population.program)
    assert [part._cache_size() for part in compiled] == [1, 1]  # type: ignore[attr-defined]


def test_balanced_class_weights_train_the_bits_of_the_weights_themselves(tmp_path: Path) -> None:
    counts = np.bincount(np.concatenate([unbalanced().y_train, unbalanced().y_test]))
    assert counts.max() > 1.5 * counts.min()
    weights = [float(counts.sum() / (3 * n)) for n in counts]  # of all folds
    variants = {"balanced": "balanced", "weighted": weights}
    recipes = {name: {"model": {"kind": "logistic"}, "class_weights": given} for name, given in variants.items()}
    run_study(Session(study({**STRAIGHT, **recipes}, folds=3, epochs=2), unbalanced(), tmp_path))
    of = {name: [row[1:] for row in stores.epochs(tmp_path) if row[0] == name] for name in (*variants, "straight")}
    assert len(of["balanced"]) == 4
    assert of["balanced"] == of["weighted"] != of["straight"]


# --- Fewer examples, wrong labels, another precision ------------------------------------------------------------------

LESS = study(
    {
        "baseline": {},
        "few": {"examples": 64},
        "straight": {"model": {"kind": "logistic"}},
        "few-straight": {"examples": 64, "model": {"kind": "logistic"}},
        "wrong": {"label_noise": 0.5},
    }
)


def test_every_run_trains_on_the_data_that_it_asks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result: list[TrainingData] = []
    begin, train = Trainer.__init__, Trainer.train
    of: dict[str, TrainingData] = {}

    def beginning(trainer: Trainer, data: TrainingData, *arguments: Any) -> None:
        result.append(data)
        begin(trainer, data, *arguments)

    def training(trainer: Trainer, population: Any, *arguments: Any) -> Any:
        of.update({r.run.variant: trainer.data for t in population.trajectories for r in t.readouts})
        return train(trainer, population, *arguments)

    monkeypatch.setattr(Trainer, "__init__", beginning)
    monkeypatch.setattr(Trainer, "train", training)
    run_study(Session(LESS, points(), tmp_path))
    assert {name: len(data.x_train) for name, data in of.items()} == {
        **{"baseline": 160, "straight": 160, "wrong": 160},
        **{"few": 64, "few-straight": 64},
    }
    assert of["few"] is of["few-straight"]
    assert len(result) == 3  # one trainer for each of the data
    assert (of["wrong"].y_train != of["baseline"].y_train).sum() == 80
    whole_rows = {row.tobytes() for row in of["baseline"].x_train}
    assert {row.tobytes() for row in of["few"].x_train} < whole_rows
    for data in result:
        assert np.array_equal(data.x_validation, of["baseline"].x_validation)
        assert np.array_equal(data.y_validation, of["baseline"].y_validation)


def test_it_makes_no_difference_who_trains_on_other_data_beside(tmp_path: Path) -> None:
    run_study(Session(LESS, points(), tmp_path / "together"))
    run_study(
        Session(replace(LESS, variants={"few-straight": LESS.variants["few-straight"]}), points(), tmp_path / "alone")
    )
    mine = [row for row in stores.epochs(tmp_path / "together") if row[0] == "few-straight"]
    assert stores.epochs(tmp_path / "alone") == mine


def test_interrupted_among_several_data_it_continues_to_the_same_bits(tmp_path: Path) -> None:
    run_study(Session(LESS, points(), tmp_path / "whole"))
    ticks: list[Progress] = []

    def on_progress(tick: Progress) -> None:
        ticks.append(tick)
        if len(ticks) == 2 * EPOCHS + 2:  # in the midst of the third population, the first of fewer examples
            press(tick)

    with pytest.raises(Interrupted):
        run_study(Session(LESS, points(), tmp_path / "study"), on_progress=on_progress)
    assert len(list((tmp_path / "study" / "checkpoints").iterdir())) == 1
    run_study(Session(LESS, points(), tmp_path / "study"), on_progress=ticks.append)
    assert ticks[2 * EPOCHS + 2].epoch == 3  # it goes on where it stopped
    assert stores.same_bits(tmp_path / "study", tmp_path / "whole")


def test_a_share_of_the_data_leaves_the_test_set_whole(tmp_path: Path) -> None:
    run_study(Session(replace(study(STRAIGHT), data=replace(TWO.data, train_share=0.5)), points(), tmp_path))
    with np.load(tmp_path / "test" / "straight.0.npz") as archive:
        assert archive["probabilities"].shape == (60, 3)
    summary = summarize(tmp_path)
    assert summary.provenance["split"].startswith("80 training, 20 validation")
    assert "100 of 200 training examples" in summary.provenance["data"]


def test_mixed_precision_trains_otherwise_and_is_tested_in_float32(whole: Path, tmp_path: Path) -> None:
    run_study(Session(study(STRAIGHT, precision="mixed"), points(), tmp_path))
    straight = [row for row in stores.epochs(whole) if row[0] == "straight"]
    mixed = stores.epochs(tmp_path)
    assert mixed != straight
    columns = slice(5, 9)  # losses and accuracies; bfloat16 keeps three digits or so of every factor
    np.testing.assert_allclose(
        np.array([row[columns] for row in mixed], float), np.array([row[columns] for row in straight], float), atol=0.05
    )
    assert summarize(tmp_path).provenance["precision"] == "products in bfloat16, sums in float32"

    with open_existing(tmp_path) as store, np.load(tmp_path / "test" / "straight.0.npz") as archive:
        output = archive["probabilities"]  # (M, K)
        kernel, bias = sorted(store.runs.weights("straight", 0).values(), key=np.ndim, reverse=True)
    splits = make_splits(points().y_train, validation=0.2, seed=0)
    known = points().x_train[splits.train].astype(float)  # (n, D)
    deviation = known.std(axis=0)  # (D,) 0 for the constant one
    x = (points().x_test - known.mean(axis=0)) / np.where(deviation > 0, deviation, 1)  # (M, D)
    logits = x @ kernel.astype(float) + bias  # (M, K)
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)  # (M, K)
    np.testing.assert_allclose(output, softmax, atol=1e-5)  # bfloat16 would be off by 1e-3


# --- What is stored ---------------------------------------------------------------------------------------------------


def test_nothing_is_trained_twice(copy: Path) -> None:
    before = stores.rows(copy, "SELECT * FROM runs")
    ticks: list[Progress] = []
    output: list[Forecast] = []
    run_study(Session(TWO, points(), copy), on_plan=output.append, on_progress=ticks.append)
    assert (output[0].done, output[0].plan.runs, output[0].plan.populations, ticks) == (6, 0, (), [])
    assert output[0].seconds == 0
    assert output[0].examples == (160, 40, 60)
    assert stores.rows(copy, "SELECT * FROM runs") == before


def test_a_variant_and_a_seed_that_come_later_are_added(copy: Path) -> None:
    runs, epochs = stores.rows(copy, "SELECT * FROM runs"), stores.epochs(copy)
    output = outlook(study({**CURVED, **STRAIGHT, "strong": {"l2": 0.1}}, seeds=3), copy)
    assert (output.done, output.plan.runs) == (6, 6)  # two seeds of the new variant, and the new seed of all four
    assert [row for row in stores.rows(copy, "SELECT * FROM runs") if row in runs] == runs
    assert [row for row in stores.epochs(copy) if row[1] < 2 and row[0] != "strong"] == epochs
    summary = summarize(copy)
    assert [(v.name, len(v.runs)) for v in summary.variants] == [
        (n, 3) for n in ("baseline", "dropout", "straight", "strong")
    ]
    assert summary.state == "finished"
    assert outlook(STUDY_OF_ONE, copy).done == 1  # a part of it is the same study, and the rest stays
    assert len(summarize(copy).variants) == 4


STUDY_OF_ONE = study({"baseline": {}}, seeds=1)


def test_a_diverged_run_stays_in_the_tables_without_a_test_score(tmp_path: Path) -> None:
    spec = study({**STRAIGHT, "wild": {"model": {"kind": "logistic"}, "learning_rate": 1e38}})
    with pytest.raises(Interrupted):  # a checkpoint knows of it as well
        run_study(Session(spec, points(), tmp_path), on_progress=lambda tick: press(tick) if tick.epoch == 2 else None)
    run_study(Session(spec, points(), tmp_path))
    found = stores.rows(tmp_path, "SELECT seed, state, epochs, readout_epoch, test_accuracy, test_sha256 FROM runs "
                                  "WHERE variant = 'wild' ORDER BY seed")  # fmt: skip
    assert found == [(seed, "diverged", 1, 0, None, None) for seed in (0, 1)]
    assert [row[:3] for row in stores.epochs(tmp_path) if row[0] == "wild"] == [("wild", 0, 1), ("wild", 1, 1)]
    assert sum(row[0] == "straight" for row in stores.epochs(tmp_path)) == 2 * EPOCHS
    assert set(stores.probabilities(tmp_path)) == {*("keepsakes.npz", "labels.npz", "straight.0.npz", "straight.1.npz")}
    summary = summarize(tmp_path)
    assert summary.state == "finished"
    wild = summary.variants[1]
    assert [run.state for run in wild.runs] == ["diverged", "diverged"]
    assert wild.mean == {}
    assert wild.parameters == 7 * 3 + 3  # known from the other variant, though its own weights are gone
    assert [f.level for f in summary.findings if f.code == "diverged"] == ["error"]
    assert outlook(spec, tmp_path).plan.runs == 0  # it is not tried again


def test_all_findings_of_the_audit_are_stored(whole: Path) -> None:
    expected = audit(points(), make_splits(points().y_train, validation=0.2, seed=0))
    assert [finding.code for finding in expected] == ["constant-features", "few-test-examples"]
    with open_existing(whole) as store:
        assert list(store.metadata.findings()) == list(expected)
        labels, classes = store.keepsakes.labels()
    np.testing.assert_array_equal(labels, points().y_test)
    assert classes == points().classes


def test_another_study_can_take_the_place_of_one(copy: Path) -> None:
    with pytest.raises(OtherStudyError, match="holds another study"):
        run_study(Session(study(STRAIGHT, epochs=1), points(), copy))
    with pytest.raises(OtherStudyError, match="data hash"):
        run_study(Session(TWO, points(test_seed=2), copy))
    run_study(Session(study(STRAIGHT, epochs=1), points(), copy, fresh=True))
    assert len(stores.epochs(copy)) == 2


def test_one_process_at_a_time(copy: Path) -> None:
    def again(_: Forecast) -> None:
        with pytest.raises(StoreBusyError):
            run_study(Session(TWO, points(), copy))

    run_study(Session(TWO, points(), copy), on_plan=again)


def test_a_thread_may_run_a_study(copy: Path) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            run_study(Session(TWO, points(), copy))
        except BaseException as error:  # signal handlers belong to the main thread
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert errors == []


@pytest.mark.parametrize(
    ("spec", "dataset", "error"),
    [
        (study(CURVED, batch_size=161), points(), StudyFileError),
        (study({"a": {"class_weights": [1.0, 2.0]}}), points(), StudyFileError),
        (study({"a": {"examples": 161}}), points(), StudyFileError),
        (study({"a": {"model": {"kind": "lenet5"}}}), points(), ShapeError),
        (replace(TWO, data=replace(TWO.data, validation=0.001)), points(), DataError),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_written(
    spec: StudySpec, dataset: Dataset, error: type[Exception], tmp_path: Path
) -> None:
    with pytest.raises(error) as output:
        run_study(Session(spec, dataset, tmp_path / "study", fresh=True))
    assert "\n" not in str(output.value)
    assert not (tmp_path / "study").exists()


# --- Folds ------------------------------------------------------------------------------------------------------------


def unsplit(count: int, groups: Any = None) -> Dataset:
    given = points()
    x, y = np.concatenate([given.x_train, given.x_test]), np.concatenate([given.y_train, given.y_test])
    return make_dataset(x[:count], y[:count], name="points", groups=groups)


@pytest.mark.parametrize("groups", [None, np.minimum(np.arange(127) // 4, 25)])
def test_one_program_predicts_for_all_folds(groups: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although their test sets differ in size; averaged weights are measured on one more number of examples."""
    made: list[Any] = []

    def noted(model: Any) -> Any:
        made.append(predict_program(model))
        return made[-1]

    monkeypatch.setattr("wellfit.engine.predicting.predict_program", noted)
    _predictor.cache_clear()  # of other tests
    spec = study(
        {"plain": {}, **({} if groups is not None else {"average": {"average": {"kind": "ema"}}})}, seeds=5, folds=5
    )
    session = Session(spec, unsplit(127, groups), tmp_path / "study")
    assert len({len(session.fold(seed).dataset.y_test) for seed in range(5)}) > 1
    run_study(session)
    assert [program._cache_size() for program in made] == ([2] if groups is None else [1])
