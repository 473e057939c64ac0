from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import wellfit
from wellfit.errors import DataError, StudyFileError, UnknownNameError
from wellfit.store import open_existing
from wellfit.study.single_runs import confusion_of_run, pictures_of, predictions_of_run, regions_of_run

VARIANTS = {"none": {}, "strong": {"l2": 1e-1}}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small images with a test set of their own, two seeds."""
    rng = np.random.default_rng(0)
    y = np.arange(240) % 3
    x = rng.integers(0, 60, (240, 6, 6)).astype(np.uint8)
    x[np.arange(240), y] += 100
    data = wellfit.make_dataset(x[:180], y[:180], x[180:], y[180:], name="bars")
    place = tmp_path_factory.mktemp("single") / "study"
    wellfit.Study(data, wellfit.mlp(8), VARIANTS, epochs=20, seeds=2, learning_rate=0.03).run(place)
    return place


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("single") / "plane"
    wellfit.Study("cosines", wellfit.mlp(4), VARIANTS, epochs=1, seeds=[4, 1]).run(place)
    return place


def test_the_probabilities_are_those_of_the_run(images: Path) -> None:
    of = predictions_of_run(images, [7, 3], "strong", 1)
    with open_existing(images) as store:
        kept = store.runs.tested("strong", 1).probabilities
        labels, _ = store.keepsakes.labels()
    np.testing.assert_array_equal(of.probabilities, kept[[7, 3]])
    assert of.labels.tolist() == labels[[7, 3]].tolist()
    assert of.predicted.tolist() == kept[[7, 3]].argmax(axis=1).tolist()
    assert (of.variant, of.seeds.tolist()) == ("strong", [1, 1])
    assert predictions_of_run(images, 4).rows.tolist() == [0, 1, 2, 3]


def test_with_folds_each_row_has_the_run_that_judged_it(finished_study: Path) -> None:
    of = predictions_of_run(finished_study, 30)
    assert len(of.rows) == 30
    assert set(of.seeds.tolist()) <= {0, 1}
    seed = int(of.seeds[0])
    same = predictions_of_run(finished_study, of.rows[of.seeds == seed], None, seed)
    np.testing.assert_array_equal(same.probabilities, of.probabilities[of.seeds == seed])
    other = of.rows[of.seeds != seed][:1]
    with pytest.raises(
        DataError, match=f"the run with seed {seed} of baseline was tested on row {other[0]}; leave the"
    ):
        predictions_of_run(finished_study, other, None, seed)


def test_the_confusion_of_the_runs_adds_up(images: Path) -> None:
    summed = sum(confusion_of_run(images, "none", seed)[1] for seed in (0, 1))
    np.testing.assert_array_equal(summed, wellfit.Results(images).summary.confusion["none"])


def test_the_regions_of_the_runs_have_their_mean(plane: Path) -> None:
    regions = wellfit.Results(plane).details.regions["strong"]
    single = [regions_of_run(plane, regions, seed) for seed in (1, 4)]
    np.testing.assert_allclose(np.mean([of.probability for of in single], axis=0), regions.probability, atol=1e-6)
    assert [of.seed for of in single] == [1, 4]
    alone = wellfit.Results(plane).model("strong", 4).predict_proba(np.array([[regions.x1[9], regions.x2[80]]]))
    np.testing.assert_allclose(single[1].probability[80, 9], np.asarray(alone)[0], atol=1e-5)
    assert regions.axes == ("x1", "x2")


def test_regions_that_were_not_kept_are_told(plane: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    regions = wellfit.Results(plane).details.regions["none"]
    monkeypatch.setattr("wellfit.store.keepsakes.Keepsakes.load", lambda self: None)
    with pytest.raises(StudyFileError, match="the regions of seed 1 were not kept; run the study again"):
        regions_of_run(plane, regions, 1)


def test_pictures_are_kept_or_read_again(finished_study: Path, images: Path) -> None:
    digits = wellfit.load_dataset("digits")
    rows = predictions_of_run(finished_study, 60).rows  # more than the first 25, and right ones too
    pictures = pictures_of(finished_study, rows)
    whole = np.concatenate([digits.x_train, digits.x_test])
    assert pictures.shape == (60, 8, 8)
    known = {image.tobytes() for image in np.rint(whole * (255 / 16)).astype(np.uint8)}
    assert all(picture.tobytes() in known for picture in pictures)
    other = wellfit.make_dataset(np.zeros((60, 6, 6), np.uint8), np.arange(60) % 3, name="others")
    with pytest.raises(DataError, match="not the data of the study in"):
        pictures_of(images, np.arange(60), other)


def test_what_has_no_picture_is_told(plane: Path) -> None:
    with pytest.raises(DataError, match="the test examples are not images"):
        pictures_of(plane, np.arange(3))


def test_without_keepsakes_the_data_tell_whether_they_are_images(plane: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.store.keepsakes.Keepsakes.load", lambda self: None)
    with pytest.raises(DataError, match="the test examples are not images"):
        pictures_of(plane, np.arange(3))


def test_what_is_not_there_is_refused(images: Path, study_copy: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown variant 'weak'"):
        predictions_of_run(images, [0], "weak")
    with pytest.raises(StudyFileError, match="none has no tested run with seed 7; it has 0, 1"):
        confusion_of_run(images, "none", 7)
    with pytest.raises(DataError, match="there is no test row 60; give rows from 0 to 59"):
        predictions_of_run(images, [60])
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(study_copy / "study.db")) as connection:
        connection.executescript("DELETE FROM runs; DELETE FROM epochs;")
    with pytest.raises(StudyFileError, match="has been tested; run the study first"):
        predictions_of_run(study_copy, [0])
