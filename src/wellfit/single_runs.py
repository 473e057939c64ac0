"""What single runs of a study predict, as methods of ``Results``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wellfit.base import Dataset
from wellfit.plots import Plots, shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["SingleRuns"]


class SingleRuns(Plots):
    """Predictions of one run for chosen test examples, right or wrong."""

    def predictions(
        self, rows: Sequence[int] | int = 10, variant: str | None = None, *, seed: int | None = None
    ) -> pd.DataFrame:
        """What one run predicts for test examples.

        Args:
          rows: of the test set, from 0; a number stands for so many of the first rows that runs were tested on.
          variant: by default the first.
          seed: of the run; by default, for each example the first that was tested on it.

        Returns:
          A row for every example, named by its test row: ``true`` (its class), the probability of every class,
          ``argmax`` (the number of the most probable class), ``predicted`` (its name), ``probability`` (the maximum),
          ``correct``, and ``seed``. ``attrs`` has the ``variant``. Probabilities are NaN where only the predicted
          classes are known.

        Raises:
          UnknownNameError: there is no such variant.
          StudyFileError: there is no such tested run.
          DataError: there is no such row, or the run was not tested on it.

        Example:
          >>> from wellfit import Study, mlp
          >>> table = Study("digits", mlp(16), epochs=1, seeds=1).run().predictions()
          >>> table.columns.tolist()[:2], table.columns.tolist()[-5:]
          (['true', '0'], ['argmax', 'predicted', 'probability', 'correct', 'seed'])
        """
        import numpy as np
        import pandas as pd

        from wellfit.study.single_runs import predictions_of_run

        of = predictions_of_run(self.directory, rows, variant, seed)
        classes = np.array(self.summary.classes, dtype=object)
        known = np.full_like(of.probabilities, np.nan) if of.classes_only else of.probabilities
        vector = pd.DataFrame(known, columns=list(classes))
        last = {
            "argmax": of.predicted,
            "predicted": classes[of.predicted],
            "probability": known.max(axis=1),
            "correct": of.predicted == of.labels,
            "seed": of.seeds,
        }
        frame = pd.concat([pd.DataFrame({"true": classes[of.labels]}), vector, pd.DataFrame(last)], axis=1)
        frame.index = pd.Index(of.rows, name="test_row")
        frame.attrs = {"variant": of.variant}
        return frame

    def confusions(self, variant: str | None = None, *, seed: int | None = None) -> pd.DataFrame:
        """Which class is taken for which other one, the most frequent confusion first.

        Args:
          variant: by default the first.
          seed: of a single run; by default over all runs.

        Returns:
          ``true``, ``predicted``, ``count`` (test predictions) and ``share`` (of the true class); pairs that never
          occur are left out.

        Raises:
          UnknownNameError: there is no such variant.
          StudyFileError: there is no such tested run.

        Example:
          >>> from wellfit import Study, mlp
          >>> results = Study("digits", mlp(16), epochs=1, seeds=1).run()
          >>> results.confusions().columns.tolist()
          ['true', 'predicted', 'count', 'share']
        """
        import numpy as np
        import pandas as pd

        from wellfit.study.single_runs import confusion_of_run, variant_with_tests

        name = variant_with_tests(self.directory, variant)
        counts = self.summary.confusion[name] if seed is None else confusion_of_run(self.directory, name, seed)[1]
        totals = np.maximum(counts.sum(axis=1), 1)  # (K,)
        wrong = np.argwhere((counts > 0) & ~np.eye(len(counts), dtype=bool))  # (n, 2)
        classes = self.summary.classes
        rows = [(classes[t], classes[p], int(counts[t, p]), float(counts[t, p] / totals[t])) for t, p in wrong]
        rows.sort(key=lambda row: -row[2])
        return pd.DataFrame(rows, columns=["true", "predicted", "count", "share"])

    def plot_predictions(
        self,
        rows: Sequence[int] | int = 25,
        variant: str | None = None,
        *,
        seed: int | None = None,
        data: str | Path | Dataset | None = None,
        columns: int = 5,
        ax: Axes | None = None,
    ) -> Figure | Axes:
        """Test images, right or wrong, with their true class (GT) and what one run predicts (P).

        Args:
          rows: of the test set, from 0; a number stands for so many of the first rows that runs were tested on.
          variant: by default the first.
          seed: of the run; by default, for each image the first that was tested on it.
          data: the data of the study, for images that it did not keep (it keeps the first 25, and misclassified ones);
            by default, they are read from where the study found them.
          columns: of the grid.
          ax: draw on these axes instead of a new figure.

        Raises:
          UnknownNameError: there is no such variant.
          StudyFileError: there is no such tested run.
          DataError: the data are not images or not those of the study, there is no such row, or the run was not tested
            on it.
        """
        from wellfit.base import FirstPredictions
        from wellfit.report.subjects.mistakes.static import plot_predictions
        from wellfit.study.single_runs import pictures_of, predictions_of_run

        of = predictions_of_run(self.directory, rows, variant, seed)
        images = pictures_of(self.directory, of.rows, data)
        sure = of.probabilities.max(axis=1)  # (n,)
        shown_ = FirstPredictions(of.variant, of.seeds, of.rows, of.labels, of.predicted, sure, images)
        return shown(plot_predictions(shown_, self.summary.classes, columns=columns, ax=ax), ax)
