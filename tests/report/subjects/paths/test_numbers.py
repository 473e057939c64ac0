from __future__ import annotations

from dataclasses import replace

import numpy as np

from detailed import grid, path
from summaries import study
from wellfit.narrative.sweeps import describe_path
from wellfit.report.forms.page_template import page_environment
from wellfit.report.subjects.paths.numbers import grid_panel, path_panel

NAMES = ("baseline", "l2", "l1", "dropout", "l2 + dropout", "early-stopping")
SUMMARY = study(epochs=2)


def shown(*panels, maps=()):
    """The section as HTML."""
    template = page_environment().get_template("subjects/paths/section.html.j2")
    return template.render(path_panels=panels, grid_panels=maps, figures={"paths": []})


def test_a_path_has_the_sentences_of_the_answers():
    found = replace(path(NAMES), values=np.array([1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0]), at_edge="high")
    panel = path_panel(found)
    assert panel.said == tuple(sentence.text for sentence in describe_path(found))
    assert panel.said[0].endswith("validation accuracy is highest at 0.001: 88.4 % [88.0, 88.8].")
    assert (panel.rows[0].value, panel.rows[0].variant) == ("1e-05", "baseline")
    assert not panel.shows_zeros


def test_every_mean_of_a_path_has_its_interval():
    panel = path_panel(path(NAMES))
    html = shown(panel)
    for row, mean in zip(panel.rows, path(NAMES).metrics["test_accuracy"][0], strict=True):
        told = f"[{100 * mean - 0.4:.2f}, {100 * mean + 0.4:.2f}]"
        assert (row.cells[2].mean, row.cells[2].interval) == (f"{100 * mean:.2f} %", told)
        assert f'<span class="interval">{told}</span>' in html
    assert "in brackets" in html


def test_one_seed_has_no_brackets():
    nothing = np.full(len(NAMES), np.nan)
    alone = {name: (mean, nothing, nothing) for name, (mean, _, _) in path(NAMES).metrics.items()}
    html = shown(path_panel(replace(path(NAMES), metrics=alone, chosen=None, one_standard_error=None)))
    assert "bracket" not in html
    assert "interval" not in html


def test_a_path_without_a_choice_and_with_zeros():
    bare = replace(path(NAMES), chosen=None, one_standard_error=None, zeros=np.linspace(0, 0.5, 6))
    panel = path_panel(replace(bare, held={"dropout": 0.3}))
    assert [line.said for line in panel.strokes] == ["training", "validation", "test"]
    (said,) = panel.said
    assert said.startswith("Of the 6 values of l2 from 1e-05 to 0.1 with dropout = 0.3, none can be chosen yet")
    assert panel.rows[-1].zeros == "50.00 %"
    assert panel.held == "dropout = 0.3"


def test_a_map_is_tinted_from_lowest_to_highest():
    panel = grid_panel(grid(NAMES), SUMMARY)
    (_, (worst, best)), (_, (lowest, missing)) = panel.rows
    assert (lowest.strength, best.strength) == (0, 100)
    assert 0 < worst.strength < 100
    assert (best.chosen, best.text) == (True, "89.00 %")
    assert missing.text == "–"
    assert (panel.metric, panel.columns) == ("validation accuracy", ("0.2", "0.5"))


def test_a_cell_of_a_map_says_its_variant_and_its_interval():
    low, high = SUMMARY.variants[1].interval["validation_accuracy"]
    panel = grid_panel(grid(NAMES), SUMMARY)
    assert panel.rows[0][1][1].full == f"l2: 89.00 % [{100 * low:.2f}, {100 * high:.2f}]"
    assert panel.rows[0][1][1].full in shown(maps=[panel])
    assert "Intervals: " in shown(maps=[panel])
    assert "Framed: chosen on validation." in shown(maps=[panel])
    bare = replace(SUMMARY, variants=tuple(replace(v, interval={}) for v in SUMMARY.variants))
    panel = grid_panel(replace(grid(NAMES), chosen=None), bare)
    assert panel.rows[0][1][1].full == "l2: 89.00 %"
    assert "Framed" not in shown(maps=[panel])
    assert "Intervals: " not in shown(maps=[panel])


def test_a_map_shows_the_test_set_once_it_was_opened():
    tested = {**grid(NAMES).metrics, "test_accuracy": np.full((2, 2), 0.9)}
    panel = grid_panel(replace(grid(NAMES), metrics=tested), SUMMARY)
    assert panel.metric == "test accuracy"
    assert panel.rows[0][1][0].strength == 0
