"""Which figures a written report shows, of which variants, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from wellfit.base import DataLook, StudyDetails, StudySummary
from wellfit.report import wording
from wellfit.report.marks import static as drawing
from wellfit.report.marks.colors import LIGHT
from wellfit.report.marks.fonts import fit_letters
from wellfit.report.subjects.calibration import static as score_figures
from wellfit.report.subjects.classes import static as class_figures
from wellfit.report.subjects.confusion import static as confusion_figures
from wellfit.report.subjects.curves import static as figures
from wellfit.report.subjects.curves.page import has_epochs, with_few_curves
from wellfit.report.subjects.mistakes import static as gallery_figures
from wellfit.report.subjects.mistakes.numbers import choose, gallery
from wellfit.report.subjects.paths import static as path_figures
from wellfit.report.subjects.regions import static as region_figures
from wellfit.report.subjects.weights import static as of_weights

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "Named",
    "classes",
    "confusions",
    "curves",
    "data",
    "galleries",
    "grids",
    "highlighted",
    "paths",
    "ranking",
    "regions",
    "reliability",
    "weights",
]

Named = tuple[str, str, Callable[[], "Figure"]]
"""The name of a figure's file, what it shows, what draws it."""

SEVERAL: Final = 4
"""Variants up to which each has figures of its own; of more, the first and the best on validation."""

LARGEST: Final = 30
"""Classes up to which a row or a cell for each can be read on paper."""

OVERLAY: Final = (8.6, 3.25)
"""Inches of curves over each other: loss, accuracy and gap fill a page."""

HALF: Final = (5.3, 5.5)
NEAR: Final = (5.3, 4.7)
FLAT: Final = (5.3, 3.9)
"""Inches of figures that stand beside another of their size on paper: a matrix, regions, weights."""

LAYERS: Final = 4
"""Layers up to which a legend of theirs stands above half a page's width."""

BESIDE: Final = 12
"""Classes up to which a matrix can be read at half the width of a page."""

SHOWN: Final = 12
"""Pictures of a gallery: two rows, so that two galleries fill a page."""


def highlighted(summary: StudySummary) -> tuple[str, ...]:
    """The variants that have figures of their own: all of a few; of many the first, and the three best on validation.

    Example:
      >>> s = StudySummary("s", "?", "d", "running", (), 5, 3.0, "", (), (), (), "", {}, {}, (), {}, {})
      >>> highlighted(s)
      ()
    """
    names = [v.name for v in summary.variants]
    if len(names) <= SEVERAL:
        return tuple(names)
    scored = {v.name: v.mean.get("validation_accuracy", 0.0) for v in summary.variants[1:]}
    best = sorted(scored, key=lambda name: -scored[name])[: SEVERAL - 1]
    return tuple(name for name in names if name in (names[0], *best))


def ranking(summary: StudySummary) -> list[Named]:
    """The interval plot, sorted; nothing before any run was tested."""
    tested = any("test_accuracy" in v.mean for v in summary.variants)
    some = any(v.interval.get("test_accuracy") is not None for v in summary.variants)
    bounds = " and its 95 % interval" if some else ""
    caption = f"Test accuracy of every variant: its seeds, their mean{bounds}, the best first."
    return [("ranking", caption, partial(score_figures.plot_ranking, summary))] if tested else []


def curves(summary: StudySummary) -> list[Named]:
    """Loss, accuracy and gap of several variants in one figure each, then one by one in panels."""
    if not has_epochs(summary):
        return []
    some = with_few_curves(summary)
    names = [name for name, seeds in some.histories.items() if seeds]
    told = "One by one; solid: validation, dashed: training; ticks at the foot: a seed's lowest validation loss."
    return [
        ("loss", "Loss by epoch; solid: validation, dashed: training.", partial(_overlay, some, "loss")),
        ("accuracy", "Accuracy by epoch, likewise.", partial(_overlay, some, "accuracy")),
        ("gap", "The gap: training minus validation accuracy.", partial(_gap, some)),
        ("loss-curves", f"Loss. {told}", partial(_panels, summary, names, "loss")),
        ("accuracy-curves", f"Accuracy. {told}", partial(_panels, summary, names, "accuracy")),
    ]


def paths(details: StudyDetails) -> list[Named]:
    """Every sweep over one number."""
    return [
        (f"path-{at}-{_safe(path.key)}", f"Accuracy along {path.key}.", partial(path_figures.plot_path, path))
        for at, path in enumerate(details.paths, 1)
    ]


