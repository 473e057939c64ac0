"""The contract of every figure function of the report: a figure, an ``ax``, an alt text."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

import detailed
import summaries
import wellfit
from ranked import ranked
from sides import side_by_side
from wellfit import report
from wellfit.report.marks.column import SHEET, one_column
from wellfit.report.marks.static import alt_text


def found() -> dict[str, Callable[..., Figure]]:
    """Every public function of the report that returns a figure."""
    result = {}
    for module in pkgutil.walk_packages(report.__path__, "wellfit.report."):
        loaded = importlib.import_module(module.name)
        for name in getattr(loaded, "__all__", ()):
            function = getattr(loaded, name)
            if inspect.isfunction(function) and function.__annotations__.get("return") == "Figure":
                result[f"{module.name.removeprefix('wellfit.report.')}.{name}"] = function
    return result


FIGURES = found()
SHEETS = {"subjects.data.preview.preview_figure", "subjects.regions.static.plot_region_panels"}
"""Of several panels each, with no place on one ``ax``."""


OUTSIDE = {
    *("subjects.data.preview.examples_figure", "subjects.data.static.plot_examples"),
    *("subjects.calibration.static.plot_small", "subjects.curves.static.plot_small"),
}
"""Those that are no figures of a report or of ``Results``."""


def arguments(function: Callable[..., Figure]) -> dict[str, Any]:
    """A value for every argument that has to be given, by what it is."""
    summary = summaries.study(variants=("baseline", "l2", "dropout"))
    details = detailed.details(summary)
    images = np.stack([detailed.blob(np.random.default_rng(k), k, 8) for k in range(4)])  # (4, 8, 8)
    data = wellfit.load_dataset("digits")
    changes = {"augmentation": {"shift": 0.1}}
    by_type: dict[str, Any] = {
        "StudySummary": summary,
        "OverDatasets": ranked(),
        "ClassTable": details.by_class["l2"],
        "ConfusionDifference": details.differences["l2"],
        "Mistakes": details.mistakes,
        "DataOverview": details.data,
        "SweepPath": details.paths[0],
        "SweepGrid": detailed.grid(("a", "b", "c", "d")),
        "Calibration": details.calibration["l2"],
        "WeightOverview": details.weights["l2"],
        "Regions": detailed.regions("l2"),
        "Mapping[str, Regions]": {name: detailed.regions(name) for name in ("l1", "l2")},
        "FirstPredictions": details.first,
        "SideBySide": side_by_side(),
        "StudySpec": wellfit.Study(data, variants={"plain": {}, "moved": changes}).spec,
        "Dataset": data,
        "IntArray": np.arange(4) % 2,
        "FloatArray": np.arange(8.0).reshape(4, 2),
    }
    by_name: dict[str, Any] = {
        "variant": "moved" if "spec" in inspect.signature(function).parameters else "l2",
        "metric": "validation_accuracy",
        "images": images,
        "originals": images,
        "augmented": np.stack([images, images], axis=1),
        "titles": ["a", "b", "c", "d"],
        "classes": summary.classes if "regions" not in inspect.signature(function).parameters else ("a", "b"),
    }
    if function.__name__ == "scatter_figure":
        by_type["Dataset"] = wellfit.load_dataset("cosines")
    given = {}
    for name, parameter in inspect.signature(function).parameters.items():
        chosen = (name == "variant" and "spec" in function.__annotations__) or function.__name__ == "plot_grid"
        if parameter.default is inspect.Parameter.empty or (chosen and name != "ax"):
            given[name] = by_type.get(str(parameter.annotation), by_name.get(name))
    return given


def test_they_are_found() -> None:
    assert {
        "subjects.curves.static.plot_curves",
        "subjects.data.preview.examples_figure",
        "subjects.weights.static.plot_filters",
    } < set(FIGURES)
    assert len(FIGURES) >= 24


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_it_returns_a_figure_with_an_alt_text_and_draws_where_it_is_told(name: str) -> None:
    function = FIGURES[name]
    given = arguments(function)
    own = function(**given)
    assert isinstance(own, Figure)
    assert len(alt_text(own)) > 20
    own.draw_without_rendering()
    if name in SHEETS:
        return
    left, right = Figure(figsize=(12, 6)).subplots(1, 2)
    whole = function(**given, ax=left)
    assert whole is left.get_figure()
    assert left.has_data() or left.texts
    assert len(str(left.get_label())) > 20
    assert not right.has_data()
    assert not right.texts
    whole.draw_without_rendering()


@pytest.mark.parametrize("name", sorted(set(FIGURES) - SHEETS - OUTSIDE))
def test_one_panel_of_several_leaves_its_neighbors_alone(name: str) -> None:
    function = FIGURES[name]
    figure = Figure(figsize=(13, 4.2))  # as of pyplot.subplots: without a layout
    left, middle, right = figure.subplots(1, 3)
    for axes in (left, right):
        axes.plot([0, 1], [0, 1])
        axes.set_ylabel("value")
    function(**arguments(function), ax=middle)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    boxes = [axes.get_tightbbox(canvas.get_renderer()) for axes in (left, right)]
    drawn = [middle.get_tightbbox(canvas.get_renderer(), bbox_extra_artists=middle.get_children())]
    if (legend := middle.get_legend()) is not None:
        drawn.append(legend.get_window_extent())
    assert boxes[0].x1 < min(box.x0 for box in drawn)
    assert max(box.x1 for box in drawn) < boxes[1].x0
    assert max(box.y1 for box in drawn) <= figure.bbox.y1
    assert min(box.y0 for box in drawn) >= figure.bbox.y0
    assert left.get_window_extent().width > 0.45 * middle.get_window_extent().width
    assert middle.get_window_extent().width > 100


def labels_beyond(axis: Axis) -> list[Text]:
    """The labels of ticks beyond an axis, which are never drawn."""
    low, high = sorted(axis.get_view_interval())
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    return [label for tick in ticks if not low <= tick.get_loc() <= high for label in (tick.label1, tick.label2)]


@pytest.mark.parametrize("name", sorted(set(FIGURES) - SHEETS - OUTSIDE))
def test_for_one_column_nothing_is_cut_or_overlaps(name: str) -> None:
    function = FIGURES[name]
    given = arguments(function)
    with one_column():
        figure = function(**given)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    assert figure.get_figwidth() == pytest.approx(SHEET)
    box = figure.get_tightbbox(canvas.get_renderer())
    assert -0.05 < box.x0 < box.x1 < SHEET + 0.05, (box.x0, box.x1)
    beyond = {label for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for label in labels_beyond(axis)}
    texts = [
        (text.get_text(), text.get_window_extent().padded(-1.5))
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and not text.get_rotation() and text not in beyond
    ]
    shown = [(text, extent) for text, extent in texts if figure.bbox.overlaps(extent)]
    over = [(a, b) for i, (a, one) in enumerate(shown) for b, other in shown[:i] if one.overlaps(other)]
    assert not over


def test_none_of_them_touches_pyplot() -> None:
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    function = FIGURES["subjects.ranking.static.plot_intervals"]
    function(**arguments(function))
    assert plt.get_fignums() == before
