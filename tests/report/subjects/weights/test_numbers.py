from __future__ import annotations

import re
from dataclasses import replace

from detailed import details
from summaries import study
from wellfit.report.subjects.weights.numbers import filter_sheet, weight_rows


def result():
    summary = study(variants=("baseline", "l2"), epochs=3)
    return summary, details(summary).weights


def test_layers_say_their_zeros_and_their_spread():
    summary, weights = result()
    row = weight_rows(summary, weights, None)[1]
    assert (row.name, row.filters) == ("l2", ())
    assert [layer.zeros for layer in row.layers] == [
        "2.0 % below 0.001",
        "20.0 % below 0.001, 10.0 % exactly 0",
        "60.0 % below 0.001, 50.0 % exactly 0",
    ]
    assert row.layers[0].name == "dense_1"
    low, high = map(float, re.findall(r"−?[\d.]+$|(?<=between )\S+", row.layers[0].spread.replace("−", "-")))
    assert -0.2 < low < 0 < high < 0.2


def test_the_outline_is_closed_and_as_high_as_the_highest_bin():
    summary, weights = result()
    outline = weight_rows(summary, weights, None)[0].layers[0].outline
    heights = [int(h) for h in re.findall(r"V(\d+)H", outline)]
    assert (min(heights), max(heights)) == (0, 68)
    assert outline.endswith("V68Z")


def test_every_variant_finds_its_own_filters():
    summary, weights = result()
    sheet = filter_sheet(weights, 300_000)
    assert sheet is not None
    rows = weight_rows(summary, weights, sheet)
    assert rows[0].filters == tuple(sheet.place(i) for i in range(16))
    assert rows[1].filters == tuple(sheet.place(i) for i in range(16, 32))


def test_filters_of_different_shapes_make_no_sheet():
    _, weights = result()
    smaller = replace(weights["l2"], filters=weights["l2"].filters[:, :5, :5])
    assert filter_sheet({**weights, "l2": smaller}, 300_000) is None
    assert filter_sheet({"l2": replace(weights["l2"], filters=None)}, 300_000) is None