def grids(details: StudyDetails) -> list[Named]:
    """Every sweep that crosses two settings: test accuracy where there is one, validation accuracy before."""
    found: list[Named] = []
    for at, grid in enumerate(details.grids, 1):
        tested = bool(np.isfinite(grid.metrics.get("test_accuracy", np.array(np.nan))).any())
        metric = "test_accuracy" if tested else "validation_accuracy"
        caption = f"{wording.METRICS[metric].capitalize()} by {grid.keys[0]} and {grid.keys[1]}."
        found.append((f"grid-{at}", caption, partial(path_figures.plot_grid, grid, metric)))
    return found


def regions(summary: StudySummary, details: StudyDetails) -> list[Named]:
    """For data with two features: where each variant decides for which class, and where its seeds disagree."""
    found: list[Named] = []
    for v in summary.variants:
        if (mine := details.regions.get(v.name)) is not None:
            areas = partial(_half, partial(region_figures.plot_regions, mine, summary.classes), NEAR, columns=2)
            seeds = partial(_half, partial(region_figures.plot_disagreement, mine, summary.classes), NEAR, columns=2)
            found.append((f"regions-{_file(summary, v.name)}", f"Where {v.name} decides for which class.", areas))
            found.append((f"disagreement-{_file(summary, v.name)}", f"Where the seeds of {v.name} disagree.", seeds))
    return found


def confusions(summary: StudySummary, details: StudyDetails) -> list[Named]:
    """The first variant's confusion matrix, then what the others change in it."""
    found: list[Named] = []
    for v in summary.variants[:1]:
        if v.name in summary.confusion:
            draw = partial(confusion_figures.plot_confusion, summary, v.name)
            draw = partial(_half, draw, columns=2, least=2) if len(summary.classes) <= BESIDE else draw
            caption = f"{v.name}: percent of every true class, over all its runs."
            found.append((f"confusion-{_file(summary, v.name)}", caption, draw))
    for name in highlighted(summary):
        if (mine := details.differences.get(name)) is not None and len(summary.classes) <= LARGEST:
            draw = partial(confusion_figures.plot_confusion_difference, mine, summary.classes)
            draw = partial(_half, draw, columns=2) if len(summary.classes) <= BESIDE else draw
            caption = f"{name} minus {mine.against}, in points of the true class; blue: more right, or fewer mistakes."
            found.append((f"confusion-difference-{_file(summary, name)}", caption, draw))
    return found


def galleries(summary: StudySummary, details: StudyDetails) -> list[Named]:
    """Test images that all runs get wrong, that one variant mends, that chance decides; nothing where none was kept."""
    found: list[Named] = []
    mistakes = details.mistakes
    told = {
        "all-wrong": "Wrong in every run of every variant: hard, or wrongly labeled.",
        "mended": "Wrong in every run of the first variant, right in every run of another.",
        "flips": "Decided by chance: right in about half of the runs of the first variant.",
    }
    for kind, caption in told.items():
        if mistakes is None or not mistakes.images.size:
            continue
        choice = choose(mistakes, kind)
        if gallery(mistakes, summary.classes, choice.rows, choice.told, 1):
            draw = partial(gallery_figures.plot_gallery, mistakes, summary.classes, kind, count=SHOWN, columns=6)
            found.append((f"mistakes-{kind}", caption, draw))
    return found


def classes(summary: StudySummary, details: StudyDetails) -> list[Named]:
    """Recall and precision of every class."""
    if len(summary.classes) > LARGEST:
        return []
    return [
        (
            f"classes-{_file(summary, name)}",
            f"{name}: recall with its 95 % interval, precision, and the gain in recall.",
            partial(class_figures.plot_per_class, details.by_class[name], summary.classes),
        )
        for name in highlighted(summary)
        if name in details.by_class
    ]


def reliability(summary: StudySummary, details: StudyDetails) -> list[Named]:
    """Reliability diagrams."""
    return [
        (
            f"reliability-{_file(summary, name)}",
            f"{name}: how often it is right, by how sure it is.",
            partial(score_figures.plot_reliability, details.calibration[name]),
        )
        for name in highlighted(summary)
        if name in details.calibration
    ]


