from __future__ import annotations

from dataclasses import replace

import numpy as np

from detailed import details
from summaries import diverged, study
from wellfit.base import Ranked
from wellfit.report.marks.static import alt_text
from wellfit.report.subjects.calibration.static import plot_ranking, plot_reliability

CALIBRATION = details(study(variants=("baseline",))).calibration["baseline"]


def test_a_reliability_diagram_shows_every_bin_and_the_diagonal():
    axes = plot_reliability(CALIBRATION).axes[0]
    points = [np.asarray(found.get_offsets()) for found in axes.collections if len(found.get_offsets()) == 10]
    wanted = 100 * np.stack([CALIBRATION.confidence, CALIBRATION.accuracy], axis=1)
    assert any(np.allclose(p, wanted) for p in points)
    diagonal = axes.lines[0]
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    assert axes.get_xlim() == axes.get_ylim()
    assert axes.texts[0].get_text().splitlines()[0] == "ECE 5.00 points [4.50, 6.10]"


def test_the_words_say_which_way_it_leans():
    assert "On average over-confident" in alt_text(plot_reliability(CALIBRATION))
    modest = replace(CALIBRATION, accuracy=np.minimum(CALIBRATION.confidence + 0.05, 1.0), scores={}, intervals={})
    said = alt_text(plot_reliability(modest))
    assert "On average under-confident." in said
    assert "; 0 bins lie below the diagonal" in said


def test_the_ranking_is_sorted_with_its_letters():
    summary = study()
    order = sorted(summary.variants, key=lambda v: -v.mean["test_accuracy"])
    ranking = tuple(Ranked(v.name, v.mean["test_accuracy"], "ab"[place > 2]) for place, v in enumerate(order))
    figure = plot_ranking(replace(summary, ranking=ranking))
    axes = figure.axes[0]
    places = dict(zip((label.get_text() for label in axes.get_yticklabels()), axes.get_yticks(), strict=True))
    assert sorted(places, key=places.__getitem__, reverse=True) == [f"{r.variant}   {r.letters}" for r in ranking]
    assert "share a letter" in axes.get_xlabel()
    assert f"1. {order[0].name} " in alt_text(figure)
    assert "(a)" in alt_text(figure)


def test_one_seed_has_neither_letters_nor_intervals():
    alone = study(seeds=1, epochs=2)
    axes = plot_ranking(replace(alone, comparisons=tuple(replace(c, p_value=None) for c in alone.comparisons))).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [ranked.variant for ranked in alone.ranking]
    assert "letter" not in axes.get_xlabel()
    legend = axes.get_legend()
    assert "95 % interval" not in [text.get_text() for text in legend.get_texts()]


def test_what_was_not_ranked_has_no_letter():
    figure = plot_ranking(replace(diverged(), ranking=()))
    assert "letter" not in figure.axes[0].get_xlabel()
    assert "4. l1 –." in alt_text(figure)
