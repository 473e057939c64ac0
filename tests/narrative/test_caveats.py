import pytest

from wellfit.base import Comparison, VariantSummary
from wellfit.narrative.caveats import Evidence, incomplete, keys_of, runs_tested, what_next

# What each caveat says is tested with the whole conclusion, in test_conclusions.


@pytest.fixture
def study():
    names = ("baseline", "l2")
    variants = [VariantSummary(name, {}, 1, (), {}, {}, 0.0, {}) for name in names]
    return Evidence(
        variants, [Comparison("l2", "baseline", "test_accuracy", 0.1, None, 0.5, 0.5, "undecided")], 9, 0.001
    )


def test_verdicts_are_those_of_the_comparisons(study):
    assert [c.variant for c in study.verdict("undecided")] == ["l2"]
    assert study.verdict("better") == study.identical == []
    assert (study.seeds, study.data) == (0, "0 seeds and 9 test examples")
    assert not study.surviving(study.comparisons[0])


def test_sources_and_runs(study):
    assert keys_of(study.comparisons, "verdict") == ("comparisons[l2].verdict",)
    assert runs_tested(study.variants[0]) == 0
    assert incomplete(study.variants) == []
    assert [s.text for s in what_next(study)] == ["Run five seeds to decide more."]
