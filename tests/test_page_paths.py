from __future__ import annotations

from dataclasses import replace

import numpy as np

from detailed import grid, path
from wellfit.report.page_paths import grid_panel, path_panel

NAMES = ("baseline", "l2", "l1", "dropout", "l2 + dropout", "early-stopping")


def test_a_path_in_words():
    panel = path_panel(replace(path(NAMES), values=np.array([1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0]), at_edge="high"))
    assert panel.said[0].startswith("l2 = 0.001 has the highest validation accuracy (88.40 %)")
    assert panel.said[1] == "Up to l2 = 0.01 it stays within one standard error."
    assert "highest value that was tried" in panel.said[2]
    assert [text for _, text in panel.marks] == ["chosen by validation", "within one standard error"]
    assert panel.rows[0][:2] == ("1e-5", "baseline")
    assert not panel.shows_zeros


def test_a_path_without_a_choice_and_with_zeros():
    bare = replace(path(NAMES), chosen=None, one_standard_error=None, zeros=np.linspace(0, 0.5, 6))
    panel = path_panel(
        replace(bare, held={"dropout": 0.3}, baseline="none", reference={"test_accuracy": (0.9, 0.89, 0.91)})
    )
    assert panel.marks == (("bar dotted", "test accuracy of none"),)
    assert panel.said == ("No value is chosen before two seeds have finished.",)
    assert panel.rows[-1][-1] == "50.00 %"
    assert panel.held == "dropout = 0.3"


def test_a_map_is_tinted_from_lowest_to_highest():
    panel = grid_panel(grid(NAMES))
    (_, (worst, best)), (_, (lowest, missing)) = panel.rows
    assert (lowest.strength, best.strength) == (0, 100)
    assert 0 < worst.strength < 100
    assert (best.chosen, best.variant, best.text) == (True, "l2", "89.00 %")
    assert missing.text == "–"
    assert (panel.metric, panel.columns) == ("validation accuracy", ("0.2", "0.5"))


def test_a_map_shows_the_test_set_once_it_was_opened():
    tested = {**grid(NAMES).metrics, "test_accuracy": np.full((2, 2), 0.9)}
    panel = grid_panel(replace(grid(NAMES), metrics=tested))
    assert panel.metric == "test accuracy"
    assert panel.rows[0][1][0].strength == 0
