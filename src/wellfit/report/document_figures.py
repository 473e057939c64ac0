"""Which figures a written report shows, of which variants, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from wellfit.base import StudySummary
from wellfit.details import DataLook, StudyDetails
from wellfit.report import (
    class_figures,
    drawing,
    figures,
    gallery_figures,
    path_figures,
    region_figures,
    score_figures,
    wording,
)
from wellfit.report import weight_figures as of_weights
from wellfit.report.colors import LIGHT
from wellfit.report.gallery_data import choose, gallery
from wellfit.report.page_curves import has_epochs, with_few_curves

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

FEW: Final = 6
"""Classes up to which a matrix is narrower than its legend."""


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
    caption = "Test accuracy of every variant: its seeds, their mean and its 95 % interval, the best first."
    return [("ranking", caption, partial(score_figures.plot_ranking, summary))] if tested else []


def curves(summary: StudySummary) -> list[Named]:
    """Loss, accuracy and gap of several variants in one figure each, then one by one in panels."""
    if not has_epochs(summary):
        return []
    some = with_few_curves(summary)
    names = [name for name, seeds in some.histories.items() if seeds]
    told = "One by one; solid: validation, dashed: training."
    return [
        ("loss", "Loss by epoch; solid: validation, dashed: training.", partial(_overlay, some, "loss")),
        ("accuracy", "Accuracy by epoch, likewise.", partial(_overlay, some, "accuracy")),
        ("gap", "The gap: training minus validation accuracy.", partial(figures.plot_gap, some)),
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
            areas = partial(_narrow, partial(region_figures.plot_regions, mine, summary.classes))
            seeds = partial(_narrow, partial(region_figures.plot_disagreement, mine, summary.classes))
            found.append((f"regions-{_file(summary, v.name)}", f"Where {v.name} decides for which class.", areas))
            found.append((f"disagreement-{_file(summary, v.name)}", f"Where the seeds of {v.name} disagree.", seeds))
    return found


def confusions(summary: StudySummary, details: StudyDetails) -> list[Named]:
    """The first variant's confusion matrix, then what the others change in it."""
    found: list[Named] = []
    for v in summary.variants[:1]:
        if v.name in summary.confusion:
            draw = partial(figures.plot_confusion, summary, v.name)
            caption = f"{v.name}: percent of every true class, over all its runs."
            found.append((f"confusion-{_file(summary, v.name)}", caption, draw))
    for name in highlighted(summary):
        if (mine := details.differences.get(name)) is not None and len(summary.classes) <= LARGEST:
            draw = partial(class_figures.plot_confusion_difference, mine, summary.classes)
            draw = draw if len(summary.classes) > FEW else partial(_narrow, draw)
            caption = f"{name} minus {mine.against}, in points of the true class; blue is better."
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
            draw = partial(gallery_figures.plot_gallery, mistakes, summary.classes, kind, count=15)
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
        found.append((f"weights-{_file(summary, name)}", f"{name}: how its weights are spread, layer by layer.", draw))
        if look.filters is not None and len(look.filters):
            caption = f"{name}: what the first layer looks for; blue is positive, orange negative."
            found.append((f"filters-{_file(summary, name)}", caption, partial(of_weights.plot_filters, look)))
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
    axes = drawing.own_axes(None, (8.6, 4.0))
    return figures.plot_curves(summary, metric, ax=axes)


def _panels(summary: StudySummary, names: list[str], metric: str) -> Figure:
    """One panel a variant on shared axes, two in a row; only the outer ones carry labels."""
    from matplotlib.figure import Figure

    lines = -(-len(names) // 2)
    figure = Figure(figsize=(8.6, 2.9 * lines + 0.3), layout=drawing.layout())
    grid = figure.subplots(lines, 2, sharex=True, sharey=True, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place >= len(names):
            axes.set_visible(False)
            continue
        figures.plot_learning_curve(summary, names[place], metric, axes)
        if (legend := axes.get_legend()) is not None:
            legend.remove()  # the caption says it, and a long name needs the room
        lowest, leftmost = place + 2 >= len(names), place % 2 == 0
        axes.tick_params(labelbottom=lowest, labelleft=leftmost)
        axes.set_xlabel(axes.get_xlabel() if lowest else "")
        axes.set_ylabel(axes.get_ylabel() if leftmost else "")
    return figure


def _narrow(draw: Callable[[], Figure]) -> Figure:
    """A figure narrower than its legend: that in two columns above the middle, and no title, which the caption has."""
    figure = draw()
    for axes in figure.axes:
        if (legend := axes.get_legend()) is not None:
            axes.set_title("", loc="left")
            handles = [handle for handle in legend.legend_handles if handle is not None]
            labels = [text.get_text() for text in legend.get_texts()]
            axes.legend(handles, labels, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2,
                        frameon=False, fontsize=10, labelcolor=LIGHT["muted"])  # fmt: skip
    return figure
