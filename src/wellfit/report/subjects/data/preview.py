"""The preview of a study's data before training: examples, and augmented forms of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wellfit.base import Augmentation, Dataset
from wellfit.errors import StudyFileError
from wellfit.files import form_of, replacing
from wellfit.report import wording
from wellfit.report.marks import static as drawing
from wellfit.report.marks.static import GAP, INCHES, alt_text, image_size
from wellfit.report.subjects.data.static import (
    plot_augmented,
    plot_classes,
    plot_examples,
    plot_points,
    row_inches,
)
from wellfit.spec.study import StudySpec
from wellfit.study import preview

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["augmentation_figure", "examples_figure", "preview_figure", "scatter_figure", "write_preview"]

DPI: Final = 140
PIXELS: Final = 60_000
"""The greatest height of a PNG; matplotlib draws fewer than 2**16."""


def examples_figure(
    dataset: Dataset,
    rows: Sequence[int] | None = None,
    count: int = 8,
    *,
    split: str = "train",
    columns: int | None = None,
    title: str | None = None,
    numbers: bool = False,
    color_bar: bool = False,
    pixels: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Examples of a data set: the given rows, or the first training examples of every class.

    Args:
      dataset: of images.
      rows: of the split, from 0; None for the first training examples of every class, one row of images each.
      count: how many of every class.
      split: ``"train"`` or ``"test"``, if rows are given.
      columns: images per row, if rows are given.
      title: by default the data set and the split.
      numbers, color_bar, pixels: as for `plot_examples`, if rows are given.

    Raises:
      DataError: the data are features, not images, or there is no such row; as `plot_examples`.
      UnknownNameError: there is no such split.
    """
    if rows is None:
        images, labels = preview.examples(dataset, preview.class_rows(dataset, count))
        title = title or f"{dataset.title}, the first training examples"
        return plot_classes(images, labels, dataset.classes, pixel_max=dataset.pixel_max, title=title, ax=ax)
    images, labels = preview.examples(dataset, rows, split)
    usual = "" if pixels else f"{dataset.title}, {preview.SPLITS[split]} examples"
    return plot_examples(
        images,
        labels,
        dataset.classes,
        columns=columns,
        pixel_max=dataset.pixel_max,
        title=usual if title is None else title,
        numbers=numbers,
        color_bar=color_bar,
        pixels=pixels,
        ax=ax,
    )


def scatter_figure(
    dataset: Dataset, split: str = "train", *, title: str | None = None, ax: Axes | None = None
) -> Figure:
    """A scatter plot of the examples of a data set with two features.

    Args:
      split: ``"train"`` or ``"test"``.
      title: by default the data set and the split.

    Raises:
      UnknownNameError: there is no such split.
      DataError: the data do not have two features.
    """
    points, labels = preview.plane_points(dataset, split)
    usual = f"{dataset.title}, {preview.SPLITS[split]} examples"
    names = preview.plane_axes(dataset)
    return plot_points(points, labels, dataset.classes, names=names, title=usual if title is None else title, ax=ax)


def augmentation_figure(
    spec: StudySpec, dataset: Dataset, variant: str | None, count: int = 8, *, ax: Axes | None = None
) -> Figure:
    """The first training example of every class, and forms of it that a variant could train on.

    Args:
      dataset: of images.
      variant: whose augmentation; None for the base recipe's.
      count: images per row: the original and ``count - 1`` augmented forms.

    Raises:
      DataError: the data are features, not images, or cannot be split.
      UnknownNameError: there is no such variant.
      StudyFileError: it has no augmentation, or the count is less than 2.
    """
    augmentation = preview.augmentation_of(spec, variant)
    return _augmented(spec, dataset, {augmentation: (variant or "base recipe",)}, count, [ax])


def preview_figure(spec: StudySpec, dataset: Dataset, variant: str | None = None, count: int = 8) -> Figure:
    """Examples of every class, and below them augmented forms of the first ones.

    Args:
      dataset: of images.
      variant: whose augmentation; None for every augmentation that some variant trains with.
      count: images per row, 2 or more.

    Raises:
      DataError, UnknownNameError, StudyFileError: as `augmentation_figure`.
    """
    from matplotlib.figure import Figure

    users = {preview.augmentation_of(spec, variant): (variant,)} if variant is not None else preview.augmentations(spec)
    images, labels = preview.examples(dataset, preview.class_rows(dataset, 1))
    width, height = image_size(images)
    lines = len(labels) * (height + GAP)
    shares = [lines + 0.8] + [lines + 1.1] * len(users)  # with room for titles
    inches = row_inches(count * (width + GAP) + 3 * GAP, dataset.classes), INCHES * sum(shares)
    figure = Figure(figsize=inches, layout=drawing.layout())
    parts = list(figure.subplots(len(shares), 1, height_ratios=shares, squeeze=False)[:, 0])
    examples_figure(dataset, count=count, ax=parts[0])
    if users:
        _augmented(spec, dataset, users, count, parts[1:])
        parts[0].set_xlim(parts[1].get_xlim())  # images of one size
    return figure


def write_preview(
    spec: StudySpec, dataset: Dataset, path: str | os.PathLike[str], variant: str | None = None, count: int = 8
) -> Path:
    """Write `preview_figure` as a PNG, with its alt text as the description.

    Args:
      path: of the file; missing folders are created.

    Raises:
      StudyFileError: the name does not end in .png, or the file cannot be written.
      DataError, UnknownNameError: as `preview_figure`.
    """
    file = Path(path)
    if file.suffix.lower() != ".png":
        raise StudyFileError(f"{file} is not the name of a PNG; give one that ends in .png")
    if (form := form_of(file)) not in (None, "a file", "a folder"):
        raise StudyFileError(f"{file}: {form}, not a file; choose another file with --out")
    figure = preview_figure(spec, dataset, variant, count)
    dpi = min(DPI, PIXELS / float(figure.get_figheight()))
    try:
        with replacing(file, durable=False) as temporary:
            figure.savefig(temporary, dpi=dpi, format="png", metadata={"Description": alt_text(figure)})
    except OSError as error:
        raise StudyFileError(f"cannot write {file}: {error.strerror or error}; choose another location") from None
    return file


def _augmented(
    spec: StudySpec,
    dataset: Dataset,
    users: Mapping[Augmentation, Sequence[str]],
    count: int,
    axes: Sequence[Axes | None],
) -> Figure:
    """Draw the forms that every augmentation gives of the same images."""
    if count < 2:
        raise StudyFileError(f"a count of {count} leaves no room for an augmented image; give 2 or more")
    images, labels = preview.examples(dataset, preview.class_rows(dataset, 1))
    scaling = preview.study_scaling(spec, dataset)
    titles = [dataset.classes[label] for label in labels]
    for ax, (augmentation, names) in zip(axes, users.items(), strict=True):
        forms = preview.augmented(images, scaling, augmentation, count - 1)
        strengths = {name: value for name, value in asdict(augmentation).items() if value}
        shown = [*names[:4], *([f"{len(names) - 4} more"] if len(names) > 4 else [])]
        title = f"{', '.join(shown)}: {', '.join(wording.settings(strengths))}"
        title += "; labels are mixed like the images" if augmentation.mixup else ""
        figure = plot_augmented(images, forms, titles, pixel_max=dataset.pixel_max, title=title, ax=ax)
    return figure
