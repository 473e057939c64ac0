from __future__ import annotations

from dataclasses import replace

import pytest

from summaries import diverged, empty, study
from wellfit.base import Ranked
from wellfit.report.subjects.ranking.page import make_ranking, ticks


def test_the_best_mean_comes_first_with_its_letters():
    summary = study()
    ranked = sorted(summary.variants, key=lambda v: -v.mean["test_accuracy"])
    letters = tuple(Ranked(v.name, v.mean["test_accuracy"], "ab"[i > 1]) for i, v in enumerate(ranked))
    ranking = make_ranking(replace(summary, ranking=letters))
    assert ranking is not None
    assert [row.name for row in ranking.rows] == [v.name for v in ranked]
    assert [row.letters for row in ranking.rows] == list("aabbbb")
    assert ranking.shows_letters


def test_places_are_proportional():
    ranking = make_ranking(study())
    assert ranking is not None
    for row in ranking.rows:
        assert row.at is not None
        assert row.low is not None
        assert row.high is not None
        assert 0 <= row.low < row.at < row.high <= 100
        # the texts hold the same numbers, on the scale that the ticks span
        (x0, t0), (x1, t1) = ranking.ticks[0], ranking.ticks[-1]
        scale = (x1 - x0) / (float(t1) - float(t0))
        assert row.at == pytest.approx(x0 + scale * (float(row.mean.split()[0]) - float(t0)), abs=0.5)
    first = next(row for row in ranking.rows if row.index == 0)
    assert ranking.reference == first.at


def test_what_has_no_result_stands_last():
    ranking = make_ranking(diverged())
    assert ranking is not None
    last = ranking.rows[-1]
    assert (last.name, last.mean, last.at, last.seeds) == ("l1", "no result", None, ())


def test_a_variant_that_lies_far_below_does_not_press_the_others_together():
    summary = study()
    runs = tuple(replace(run, test_accuracy=0.1) for run in summary.variants[1].runs)
    low = replace(
        summary.variants[1],
        runs=runs,
        published={},
        mean={"test_accuracy": 0.1},
        interval={"test_accuracy": (0.09, 0.11)},
    )
    ranking = make_ranking(replace(summary, variants=(summary.variants[0], low, *summary.variants[2:])))
    assert ranking is not None
    assert ranking.cut == 1
    assert (ranking.rows[-1].name, ranking.rows[-1].at, ranking.rows[-1].mean) == ("l2", None, "10.00 %")
    assert float(ranking.ticks[0][1]) > 80


def test_one_seed_tells_no_variants_apart():
    alone = study(seeds=1, epochs=2)
    alone = replace(alone, comparisons=tuple(replace(c, p_value=None) for c in alone.comparisons))
    assert len(alone.ranking) == 6
    ranking = make_ranking(alone)
    assert ranking is not None
    assert not ranking.shows_letters
    assert {row.letters for row in ranking.rows} == {""}
    assert (ranking.shows_seeds, ranking.shows_intervals) == (False, False)
    several = make_ranking(study())
    assert several is not None
    assert (several.shows_seeds, several.shows_intervals) == (True, True)


def test_one_seed_and_no_result():
    ranking = make_ranking(study(variants=("baseline",), seeds=1, epochs=2))
    assert ranking is not None
    assert (ranking.rows[0].low, ranking.rows[0].interval) == (None, "")
    assert make_ranking(empty()) is None


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (87.31, 89.42), (9.0, 99.0), (-0.002, 0.003)])
def test_ticks_are_round_and_inside(low, high):
    found = ticks(low, high)
    assert 3 <= len(found) <= 7
    assert all(low - 1e-9 <= value <= high + 1e-9 for value, _ in found)
    assert all(float(text) == pytest.approx(value, abs=1e-9) for value, text in found)
