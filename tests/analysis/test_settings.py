"""Recipes with dotted keys, and what the settings mean."""

from __future__ import annotations

from sweeps import scored, tables
from wellfit.analysis.selection import REGULARIZERS
from wellfit.analysis.settings import DATA_SETTINGS, DIRECTION, ZERO_IS_NONE, flat_recipes, flattened, is_number
from wellfit.base import StudySummary, VariantSummary


def same(name, settings, seed):
    return 0.9


def test_every_named_setting_is_one_of_a_recipe():
    flat = flat_recipes(scored("lab5", same))["baseline"]
    assert DIRECTION.keys() | {*DATA_SETTINGS, *ZERO_IS_NONE} <= flat.keys()
    assert {*REGULARIZERS} <= {key.split(".")[0] for key in flat}


def test_layers_with_their_own_rates_have_no_base_dropout():
    layers = [{"kind": "dense", "units": 8}, {"kind": "dropout", "rate": 0.5}, {"kind": "dense", "units": 10}]
    model = {"kind": "layers", "layers": [{"kind": "flatten"}, *layers]}
    flat = flat_recipes(scored(tables({"baseline": {}}, model=model), same))
    assert flat["baseline"]["dropout"] is None


def test_nested_lists_and_tables_become_tuples():
    assert dict(flattened({"a": {"b": [1, [2]], "c": [{"d": 3}]}}, "x.")) == {
        "x.a.b": (1, (2,)),
        "x.a.c": ((("d", 3),),),
    }


def test_infinity_and_booleans_are_no_numbers():
    assert [is_number(v) for v in (1, 0.5, float("inf"), True, "1", None)] == [True, True, False, False, False, False]


def test_the_file_of_a_network_is_no_setting():
    model = {"kind": "mlp", "origin": "a.keras (SHA-256 12ab)"}
    variant = VariantSummary("a", {"model": model}, 9, (), {}, {}, 0.0, {})
    summary = StudySummary("s", "?", "d", "running", (), 5, 0.0, "", (variant,), (), (), "", {}, {}, (), {}, {})
    assert flat_recipes(summary) == {"a": {"model.kind": "mlp"}}
