from dataclasses import replace

import pytest

from summaries import study
from wellfit.base import Comparison
from wellfit.narrative.outcomes import diverged_runs, lost, of_survivors, verdict_label

BROKEN = {("l2", 1): "diverged", ("l2", 3): "diverged"} | {("l1", seed): "diverged" for seed in range(5)}
STUDY = study(variants=("baseline", "l2", "l1", "dropout"), states=BROKEN)
BY_NAME = {v.name: v for v in STUDY.variants}


def test_diverged_runs_are_counted():
    assert [diverged_runs(v) for v in STUDY.variants] == [0, 2, 5, 0]
    assert [v.name for v in STUDY.variants if lost(v)] == ["l1"]


@pytest.mark.parametrize(("pair", "label"), [(("l2", "baseline"), "better*"), (("dropout", "baseline"), "better"),
                                             (("dropout", "l2"), "better*")])  # fmt: skip
def test_a_star_marks_comparisons_of_survivors(pair, label):
    better = Comparison(*pair, "test_accuracy", 0.01, (0.0, 0.02), 0.01, 0.01, "better")
    assert verdict_label(better, BY_NAME) == label
    assert of_survivors(better, BY_NAME) == label.endswith("*")


def test_identical_answers_are_no_verdict():
    equal = Comparison("l2", "baseline", "test_accuracy", 0.0, (0.0, 0.0), 1.0, 1.0, "equivalent", identical=True)
    assert verdict_label(equal, BY_NAME) == "identical*"  # of the surviving runs
    assert verdict_label(replace(equal, variant="dropout"), BY_NAME) == "identical"
