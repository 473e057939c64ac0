"""Whether "5 %" and "95 %" hold, in simulated studies whose truth is known.

The tests are quick versions. ``python tests/test_validity.py 500`` makes the tables of docs/statistics.md, with 500
studies per row, 2000 for coverage, in about ten minutes on one core.

A network is right on an image if ``level + seed + image + image of its variant + rest > 0``, all normal: a probit model
with crossed seeds and images. By default two seeds of a variant disagree on 7 % of the images, and two variants on 9 %.
"""

import sys
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pytest
import scipy.stats
from scipy.special import ndtr, ndtri

from wellfit.analysis.bootstrap import two_way_bootstrap
from wellfit.analysis.comparisons import compare_pairs, difference_components, holm, paired_comparison
from wellfit.analysis.intervals import t_interval, two_way_interval, wilson_interval
from wellfit.analysis.paired import mcnemar, paired_t, probability_better, sign_flip
from wellfit.analysis.power import further_seeds
from wellfit.analysis.rankings import friedman, ranking
from wellfit.analysis.sequential import InterimAnalysis, over_all_analyses
from wellfit.base import MARGIN


@dataclass(frozen=True)
class Scene:
    """The distribution that studies are drawn from; the last three are standard deviations of the latent score."""

    seeds: int = 5
    images: int = 10_000
    accuracy: float = 0.88
    better_by: float = 0.0  # by how much every variant but the first is truly better
    seed_sd: float = 0.003  # of the true accuracy of a variant's networks
    variant_image: float = 0.3
    image: float = 1.2
    rest: float = 0.4


class Study(NamedTuple):
    correct: np.ndarray  # bool (V, S, n)
    on_these_images: np.ndarray  # (V,) true mean over all seeds, on the images drawn
    networks: np.ndarray  # (V, S) true accuracy of each network, on all images

    def runs(self, seeds=None):
        return {f"v{v}": dict(enumerate(rows[:seeds])) for v, rows in enumerate(self.correct)}


def drawn(rng, scene, variants):
    S, n = scene.seeds, scene.images
    images = np.sqrt(scene.image**2 + scene.variant_image**2 + scene.rest**2)
    hard = scene.image * rng.standard_normal(n, dtype=np.float32)  # (n,)
    correct, here, networks = [], [], []
    for v in range(variants):
        z = ndtri(scene.accuracy + (scene.better_by if v else 0.0))
        seed_sd = scene.seed_sd / scipy.stats.norm.pdf(z) * images
        level = z * np.hypot(images, seed_sd)
        seed = seed_sd * rng.standard_normal((S, 1))  # (S, 1)
        image = hard + scene.variant_image * rng.standard_normal(n, dtype=np.float32)  # (n,)
        score = scene.rest * rng.standard_normal((S, n), dtype=np.float32)  # (S, n)
        correct.append(score + image + seed.astype(np.float32) > -level)
        here.append(ndtr((level + image) / np.hypot(scene.rest, seed_sd)).mean())
        networks.append(ndtr((level + seed[:, 0]) / images))
    return Study(np.stack(correct), np.array(here), np.array(networks))


def compared_with_first(runs, margin=MARGIN, interim=None):
    """The verdict of every variant against the first."""
    first, *others = runs
    return compare_pairs(runs, [(name, first) for name in others], margin, interim)


def rates(studies, event, seed=0):
    """The fraction of studies in which each named event happens; None does not count."""
    rng = np.random.default_rng(seed)
    seen = [event(rng) for _ in range(studies)]
    return {name: float(np.mean([one[name] for one in seen if one[name] is not None] or [np.nan])) for name in seen[0]}


# --- The experiments --------------------------------------------------------------------------------------------------


def holds(interval, truth):
    return interval[0] <= truth <= interval[1]


def coverage(studies, scene, draws=1000):
    """How often each interval covers its target; and how often the t interval covers new images."""

    def event(rng):
        (correct,), (here,), ((network, *_),) = drawn(rng, scene, 1)
        by_seed = t_interval(correct.mean(axis=1))
        return {
            "two-way": holds(two_way_interval(correct)[1], scene.accuracy),
            "two-way bootstrap": holds(two_way_bootstrap(correct, draws=draws).interval, scene.accuracy),
            "t over seeds, these images": holds(by_seed, here),
            "Wilson, this network": holds(wilson_interval(int(correct[0].sum()), scene.images), network),
            "t over seeds, new images": holds(by_seed, scene.accuracy),
        }

    return rates(studies, event)


