"""What a study learns from, drawn before it is trained: its examples, and what its augmentations make of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wellfit.base import Augmentation, Dataset
from wellfit.errors import StudyFileError
from wellfit.report import wording
from wellfit.report.marks import static as drawing
from wellfit.report.marks.static import alt_text
from wellfit.report.subjects.data.static import (
    GAP,
    INCHES,
    picture_size,
    plot_augmented,
    plot_classes,
    plot_examples,
    row_inches,
)
from wellfit.spec.study import StudySpec
from wellfit.study import preview as look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["augmentation_figure", "examples_figure", "look_figure", "write_look"]

DPI: Final = 140
PIXELS: Final = 60_000
"""The most that a PNG is tall; matplotlib draws less than 2**16."""


def examples_figure(
    dataset: Dataset,
    rows: Sequence[int] | None = None,
    count: int = 8,
    *,
    columns: int | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Training examples of a data set: those of the given rows, or the first of every class.

    Args:
      dataset: the data, images.
      rows: which training examples, from 0; None for some of every class, a row each.
      count: how many of every class.
      columns: pictures in a row, where rows are given.
      ax: where to draw; a new figure if None.

    Returns:
      The figure.

    Raises:
      DataError: the data are feature rows, or there is no such row.
    """
    chosen = look.class_rows(dataset, count) if rows is None else rows
    images, labels = look.examples(dataset, chosen)
    if rows is not None:
        return plot_examples(
            images, labels, dataset.classes, columns=columns, pixel_max=dataset.pixel_max, title=dataset.title, ax=ax
        )
    title = f"{dataset.title}, the first training examples"
    return plot_classes(images, labels, dataset.classes, pixel_max=dataset.pixel_max, title=title, ax=ax)


def augmentation_figure(
    spec: StudySpec, dataset: Dataset, variant: str | None, count: int = 8, *, ax: Axes | None = None
) -> Figure:
    """The first training example of every class, and forms of it that a variant may train on.

    Args:
      spec: the study.
      dataset: its data, images.
      variant: whose augmentation; None for the base recipe's.
      count: pictures in a row: the original, and ``count - 1`` forms of it.
      ax: where to draw; a new figure if None.

    Returns:
      The figure.

    Raises:
      DataError: the data are feature rows, or cannot be split.
      UnknownNameError: there is no such variant.
      StudyFileError: it has no augmentation, or the count is less than 2.
    """
    augmentation = look.augmentation_of(spec, variant)
    return _augmented(spec, dataset, {augmentation: (variant or "base recipe",)}, count, [ax])


def look_figure(spec: StudySpec, dataset: Dataset, variant: str | None = None, count: int = 8) -> Figure:
    """What a study learns from: examples of every class, and below them what each augmentation makes of the first.

    Args:
      spec: the study.
      dataset: its data, images.
      variant: show this variant's augmentation alone; None shows every one that a variant trains with.
      count: pictures in a row, 2 or more.

    Returns:
      The figure.

    Raises:
      DataError, UnknownNameError, StudyFileError: as `augmentation_figure`.
    """
    from matplotlib.figure import Figure

    users = {look.augmentation_of(spec, variant): (variant,)} if variant is not None else look.augmentations(spec)
    images, labels = look.examples(dataset, look.class_rows(dataset, 1))
    width, height = picture_size(images)
    lines = len(labels) * (height + GAP)
    shares = [lines + 0.8] + [lines + 1.1] * len(users)  # with room for titles
    inches = row_inches(count * (width + GAP) + 3 * GAP, dataset.classes), INCHES * sum(shares)
    figure = Figure(figsize=inches, layout=drawing.layout())
    parts = list(figure.subplots(len(shares), 1, height_ratios=shares, squeeze=False)[:, 0])
    examples_figure(dataset, count=count, ax=parts[0])
    if users:
        _augmented(spec, dataset, users, count, parts[1:])
        parts[0].set_xlim(parts[1].get_xlim())  # pictures of one size
    return figure


def write_look(
    spec: StudySpec, dataset: Dataset, path: str | os.PathLike[str], variant: str | None = None, count: int = 8
) -> Path:
    """Write `look_figure` as a PNG, its alt text inside as the description.

    Args:
      spec, dataset, variant, count: as for `look_figure`.
      path: the file; folders that are missing are made.

    Returns:
      The path of the file.

    Raises:
      StudyFileError: the file's name does not end in .png, or it cannot be written.
      DataError, UnknownNameError: as `look_figure`.
    """
    file = Path(path)
    if file.suffix.lower() != ".png":
        raise StudyFileError(f"{file} is no name of a picture; give one that ends in .png")
    figure = look_figure(spec, dataset, variant, count)
    dpi = min(DPI, PIXELS / float(figure.get_figheight()))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, dpi=dpi, metadata={"Description": alt_text(figure)})
    except OSError as error:
        raise StudyFileError(f"cannot write {file}: {error.strerror or error}; choose another place") from None
    return file


def _augmented(
    spec: StudySpec,
    dataset: Dataset,
    users: Mapping[Augmentation, Sequence[str]],
    count: int,
    axes: Sequence[Axes | None],
) -> Figure:
    """Draw what every augmentation makes of the same images."""
    if count < 2:
        raise StudyFileError(f"{count} in a row leaves no room for an augmented image; give a count of 2 or more")
    images, labels = look.examples(dataset, look.class_rows(dataset, 1))
    scaling = look.study_scaling(spec, dataset)
    titles = [dataset.classes[label] for label in labels]
    for ax, (augmentation, names) in zip(axes, users.items(), strict=True):
        forms = look.augmented(images, scaling, augmentation, count - 1)
        strengths = {name: value for name, value in asdict(augmentation).items() if value}
        shown = [*names[:4], *([f"{len(names) - 4} more"] if len(names) > 4 else [])]
        title = f"{', '.join(shown)}: {', '.join(wording.settings(strengths))}"
        title += "; labels are mixed as the images are" if augmentation.mixup else ""
        figure = plot_augmented(images, forms, titles, pixel_max=dataset.pixel_max, title=title, ax=ax)
    return figure
