from __future__ import annotations

from dataclasses import replace

import numpy as np

from detailed import NOTHING, details
from summaries import study
from wellfit.report.subjects.calibration.numbers import reliability, score_columns, score_rows

SUMMARY = study(variants=("baseline", "l2"), epochs=3)
DETAILS = details(SUMMARY)


def test_a_bin_with_few_predictions_is_no_part_of_the_line():
    calibration = DETAILS.calibration["l2"]
    count = np.array([1, *[1000] * (len(calibration.count) - 1)])
    bins = reliability(replace(calibration, count=count))
    assert not bins.firm[0]
    assert bins.firm[1:].all()
    np.testing.assert_allclose(bins.share.sum(), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(bins.confidence, 100 * calibration.confidence)


def test_the_scores_of_a_variant_and_of_its_ensemble():
    titles = [column.title for column in score_columns(DETAILS)]
    assert titles == ["Macro F1", "Top-3 accuracy", "ROC AUC", "Calibration error (ECE)", "Brier score",
                      "Ensemble accuracy", "Gain over a single run"]  # fmt: skip
    assert [column.key for column in score_columns(DETAILS) if column.low] == ["ece", "brier"]
    cells = [(cell.mean, cell.interval) for cell in score_rows(SUMMARY, DETAILS)[1].cells]
    assert cells[1] == ("99.00 %", "[98.50, 99.50]")
    assert cells[2] == ("0.9910", "")
    assert cells[3] == ("5.40 %", "[4.50, 6.10]")
    assert cells[6] == ("+1.00 points (5 seeds)", "")


def test_what_is_missing_is_a_dash():
    without = replace(DETAILS, ensembles={"baseline": DETAILS.ensembles["baseline"]}, calibration={})
    assert [cell.mean for cell in score_rows(SUMMARY, without)[1].cells[-2:]] == ["–", "–"]
    odd = replace(DETAILS.calibration["l2"], scores={"ece": float("nan")})
    column = [column.key for column in score_columns(DETAILS)].index("ece")
    cell = score_rows(SUMMARY, replace(DETAILS, calibration={"baseline": DETAILS.calibration["baseline"], "l2": odd}))[
        1
    ].cells[column]
    assert (cell.mean, cell.value) == ("–", None)
    assert score_rows(SUMMARY, NOTHING) == ()
    assert score_columns(NOTHING) == ()
