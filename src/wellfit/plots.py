"""The figures of a study, as methods of ``Results``."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from wellfit.base import IntArray, Mistakes, StudyDetails, StudySummary
from wellfit.errors import StudyFileError, UnknownNameError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Plots", "shown"]

T = TypeVar("T")


class Plots:
    """The figures of the study in a directory.

    Every method draws on a new figure and returns it, which a notebook displays; or on ``ax``, one panel of a figure of
    your own, and returns ``ax``: the notebook then displays your figure, once. A figure without a layout engine gets
    one, so that no label or legend reaches into another panel. Each figure has an alt text,
    ``wellfit.report.marks.static.alt_text``.
    """

    directory: Path
    summary: StudySummary

    @cached_property
    def details(self) -> StudyDetails:
        """Mistakes, probabilities, weights, regions and sweeps; computed from the store on first access."""
        from wellfit.study.report_details import study_details

        return study_details(self.directory, self.summary)

    def plot_curves(
        self, metric: str = "loss", variant: str | None = None, *, log: bool = False, ax: Axes | None = None
    ) -> Figure | Axes:
        """Learning curves of every variant, or of one: training and validation, mean and band over the seeds.

        Args:
          metric: ``"loss"`` or ``"accuracy"``.
          variant: the only one to draw.
          log: use a logarithmic value axis.
          ax: draw on these axes instead of a new figure.

        Raises:
          UnknownNameError: there is no such metric or variant.
        """
        from wellfit.report.subjects.curves.static import plot_curves, plot_learning_curve

        if variant is not None:
            return shown(plot_learning_curve(self.summary, variant, metric, ax, log=log), ax)
        return shown(plot_curves(self.summary, metric, ax=ax, log=log), ax)

    def plot_intervals(self, *, ax: Axes | None = None) -> Figure | Axes:
        """The compared metric of every variant: the runs as points, their mean and its 95 % interval."""
        from wellfit.report.subjects.ranking.static import plot_intervals

        return shown(plot_intervals(self.summary, ax=ax), ax)

    def plot_ranking(self, *, ax: Axes | None = None) -> Figure | Axes:
        """The same, ordered from best to worst mean; no pairwise comparison separates variants that share a letter."""
        from wellfit.report.subjects.ranking.static import plot_ranking

        return shown(plot_ranking(self.summary, ax=ax), ax)

    def plot_gap(self, *, ax: Axes | None = None) -> Figure | Axes:
        """The generalization gap over the epochs."""
        from wellfit.report.subjects.curves.static import plot_gap

        return shown(plot_gap(self.summary, ax=ax), ax)

    def plot_confusion(
        self,
        variant: str | None = None,
        *,
        seed: int | None = None,
        counts: bool = False,
        ax: Axes | None = None,
    ) -> Figure | Axes:
        """The confusion matrix of a variant (by default the first) on the test set.

        Args:
          variant: a name.
          seed: of a single run; by default the matrix is summed over all runs.
          counts: show numbers of test examples instead of percentages of the true class.
          ax: draw on these axes instead of a new figure.

        Raises:
          UnknownNameError: there is no such variant.
          StudyFileError: there is no tested run with this seed.
        """
        from wellfit.report.subjects.confusion.static import plot_confusion

        name, one = variant or self.summary.variants[0].name, None
        if seed is not None:
            from wellfit.study.single_runs import confusion_of_run

            one = seed, confusion_of_run(self.directory, name, seed)[1]
        return shown(plot_confusion(self.summary, name, ax, counts=counts, one=one), ax)

    def plot_confusion_difference(
        self, variant: str | None = None, against: str | None = None, *, ax: Axes | None = None
    ) -> Figure | Axes:
        """The confusion matrix of one variant minus that of another; cells that chance may explain are pale.

        Args:
          variant: by default the second.
          against: by default the first.
          ax: draw on these axes instead of a new figure.

        Raises:
          UnknownNameError: there is no such variant.
          StudyFileError: they have no test results to compare.
        """
        from wellfit.report.subjects.confusion.static import plot_confusion_difference

        if against is None or against == self.summary.variants[0].name:
            difference = self._of(self.details.differences, variant, "difference from the first variant")
        else:
            from wellfit.study.report_details import difference_between

            difference = difference_between(self.directory, variant or self.summary.variants[0].name, against)
        return shown(plot_confusion_difference(difference, self.summary.classes, ax), ax)

    def plot_per_class(self, variant: str | None = None, *, ax: Axes | None = None) -> Figure | Axes:
        """Recall, precision and gain in recall for every class, by a variant (by default the first).

        Raises:
          UnknownNameError, StudyFileError: there is no such variant, or it has no test results.
        """
        from wellfit.report.subjects.classes.static import plot_per_class

        return shown(
            plot_per_class(self._of(self.details.by_class, variant, "test result"), self.summary.classes, ax), ax
        )

    def plot_reliability(self, variant: str | None = None, *, ax: Axes | None = None) -> Figure | Axes:
        """The reliability diagram of a variant (by default the first), over all of its test runs.

        Raises:
          UnknownNameError, StudyFileError: there is no such variant, or it has no test results.
        """
        from wellfit.report.marks.colors import slots_of
        from wellfit.report.subjects.calibration.static import plot_reliability

        calibration = self._of(self.details.calibration, variant, "test result")
        return shown(plot_reliability(calibration, ax, slot=slots_of(self.summary)[calibration.variant]), ax)

    def plot_weights(self, variant: str | None = None, *, ax: Axes | None = None) -> Figure | Axes:
        """The distribution of a variant's weights, layer by layer; without a variant, the weight norms over the epochs.

        Raises:
          UnknownNameError, StudyFileError: there is no such variant, or it has no weights.
        """
        from wellfit.report.subjects.weights.static import plot_weight_histogram, plot_weight_norms

        if variant is None:
            return shown(plot_weight_norms(self.summary, ax), ax)
        return shown(plot_weight_histogram(self._of(self.details.weights, variant, "weights"), ax), ax)

    def plot_weight_ridge(
        self, variant: str | None = None, layer: str | None = None, *, ax: Axes | None = None
    ) -> Figure | Axes:
        """The distribution of a layer's weights by epoch, of a variant (by default the first) and its lowest seed.

        Args:
          variant: a name.
          layer: such as ``"dense_1"``, or an array such as ``"dense_1/bias"``; by default the first kernel.
          ax: draw on these axes instead of a new figure.

        Raises:
          UnknownNameError, StudyFileError: there is no such variant or layer, or it has no weights.
          DataError: an earlier version of wellfit trained the study.
        """
        from wellfit.report.marks.colors import slots_of
        from wellfit.report.subjects.weights.static import plot_weight_ridge

        overview = self._of(self.details.weights, variant, "weights")
        return shown(plot_weight_ridge(overview, layer, ax, slot=slots_of(self.summary)[overview.variant]), ax)

    def plot_filters(self, variant: str | None = None, *, ax: Axes | None = None) -> Figure | Axes:
        """The first-layer weights of a variant (by default the first) as images.

        Raises:
          UnknownNameError, StudyFileError: there is no such variant, or it has no weights.
          DataError: the data are not images.
        """
        from wellfit.report.subjects.weights.static import plot_filters

        return shown(plot_filters(self._of(self.details.weights, variant, "weights"), ax), ax)

    def plot_regions(
        self,
        variant: str | None = None,
        *,
        seed: int | None = None,
        disagreement: bool = False,
        ax: Axes | None = None,
    ) -> Figure | Axes:
        """The decision regions of a variant (by default the first), for data with two features.

        Args:
          variant: a name.
          seed: of a single run; by default the mean over the seeds.
          disagreement: show where its seeds disagree instead.
          ax: draw on these axes instead of a new figure.

        Raises:
          UnknownNameError: there is no such variant.
          StudyFileError: there is no such run, or the data do not have two features.
        """
        from wellfit.report.subjects.regions.static import plot_disagreement, plot_regions

        regions = self._of(self.details.regions, variant, "decision regions: they need data with two features")
        if disagreement:
            return shown(plot_disagreement(regions, self.summary.classes, ax), ax)
        if seed is not None:
            from wellfit.study.single_runs import regions_of_run

            regions = regions_of_run(self.directory, regions, seed)
        return shown(plot_regions(regions, self.summary.classes, ax), ax)

    def plot_region_panels(self, variants: Sequence[str] | None = None, *, seed: int | None = None) -> Figure:
        """The decision regions of several variants side by side, for data with two features.

        Args:
          variants: names; by default all.
          seed: of single runs; by default the mean over the seeds.

        Raises:
          UnknownNameError: there is no such variant.
          StudyFileError: there is no such run, or the data do not have two features.
        """
        from wellfit.report.subjects.regions.static import plot_region_panels

        what = "decision regions: they need data with two features"
        of = [self._of(self.details.regions, name, what) for name in variants or self.details.regions or (None,)]
        if seed is not None:
            from wellfit.study.single_runs import regions_of_run

            of = [regions_of_run(self.directory, regions, seed) for regions in of]
        figure = plot_region_panels({regions.variant: regions for regions in of}, self.summary.classes)
        shown(figure)
        return figure

    def plot_mistakes(
        self,
        kind: str = "all-wrong",
        variant: str | None = None,
        *,
        rows: Sequence[int] | IntArray | None = None,
        count: int = 25,
        ax: Axes | None = None,
    ) -> Figure | Axes:
        """Misclassified test images, with the predicted classes and their probabilities.

        Args:
          kind: ``"all-wrong"``: by every run of every variant (suspect labels, or the hardest images); ``"mended"``: by
            every run of the first variant and by none of ``variant``; ``"flips"``: by about half of the first variant's
            runs (chance decides); ``"most"``: most often.
          variant: for ``"mended"`` and ``"most"``.
          rows: show these test rows instead, of those that some run got wrong; ``plot_predictions`` shows any.
          count: the maximum number of images.
          ax: draw on these axes instead of a new figure.

        Raises:
          UnknownNameError: there is no such kind or variant.
          StudyFileError: no run has been tested.
          DataError: the data are not images, or there is no such row.
        """
        from wellfit.report.subjects.mistakes.static import plot_gallery

        classes = self.summary.classes
        return shown(plot_gallery(self._mistakes(), classes, kind, variant, rows=rows, count=count, ax=ax), ax)

    def plot_path(self, key: str | None = None, metric: str = "accuracy", *, ax: Axes | None = None) -> Figure | Axes:
        """A sweep over one number: training, validation and test scores, and the value chosen on validation.

        Args:
          key: the swept setting, for example ``"l2"``; by default the first sweep.
          metric: ``"accuracy"`` or ``"loss"``.
          ax: draw on these axes instead of a new figure.

        Raises:
          UnknownNameError: there is no such sweep or metric.
          StudyFileError: the study has no sweep over a number.
        """
        from wellfit.report.subjects.paths.static import plot_path

        paths = {path.key: path for path in reversed(self.details.paths)}  # of equal keys the first
        if not paths:
            raise StudyFileError(f"study {self.summary.name!r} has no sweep over a number; add a [sweeps] table")
        if key is not None and key not in paths:
            raise UnknownNameError("sweep", key, paths, f"study {self.summary.name!r}")
        return shown(plot_path(paths[key or self.details.paths[0].key], metric, ax), ax)

    def plot_grid(self, metric: str = "test_accuracy", *, ax: Axes | None = None) -> Figure | Axes:
        """The first sweep over two settings as a heat map; the combination chosen on validation is framed.

        Args:
          metric: for example ``"validation_accuracy"`` or ``"test_loss"``.
          ax: draw on these axes instead of a new figure.

        Raises:
          UnknownNameError: there is no such metric.
          StudyFileError: the study has no sweep over two settings.
        """
        from wellfit.report.subjects.paths.static import plot_grid

        if not self.details.grids:
            raise StudyFileError(
                f"study {self.summary.name!r} has no sweep over two settings; add a [sweeps] table with two"
            )
        return shown(plot_grid(self.details.grids[0], metric, ax), ax)

    def save_plot(self, path: str | Path, plot: str, **options: Any) -> Path:
        """Save one of the figures for a paper: one column (3.4 inches) wide, with 8 pt text, as vectors.

        Args:
          path: the file, whose ending says how: ``.pdf`` (fonts inside) or ``.svg`` (letters as outlines).
          plot: which, as in the name of its method: ``"curves"``, ``"ranking"`` ...
          **options: arguments of that method.

        Returns:
          The file.

        Raises:
          UnknownNameError: there is no such figure or ending.
          StoreError: the file cannot be written.
          StudyFileError, DataError: as that method raises them.
        """
        from wellfit.report.marks.column import one_column, save_figure

        known = {name.removeprefix("plot_"): name for name in dir(self) if name.startswith("plot_")}
        if plot not in known:
            raise UnknownNameError("figure", plot, known)
        with one_column():
            return save_figure(path, lambda: getattr(self, known[plot])(**options))

    def _mistakes(self) -> Mistakes:
        if self.details.mistakes is None:
            if self.summary.elsewhere:
                raise StudyFileError(f"{self.directory}: only accuracies are known; judge what runs predict")
            raise StudyFileError(f"no run of the study in {self.directory} has been tested; run the study first")
        return self.details.mistakes

    def _of(self, entries: Mapping[str, T], variant: str | None, what: str) -> T:
        """A variant's entry; by default that of the first variant with one."""
        names = [v.name for v in self.summary.variants]
        if variant is not None and variant not in names:
            raise UnknownNameError("variant", variant, names, f"study {self.summary.name!r}")
        chosen = next(iter(entries), "") if variant is None else variant
        if chosen in entries:
            return entries[chosen]
        raise StudyFileError(f"{variant or f'the study in {self.directory}'} has no {what}")


def shown(figure: Figure, ax: Axes | None = None) -> Figure | Axes:
    """What a method returns: ``ax``, whose figure the notebook displays by itself, or a figure that it will display.

    A figure that is the value of a cell is displayed as those of pyplot are.
    """
    if ax is not None:
        return ax
    vars(figure)["_repr_png_"] = partial(_png, figure)
    return figure


def _png(figure: Figure) -> bytes:
    from wellfit.report.marks.fonts import quiet

    buffer = io.BytesIO()
    with quiet():
        figure.savefig(buffer, format="png", bbox_inches="tight")
    return buffer.getvalue()
