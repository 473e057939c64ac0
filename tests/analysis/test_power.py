import numpy as np
import pytest

from wellfit.analysis.comparisons import difference_components
from wellfit.analysis.crossed import half_squared
from wellfit.analysis.power import further_seeds
from wellfit.errors import DataError, StudyFileError

S, n = 4, 3000


def pair(by=0.006, seed_sd=0.004, seed=0):
    """Two variants whose seeds disagree."""
    rng = np.random.default_rng(seed)
    hard = rng.random(n)
    shares = np.array([0.88 + by, 0.88])[:, None, None] + rng.normal(size=(2, S, 1)) * seed_sd
    return hard + rng.normal(size=(2, S, n)) * 0.02 < shares


def decided(first, second, m, margin, draws=20_000):
    """The predictive probability by drawing: a variance of the seeds, the new differences, then mean and interval."""
    rng = np.random.default_rng(1)
    found = difference_components(first, second)
    variance = found.seed * S
    sigma2 = variance * (S - 1) / rng.chisquare(S - 1, draws)
    center = rng.normal(found.mean, np.sqrt(sigma2 / S))
    mean = (S * found.mean + m * rng.normal(center, np.sqrt(sigma2 / m))) / (S + m)
    hits = 0
    for d, s2 in zip(mean[:3000], sigma2[:3000], strict=True):
        rest = (found.image_alone - found.image) * S / (S + m)
        seeds = ((S - 1) * variance + m * s2) / (S - 1 + m) / (S + m)
        then = found._replace(seeds=S + m, seed=seeds, image_alone=found.image + rest)
        apart = abs(d) > np.sqrt(half_squared(then, 0.05))
        hits += apart or abs(d) + np.sqrt(half_squared(then, 0.10)) < margin
    return hits / 3000


@pytest.mark.parametrize(("by", "margin"), [(0.006, 0.001), (0.0, 0.012)])
def test_the_number_is_the_first_that_is_probable_enough(by, margin):
    first, second = pair(by)
    m = further_seeds(first, second, margin=margin)
    # 3000 draws know a share to 0.7 %, and the 25 values of the variance represent all to about 1 %
    assert decided(first, second, m, margin) > 0.8 - 0.03
    assert m == 1 or decided(first, second, m - 1, margin) < 0.8 + 0.03


def test_more_is_needed_for_more_comparisons_and_for_more_certainty():
    first, second = pair(by=0.01, seed=2)
    one = further_seeds(first, second)
    assert one > 1
    assert further_seeds(first, second, comparisons=5) > one
    assert further_seeds(first, second, probability=0.9) > one
    assert further_seeds(first, second, most=one - 1) is None
    assert further_seeds(first, second, most=one) == one
    assert further_seeds(second, first) == one


def test_where_the_images_are_too_few_no_number_of_seeds_decides():
    first, second = pair(by=0.0)
    assert further_seeds(first[:, :200], second[:, :200]) is None


def test_one_seed_shows_no_spread():
    first, second = pair()
    assert further_seeds(first[:1], second[:1]) is None


def test_seeds_that_all_say_the_same_need_one_more():
    right = np.ones((3, 10_000), dtype=bool)
    assert further_seeds(right, right) == 1  # equivalent


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"comparisons": 0}, "0 comparisons"),
        ({"margin": -1}, "a margin of -1"),
        ({"probability": 1}, "probability of 1"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(StudyFileError, match=message):
        further_seeds(*pair(), **options)


def test_arrays_that_do_not_belong_together_are_refused():
    with pytest.raises(DataError, match="the same seeds"):
        further_seeds(np.ones((2, 3)), np.ones((2, 4)))