def significant(studies, scene, draws=400):
    """How often each test of two variants gives p < 5 %."""

    def event(rng):
        second, first = drawn(rng, scene, 2).correct
        difference = first.astype(np.int8) - second
        by_seed = difference.mean(axis=1)
        found = paired_comparison(first, second)
        return {
            "two-way": found.p_value < 0.05,
            "two-way, Holm over 4": 4 * found.p_value < 0.05,
            "coverage of the two-way interval": holds(found.interval, scene.better_by),
            "two-way bootstrap": two_way_bootstrap(difference, draws=draws).p_value < 0.05 if draws else None,
            "paired t": paired_t(by_seed) < 0.05,
            "sign flip": sign_flip(by_seed) < 0.05,
            "McNemar, one seed": mcnemar(first[0], second[0]) < 0.05,
        }

    return rates(studies, event)


def families(studies, scene, variants=5):
    """How often a whole study of equal variants makes any false claim."""

    def event(rng):
        study = drawn(rng, scene, variants)
        scores = study.correct.mean(axis=2)
        return {
            "any verdict better or worse": any(
                c.verdict in ("better", "worse") for c in compared_with_first(study.runs())
            ),
            "Friedman": friedman(scores) < 0.05,
            "ranking, any two separated": any("a" not in r.letters for r in ranking(study.runs())),
        }

    return rates(studies, event)


LOOKS = (5, 10, 15, 20)


def until_decided(studies, scene, variants=2):
    """How often a study with four analyses says better or worse, and when it ends."""
    scene = replace(scene, seeds=LOOKS[-1])

    def event(rng):
        first, *others = drawn(rng, scene, variants).correct
        plain = [[paired_comparison(v[:k], first[:k]).p_value for v in others] for k in LOOKS]  # analyses x comparisons
        # a p-value above 5 % by itself stays above it over all analyses
        ours = [
            min(holm([over_all_analyses(p, InterimAnalysis(k, LOOKS)) if p < 0.05 else 1.0 for p in row])) < 0.05
            for k, row in enumerate(plain, start=1)
        ]
        return {
            "any analysis, adjusted": any(ours),
            "any analysis, unadjusted": any(min(holm(row)) < 0.05 for row in plain),
            "only the last analysis": min(holm(plain[-1])) < 0.05,
            "mean seeds": LOOKS[ours.index(True) if any(ours) else -1],
        }

    return rates(studies, event)


def equivalent(studies, scene, margin):
    """How often variants that truly differ by the margin are called equivalent: in one analysis, in any of four."""
    scene = replace(scene, seeds=LOOKS[-1], better_by=margin)

    def event(rng):
        study = drawn(rng, scene, 2)
        one = compared_with_first(study.runs(5), margin)
        many = [
            compared_with_first(study.runs(k), margin, InterimAnalysis(i, LOOKS)) for i, k in enumerate(LOOKS, start=1)
        ]
        return {
            "one analysis, 5 seeds": one[0].verdict == "equivalent",
            "any of four analyses": any(found[0].verdict == "equivalent" for found in many),
        }

    return rates(studies, event)


def advice(studies, scene, most=45, largest=0.015):
    """Uniform true differences: how often a number of further seeds is given, and how often that number decides."""

    def event(rng):
        S = scene.seeds
        better_by = rng.uniform(-largest, largest)
        second, first = drawn(rng, replace(scene, seeds=S + most, better_by=better_by), 2).correct
        before = compared_with_first({"a": dict(enumerate(second[:S])), "b": dict(enumerate(first[:S]))})[0]
        more = (
            further_seeds(difference_components(first[:S], second[:S]), most=most)
            if before.verdict == "undecided"
            else None
        )
        if more is None:
            undecided = before.verdict == "undecided"
            return {"undecided": undecided, "given a number": False, "then decided": None, "seeds advised": None}
        S += more
        after = compared_with_first({"a": dict(enumerate(second[:S])), "b": dict(enumerate(first[:S]))})[0]
        decided = after.verdict != "undecided"
        return {"undecided": True, "given a number": True, "then decided": decided, "seeds advised": more}

    return rates(studies, event)


def next_seed(studies, seeds, probability=0.9):
    """How often the next difference exceeds the value that it should exceed with the given probability."""
    t = scipy.stats.t.isf(probability, seeds - 1) * np.sqrt(1 + 1 / seeds)

    def event(rng):
        *d, new = rng.normal(0.002, 0.004, seeds + 1)
        margin = np.mean(d) + t * np.std(d, ddof=1)
        assert probability_better(d, margin) == pytest.approx(probability)
        return {"exceeds": new > margin}

    return rates(studies, event)


