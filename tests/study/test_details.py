"""What a report looks into: computed from the store alone, and equal to what the probabilities say."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
import pytest

import wellfit
from wellfit.errors import StoreUnreadableError
from wellfit.spec.study import study_from_mapping
from wellfit.store import create_or_open, open_existing
from wellfit.store.keepsakes import KEEPSAKES
from wellfit.study.details import study_details
from wellfit.study.runner import run_study
from wellfit.study.summary import summarize


def archive(path: Path, name: str) -> np.ndarray:
    with np.load(path) as arrays:
        return arrays[name]


def test_everything_agrees_with_the_files_of_the_study(finished_study: Path) -> None:
    found = study_details(finished_study)
    summary = summarize(finished_study)
    names = tuple(variant.name for variant in summary.variants)
    labels = archive(finished_study / "test" / "labels.npz", "labels")
    mistakes = found.mistakes
    assert mistakes is not None
    assert mistakes.variants == names
    assert mistakes.runs.tolist() == [2] * len(names)
    for v, variant in enumerate(summary.variants):
        said = np.stack([archive(finished_study / "test" / f"{variant.name}.{s}.npz", "probabilities") for s in (0, 1)])
        predicted = said.argmax(axis=2)
        np.testing.assert_array_equal(mistakes.wrong[v], (predicted != labels).sum(axis=0))
        np.testing.assert_array_equal(mistakes.counts[v], summary.confusion[variant.name])
        np.testing.assert_array_equal(
            mistakes.votes[v], np.eye(10, dtype=int)[predicted[:, mistakes.image_rows]].sum(axis=0)
        )
        ensemble = found.ensembles[variant.name]
        assert ensemble.accuracy == np.mean(said.mean(axis=0, dtype=float).argmax(axis=1) == labels)
        assert ensemble.single == pytest.approx(variant.mean["test_accuracy"])
        assert found.by_class[variant.name].support.tolist() == np.bincount(labels).tolist()
        recall = found.by_class[variant.name].recall
        assert np.average(recall, weights=np.bincount(labels)) == pytest.approx(variant.mean["test_accuracy"])
        assert found.calibration[variant.name].count.sum() == 2 * len(labels)
    assert list(found.differences) == list(names[1:])
    assert all(difference.against == names[0] for difference in found.differences.values())
    assert found.by_class[names[0]].gain is None
    assert list(found.weights) == list(names)
    assert found.weights["baseline"].filters.shape == (16, 8, 8)
    assert found.regions == {}


def test_pictures_and_examples_are_those_of_the_digits(finished_study: Path) -> None:
    digits = wellfit.load_dataset("digits")
    found = study_details(finished_study)
    assert found.look is not None
    assert found.mistakes is not None
    assert (found.look.title, found.look.shape) == ("Digits", (8, 8))
    expected = np.rint(digits.x_test[found.mistakes.image_rows] * (255 / 16)).astype(np.uint8)
    np.testing.assert_array_equal(found.mistakes.images, expected)
    three = np.rint(digits.x_train[digits.y_train == 3][:10] * (255 / 16)).astype(np.uint8)
    np.testing.assert_array_equal(found.look.examples[3], three)
    assert sum(found.look.counts["train"]) + sum(found.look.counts["validation"]) == len(digits.x_train)


def test_the_summary_may_be_given(finished_study: Path) -> None:
    summary = summarize(finished_study)
    given = dataclasses.replace(summary, variants=summary.variants[:1])
    assert study_details(finished_study, given).paths == ()


def test_an_older_study_has_no_pictures_and_all_the_rest(study_copy: Path) -> None:
    (study_copy / KEEPSAKES).unlink()
    found = study_details(study_copy)
    assert found.look is None
    assert found.mistakes is not None
    assert found.mistakes.images.shape == (0, 0, 0)
    assert found.mistakes.votes.shape == (len(found.mistakes.variants), 0, 10)
    assert found.calibration.keys() == found.weights.keys() == set(found.mistakes.variants)
    assert found.weights["baseline"].filters is None  # nobody knows the shape of an image


def test_a_study_that_was_not_tested_has_weights_alone(study_copy: Path) -> None:
    with open_existing(study_copy) as store:
        settings, records = store.metadata.study(), store.runs.records()
        weights = {(r.spec.variant, r.spec.seed): store.runs.weights(r.spec.variant, r.spec.seed) for r in records}
    untested = study_copy.parent / "untested"
    with create_or_open(untested, settings, provenance={}) as store:
        begun = study_details(untested)
        store.runs.save([dataclasses.replace(r, weights=weights[r.spec.variant, r.spec.seed]) for r in records[:3]])
    assert begun.weights == {}
    found = study_details(untested)
    assert (found.look, found.mistakes, found.differences, found.calibration) == (None, None, {}, {})
    assert (found.by_class, found.ensembles, found.regions) == ({}, {}, {})
    assert list(found.weights) == ["baseline", "l2"]


def test_one_seed_has_neither_ensemble_nor_intervals_and_a_variant_of_other_seeds_no_difference(tmp_path: Path) -> None:
    def study(seeds: list[int], *variants: str) -> wellfit.spec.study.StudySpec:
        return study_from_mapping(
            {
                "data": {"name": "digits"},
                "model": {"kind": "logistic"},
                "train": {"epochs": 1, "seeds": seeds},
                "variants": {name: {"l2": 0.1} if name == "l2" else {} for name in variants},
            }
        )

    digits = wellfit.load_dataset("digits")
    run_study(study([0], "baseline", "l2"), digits, tmp_path / "study")
    found = study_details(tmp_path / "study")
    assert found.ensembles == {}
    assert np.isnan(found.differences["l2"].low).all()
    assert np.isnan(found.by_class["l2"].gain_low).all()
    assert found.calibration["l2"].intervals == {"ece": None, "brier": None}
    run_study(study([0, 1], "baseline", "l2"), digits, tmp_path / "study")
    grown = study_details(tmp_path / "study")
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
    run_study(spec, wellfit.load_dataset("cosines:2"), tmp_path / "study")
    (found,) = study_details(tmp_path / "study").regions.values()
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
        study_details(tmp_path)


def test_it_is_quick(finished_study: Path) -> None:
    """19 variants of 2 seeds on the digits: 0.3 seconds of CPU time, under two with room for a slow machine."""
    began = time.process_time()
    study_details(finished_study)
    assert time.process_time() - began < 2
