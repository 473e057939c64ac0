"""The figures of a study as methods: what ``Results`` has beside its tables."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from wellfit.base import IntArray, Mistakes, StudyDetails, StudySummary
from wellfit.errors import StudyFileError, UnknownNameError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Plots", "shown"]

T = TypeVar("T")


class Plots:
    """The figures of the study in a directory; each has an alt text, ``wellfit.report.marks.static.alt_text``.

    Every method draws on ``ax``, or on a figure of its own, and returns the figure, which a notebook shows.
    """

    directory: Path
    summary: StudySummary

    @cached_property
    def details(self) -> StudyDetails:
        """Mistakes, probabilities, weights, regions and sweeps; computed from the store when first asked for."""
        from wellfit.study.details import study_details

        return study_details(self.directory)

    def plot_curves(self, metric: str = "loss", *, log: bool = False, ax: Axes | None = None) -> Figure:
        """Learning curves of every variant: mean and band over the seeds, training and validation.

        Args:
          metric: ``"loss"`` or ``"accuracy"``.
          log: a logarithmic axis for the values.
          ax: where to draw, instead of a new figure.

        Raises:
          UnknownNameError: there is no such metric.
        """
        from wellfit.report.subjects.curves.static import plot_curves

        return shown(plot_curves(self.summary, metric, ax=ax, log=log))

    def plot_intervals(self, *, ax: Axes | None = None) -> Figure:
        """Test accuracy of every variant: its runs as points, its mean and its 95 % interval."""
        from wellfit.report.subjects.ranking.static import plot_intervals

        return shown(plot_intervals(self.summary, ax=ax))

    def plot_ranking(self, *, ax: Axes | None = None) -> Figure:
        """The same from the best mean to the worst; variants that share a letter are not told apart."""
        from wellfit.report.subjects.ranking.static import plot_ranking

        return shown(plot_ranking(self.summary, ax=ax))

    def plot_gap(self, *, ax: Axes | None = None) -> Figure:
        """The generalization gap over the epochs."""
        from wellfit.report.subjects.curves.static import plot_gap

        return shown(plot_gap(self.summary, ax=ax))

    def plot_confusion(self, variant: str | None = None, *, ax: Axes | None = None) -> Figure:
        """The confusion matrix of a variant on the test set, summed over its runs; the first variant's by default.

        Raises:
          UnknownNameError: there is no such variant.
        """
        from wellfit.report.subjects.confusion.static import plot_confusion

        return shown(plot_confusion(self.summary, variant or self.summary.variants[0].name, ax=ax))

    def plot_confusion_difference(
        self, variant: str | None = None, against: str | None = None, *, ax: Axes | None = None
    ) -> Figure:
        """What a variant confuses more, and less, than another: the cells that chance explains are pale.

        Args:
          variant: its name; the second variant by default.
          against: another's name; the first variant by default.
          ax: where to draw, instead of a new figure.

        Raises:
          UnknownNameError: there is no such variant.
          StudyFileError: there is no test result to compare.
        """
        from wellfit.report.subjects.confusion.static import plot_confusion_difference

        if against is None or against == self.summary.variants[0].name:
            difference = self._of(self.details.differences, variant, "difference from the first variant")
        else:
            from wellfit.study.contrast import confusion_contrast

            difference = confusion_contrast(self.directory, variant or self.summary.variants[0].name, against)
        return shown(plot_confusion_difference(difference, self.summary.classes, ax))

    def plot_per_class(self, variant: str | None = None, *, ax: Axes | None = None) -> Figure:
        """Recall and precision of every class, and what its recall gained; the first variant's by default.

        Raises:
          UnknownNameError, StudyFileError: there is no such variant, or no test result of it.
        """
        from wellfit.report.subjects.classes.static import plot_per_class

        return shown(plot_per_class(self._of(self.details.by_class, variant, "test result"), self.summary.classes, ax))

    def plot_reliability(self, variant: str | None = None, *, ax: Axes | None = None) -> Figure:
        """The reliability diagram of a variant, its test runs pooled; the first variant's by default.

        Raises:
          UnknownNameError, StudyFileError: there is no such variant, or no test result of it.
        """
        from wellfit.report.subjects.calibration.static import plot_reliability

        return shown(plot_reliability(self._of(self.details.calibration, variant, "test result"), ax))

    def plot_weights(self, variant: str | None = None, *, ax: Axes | None = None) -> Figure:
        """How a variant's weights are spread, layer by layer; without a variant, how the norm of all of them grows.

        Raises:
          UnknownNameError, StudyFileError: there is no such variant, or it has no weights.
        """
        from wellfit.report.subjects.weights.static import plot_weight_histogram, plot_weight_norms

        if variant is None:
            return shown(plot_weight_norms(self.summary, ax))
        return shown(plot_weight_histogram(self._of(self.details.weights, variant, "weights"), ax))

    def plot_filters(self, variant: str | None = None, *, ax: Axes | None = None) -> Figure:
        """The first layer's weights as pictures; the first variant's by default.

        Raises:
          UnknownNameError, StudyFileError: there is no such variant, or it has no weights.
          DataError: the data are no images.
        """
        from wellfit.report.subjects.weights.static import plot_filters

        return shown(plot_filters(self._of(self.details.weights, variant, "weights"), ax))

    def plot_regions(self, variant: str | None = None, *, disagreement: bool = False, ax: Axes | None = None) -> Figure:
        """Where a variant decides for which class, for data with two features; the first variant's by default.

        Args:
          variant: its name.
          disagreement: show where its seeds decide differently instead.
          ax: where to draw, instead of a new figure.

        Raises:
          UnknownNameError, StudyFileError: there is no such variant, or the data have not two features.
        """
        from wellfit.report.subjects.regions.static import plot_disagreement, plot_regions

        regions = self._of(self.details.regions, variant, "regions: they are drawn of data with two features")
        return shown((plot_disagreement if disagreement else plot_regions)(regions, self.summary.classes, ax))

    def plot_mistakes(
        self,
        kind: str = "all-wrong",
        variant: str | None = None,
        *,
        rows: Sequence[int] | IntArray | None = None,
        count: int = 25,
        ax: Axes | None = None,
    ) -> Figure:
        """Test images that the runs got wrong, with what they took them for and how sure they were.

        Args:
          kind: ``"all-wrong"`` (by every run of every variant: suspect labels, or the hardest), ``"mended"`` (by every
            run of the first variant, and by none of this one), ``"flips"`` (by about half of the first variant's runs:
            chance decides) or ``"most"`` (most often).
          variant: of ``"mended"``, who mends them; of ``"most"``, whose mistakes.
          rows: these test rows instead.
          count: how many at most.
          ax: where to draw, instead of a new figure.

        Raises:
          UnknownNameError: there is no such kind or variant.
          StudyFileError: no run has been tested yet.
          DataError: the data are no images, or there is no such row.
        """
        from wellfit.report.subjects.mistakes.static import plot_gallery

        classes = self.summary.classes
        return shown(plot_gallery(self._mistakes(), classes, kind, variant, rows=rows, count=count, ax=ax))

    def plot_path(self, key: str | None = None, metric: str = "accuracy", *, ax: Axes | None = None) -> Figure:
        """What a sweep over one number did: training, validation and test along it, and what validation chose.

        Args:
          key: what is swept, such as ``"l2"``; by default the first sweep.
          metric: ``"accuracy"`` or ``"loss"``.
          ax: where to draw, instead of a new figure.

        Raises:
          UnknownNameError: there is no such sweep or metric.
          StudyFileError: the study sweeps over no number.
        """
        from wellfit.report.subjects.paths.static import plot_path

        paths = {path.key: path for path in reversed(self.details.paths)}  # of equal keys the first
        if not paths:
            raise StudyFileError(f"study {self.summary.name!r} sweeps over no number; give it a [sweeps] table")
        if key is not None and key not in paths:
            raise UnknownNameError("sweep", key, paths, f"study {self.summary.name!r}")
        return shown(plot_path(paths[key or self.details.paths[0].key], metric, ax))

    def plot_grid(self, metric: str = "test_accuracy", *, ax: Axes | None = None) -> Figure:
        """What the first sweep that crosses two settings did, as a heat map; the choice of validation is framed.

        Args:
          metric: such as ``"validation_accuracy"`` or ``"test_loss"``.
          ax: where to draw, instead of a new figure.

        Raises:
          UnknownNameError: there is no such metric.
          StudyFileError: the study crosses no two settings.
        """
        from wellfit.report.subjects.paths.static import plot_grid

        if not self.details.grids:
            raise StudyFileError(
                f"study {self.summary.name!r} crosses no two settings; give it a [sweeps] table of two"
            )
        return shown(plot_grid(self.details.grids[0], metric, ax))

    def _mistakes(self) -> Mistakes:
        if self.details.mistakes is None:
            raise StudyFileError(f"no run of the study in {self.directory} has been tested yet; run it first")
        return self.details.mistakes

    def _of(self, found: Mapping[str, T], variant: str | None, what: str) -> T:
        """What a variant has of it; of no variant, what the first has that has any."""
        names = [v.name for v in self.summary.variants]
        if variant is not None and variant not in names:
            raise UnknownNameError("variant", variant, names, f"study {self.summary.name!r}")
        chosen = next(iter(found), "") if variant is None else variant
        if chosen in found:
            return found[chosen]
        raise StudyFileError(f"{variant or f'the study in {self.directory}'} has no {what}")


def shown(figure: Figure) -> Figure:
    """A figure that a notebook shows where it is the value of a cell, as it would show one of pyplot's."""
    vars(figure)["_repr_png_"] = partial(_png, figure)
    return figure


def _png(figure: Figure) -> bytes:
    from wellfit.report.marks.fonts import quiet

    buffer = io.BytesIO()
    with quiet():
        figure.savefig(buffer, format="png", bbox_inches="tight")
    return buffer.getvalue()
