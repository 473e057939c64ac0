"""The lines of a path, as the still figure, the interactive one and the key show them."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex

from bokeh_json import models
from detailed import details, path
from summaries import study
from wellfit.report.forms.page_template import page_environment
from wellfit.report.marks.colors import LIGHT
from wellfit.report.subjects.curves.interactive import build_charts
from wellfit.report.subjects.paths.numbers import path_panel
from wellfit.report.subjects.paths.static import plot_path
from wellfit.report.subjects.paths.strokes import path_marks, path_reference

NAMES = ("baseline", "l2", "l1", "dropout", "l2 + dropout", "early-stopping")
SUMMARY = study(epochs=2)
BESIDE = replace(
    path(NAMES),
    baseline="none",
    reference={"validation_accuracy": (0.871, 0.86, 0.88), "test_accuracy": (0.9, 0.89, 0.91)},
)


def still_lines(found):
    """Name -> color, dashes in widths of the line, and place, of what matplotlib draws."""
    axes = plot_path(found).axes[0]
    drawn = {}
    splits = {tuple(100 * found.metrics[f"{s}_accuracy"][0]): s for s in ("train", "validation", "test")}
    for line in axes.lines:
        x, y = line.get_xdata(), line.get_ydata()
        if len(x) == len(found.values):
            name, place = splits[tuple(y)], None
        else:
            name, place = ("upright", float(x[0])) if x[0] == x[1] else ("level", float(y[0]))
        dash = line._unscaled_dash_pattern[1] or ()
        drawn[name, place] = (to_hex(line.get_color()), tuple(dash))
    return drawn


def live_lines(found):
    """The same of what Bokeh draws."""
    charts = build_charts(SUMMARY, replace(details(SUMMARY), paths=(found,)))
    drawn = {}
    for renderer in models(charts, "GlyphRenderer", "paths"):
        glyph, (tag,) = renderer["attributes"]["glyph"], renderer["attributes"]["tags"]
        assert LIGHT[glyph["attributes"]["tags"][0]] in str(glyph["attributes"])  # what the dark page exchanges
        if glyph["name"] == "Line":
            width = glyph["attributes"]["line_width"]
            dash = tuple(part / width for part in glyph["attributes"].get("line_dash", ()))
            drawn[tag, None] = (glyph["attributes"]["line_color"], dash)
    for span in models(charts, "Span", "paths"):
        drawn[
            "upright" if span["attributes"].get("dimension") == "height" else "level", span["attributes"]["location"]
        ] = (span["attributes"]["line_color"], tuple(span["attributes"].get("line_dash", ())))
    return drawn


def key_lines(found):
    """What a line is called -> color, dashes and direction, of the key below the chart."""
    key = re.search(
        r'class="caption key">(.*?)</p>',
        page_environment()
        .get_template("subjects/paths/section.html.j2")
        .render(path_panels=[path_panel(found)], grid_panels=[], figures={"paths": []}),
        re.DOTALL,
    )
    assert key is not None
    lines = re.findall(r'd="(.*?)" style="stroke: var\(--(\w+)\); stroke-width: (\d)(.*?)"/></svg>(.*?)</span>', key[1])
    return {
        said: (LIGHT[role], tuple(int(part) / int(width) for part in re.findall(r"\d+", dash)), "H" in way)
        for way, role, width, dash, said in lines
    }


def test_still_figure_interactive_chart_and_key_show_the_same_lines():
    still, live, key = still_lines(BESIDE), live_lines(BESIDE), key_lines(BESIDE)
    assert still == live
    assert len(still) == 6
    chosen, simpler = (float(BESIDE.values[at]) for at in (BESIDE.chosen, BESIDE.one_standard_error))
    named = {
        "training": ("train", None),
        "validation": ("validation", None),
        "test": ("test", None),
        "chosen on validation": ("upright", chosen),
        "within one standard error": ("upright", simpler),
        "validation of none": ("level", pytest.approx(87.1)),
    }
    assert set(key) == set(named)
    for said, which in named.items():
        (line,) = (line for place, line in still.items() if place == which)
        assert key[said] == (*line, which[0] != "upright")
    assert len(set(still.values())) == 6  # no two look alike, with the splits apart in color and in dashes
    assert len({dash for (name, _), (_, dash) in still.items() if name not in ("upright", "level")}) == 3


def test_the_key_explains_only_what_is_drawn():
    nothing = tuple(np.full(len(NAMES), np.nan) for _ in range(3))
    bare = replace(path(NAMES), metrics={**path(NAMES).metrics, "test_accuracy": nothing}, one_standard_error=None)
    assert list(key_lines(bare)) == ["training", "validation", "chosen on validation"]
    same = replace(bare, one_standard_error=bare.chosen)
    assert list(key_lines(same)) == list(key_lines(bare))
    assert {name for name, _ in live_lines(same)} >= {"upright"}
    assert sum(name == "upright" for name, _ in live_lines(same)) == 1


def test_a_reference_is_the_validation_metric_of_the_variant_beside() -> None:
    assert path_reference(BESIDE) == 0.871
    assert path_reference(BESIDE, "loss") is None
    assert path_reference(replace(BESIDE, baseline=None)) is None
    assert path_reference(replace(BESIDE, reference={"validation_accuracy": (np.nan, np.nan, np.nan)})) is None


def test_one_value_is_marked_once() -> None:
    assert path_marks(replace(BESIDE, chosen=3, one_standard_error=4)) == {"chosen": 3, "simpler": 4}
    assert path_marks(replace(BESIDE, chosen=3, one_standard_error=3)) == {"chosen": 3}
    assert path_marks(replace(BESIDE, chosen=None, one_standard_error=None)) == {}
