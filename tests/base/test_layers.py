from __future__ import annotations

from typing import Any

import pytest

from wellfit.base import LayerRow, ModelTable

ROWS = LayerRow("conv2d_1", (28, 28, 6), 156, "5 x 5 kernel"), LayerRow("dense_1", (10,), 1_234_567, "softmax")


def test_columns_are_aligned_and_totals_follow() -> None:
    lines = str(ModelTable(ROWS, 12, False, ("a", "b"))).splitlines()
    assert lines[0] == "Used by a, b"
    ends = {line.index(number) + len(number) for line, number in zip(lines[2:4], ("  156", "1,234,567"), strict=True)}
    assert len(ends) == 1
    assert lines[2].endswith("156  5 x 5 kernel")
    assert lines[4] == "1,234,723 parameters, 4.71 MB"
    assert lines[5] == "Not trained: 12 running means and variances of batch normalization, 48 B"


def test_who_uses_it_is_said_only_of_a_studys_network() -> None:
    assert str(ModelTable(ROWS, 0)).startswith("layer ")
    assert str(ModelTable(ROWS, 0, True)).startswith("Base recipe's model, no variant uses it\n")


def test_json_brings_it_back() -> None:
    table = ModelTable(ROWS, 3, True, ("a",))
    assert ModelTable.from_json(table.as_json()) == table
    assert table.as_json()["layers"][0] == {
        "layer": "conv2d_1", "output_shape": [28, 28, 6], "parameters": 156, "setting": "5 x 5 kernel"
    }  # fmt: skip


TABLE = ModelTable(ROWS, 12, False, ("a", "b")).as_json()
LAYER = TABLE["layers"][0]


@pytest.mark.parametrize(
    "changes",
    [
        {"layers": 5},
        {"layers": "abc"},
        {"layers": [{**LAYER, "parameters": "x"}]},
        {"layers": [{**LAYER, "parameters": True}]},
        {"layers": [{**LAYER, "parameters": -1}]},
        {"layers": [{**LAYER, "output_shape": 5}]},
        {"layers": [{**LAYER, "output_shape": ["5"]}]},
        {"layers": [{**LAYER, "layer": None}]},
        {"layers": [{**LAYER, "setting": 5}]},
        {"layers": [{"layer": "dense_1"}]},
        {"statistics": "x"},
        {"base": 5},
        {"variants": [["a"]]},
        {"variants": 5},
    ],
    ids=str,
)
def test_what_is_no_table_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        ModelTable.from_json({**TABLE, **changes})
