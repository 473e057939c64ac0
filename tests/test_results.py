"""What results are beyond their tables: pickled, printed."""

from __future__ import annotations

import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from wellfit.results import Results


@pytest.fixture(scope="module")
def results(finished_study: Path) -> Results:
    return Results(finished_study)


def test_results_can_be_pickled(results: Results) -> None:
    again = pickle.loads(pickle.dumps(results))
    assert again.table().equals(results.table())
    assert again.history().equals(results.history())
    assert again.directory == results.directory
    assert repr(again) == repr(results)


def test_pickled_results_of_a_temporary_directory_do_not_need_it(study_copy: Path, tmp_path: Path) -> None:
    class Keep:
        def __reduce__(self) -> str:
            raise AssertionError("the temporary directory is not pickled")

    temporary = Results(study_copy, _keep=Keep())
    kept = pickle.dumps(temporary)
    mistakes = temporary.mistakes()
    shutil.rmtree(study_copy)
    again = pickle.loads(kept)
    assert again.mistakes().equals(mistakes)
    assert again.per_class().equals(temporary.per_class())


def test_what_prints_is_short(results: Results) -> None:
    for value in (results, results.best()):
        assert "\n" not in repr(value)
        assert len(repr(value)) < 400
    assert repr(results).startswith("Results('regularization', finished, 19 variants, 2 seeds): ")
    one = Results(results.directory)
    one.summary = replace(results.summary, variants=results.summary.variants[:1], conclusion=(), verdict="\x1b[2JNone.")
    assert repr(one) == "Results('regularization', finished, 1 variant, 2 seeds): \\x1b[2JNone."
