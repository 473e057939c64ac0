from __future__ import annotations

from dataclasses import replace

import numpy as np

from detailed import grid, path
from summaries import study
from wellfit.narrative.sweeps import describe_path
from wellfit.report.subjects.paths.numbers import (
    grid_table,
    path_marks,
    path_reference,
    path_sentences,
    path_strokes,
    path_table,
    value_text,
)

NAMES = ("baseline", "l2", "l1", "dropout", "l2 + dropout", "early-stopping")
SUMMARY = study(epochs=2)
WITH_REFERENCE = replace(
    path(NAMES),
    baseline="none",
    reference={"validation_accuracy": (0.871, 0.86, 0.88), "test_accuracy": (0.9, 0.89, 0.91)},
)


def test_a_path_has_the_sentences_of_the_answers():
    edge = replace(path(NAMES), values=np.array([1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0]), at_edge="high")
    assert path_sentences(edge) == tuple(sentence.text for sentence in describe_path(edge))
    assert "0.001: 88.4 % [88.0, 88.8]" in path_sentences(edge)[0]


def test_a_table_has_a_row_per_value_with_intervals():
    table = path_table(path(NAMES))
    assert table["rows"][0][:2] == ("1e-05", "baseline")
    for (_, _, cells, _), mean in zip(table["rows"], path(NAMES).metrics["test_accuracy"][0], strict=True):
        bounds = f"[{100 * mean - 0.4:.2f}, {100 * mean + 0.4:.2f}]"
        assert (cells[2].mean, cells[2].interval, cells[2].value) == (f"{100 * mean:.2f} %", bounds, mean)
    assert (table["shows_intervals"], table["shows_zeros"]) == (True, False)


def test_a_table_without_intervals_and_with_zeros():
    nothing = np.full(len(NAMES), np.nan)
    alone = {name: (mean, nothing, nothing) for name, (mean, _, _) in path(NAMES).metrics.items()}
    table = path_table(replace(path(NAMES), metrics=alone, zeros=np.linspace(0, 0.5, 6), held={"dropout": 0.3}))
    assert (table["shows_intervals"], table["shows_zeros"]) == (False, True)
    assert table["rows"][-1][3] == "50.00 %"
    assert table["held"] == "dropout = 0.3"


def test_a_missing_mean_is_a_dash():
    metrics = {**path(NAMES).metrics, "test_accuracy": tuple(np.full((3, len(NAMES)), np.nan))}
    cell = path_table(replace(path(NAMES), metrics=metrics))["rows"][0][2][2]
    assert (cell.mean, cell.interval, cell.value) == ("–", "", None)


def test_the_key_has_only_lines_that_are_drawn():
    nothing = tuple(np.full(len(NAMES), np.nan) for _ in range(3))
    bare = replace(path(NAMES), metrics={**path(NAMES).metrics, "test_accuracy": nothing}, one_standard_error=None)
    assert list(path_strokes(bare)) == ["train", "validation", "chosen"]
    assert list(path_strokes(replace(bare, one_standard_error=bare.chosen))) == ["train", "validation", "chosen"]
    assert list(path_strokes(replace(bare, chosen=None))) == ["train", "validation"]
    assert path_strokes(WITH_REFERENCE)["reference"].label == "validation of none"


def test_the_reference_is_the_variant_outside_the_sweep():
    assert path_reference(WITH_REFERENCE) == 0.871
    assert path_reference(WITH_REFERENCE, "loss") is None
    assert path_reference(replace(WITH_REFERENCE, baseline=None)) is None
    unknown = {"validation_accuracy": (np.nan, np.nan, np.nan)}
    assert path_reference(replace(WITH_REFERENCE, reference=unknown)) is None


def test_one_value_is_marked_once():
    assert path_marks(replace(WITH_REFERENCE, chosen=3, one_standard_error=4)) == {"chosen": 3, "simpler": 4}
    assert path_marks(replace(WITH_REFERENCE, chosen=3, one_standard_error=3)) == {"chosen": 3}
    assert path_marks(replace(WITH_REFERENCE, chosen=None, one_standard_error=None)) == {}


def test_a_grid_is_tinted_from_lowest_to_highest():
    table = grid_table(grid(NAMES), SUMMARY)
    (_, (worst, best)), (_, (lowest, missing)) = table["rows"]
    assert (lowest.strength, best.strength) == (0, 100)
    assert 0 < worst.strength < 100
    assert (best.chosen, best.text) == (True, "89.00 %")
    assert (missing.text, missing.strength) == ("–", 0)
    assert (table["metric"], table["columns"]) == ("validation accuracy", ("0.2", "0.5"))


def test_a_cell_of_a_grid_has_its_variant_and_interval():
    low, high = SUMMARY.variants[1].interval["validation_accuracy"]
    assert grid_table(grid(NAMES), SUMMARY)["rows"][0][1][1].full == f"l2: 89.00 % [{100 * low:.2f}, {100 * high:.2f}]"
    bare = replace(SUMMARY, variants=tuple(replace(v, interval={}) for v in SUMMARY.variants))
    table = grid_table(replace(grid(NAMES), chosen=None), bare)
    assert table["rows"][0][1][1].full == "l2: 89.00 %"
    assert (table["chosen"], table["shows_intervals"]) == (False, False)


def test_a_grid_shows_test_accuracy_once_there_is_any():
    tested = {**grid(NAMES).metrics, "test_accuracy": np.full((2, 2), 0.9)}
    table = grid_table(replace(grid(NAMES), metrics=tested), SUMMARY)
    assert table["metric"] == "test accuracy"
    assert table["rows"][0][1][0].strength == 0


def test_settings_are_short():
    assert [value_text(value) for value in (True, "relu", 2.5, 1234.5)] == ["True", "relu", "2.5", "1234.5"]
