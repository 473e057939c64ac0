"""The sentences about several data sets claim what the verdicts say, and no more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wellfit.analysis.over_datasets import OverDatasets
from wellfit.base import Comparison
from wellfit.narrative.over_datasets import dataset_sentences

UNDECIDED = Comparison("a", "b", "test_accuracy", 0.01, (-0.01, 0.03), 0.3, 0.9, "undecided")
BETTER = Comparison("a", "c", "test_accuracy", 0.05, (0.03, 0.07), 0.001, 0.003, "better")
ALIKE = Comparison("b", "c", "test_accuracy", 0.0, (-0.0004, 0.0004), 0.9, 1.0, "equivalent")


def found(averages=(UNDECIDED, BETTER, ALIKE), datasets=2, p=0.5, **verdicts):
    names = tuple(f"d{k}" for k in range(datasets))
    return OverDatasets(
        datasets=names,
        variants=("a", "b", "c"),
        means=np.zeros((datasets, 3)),
        ranks=np.tile([1.0, 2.0, 3.0], (datasets, 1)),
        mean_ranks=np.array([1.0, 2.0, 3.0]),
        intervals={"a": (1.0, 2.2), "b": (1.0, 3.0), "c": (1.8, 3.0)},
        bounds={},
        friedman=0.01,
        nemenyi=1.0,
        p_values={("a", "b"): 0.2, ("a", "c"): p, ("b", "c"): 1.0},
        averages=averages,
        verdicts=verdicts,
    )


def test_on_average_every_verdict_has_its_words():
    text = dataset_sentences(found())[0]
    assert text == (
        "On average over these 2 data sets, a is better than c (+5.0 points [3.0, 7.0]); b and c are equivalent; "
        "1 pair is undecided."
    )
    assert dataset_sentences(found((UNDECIDED,)))[0].endswith("no pair of variants differs clearly.")
    two = dataset_sentences(found((BETTER, UNDECIDED, replace(UNDECIDED, against="d"))))[0]
    assert two.endswith("2 pairs are undecided.")


def test_each_data_set_has_its_verdicts():
    text = dataset_sentences(found(d0=(BETTER, UNDECIDED), d1=(UNDECIDED,)))[1]
    assert text == "By data set: on d0, a is better than c; on d1, no pair differs clearly."


def test_few_data_sets_say_nothing_of_others():
    assert dataset_sentences(found(datasets=6))[2].endswith(
        "6 data sets cannot separate 3 variants; that takes at least 7."
    )
    text = dataset_sentences(found(datasets=7))[2]
    assert "a has the best mean rank, 1.0 [1.0, 2.2] of 3; the signed-rank test separates no pair." in text
    assert "a ranks before c (p = 0.01)." in dataset_sentences(found(datasets=7, p=0.01))[2]
