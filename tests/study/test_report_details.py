"""What a report looks into: computed from the store alone, and equal to what the probabilities say."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

import wellfit
from wellfit.errors import StoreUnreadableError, StudyFileError, UnknownNameError
from wellfit.spec.study import study_from_mapping
from wellfit.store import create_or_open, open_existing
from wellfit.store.keepsakes import KEEPSAKES
from wellfit.study.report_details import difference_between, study_details, summary_and_details
from wellfit.study.run import run_study
from wellfit.study.session import Session
from wellfit.study.summarize import summarize


def archive(path: Path, name: str) -> np.ndarray:
    with np.load(path) as arrays:
        return arrays[name]


def test_everything_agrees_with_the_files_of_the_study(finished_study: Path) -> None:
    found = summary_and_details(finished_study)[1]
    summary = summarize(finished_study)
    names = tuple(variant.name for variant in summary.variants)
    labels = archive(finished_study / "test" / "labels.npz", "labels")
    folds = [archive(finished_study / "test" / f"baseline.{s}.npz", "rows") for s in (0, 1)]  # (m,) each
    both = np.concatenate(folds)
    judged = np.isin(np.arange(len(labels)), both)  # by one seed each
    mistakes = found.mistakes
    assert mistakes is not None
    assert mistakes.variants == names
    np.testing.assert_array_equal(mistakes.runs, np.tile(judged, (len(names), 1)))
    for v, variant in enumerate(summary.variants):
        text = [archive(finished_study / "test" / f"{variant.name}.{s}.npz", "probabilities") for s in (0, 1)]
        predicted = np.full(len(labels), -1)
        predicted[both] = np.concatenate(text).argmax(axis=1)
        np.testing.assert_array_equal(mistakes.wrong[v], judged & (predicted != labels))
        np.testing.assert_array_equal(mistakes.counts[v], summary.confusion[variant.name])
        np.testing.assert_array_equal(mistakes.votes[v], np.arange(10) == predicted[mistakes.image_rows][:, None])
        support = found.by_class[variant.name].support
        assert support.tolist() == np.bincount(labels[both]).tolist()
        recall = found.by_class[variant.name].recall
        expected = [np.mean(predicted[judged & (labels == k)] == k) for k in range(10)]
        np.testing.assert_allclose(recall, expected, atol=1e-12)
        assert np.average(recall, weights=support) == pytest.approx(variant.mean["test_accuracy"])
        assert found.calibration[variant.name].count.sum() == len(both)
        np.testing.assert_allclose(
            found.calibration[variant.name].scores["brier"],
            np.mean(
                [
                    np.mean(((p - np.eye(10)[labels[rows]]) ** 2).sum(axis=1))
                    for p, rows in zip(text, folds, strict=True)
                ]
            ),
            rtol=1e-5,  # float32
        )
    assert found.ensembles == {}  # no two seeds judge an example
    assert list(found.differences) == list(names[1:])
    assert all(difference.against == names[0] for difference in found.differences.values())
    assert found.by_class[names[0]].gain is None
    assert list(found.weights) == list(names)
    assert found.weights["baseline"].filters.shape == (16, 8, 8)
    assert found.regions == {}


def test_pictures_and_examples_are_those_of_the_digits(finished_study: Path) -> None:
    found = summary_and_details(finished_study)[1]
    assert found.data is not None
    assert found.mistakes is not None
    assert (found.data.title, found.data.shape) == ("Digits", (8, 8))
    pixels, labels = load_digits(return_X_y=True)  # all 1,797, of which a seed tests a fold
    pixels = pixels.reshape(-1, 8, 8)
    np.testing.assert_array_equal(archive(finished_study / "test" / "labels.npz", "labels"), labels)
    expected = np.rint(pixels[found.mistakes.image_rows] * (255 / 16)).astype(np.uint8)
    np.testing.assert_array_equal(found.mistakes.images, expected)
    rows = archive(finished_study / "test" / "baseline.0.npz", "rows")
    others = np.setdiff1d(np.arange(1797), rows)  # learned from by seed 0, but for one that no fold has more
    three = np.rint(pixels[others[labels[others] == 3]][:10] * (255 / 16)).astype(np.uint8)
    np.testing.assert_array_equal(found.data.examples[3], three)
    assert found.data.counts["test"].tolist() == np.bincount(labels[rows]).tolist()
    sums = {split: int(sum(counts)) for split, counts in found.data.counts.items()}
    assert sums == {"train": 300, "validation": 287, "test": len(rows), "unused": 850}
    assert found.data.total == 1797


def test_the_summary_may_be_given(finished_study: Path) -> None:
    summary = summarize(finished_study)
    given = dataclasses.replace(summary, variants=summary.variants[:1])
    assert study_details(finished_study, given).paths == ()


def test_an_older_study_has_no_pictures_and_all_the_rest(study_copy: Path) -> None:
    (study_copy / KEEPSAKES).unlink()
    found = summary_and_details(study_copy)[1]
    assert found.data is None
    assert found.mistakes is not None
    assert found.mistakes.images.shape == (0, 0, 0)
    assert found.mistakes.votes.shape == (len(found.mistakes.variants), 0, 10)
    assert found.calibration.keys() == found.weights.keys() == set(found.mistakes.variants)
    assert found.weights["baseline"].filters is None  # nobody knows the shape of an image


@pytest.mark.parametrize(
    "models", ["abc", 5, [5], [{"layers": [], "statistics": 0, "base": True, "variants": [["a"]]}]]
)
def test_models_that_are_none_are_refused_in_one_line(study_copy: Path, models: Any) -> None:
    with closing(sqlite3.connect(study_copy / "study.db")) as connection, connection:
        ((kept,),) = connection.execute("SELECT value FROM study WHERE key = 'keepsakes'").fetchall()
        plain = json.loads(kept)
        plain["facts"]["models"] = models
        connection.execute("UPDATE study SET value = ? WHERE key = 'keepsakes'", (json.dumps(plain),))
    with pytest.raises(StoreUnreadableError, match=r"study\.db: damaged: what a report shows \(.*\); restore it"):
        summary_and_details(study_copy)


def test_a_study_that_was_not_tested_has_weights_alone(study_copy: Path) -> None:
    with open_existing(study_copy) as store:
        settings, records = store.metadata.study(), store.runs.records()
        weights = {(r.spec.variant, r.spec.seed): store.runs.weights(r.spec.variant, r.spec.seed) for r in records}
    untested = study_copy.parent / "untested"
    with create_or_open(untested, settings, provenance={}) as store:
        begun = summary_and_details(untested)[1]
        store.runs.save([dataclasses.replace(r, weights=weights[r.spec.variant, r.spec.seed]) for r in records[:3]])
    assert begun.weights == {}
    found = summary_and_details(untested)[1]
    assert (found.data, found.mistakes, found.differences, found.calibration) == (None, None, {}, {})
    assert (found.by_class, found.ensembles, found.regions) == ({}, {}, {})
    assert list(found.weights) == ["baseline", "l2"]


def test_one_seed_has_neither_ensemble_nor_intervals_and_a_variant_of_other_seeds_no_difference(tmp_path: Path) -> None:
    def study(seeds: list[int], *variants: str) -> wellfit.spec.study.StudySpec:
        return study_from_mapping(
            {
                "data": {"name": "digits", "folds": 1},
                "model": {"kind": "logistic"},
                "train": {"epochs": 1, "seeds": seeds},
                "variants": {name: {"l2": 0.1} if name == "l2" else {} for name in variants},
            }
        )

    digits = wellfit.load_dataset("digits")
    run_study(Session(study([0], "baseline", "l2"), digits, tmp_path / "study"))
    found = summary_and_details(tmp_path / "study")[1]
    assert found.ensembles == {}
    assert np.isnan(found.differences["l2"].low).all()
    assert np.isnan(found.by_class["l2"].gain_low).all()
    assert found.calibration["l2"].intervals == {"ece": None, "brier": None}
    run_study(Session(study([0, 1], "baseline", "l2"), digits, tmp_path / "study"))
    grown = summary_and_details(tmp_path / "study")[1]
    assert list(grown.ensembles) == ["baseline", "l2"]
    assert not np.isnan(grown.differences["l2"].low).any()


def test_regions_are_the_mean_and_the_quarrel_of_the_seeds(tmp_path: Path) -> None:
    spec = study_from_mapping(
        {
            "data": {"name": "cosines:2", "scale": "standardize"},
            "model": {"hidden": [3]},
            "train": {"epochs": 1, "seeds": 3},
            "variants": {"baseline": {}},
        }
    )
    run_study(Session(spec, wellfit.load_dataset("cosines:2"), tmp_path / "study"))
    (found,) = summary_and_details(tmp_path / "study")[1].regions.values()
    grid = archive(tmp_path / "study" / KEEPSAKES, "grid/baseline")  # (S, G, G, K)
    np.testing.assert_allclose(found.probability, grid.mean(axis=0), atol=1e-6)
    ones = (grid[..., 1] > grid[..., 0]).sum(axis=0)  # (G, G), of three runs
    np.testing.assert_allclose(found.disagreement, np.where((ones == 0) | (ones == 3), 0, 1 / 3), atol=1e-12)
    assert found.disagreement.max() > 0
    assert list(found.curves) == ["x2 = cos(x1)", "x2 = 2 + cos(x1)"]
    np.testing.assert_allclose(found.curves["x2 = 2 + cos(x1)"], 2 + np.cos(found.x1), atol=1e-6)
    assert found.points.shape == (500, 2)


def test_a_folder_without_a_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreadableError, match="not a study directory"):
        summary_and_details(tmp_path)[1]


def test_it_is_quick(finished_study: Path) -> None:
    """19 variants of 2 seeds on the digits: 0.3 seconds of CPU time, under two with room for a slow machine."""
    began = time.process_time()
    summary_and_details(finished_study)[1]
    assert time.process_time() - began < 2


def test_a_difference_compares_the_summed_matrices(finished_study: Path) -> None:
    summary = summarize(finished_study)
    one, other = (v.name for v in summary.variants[1:3])
    difference = difference_between(finished_study, one, other)
    shares = [summary.confusion[name] / summary.confusion[name].sum(axis=1, keepdims=True) for name in (one, other)]
    np.testing.assert_allclose(difference.difference, shares[0] - shares[1], atol=1e-12)  # the same seeds in both
    assert (difference.variant, difference.against) == (one, other)
    back = difference_between(finished_study, other, one)
    np.testing.assert_allclose(back.low, -difference.high, atol=1e-12)


def test_a_difference_from_the_first_is_in_the_details(finished_study: Path) -> None:
    for name, wanted in summary_and_details(finished_study)[1].differences.items():
        difference = difference_between(finished_study, name, wanted.against)
        np.testing.assert_array_equal(difference.difference, wanted.difference)
        np.testing.assert_array_equal(difference.low, wanted.low)


def test_differences_need_two_tested_variants(study_copy: Path) -> None:
    names = [v.name for v in summarize(study_copy).variants]
    with pytest.raises(UnknownNameError, match="unknown variant 'l3' in the study in"):
        difference_between(study_copy, names[0], "l3")
    with closing(sqlite3.connect(study_copy / "study.db")) as connection:
        connection.executescript("DELETE FROM runs; DELETE FROM epochs;")
    with pytest.raises(StudyFileError, match="have no tested seed in common; run the study first"):
        difference_between(study_copy, names[0], names[1])
