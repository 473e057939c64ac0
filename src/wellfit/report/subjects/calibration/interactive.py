"""The interactive reliability diagram, drawn by Bokeh."""

from __future__ import annotations

import numpy as np

from wellfit.base import StudyDetails, StudySummary
from wellfit.report.marks.colors import LIGHT, series_color, slots_of
from wellfit.report.marks.interactive import (
    Chart,
    add_marks,
    add_renderer,
    add_source,
    bokeh_models,
    empty_chart,
    series_role,
)
from wellfit.report.numbers import of_variants
from wellfit.report.subjects.calibration.numbers import reliability

__all__ = ["charts"]


def charts(summary: StudySummary, details: StudyDetails) -> dict[str, Chart]:
    """All variants in one chart, by the id of its element; none without test results."""
    if not details.calibration:
        return {}
    chart = empty_chart("confidence, percent", "accuracy, percent", height=380)
    points, slots = [], slots_of(summary)
    for index, name, calibration in of_variants(summary, details.calibration):
        bins = reliability(calibration)
        columns = {
            "sure": bins.confidence.astype(np.float32),
            "right": bins.accuracy.astype(np.float32),
            "size": (4 + 14 * np.sqrt(bins.share)).astype(np.float32),
        }
        source = add_source(chart, {**columns, "count": [f"{n:,}" for n in calibration.count]})
        line = bokeh_models().Line(x="sure", y="right", line_color=series_color(slots[name]), line_width=2)
        firm = add_source(chart, {key: values[bins.firm] for key, values in columns.items()})
        add_renderer(chart, line, firm, f"v{index}-reliability", name, series_role(slots[name]))
        places = {"x": "sure", "y": "right", "size": "size", "fill_alpha": 0.6}
        points.append(add_marks(chart, f"v{index}-reliability-points", name, slots[name], source, **places))
    chart.add_layout(bokeh_models().Slope(gradient=1, y_intercept=0, line_color=LIGHT["muted"], line_dash="dotted"))
    rows = [("", "$name"), ("confidence", "@sure{0.0} %"), ("accuracy", "@right{0.0} %"), ("predictions", "@count")]
    chart.add_tools(bokeh_models().HoverTool(renderers=points, tooltips=rows))
    return {"chart-reliability": chart}
