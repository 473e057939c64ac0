"""The chosen recipe trained on all examples: as many epochs, the same seeds, nothing held out."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from small_studies import few_points, perceptrons, points, small, unsplit
from wellfit import Results, Study, mlp
from wellfit.base import Dataset
from wellfit.engine.train import Trainer
from wellfit.errors import DataError, StudyFileError
from wellfit.store import open_existing
from wellfit.study.refit import Refitted, refit
from wellfit.study.run import run_study
from wellfit.study.session import Session

EARLY = {"early_stopping": {"patience": 1, "restore_best_weights": True}, "examples": 60, "learning_rate": 0.3}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Session:
    spec = perceptrons({"plain": {}, "early": EARLY}, epochs=6)
    session = Session(spec, few_points(), tmp_path_factory.mktemp("refit") / "study")
    run_study(session)
    return session


def again(session: Session, variant: str, *, with_test: bool = False) -> Refitted:
    with open_existing(session.directory) as store:
        return refit(session, store, variant, with_test=with_test)


def test_all_training_and_validation_examples_are_used(trained: Session) -> None:
    done = again(trained, "plain")
    assert (done.counts, done.epochs) == ("200", 6)
    assert [record.spec.seed for record in done.records] == [0, 1]
    fold = done.folds[0]
    np.testing.assert_array_equal(fold.data.x_train, few_points().x_train)
    np.testing.assert_allclose(fold.data.scaling.shift, few_points().x_train.mean(axis=0), atol=1e-6)
    with open_existing(trained.directory) as store:
        before = store.runs.weights("plain", 0)
    assert not np.array_equal(done.records[0].weights["dense_1/kernel"], before["dense_1/kernel"])


def test_columns_that_only_validation_examples_show_are_used(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 300)
    frame = pd.DataFrame({"a": generator.normal(y, 1.0), "rare": 0.0, "kind": np.where(y, "yes", "no")})
    study = Study(frame, label="kind", validation=0.2, folds=1, model=mlp(8), epochs=2, seeds=1)
    rows = Session(study.spec, study._data(), tmp_path).splits.validation
    assert study.dataset is not None
    x = study.dataset.x_train.copy()
    x[rows, 1] = generator.normal(size=len(rows)) * 100
    data = dataclasses.replace(study.dataset, x_train=x)
    session = Session(study.spec, data, tmp_path / "study")
    run_study(session)
    results = Results(session.directory)
    assert results.model().form.used == ("a",)
    model = results.refit(data=data)
    assert model.form.used == ("a", "rare")
    both = model.predict_proba(pd.DataFrame({"a": [0.0, 0.0], "rare": [-300.0, 300.0]}))
    assert abs(both[0, 0] - both[1, 0]) > 1e-3
    with pytest.raises(DataError, match=r"lacks 1 column that the model needs \(rare\)"):
        model.predict(pd.DataFrame({"a": [0.0]}))


def test_label_noise_stays(tmp_path: Path) -> None:
    session = Session(perceptrons({"clean": {}, "noisy": {"label_noise": 0.5}}), few_points(), tmp_path / "study")
    run_study(session)
    clean, noisy = (again(session, name).records[0].weights["dense_1/kernel"] for name in ("clean", "noisy"))
    assert np.abs(clean - noisy).max() > 1e-3


def test_with_the_test_examples_if_asked(trained: Session) -> None:
    done = again(trained, "plain", with_test=True)
    assert done.counts == "260"
    np.testing.assert_array_equal(done.folds[0].data.x_train[200:], few_points().x_test)


def test_early_stopping_becomes_its_number_of_epochs_and_limits_are_lifted(trained: Session) -> None:
    with open_existing(trained.directory) as store:
        read = [record.readout_epoch for record in store.runs.records() if record.spec.variant == "early"]
    done = again(trained, "early")
    assert done.epochs == round(float(np.median(read)))
    assert all(record.epochs == done.epochs and record.state == "finished" for record in done.records)
    assert done.counts == "200"


def test_a_seed_keeps_its_fold_out_unless_asked(tmp_path: Path) -> None:
    session = Session(small(1, folds=5), unsplit(), tmp_path / "study")
    run_study(session)
    done = again(session, "l2")
    assert [record.spec.seed for record in done.records] == [0, 1]
    for record, fold in zip(done.records, done.folds, strict=True):
        own = session.fold(record.spec.seed)
        np.testing.assert_array_equal(fold.data.x_train, own.dataset.x_train)
    assert again(session, "l2", with_test=True).counts == "130"


def test_the_model_says_that_it_was_never_evaluated(trained: Session) -> None:
    model = Results(trained.directory).refit("plain", data=few_points())
    assert model.origin.accuracy is None
    assert model.origin.expected.startswith(
        "not evaluated: trained again for 6 epochs on 200 training and validation examples; in the study"
    )
    assert model.predict(few_points().x_test).shape == (60,)


@pytest.mark.parametrize("data", [points(), dataclasses.replace(few_points(), hash="0" * 64)])
def test_other_data_are_refused(trained: Session, data: Dataset) -> None:
    with pytest.raises(DataError, match="not the data of the study"):
        again(Session(trained.spec, data, trained.directory), "plain")


def test_a_variant_without_a_finished_run(trained: Session) -> None:
    with pytest.raises(StudyFileError, match="no run of other has finished well"):
        again(trained, "other")


def test_networks_that_diverge_on_all_examples(trained: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    train = Trainer.train
    monkeypatch.setattr(
        Trainer,
        "train",
        lambda self, population: [dataclasses.replace(r, state="diverged") for r in train(self, population)],
    )
    with pytest.raises(StudyFileError, match="plain: every network diverged when it was trained on all examples"):
        again(trained, "plain")
