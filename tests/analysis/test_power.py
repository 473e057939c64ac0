import numpy as np
import pytest

from wellfit.analysis.comparisons import difference_components
from wellfit.analysis.crossed import half_squared, variance_components, with_seeds
from wellfit.analysis.power import Chance, Design, Detectable, further_seeds, minimum_detectable
from wellfit.analysis.verdicts import equivalence_alpha
from wellfit.base import TestRows
from wellfit.errors import StudyFileError

S, n = 4, 3000


def pair(by=0.006, seed_sd=0.004, seed=0):
    """The difference of two variants whose seeds disagree."""
    rng = np.random.default_rng(seed)
    hard = rng.random(n)
    shares = np.array([0.88 + by, 0.88])[:, None, None] + rng.normal(size=(2, S, 1)) * seed_sd
    return difference_components(*(hard + rng.normal(size=(2, S, n)) * 0.02 < shares))


def decided(found, m, margin, draws=20_000):
    """The predictive probability by drawing: a variance of the seeds, the new differences, then mean and interval."""
    rng = np.random.default_rng(1)
    variance = found.seed * S
    sigma2 = variance * (S - 1) / rng.chisquare(S - 1, draws)
    center = rng.normal(found.mean, np.sqrt(sigma2 / S))
    mean = (S * found.mean + m * rng.normal(center, np.sqrt(sigma2 / m))) / (S + m)
    hits = 0
    for d, s2 in zip(mean[:3000], sigma2[:3000], strict=True):
        seeds = ((S - 1) * variance + m * s2) / (S - 1 + m) / (S + m)
        then = with_seeds(found, S + m)._replace(seed=seeds)
        apart = abs(d) > np.sqrt(half_squared(then, 0.05))
        hits += apart or abs(d) + np.sqrt(half_squared(then, 0.10)) < margin
    return hits / 3000


@pytest.mark.parametrize(("by", "margin"), [(0.006, 0.001), (0.0, 0.012)])
def test_the_number_is_the_first_that_is_probable_enough(by, margin):
    found = pair(by)
    m = further_seeds(found, margin=margin)
    # 3000 draws know a share to 0.7 %, and the 25 values of the variance represent all to about 1 %
    assert decided(found, m, margin) > 0.8 - 0.03
    assert m == 1 or decided(found, m - 1, margin) < 0.8 + 0.03


def test_more_is_needed_for_more_comparisons_and_for_more_certainty():
    found = pair(by=0.01, seed=2)
    one = further_seeds(found)
    assert one > 1
    assert further_seeds(found, comparisons=5) > one
    assert further_seeds(found, probability=0.9) > one
    assert further_seeds(found, most=one - 1) is None
    assert further_seeds(found, most=one) == one
    assert further_seeds(found._replace(mean=-found.mean)) == one


def test_where_the_examples_are_too_few_no_number_of_seeds_decides():
    found = pair(by=0.0)
    fifteen = {"examples": found.examples * 15, "lasting": found.lasting * 15, "overlap": found.overlap * 15}
    assert further_seeds(found._replace(**fifteen)) is None


def test_one_seed_shows_no_spread():
    assert further_seeds(pair()._replace(seeds=1)) is None


def test_more_folds_bring_more_examples():
    """Two of five folds were judged: seeds for the other three more than double the examples."""
    tested = TestRows({s: np.arange(n)[s::5] for s in range(2)}, n)
    rng = np.random.default_rng(3)
    first, second = ([rng.random(n // 5) < p for _ in range(2)] for p in (0.93, 0.9))
    folds = difference_components(first, second, tested)
    whole = folds._replace(lasting=folds.examples)
    assert further_seeds(folds) < (further_seeds(whole) or 101)


def test_seeds_that_all_say_the_same_need_one_more():
    right = np.ones((3, 10_000), dtype=bool)
    assert further_seeds(difference_components(right, right)) == 1  # equivalent


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
        further_seeds(pair(), **options)


# --- Before training --------------------------------------------------------------------------------------------------


def simulated(rng, design, chance, by, studies):
    """Variance components of studies in which one variant is better, normal scores."""
    S, examples, folds, _ = design
    if folds == 1:
        rows = [np.arange(examples)] * S
    else:
        rows = [np.sort(p[k::folds]) for p in (rng.permutation(examples) for _ in range(-(-S // folds)))
                for k in range(folds)][:S]  # fmt: skip
    tested = TestRows(dict(enumerate(rows)), examples)
    same, other = (np.sqrt(chance.disagreement * share) for share in (chance.lasting, 1 - chance.lasting))
    for _ in range(studies):
        common = same * rng.normal(size=examples)
        scores = [
            by + common[at] + other * rng.normal(size=len(at)) + chance.seed_sd * rng.normal() for at in rows
        ]  # (m,) each
        yield variance_components(scores, tested)


@pytest.mark.parametrize("design", [Design(5, 200, 5), Design(4, 300), Design(6, 200, 3, 4), Design(3, 200, 5, 2)])
def test_what_is_detectable_is_detected(design):
    chance, rng = Chance(0.2, 0.4, 0.03), np.random.default_rng(5)
    found = minimum_detectable(design, chance, margin=0.05)
    prior = {Design(6, 200, 3, 4): 0.5}.get(design, 0.0)
    alphas = 0.05 / design.comparisons, equivalence_alpha(design.comparisons)
    better = alike = 0
    for alone in simulated(rng, design, chance, found.difference, 400):
        c = alone._replace(seed_df=alone.seed_df + prior)
        better += c.mean > np.sqrt(half_squared(c, alphas[0]))
        room = found.margin - np.sqrt(half_squared(c, alphas[1]))
        alike += abs(c.mean - found.difference) < room
    # 400 studies know 80 % to 2 %; expected components instead of those of each study cost as much again
    assert better / 400 == pytest.approx(0.8, abs=0.09)
    assert alike / 400 == pytest.approx(0.8, abs=0.09)
    assert not found.equivalent


def test_better_designs_detect_more():
    of = {name: minimum_detectable(design).difference for name, design in {
        "fixed": Design(5, 360), "folds": Design(5, 1800, 5), "again": Design(10, 1800, 5), "ten": Design(10, 360),
        "many": Design(5, 1800, 5, 18), "few": Design(3, 1800, 5)}.items()}  # fmt: skip
    assert of["again"] < of["folds"] < of["fixed"]
    assert of["ten"] < of["fixed"]
    assert of["folds"] < of["many"]
    assert of["folds"] < of["few"]


def test_equivalence_is_reachable_where_variants_hardly_differ():
    alike = Chance(0.0001, 1.0, 0.0)
    assert minimum_detectable(Design(5, 100_000), alike).equivalent
    assert not minimum_detectable(Design(5, 100), alike).equivalent
    assert minimum_detectable(Design(1, 100_000)) == Detectable(np.inf, np.inf, False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((Design(0, 100),), "seeds=0"),
        ((Design(5, 1),), "examples=1"),
        ((Design(5, 100, 0),), "folds=0"),
        ((Design(5, 100), Chance(0.0)), "disagreement=0.0"),
        ((Design(5, 100), Chance(), -1.0), "a margin of -1"),
        ((Design(5, 100), Chance(), 0.1, 1.0), "probability 1.0"),
    ],
)
def test_impossible_designs_are_refused(options, message):
    with pytest.raises(StudyFileError, match=message):
        minimum_detectable(*options)
