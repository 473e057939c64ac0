import numpy as np
import pytest

from wellfit.analysis import bootstrap, comparisons, paired, power
from wellfit.analysis.evidence import evidence_of, paired_evidence
from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import TestRows
from wellfit.errors import DataError, StudyFileError


def outcomes(seeds=4, accuracies=(0.9, 0.88)):
    return np.random.default_rng(0).random((2, seeds, 500)) < np.array(accuracies)[:, None, None]


def test_it_gathers_what_each_method_gives():
    first, second = outcomes()
    found = paired_evidence(first, second, comparisons=3, margin=0.01)
    difference = first.astype(int) - second
    by_seed = difference.mean(axis=1)
    drawn = bootstrap.two_way_bootstrap(difference)
    assert found.seeds == 4
    assert found.interval90 == comparisons.paired_comparison(first, second).interval90
    assert (found.bootstrap_interval, found.bootstrap_p) == drawn[1:]
    assert (found.paired_t_p, found.sign_flip_p) == (paired.paired_t(by_seed), paired.sign_flip(by_seed))
    assert found.mcnemar_p == tuple(paired.mcnemar(a, b) for a, b in zip(first, second, strict=True))
    assert found.better_on_new_seed == paired.probability_better(by_seed, 0.01)
    assert found.worse_on_new_seed == paired.probability_better(-by_seed, 0.01)
    assert found.further_seeds == power.further_seeds(comparisons.difference_components(first, second), 3, 0.01)


def test_further_seeds_are_asked_for_only_where_they_are_open():
    first, second = outcomes(accuracies=(0.9, 0.86))
    assert paired_evidence(first, second).further_seeds is not None
    assert paired_evidence(first, second, decided=True).further_seeds is None
    interim = InterimAnalysis(1, (4, 8))
    looked = paired_evidence(first, second, interim=interim)
    assert looked.further_seeds is None  # the plan fixes the seeds
    assert looked.interval90 == comparisons.paired_comparison(first, second, interim).interval90


def test_one_seed_leaves_only_tests_over_images():
    found = paired_evidence(np.ones((1, 50), dtype=bool), np.arange(50)[None] >= 10)
    assert found.mcnemar_p == (2 / 2**10,)
    assert found.sign_flip_p == 1.0
    unknown = ("interval90", "bootstrap_interval", "bootstrap_p", "paired_t_p", "better_on_new_seed")
    assert {getattr(found, name) for name in (*unknown, "worse_on_new_seed", "further_seeds")} == {None}


def test_evidence_is_over_common_seeds():
    first, second = outcomes()
    runs = {"a": dict(enumerate(second)), "b": {s: first[s] for s in (3, 1)}}
    (result,) = comparisons.compare_pairs(runs, [("b", "a")])
    assert evidence_of(result, runs, 2) == paired_evidence(
        first[[1, 3]], second[[1, 3]], 2, decided=result.verdict != "undecided"
    )


def test_the_evidence_of_a_study_uses_its_pooled_variances():
    rng = np.random.default_rng(3)
    tested = TestRows({s: np.arange(300)[s::5] for s in range(5)}, 300)
    runs = {f"v{i}": {s: rng.random(60) < 0.8 for s in range(5)} for i in range(6)}
    pairs = [(name, "v0") for name in list(runs)[1:]]
    components = comparisons.paired_components(runs, pairs, tested)
    for compared in comparisons.compare_pairs(runs, pairs, tested=tested):
        pair = compared.variant, compared.against
        found = evidence_of(compared, runs, 5, tested=tested, components=components[pair])
        assert found.interval90 == comparisons.summarized(components[pair]).interval90
        assert found.further_seeds == power.further_seeds(components[pair], 5)
        assert found.bootstrap_interval is not None
        assert len(found.mcnemar_p) == 5


def test_other_scores_than_right_and_wrong_have_no_mcnemar_test():
    first, second = np.random.default_rng(4).random((2, 3, 40))
    assert paired_evidence(first, second).mcnemar_p == ()


def test_identical_variants_need_no_further_seeds():
    runs = {"a": {0: np.ones(60, bool), 1: np.ones(60, bool)}}
    runs["b"] = runs["a"]
    (compared,) = comparisons.compare_pairs(runs, [("b", "a")])
    assert compared.verdict == "undecided"
    assert evidence_of(compared, runs, 0).further_seeds is None


def test_bad_input_is_refused():
    right = np.ones((2, 9), dtype=bool)
    with pytest.raises(DataError, match="the same seeds"):
        paired_evidence(right, right[:1])
    with pytest.raises(StudyFileError, match="0 comparisons"):
        paired_evidence(right, right, comparisons=0)
