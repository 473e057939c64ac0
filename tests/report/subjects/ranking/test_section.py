from __future__ import annotations

from dataclasses import replace

import pytest

from detailed import NOTHING
from summaries import diverged, empty, study
from wellfit.base import Ranked, Sentence
from wellfit.report.forms.page_template import page_environment
from wellfit.report.subjects.ranking.section import fragment, glance, parts


def shown(summary):
    return fragment(summary, NOTHING, {})


def scores(summary):
    return shown(summary)["views"][0]


def html(summary):
    template = page_environment().get_template("subjects/ranking/section.html.j2")
    return template.render(shown(summary), summary=summary)


def with_one_far_below():
    summary = study()
    runs = tuple(replace(run, test_accuracy=0.1) for run in summary.variants[1].runs)
    bounds = {"test_accuracy": (0.09, 0.11)}
    low = replace(summary.variants[1], runs=runs, published={}, mean={"test_accuracy": 0.1}, interval=bounds)
    return replace(summary, variants=(summary.variants[0], low, *summary.variants[2:]))


def test_the_best_mean_comes_first_with_its_letters():
    summary = study()
    ranked = sorted(summary.variants, key=lambda v: -v.mean["test_accuracy"])
    letters = tuple(Ranked(v.name, v.mean["test_accuracy"], "ab"[i > 1]) for i, v in enumerate(ranked))
    page = shown(replace(summary, ranking=letters))
    assert [strip.row.variant for strip in page["views"][0].strips] == [v.name for v in ranked]
    assert [strip.row.letters for strip in page["views"][0].strips] == list("aabbbb")
    assert page["shows_letters"]


def test_places_are_proportional():
    page = scores(study())
    (x0, t0), (x1, t1) = page.ticks[0], page.ticks[-1]
    scale = (x1 - x0) / (float(t1) - float(t0))
    for strip in page.strips:
        assert 0 <= strip.low < strip.at < strip.high <= 100
        # the text has the same number, on the scale that the ticks span
        assert strip.at == pytest.approx(x0 + scale * (float(strip.mean.split()[0]) - float(t0)), abs=0.5)
    assert page.reference == next(strip.at for strip in page.strips if strip.row.index == 0)


def test_a_variant_without_a_result_has_no_place():
    last = scores(diverged()).strips[-1]
    assert (last.row.variant, last.mean, last.at, last.seeds) == ("l1", "no result", None, ())


def test_a_mean_far_below_is_shown_as_a_number():
    summary = with_one_far_below()
    page = scores(summary)
    last = page.strips[-1]
    assert (last.row.variant, last.at, last.low, last.seeds, last.mean) == ("l2", None, None, (), "10.00 %")
    assert float(page.ticks[0][1]) > 80
    sentence = "Left of the axis: one mean far below the others."
    assert page.cut == sentence
    assert sentence in parts(summary, NOTHING)[0].caption
    assert "◂ far below" in html(summary)


def test_one_seed_has_no_interval_and_no_letters():
    alone = study(seeds=1, epochs=2)
    alone = replace(alone, comparisons=tuple(replace(c, p_value=None) for c in alone.comparisons))
    page = shown(alone)
    assert (page["shows_seeds"], page["shows_intervals"], page["shows_letters"]) == (False, False, False)
    assert "the only seed" in html(alone)
    assert "95 % interval" not in parts(alone, NOTHING)[0].caption
    several = shown(study())
    assert (several["shows_seeds"], several["shows_intervals"]) == (True, True)
    assert "mean over the seeds" in html(study())


def test_nothing_tested_is_no_section():
    assert shown(empty()) == {}
    assert parts(empty(), NOTHING) == []


def test_one_letter_for_all_says_nothing_and_is_left_out():
    summary = study()
    alike = replace(summary, ranking=tuple(r._replace(letters="a") for r in summary.ranking))
    assert not shown(alike)["shows_letters"]
    assert all(not strip.row.letters for strip in scores(alike).strips)


def test_the_second_view_has_the_differences_that_the_verdicts_rest_on():
    summary = study()
    _, view = shown(summary)["views"]
    by_name = {c.variant: c for c in summary.comparisons}
    assert [strip.row.variant for strip in view.strips] == [strip.row.variant for strip in scores(summary).strips]
    low, high = view.margin
    assert low < view.reference < high  # zero, inside the margin
    for strip in view.strips:
        if strip.row.index == 0:
            assert (strip.at, strip.mean, strip.verdict, strip.seeds) == (view.reference, "", "reference", ())
            continue
        known = by_name[strip.row.variant]
        assert strip.mean == f"{100 * known.difference:+.2f} points".replace("-", "−")
        assert strip.verdict.rstrip("*") == known.verdict
        assert (strip.at > view.reference) == (known.difference > 0)
        assert len(strip.seeds) == 5
    page = html(summary)
    assert page.count('name="ranking-view"') == 2
    assert 'value="score" checked' in page


def test_without_comparisons_there_is_one_view_and_no_switch():
    bare = replace(study(), comparisons=())
    assert len(shown(bare)["views"]) == 1
    assert "ranking-view" not in html(bare)


def test_the_small_ranking_has_the_first_variant_and_the_best():
    summary = study()
    base = summary.variants[1]
    many = tuple(replace(base, name=f"v{i}", mean={**base.mean, "test_accuracy": 0.9 + 0.001 * i}) for i in range(9))
    crowd = replace(summary, variants=(summary.variants[0], *many), comparisons=(), ranking=())
    small = glance(crowd)
    assert [strip.row.variant for strip in small["view"].strips] == ["v8", "v7", "v6", "v5", "v4", "baseline"]
    assert (small["all"], small["shown"]) == (10, 6)
    assert len(small["ticks"]) == 2
    said = (Sentence("Which?"), Sentence("Of 10 variants, v8 was better, and v0 was worse than baseline (v0 -2.0)."))
    named = glance(replace(crowd, conclusion=said))
    assert [strip.row.variant for strip in named["view"].strips][-2:] == ["v0", "baseline"]
    assert named["shown"] == 7
    assert glance(empty()) == {}
    assert glance(study(variants=("baseline",), epochs=2)) == {}


def test_a_ranking_of_many_begins_with_the_best_few():
    summary = study()
    assert [drawing.name for drawing in parts(summary, NOTHING)] == ["ranking"]
    base = summary.variants[1]
    others = tuple(
        replace(base, name=f"v{i}", published={}, mean={**base.mean, "test_accuracy": 0.8 + i / 1000})
        for i in range(14)
    )
    many = replace(summary, variants=(summary.variants[0], *others), ranking=(), comparisons=(), answers=())
    few, whole = parts(many, NOTHING)
    assert (few.name, whole.name) == ("ranking-glance", "ranking")
    assert "6 of 15 variants" in few.caption
    names = [label.get_text().strip() for label in few.draw().axes[0].get_yticklabels()]
    assert set(names) == {"baseline", *(f"v{i}" for i in range(9, 14))}
    assert len(whole.draw().axes[0].get_yticklabels()) == 15
