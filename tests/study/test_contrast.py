from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from wellfit.errors import StudyFileError, UnknownNameError
from wellfit.study.contrast import confusion_contrast
from wellfit.study.details import study_details
from wellfit.study.summary import summarize


def test_a_contrast_is_the_difference_of_the_summed_matrices(finished_study: Path) -> None:
    summary = summarize(finished_study)
    one, other = (v.name for v in summary.variants[1:3])
    found = confusion_contrast(finished_study, one, other)
    shares = [summary.confusion[name] / summary.confusion[name].sum(axis=1, keepdims=True) for name in (one, other)]
    np.testing.assert_allclose(found.difference, shares[0] - shares[1], atol=1e-12)  # the same seeds in both
    assert (found.variant, found.against) == (one, other)
    back = confusion_contrast(finished_study, other, one)
    np.testing.assert_allclose(back.low, -found.high, atol=1e-12)


def test_against_the_first_it_is_that_of_the_details(finished_study: Path) -> None:
    for name, wanted in study_details(finished_study).differences.items():
        found = confusion_contrast(finished_study, name, wanted.against)
        np.testing.assert_array_equal(found.difference, wanted.difference)
        np.testing.assert_array_equal(found.low, wanted.low)


def test_unknown_and_untested_variants_are_refused(study_copy: Path) -> None:
    names = [v.name for v in summarize(study_copy).variants]
    with pytest.raises(UnknownNameError, match="unknown variant 'l3' in the study in"):
        confusion_contrast(study_copy, names[0], "l3")
    with closing(sqlite3.connect(study_copy / "study.db")) as connection:
        connection.executescript("DELETE FROM runs; DELETE FROM epochs;")
    with pytest.raises(StudyFileError, match="have no seed of which both were tested; run the study first"):
        confusion_contrast(study_copy, names[0], names[1])
