"""The data and the models of a study before training, as methods of ``Study``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from wellfit.base import Dataset, FloatArray
from wellfit.plots import shown
from wellfit.spec.study import StudySpec

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from wellfit.study.session import Session

__all__ = ["Previews"]


class Previews:
    """What can be seen of a study before anything is trained."""

    def model_summary(self, variant: str | None = None, *, input_shape: Sequence[int] | None = None) -> pd.DataFrame:
        """The layers of a model, as in Keras's ``model.summary()``.

        Args:
          variant: by default the base recipe.
          input_shape: of an example; by default that of the data. Others show what depends on it.

        Returns:
          One row per layer: ``layer``, ``output_shape`` (a tuple, of one example), ``parameters`` and ``setting``
          (dropout rate, kernel size, output function). ``attrs`` has the ``total`` of trainable parameters, their
          ``bytes``, and the number of ``statistics`` that are not trained.

        Raises:
          UnknownNameError: there is no such variant.
          ShapeError: the model does not fit the data.

        Example:
          >>> from wellfit import Study, mlp
          >>> study = Study("digits", mlp(128, 64), {"baseline": {}, "dropout": {"dropout": [0.5, 0.2]}})
          >>> study.model_summary().attrs
          {'total': 17226, 'bytes': 68904, 'statistics': 0}
          >>> study.model_summary(input_shape=(16, 16)).attrs["total"]
          41802
          >>> table = study.model_summary("dropout")
          >>> table.setting[table.layer.str.startswith("dropout")].tolist()
          ['rate 0.5', 'rate 0.2']
        """
        import pandas as pd

        from wellfit.study.preview import model_table, variant_recipe

        session = self._session()
        with self._naming():
            seen = session.first.training
            shape = seen.input_shape if input_shape is None else tuple(input_shape)
            table = model_table(variant_recipe(session.spec, variant), shape, len(seen.classes))
        frame = pd.DataFrame(list(table.rows), columns=["layer", "output_shape", "parameters", "setting"])
        frame.attrs = {"total": table.total, "bytes": table.bytes, "statistics": table.statistics}
        return frame

    def facts(self) -> dict[str, str]:
        """What is decided about the data, as ``wellfit audit`` prints it: label column, features, classes ...

        Raises:
          WellfitError: the data cannot be used.

        Example:
          >>> from wellfit import Study
          >>> Study([[1.0], [2.0], [4.0]] * 20, ["a", "b", "b"] * 20).facts()["classes"]
          '2: a (20), b (40)'
        """
        session = self._session()
        with self._naming():
            return dict(session.facts)

    def shapes(self) -> pd.DataFrame:
        """The shapes of the arrays of every split (of seed 0, if every seed has its own).

        Returns:
          A row for all training examples, those of them that train, those that validate, and the test examples;
          ``examples``, ``flattened`` and ``labels`` are tuples.

        Raises:
          WellfitError: the data cannot be used.

        Example:
          >>> from wellfit import Study
          >>> Study("digits").shapes().loc["training"].tolist()
          [(1150, 8, 8), (1150, 64), (1150,)]
        """
        import pandas as pd

        from wellfit.study.untrained import SplitShapes, split_shapes

        session = self._session()
        with self._naming():
            shapes = split_shapes(session)
        return pd.DataFrame(list(shapes.values()), index=pd.Index(list(shapes)), columns=list(SplitShapes._fields))

    def inputs(self, rows: Sequence[int], split: str = "train", *, seed: int = 0) -> FloatArray:
        """Examples as the networks get them: scaled, and the columns of a table as features.

        ``load_dataset(...).x_train[rows]`` are the same examples as they were read.

        Args:
          rows: from 0.
          split: ``"train"`` (validation examples are among these) or ``"test"``.
          seed: whose training examples the scaling was fitted on.

        Raises:
          UnknownNameError: there is no such split.
          DataError: there is no such row.

        Example:
          >>> from wellfit import Study
          >>> Study("digits").inputs([0]).shape, float(Study("digits").inputs([0]).max())
          ((1, 8, 8), 0.9375)
        """
        from wellfit.study.untrained import network_inputs

        session = self._session()
        with self._naming():
            return network_inputs(session, rows, split, seed)

    def untrained(
        self, rows: Sequence[int] = (0,), variant: str | None = None, *, split: str = "train", seed: int = 0
    ) -> pd.DataFrame:
        """What a network answers before training, with its initial weights.

        Args:
          rows: from 0.
          variant: whose network; by default the base recipe's.
          split: ``"train"`` or ``"test"``.
          seed: of the initial weights.

        Returns:
          A row for every example: the probability of every class, and their ``sum``.

        Raises:
          UnknownNameError: there is no such variant or split.
          DataError, ShapeError: there is no such row, or the model does not fit the data.

        Example:
          >>> from wellfit import Study
          >>> round(float(Study("digits").untrained([3])["sum"].item()), 5)
          1.0
        """
        import pandas as pd

        from wellfit.study.preview import variant_recipe
        from wellfit.study.untrained import untrained_output

        session = self._session()
        with self._naming():
            recipe = variant_recipe(session.spec, variant)
            probabilities = untrained_output(session, recipe, rows, split, seed)
        index = pd.Index(list(rows), name=f"{split}_row")
        frame = pd.DataFrame(probabilities, index=index, columns=list(session.dataset.classes))
        return frame.assign(sum=probabilities.sum(axis=1))

    def plot_examples(
        self,
        rows: Sequence[int] | None = None,
        *,
        split: str = "train",
        count: int = 8,
        columns: int | None = None,
        title: str | None = None,
        numbers: bool = False,
        color_bar: bool = False,
        pixels: bool = False,
        ax: Axes | None = None,
    ) -> Figure | Axes:
        """Examples with the names of their classes.

        Args:
          rows: examples to show in a grid, from 0; by default the first training examples of every class, a row each.
          split: ``"train"`` or ``"test"``, for ``rows``.
          count: pictures per class.
          columns: of the grid.
          title: by default the name of the data and the split.
          numbers: show the number of the class before its name.
          color_bar: show a bar of the gray values.
          pixels: show one image large, with axes that count its pixels.
          ax: draw on these axes instead of a new figure.

        Raises:
          UnknownNameError: there is no such split.
          DataError: the data are not images, or there is no such row; a color bar of colors, or pixels of several rows.
        """
        from wellfit.report.subjects.data.preview import examples_figure

        options = {"numbers": numbers, "color_bar": color_bar, "pixels": pixels}
        return shown(
            examples_figure(self._data(), rows, count, split=split, columns=columns, title=title, **options, ax=ax)
        )

    def plot_scatter(self, split: str = "train", *, title: str | None = None, ax: Axes | None = None) -> Figure | Axes:
        """A scatter plot of data with two features, in the colors of the classes.

        Args:
          split: ``"train"`` or ``"test"``.
          title: by default the name of the data and the split.
          ax: draw on these axes instead of a new figure.

        Raises:
          UnknownNameError: there is no such split.
          DataError: the data do not have two features.
        """
        from wellfit.report.subjects.data.preview import scatter_figure

        return shown(scatter_figure(self._data(), split, title=title, ax=ax), ax)

    def plot_augmented(self, variant: str | None = None, *, count: int = 8, ax: Axes | None = None) -> Figure | Axes:
        """The first training example of every class with augmented versions.

        Args:
          variant: whose augmentation to use; by default the base recipe's.
          count: pictures in a row: the original and ``count - 1`` augmented versions.
          ax: draw on these axes instead of a new figure.

        Raises:
          UnknownNameError: there is no such variant.
          StudyFileError: it has no augmentation.
          DataError: the data are not images.
        """
        from wellfit.report.subjects.data.preview import augmentation_figure

        return shown(augmentation_figure(*self._fitted(), variant, count, ax=ax), ax)

    def _session(self) -> Session:
        """A session that only looks at the study; its directory is never used."""
        from wellfit.study.session import Session

        return Session(*self._fitted(), Path("unused"))

    if TYPE_CHECKING:

        def _naming(self) -> AbstractContextManager[object]: ...
        def _data(self) -> Dataset: ...
        def _fitted(self) -> tuple[StudySpec, Dataset]: ...