def weights(summary: StudySummary, details: StudyDetails) -> list[Named]:
    """The norm of the weights by epoch, how they are spread, and the first layer as pictures."""
    found: list[Named] = []
    if has_epochs(summary):
        caption = "The norm of all kernels together by epoch."
        found.append(("weight-norms", caption, partial(of_weights.plot_weight_norms, with_few_curves(summary))))
    for name in highlighted(summary):
        if (look := details.weights.get(name)) is None:
            continue
        draw = partial(of_weights.plot_weight_histogram, look)
        draw = partial(_half, draw, FLAT, columns=1) if len(look.layers) <= LAYERS else draw
        found.append((f"weights-{_file(summary, name)}", f"{name}: how its weights are spread, layer by layer.", draw))
        if look.filters is not None and len(look.filters):
            caption = f"{name}: what the first layer looks for; blue is positive, orange negative."
            draw = partial(_half, partial(of_weights.plot_filters, look), FLAT)
            found.append((f"filters-{_file(summary, name)}", caption, draw))
    return found


def data(summary: StudySummary, look: DataLook) -> list[Named]:
    """The first examples of every class, and how many there are."""
    if len(summary.classes) > LARGEST:
        return []
    caption = "The first training examples of every class, and how many of it each split holds."
    return [("data", caption, partial(gallery_figures.plot_data_look, look, summary.classes))]


# --- Parts ------------------------------------------------------------------------------------------------------------


def _file(summary: StudySummary, variant: str) -> str:
    """A variant as part of a file's name: its position, which no other has, and its name."""
    at = [v.name for v in summary.variants].index(variant) + 1
    return f"{at}-{_safe(variant)}".rstrip("-")


def _safe(name: str) -> str:
    """A name with nothing that a file system, a link or a shell takes for more than a letter.

    Example:
      >>> _safe("l2=0.001"), _safe("a/b <c>")
      ('l2=0.001', 'a-b-c')
    """
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "=.+_") else "-" for c in name)
    return "-".join(part for part in kept.split("-") if part)[:60].strip(".")


def _overlay(summary: StudySummary, metric: str) -> Figure:
    axes = drawing.own_axes(None, OVERLAY)
    return figures.plot_curves(summary, metric, ax=axes)


def _panels(summary: StudySummary, names: list[str], metric: str) -> Figure:
    """One panel a variant on shared axes, so that two figures fill a page; only the outer ones carry labels."""
    from matplotlib.figure import Figure

    columns = 2 if len(names) in (1, 2, 4) else 3
    lines = -(-len(names) // columns)
    figure = Figure(figsize=(8.6, 2.5 * lines + 0.3), layout=drawing.layout())
    grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place >= len(names):
            axes.set_visible(False)
            continue
        figures.plot_learning_curve(summary, names[place], metric, axes)
        if (legend := axes.get_legend()) is not None:
            legend.remove()  # the caption says it, and a long name needs the room
        lowest, leftmost = place + columns >= len(names), place % columns == 0
        axes.tick_params(labelbottom=lowest, labelleft=leftmost)
        axes.set_xlabel("epoch" if lowest else "")  # the caption has the rest
        axes.set_ylabel(axes.get_ylabel() if leftmost else "")
    return figure


def _gap(summary: StudySummary) -> Figure:
    return figures.plot_gap(summary, drawing.own_axes(None, OVERLAY))


def _half(draw: Callable[..., Figure], size: tuple[float, float] = HALF, columns: int = 3, least: int = 1) -> Figure:
    """A figure of half the width of a page; between title and panel, on at least so many lines, what the marks are."""
    figure = draw(ax=drawing.own_axes(None, size))
    for axes in figure.axes:
        legend = axes.get_legend()
        lines = least if legend is None else -(-len(legend.get_texts()) // columns)
        axes.set_title(axes.get_title(loc="left"), loc="left", fontsize=12, fontweight="bold", pad=11 + 15 * lines)
        if legend is not None:
            handles = [handle for handle in legend.legend_handles if handle is not None]
            labels = [text.get_text() for text in legend.get_texts()]
            made = axes.legend(handles, labels, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=columns,
                               frameon=False, fontsize=9.5, labelcolor=LIGHT["muted"], handletextpad=0.4,
                               columnspacing=1.2)  # fmt: skip
            made.set_in_layout(False)  # a long one may reach beyond the panel, but never shrink it
        fit_letters(axes)
    return figure
