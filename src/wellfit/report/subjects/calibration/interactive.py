"""The interactive reliability diagram, drawn by Bokeh."""

from __future__ import annotations

from typing import Final

import numpy as np

from wellfit.base import StudyDetails, StudySummary
from wellfit.report.marks.colors import LIGHT, series_color
from wellfit.report.marks.interactive import (
    Chart,
    add_marks,
    add_renderer,
    bokeh_models,
    empty_chart,
    series_role,
)

__all__ = ["charts"]

FIRM: Final = 0.005
"""The share of the predictions from which a bin of a reliability diagram is joined to others: one point is no line."""


def charts(summary: StudySummary, details: StudyDetails) -> dict[str, Chart]:
    """The reliability diagram of every variant in one chart, by the id of its element; none without a test result."""
    if not details.calibration:
        return {}
    chart = empty_chart("how sure (confidence), percent", "how often right (accuracy), percent", height=380)
    lines = []
    for index, variant in enumerate(summary.variants):
        found = details.calibration.get(variant.name)
        if found is None:
            continue
        share = found.count / max(int(found.count.sum()), 1)  # (B,)
        columns = {
            "sure": (100 * found.confidence).astype(np.float32),
            "right": (100 * found.accuracy).astype(np.float32),
            "size": (4 + 14 * np.sqrt(share)).astype(np.float32),
        }
        firm = share >= FIRM
        source = bokeh_models().ColumnDataSource({**columns, "count": [f"{n:,}" for n in found.count]})
        color, role = series_color(index), series_role(index)
        line = bokeh_models().Line(x="sure", y="right", line_color=color, line_width=2)
        through = bokeh_models().ColumnDataSource({name: values[firm] for name, values in columns.items()})
        add_renderer(chart, line, through, f"v{index}-reliability", variant.name, role)
        places = {"x": "sure", "y": "right", "size": "size", "fill_alpha": 0.6}
        lines.append(add_marks(chart, f"v{index}-reliability-points", variant.name, index, source, **places))
    chart.add_layout(bokeh_models().Slope(gradient=1, y_intercept=0, line_color=LIGHT["muted"], line_dash="dotted"))
    rows = [("", "$name"), ("sure", "@sure{0.0} %"), ("right", "@right{0.0} %"), ("predictions", "@count")]
    chart.add_tools(bokeh_models().HoverTool(renderers=lines, tooltips=rows))
    return {"chart-reliability": chart}
