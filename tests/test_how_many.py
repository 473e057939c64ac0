"""``wellfit.power``."""

from __future__ import annotations

import inspect
import json
import math

import wellfit
from wellfit.analysis.seeds_needed import power_curve
from wellfit.how_many import power


def test_it_is_the_curve_with_a_table_and_sentences():
    found, curve = power(0.88, 0.005, 10_000, seeds=7), power_curve(0.88, 0.005, 10_000, seeds=7)
    assert vars(found) == vars(curve)
    table = found.table()
    assert list(table.columns) == ["power", "difference", "margin"]
    assert table.loc[7, "power"] == curve.planned.power
    assert table.index[-1] == math.inf
    assert str(found) == "\n".join(found.sentences)


def test_infinite_numbers_are_null_in_json():
    plain = json.loads(json.dumps(power(0.88, 0.005, 10_000, seeds=1).to_json(), allow_nan=False))
    assert plain["planned"] == {"seeds": 1, "power": 0, "difference": None, "margin": None}
    assert plain["endless"]["seeds"] is None
    assert len(plain["sentences"]) == 4


def test_both_functions_have_the_same_arguments():
    def parameters(function):
        return {name: p.default for name, p in inspect.signature(function).parameters.items()}

    assert parameters(wellfit.power) == parameters(power_curve)
