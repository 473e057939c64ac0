import numpy as np
import pytest

from wellfit.analysis import bootstrap, comparisons, paired, power
from wellfit.analysis.evidence import paired_evidence
from wellfit.errors import DataError, StudyFileError


def test_it_is_what_each_method_says():
    rng = np.random.default_rng(0)
    first, second = rng.random((2, 4, 500)) < np.array([0.9, 0.88])[:, None, None]
    found = paired_evidence(first, second, comparisons=3, margin=0.01)
    difference = first.astype(int) - second
    by_seed = difference.mean(axis=1)
    drawn = bootstrap.two_way_bootstrap(difference)
    assert found.seeds == 4
    assert found.both_sources == comparisons.paired_comparison(first, second)
    assert (found.bootstrap_interval, found.bootstrap_p) == drawn[1:]
    assert (found.paired_t_p, found.sign_flip_p) == (paired.paired_t(by_seed), paired.sign_flip(by_seed))
    assert found.mcnemar_p == tuple(paired.mcnemar(a, b) for a, b in zip(first, second, strict=True))
    assert found.better_on_new_seed == paired.probability_better(by_seed, 0.01)
    assert found.worse_on_new_seed == paired.probability_better(-by_seed, 0.01)
    assert found.further_seeds == power.further_seeds(first, second, 3, 0.01)


def test_one_seed_leaves_the_images_alone_to_tell():
    found = paired_evidence(np.ones((1, 50), dtype=bool), np.arange(50)[None] >= 10)
    assert found.both_sources == (0.2, None, None, None)
    assert found.mcnemar_p == (2 / 2**10,)
    assert found.sign_flip_p == 1.0
    assert found[2:5] == (None, None, None)
    assert found[7:] == (None, None, None)


def test_bad_input_is_refused():
    right = np.ones((2, 9), dtype=bool)
    with pytest.raises(DataError, match="the same seeds"):
        paired_evidence(right, right[:1])
    with pytest.raises(StudyFileError, match="0 comparisons"):
        paired_evidence(right, right, comparisons=0)
