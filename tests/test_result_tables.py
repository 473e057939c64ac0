"""Tables of details beyond the summary; the others are tested in test_api.py."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from wellfit.errors import StudyFileError
from wellfit.results import Results
from wellfit.store import open_existing


@pytest.fixture(scope="module")
def results(finished_study: Path) -> Results:
    return Results(finished_study)


def test_compare_shows_every_method_beside_the_verdict(results: Results) -> None:
    table = results.compare()
    assert list(table.columns) == [
        *("variant", "against", "metric", "difference", "interval", "p_value", "p_adjusted", "verdict"),
        *(
            "identical",
            "seeds",
            "interval90",
            "bootstrap_interval",
            "bootstrap_p",
            "paired_t_p",
            "sign_flip_p",
            "mcnemar_p",
        ),
        *("better_on_new_seed", "worse_on_new_seed", "further_seeds", "decided_at_last", "survivors"),
    ]
    assert table.attrs == {"metric": "accuracy", "margin": 0.001}
    assert results.table().attrs["metric"] == results.runs().attrs["metric"] == "accuracy"
    assert list(table["variant"]) == [v.name for v in results.summary.variants[1:]]
    assert (table["seeds"] == 2).all()
    assert [len(p) for p in table["mcnemar_p"]] == [2] * len(table)


def test_ranking_and_conclusion(results: Results) -> None:
    table = results.ranking()
    assert list(table.columns) == ["variant", "mean", "low", "high", "letters"]
    assert (np.diff(table["mean"]) <= 0).all()
    assert ((table["low"] <= table["mean"]) & (table["mean"] <= table["high"])).all()
    assert table.attrs["friedman_p"] == results.summary.friedman_p
    output = results.conclusion()
    assert list(output.columns) == ["question", "sentence", "sources"]
    assert " ".join(output["sentence"][output["question"] == results.summary.title]) == results.verdict
    assert all(output["sources"].map(len))


def test_mistakes(results: Results, finished_study: Path) -> None:
    table = results.mistakes()
    names = [v.name for v in results.summary.variants]
    assert list(table.columns) == [
        *("test_row", "true", *(f"wrong: {name}" for name in names)),
        *("wrong", "predicted", "probability"),
    ]
    assert (np.diff(table["wrong"]) <= 0).all()
    assert table["wrong"].min() == 1
    assert (table["true"] != table["predicted"]).all()
    assert table["probability"].between(0, 1).all()
    with open_existing(finished_study) as store:
        labels, classes = store.keepsakes.labels()
        tests = [store.runs.tested(names[0], seed) for seed in (0, 1)]
    wrong = np.zeros(len(labels), int)  # (M,)
    for p, rows, *_ in tests:
        wrong[rows] += p.argmax(axis=1) != labels[rows]
    np.testing.assert_array_equal(table[f"wrong: {names[0]}"], wrong[table["test_row"]])
    assert table[f"wrong: {names[0]}"].sum() == wrong.sum()  # none is left out
    assert list(table["true"]) == [classes[label] for label in labels[table["test_row"]]]


def test_per_class(results: Results, finished_study: Path) -> None:
    table = results.per_class()
    first = results.summary.variants[0].name
    mine = table[table["variant"] == first]
    with open_existing(finished_study) as store:
        labels, _ = store.keepsakes.labels()
        tests = [store.runs.tested(first, seed) for seed in (0, 1)]
    truth = np.concatenate([labels[rows] for _, rows, *_ in tests])  # of both folds together
    predicted = np.concatenate([p.argmax(axis=1) for p, *_ in tests])
    _, recall, f1, support = precision_recall_fscore_support(truth, predicted, zero_division=0)
    np.testing.assert_allclose(mine[["recall", "f1"]].to_numpy().T, [recall, f1], atol=1e-12)
    np.testing.assert_array_equal(mine["support"], support)
    assert mine["gain"].isna().all()
    assert table[table["variant"] != first]["gain"].notna().all()
    assert len(table) == len(results.summary.variants) * len(results.summary.classes)


def test_calibration(results: Results) -> None:
    table = results.calibration()
    assert list(table.index) == [v.name for v in results.summary.variants]
    assert (table["ece_low"] <= table["ece"]).all()
    assert (table["ece"] <= table["ece_high"]).all()
    assert table["brier"].between(0, 2).all()


def test_before_any_run_was_tested_the_tables_are_empty(study_copy: Path) -> None:
    with closing(sqlite3.connect(study_copy / "study.db")) as connection:
        connection.executescript("DELETE FROM runs; DELETE FROM epochs;")
    results = Results(study_copy)
    assert results.per_class().empty
    assert results.calibration().empty
    with pytest.raises(StudyFileError, match=r"no run of the study in .* has been tested; run the study first"):
        results.mistakes()