# --- Quick versions, as tests -----------------------------------------------------------------------------------------


def at_most(rate, n):
    """The largest fraction of n that a true rate of at most ``rate`` exceeds only once in 10,000 times."""
    return scipy.stats.binom.isf(1e-4, n, rate) / n


def at_least(rate, n):
    """The smallest fraction of n that a true rate of at least ``rate`` falls below only once in 10,000 times."""
    return scipy.stats.binom.ppf(1e-4, n, rate) / n


SMALL = Scene(images=1000)
MANY = 500


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("seed_sd", [0.001, 0.02])
def test_intervals_of_one_variant_hold_the_truth(seeds, seed_sd):
    found = coverage(MANY, replace(SMALL, seeds=seeds, seed_sd=seed_sd), draws=200)
    for name in ("two-way", "t over seeds, these images", "Wilson, this network"):
        assert found[name] >= at_least(0.95, MANY), name
    if seeds == 3 and seed_sd == 0.02:  # why the bootstrap is not the default
        assert found["two-way bootstrap"] < at_least(0.95, MANY)
    if seed_sd == 0.001:  # and t is not: it knows nothing of other images
        assert found["t over seeds, new images"] < at_least(0.95, MANY)


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
@pytest.mark.parametrize("ratio", [0.0, 0.3, 1.0, 10.0])
def test_normal_scores_are_covered_for_every_balance_of_the_two_sources(seeds, ratio):
    rng = np.random.default_rng(seeds)
    missed = 0
    for _ in range(MANY):
        seed = np.sqrt(ratio * seeds / 40) * rng.normal(size=(seeds, 1))
        low, high = two_way_interval(seed + rng.normal(size=40) + 0.5 * rng.normal(size=(seeds, 40)))[1]
        missed += not low <= 0 <= high
    assert missed / MANY <= at_most(0.05, MANY)
    if seeds == 10:  # and safety does not cost everything: the rate is near what is promised
        assert missed / MANY >= at_least(0.035, MANY)


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
@pytest.mark.parametrize(
    "scene",
    [
        replace(SMALL, seed_sd=0.0, variant_image=0.5, images=360),
        replace(SMALL, seed_sd=0.01, variant_image=0.5, images=360),
        replace(SMALL, seed_sd=0.02, variant_image=0.0, images=360),
        replace(SMALL, seed_sd=0.0, variant_image=1.0, images=360, accuracy=0.98),
    ],
)
def test_the_p_value_of_the_verdicts_keeps_its_level(seeds, scene):
    # Satterthwaite's degrees of freedom, the usual ones, would err in 11 % of the studies with two seeds.
    found = significant(MANY, replace(scene, seeds=seeds), draws=0)
    assert found["two-way"] <= at_most(0.05, MANY)
    assert found["coverage of the two-way interval"] >= at_least(0.95, MANY)


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_tests_of_one_source_keep_their_level_where_that_source_is_all_there_is(seeds):
    over_seeds = significant(MANY, replace(SMALL, seeds=seeds, variant_image=0.0, seed_sd=0.01), draws=0)
    assert over_seeds["paired t"] <= at_most(0.05, MANY)
    assert over_seeds["sign flip"] <= at_most(0.05, MANY)
    over_images = significant(MANY, replace(SMALL, seeds=seeds, variant_image=0.5, seed_sd=0.0), draws=0)
    assert over_images["McNemar, one seed"] <= at_most(0.05, MANY)
    # With both sources, they claim less than a verdict does, which is why no verdict rests on them.
    both = significant(MANY, replace(SMALL, seeds=seeds, variant_image=0.5, seed_sd=0.02), draws=0)
    assert both["McNemar, one seed"] > at_most(0.05, MANY)
    assert both["two-way"] <= at_most(0.05, MANY)
    if seeds == 10:
        assert over_images["paired t"] > at_most(0.05, MANY)


def test_a_whole_study_of_equal_variants_says_nothing_false():
    found = families(200, replace(SMALL, variant_image=0.0, seed_sd=0.01))
    for name, rate in found.items():
        assert rate <= at_most(0.05, 200), name
    assert families(200, SMALL)["any verdict better or worse"] <= at_most(0.05, 200)


@pytest.mark.parametrize("variants", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_until_decided_keeps_its_level(variants):
    found = until_decided(100, SMALL, variants)
    assert found["any analysis, adjusted"] <= at_most(0.05, 100)
    # if seeds are the only source of variation, each analysis adds information, and unadjusted ones err more
    found = until_decided(300, replace(SMALL, images=300, seed_sd=0.04, variant_image=0.0, image=0.1), variants)
    assert found["any analysis, adjusted"] <= at_most(0.05, 300)
    assert found["any analysis, unadjusted"] > at_most(0.05, 300)


def test_differences_of_the_margin_are_seldom_equivalent():
    found = equivalent(100, replace(SMALL, seed_sd=0.002), margin=0.03)
    assert 0 < found["one analysis, 5 seeds"] <= at_most(0.05, 100)
    assert 0 < found["any of four analyses"] <= at_most(0.05, 100)


def test_the_suggested_seeds_probably_decide():
    found = advice(300, replace(SMALL, seed_sd=0.01, seeds=4), largest=0.05)
    advised = round(300 * found["given a number"])
    assert advised > 30
    assert found["then decided"] >= at_least(0.8, advised)


@pytest.mark.parametrize("seeds", [2, 5])
def test_a_new_seed_is_better_as_often_as_predicted(seeds):
    rate = next_seed(MANY, seeds)["exceeds"]
    assert at_least(0.9, MANY) <= rate <= at_most(0.9, MANY)


def test_more_seeds_give_more_power():
    scene = replace(SMALL, better_by=0.02, seed_sd=0.006)
    five, ten = (significant(200, replace(scene, seeds=s), draws=0)["two-way"] for s in (5, 10))
    assert 0.3 < five < ten


# --- The tables of docs/statistics.md ---------------------------------------------------------------------------------


def table(title, rows):
    """A Markdown table of rates in percent, or of numbers of seeds."""
    names = list(next(iter(rows.values())))
    lines = [f"| {title} | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for row, found in rows.items():
        cells = (
            f"{x:.1f}" if name in ("mean seeds", "seeds advised") else f"{100 * x:.1f} %" for name, x in found.items()
        )
        lines.append(f"| {row} | {' | '.join(cells)} |")
    sys.stdout.write("\n".join(lines) + "\n\n")
    sys.stdout.flush()


def tables(n):
    some, plain = (3, 5, 10), Scene()
    much, alike = replace(plain, seed_sd=0.01), replace(plain, variant_image=0.0)
    table("coverage", {f"{s} seeds, sd {100 * c.seed_sd:.1f}": coverage(4 * n, replace(c, seeds=s))
                       for c in (plain, much) for s in some})  # fmt: skip
    scenes = {
        "both sources": plain,
        "seeds only": replace(alike, seed_sd=0.01),
        "images only": replace(plain, seed_sd=0.0),
    }
    table("no difference", {f"{name}, {s} seeds": significant(n, replace(c, seeds=s))
                            for name, c in scenes.items() for s in some})  # fmt: skip
    table("0.5 points", {f"{s} seeds": significant(n, replace(plain, seeds=s, better_by=0.005)) for s in (5, 10)})
    table("five equal variants", {f"{name}, {s} seeds": families(n, replace(c, seeds=s))
                                  for name, c in list(scenes.items())[:2] for s in (5, 10)})  # fmt: skip
    table("until decided", {f"{v - 1} compared, {100 * d:g} points": until_decided(n, replace(plain, better_by=d), v)
                            for v in (2, 5) for d in (0.0, 0.005, 0.01)})  # fmt: skip
    table("until decided, seeds only", {"1 compared, 0 points": until_decided(n, scenes["seeds only"])})
    table("differ by the margin", {"margin 1 point": equivalent(n, plain, 0.01)})
    rows = [(s, m, 0.003, 0.015) for s, m in ((3, 10_000), (5, 10_000), (10, 10_000), (5, 1000))]
    rows += [(5, 10_000, 0.01, 0.05), (5, 10_000, 0.01, 0.015)]
    table("advice", {f"{s} seeds, {m:,} images, sd {100 * sd:.1f}, up to {100 * most:.1f} points":
                     advice(n, replace(plain, seeds=s, images=m, seed_sd=sd), largest=most)
                     for s, m, sd, most in rows})  # fmt: skip
    table("new seed, 90 %", {f"{s} seeds": next_seed(n, s) for s in some})


if __name__ == "__main__":
    tables(int(sys.argv[1]))
