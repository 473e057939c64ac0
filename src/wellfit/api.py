"""The Python face: ``Study`` and ``Results``, the same words as the study file and the command line."""

from __future__ import annotations

import io
import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wellfit.base import Dataset, Finding, ModelSpec, StudySummary, VariantSummary
from wellfit.data.assemble import make_dataset
from wellfit.data.catalog import load_dataset
from wellfit.errors import StudyFileError
from wellfit.nn.specs import cnn, layers, lenet5, logistic, mlp
from wellfit.study.spec import StudySpec, load_study, study_from_mapping

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Results", "Study", "cnn", "layers", "lenet5", "load_dataset", "logistic", "make_dataset", "mlp"]


class Study:
    """One question: a data set, a base recipe, named variants of it, seeds.

    Args:
      data: a data set's name, a path, or a ``Dataset``; a ``Path`` is never taken for a name.
      model: the architecture, from ``mlp``, ``logistic``, ``lenet5``, ``cnn`` or ``layers``; ``mlp(128, 64)`` unless
        told otherwise.
      variants: name -> what it changes in the base recipe; the first is the one that the others are compared with.
      seeds: how many (0, 1, ...), or which.
      precision: of the matrix products: ``"float32"``; ``"mixed"``, with factors in bfloat16 and sums in float32; or
        ``"auto"``, which is mixed where that is faster on this machine.
      name, title: of the study.
      validation: share of the training examples held out for validation.
      scale: ``"unit"`` or ``"standardize"``.
      train: every other key of the study file's ``[train]`` table: ``epochs``, ``batch_size``, ``optimizer``,
        ``learning_rate``, ``l2`` ...

    Raises:
      StudyFileError: a key or a value that the study file would not take either; the message says which.

    Example:
      >>> study = Study("digits", mlp(32), variants={"baseline": {}, "dropout": {"dropout": 0.3}}, epochs=3, seeds=2)
      >>> results = study.run()
      >>> [variant.name for variant in results.summary.variants]
      ['baseline', 'dropout']
      >>> len(results.runs())
      4
    """

    def __init__(
        self,
        data: str | Path | Dataset = "digits",
        model: ModelSpec | None = None,
        variants: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        seeds: int | Sequence[int] = 5,
        precision: str = "float32",
        name: str = "study",
        title: str | None = None,
        validation: float = 0.2,
        scale: str = "unit",
        **train: Any,
    ) -> None:
        self.dataset = data if isinstance(data, Dataset) else None
        source = _source(data)
        tables: dict[str, Any] = {
            "name": name,
            "title": title or f"Which variant generalizes best on {source}?",
            "data": {"path" if isinstance(data, Path) else "name": source, "validation": validation, "scale": scale},
            "train": {**train, "seeds": seeds, "precision": precision},
            "variants": _plain_models(variants or {"baseline": {}}),
        }
        if model is not None:
            tables["model"] = _model_table(model)
        self.spec: StudySpec = study_from_mapping(tables, where="Study(...)")

    @classmethod
    def from_toml(cls, path: str | Path, **overrides: Any) -> Study:
        """A study from a study file, or a built-in study by its name.

        Args:
          path: the file or the name.
          overrides: ``data``, ``seeds``, ``epochs``, ``precision``, ``settings`` or ``quick``, as the command line
            has them.

        Raises:
          StudyFileError: the file is not a study.

        Example:
          >>> Study.from_toml("regularization", seeds=2).spec.seeds
          (0, 1)
        """
        study = cls.__new__(cls)
        study.dataset = None
        study.spec = load_study(path, **overrides)
        return study

    def run(self, out: str | Path | None = None, *, fresh: bool = False, progress: bool | None = None) -> Results:
        """Train what is missing, evaluate it, and return the results.

        Args:
          out: the study directory, which keeps everything; without it, a temporary one that lasts as
            long as the results.
          fresh: throw away what the directory holds first.
          progress: show a progress bar; by default where there is a terminal or a notebook to show it in.

        Returns:
          The results, also of runs that the directory held before.

        Raises:
          WellfitError: the data, the model or the directory cannot be used; one line says why and how to mend it.
        """
        from rich.console import Console

        from wellfit.report.terminal import training_progress
        from wellfit.study.runner import Tick, run_study

        dataset = self._data()
        keep: object = None
        if out is None:
            keep = _Temporary()
            out = keep.path / "study"
        console = Console()
        if console.is_jupyter and find_spec("ipywidgets") is None:  # rich's bar would be a warning to install it
            console = Console(force_jupyter=False, force_terminal=False)
            progress = True if progress is None else progress
        console.quiet = not (console.is_terminal or console.is_jupyter if progress is None else progress)
        with training_progress(console) as bar:

            def on_tick(tick: Tick) -> None:
                bar.update(tick.epoch, tick.epochs, tick.active, tick.examples, tick.share)

            run_study(self.spec, dataset, Path(out), command="from Python", anew=fresh, on_tick=on_tick)
        return Results(out, _keep=keep)

    def model_summary(self, variant: str | None = None) -> pd.DataFrame:
        """The layers of a model, as Keras's ``model.summary()`` tells them.

        Args:
          variant: whose model; the base recipe's by default.

        Returns:
          One row a layer: ``layer``, ``output_shape`` (a tuple, of one example) and ``parameters``. ``attrs`` holds
          the ``total`` of trainable parameters, their ``bytes``, and the number of ``statistics`` that are not trained.

        Raises:
          UnknownNameError: there is no such variant.
          ShapeError: the model does not fit the data.

        Example:
          >>> table = Study("digits", mlp(128, 64)).model_summary()
          >>> table.attrs
          {'total': 17226, 'bytes': 68904, 'statistics': 0}
        """
        import pandas as pd

        from wellfit.study.look import model_table, variant_recipe

        dataset = self._data()
        table = model_table(variant_recipe(self.spec, variant).model, dataset.input_shape, len(dataset.classes))
        frame = pd.DataFrame(list(table.rows), columns=["layer", "output_shape", "parameters"])
        frame.attrs = {"total": table.total, "bytes": table.bytes, "statistics": table.statistics}
        return frame

    def plot_examples(
        self, rows: Sequence[int] | None = None, *, count: int = 8, columns: int | None = None, ax: Axes | None = None
    ) -> Figure:
        """Training examples with the names of their classes.

        Args:
          rows: which training examples, from 0, in a grid; by default the first of every class, a row each.
          count: how many of every class.
          columns: pictures in a row of the grid.
          ax: where to draw, instead of a new figure.

        Raises:
          DataError: the data are no images, or there is no such row.
        """
        from wellfit.report.look import examples_figure

        return _shown(examples_figure(self._data(), rows, count, columns=columns, ax=ax))

    def plot_augmented(self, variant: str | None = None, *, count: int = 8, ax: Axes | None = None) -> Figure:
        """The first training example of every class, and forms of it that augmentation makes.

        Args:
          variant: whose augmentation; the base recipe's by default.
          count: pictures in a row: the original, and ``count - 1`` forms of it.
          ax: where to draw, instead of a new figure.

        Raises:
          UnknownNameError: there is no such variant.
          StudyFileError: it has no augmentation.
          DataError: the data are no images.
        """
        from wellfit.report.look import augmentation_figure

        return _shown(augmentation_figure(self.spec, self._data(), variant, count, ax=ax))

    def _data(self) -> Dataset:
        return self.dataset or load_dataset(self.spec.data.name_or_path)

    def __repr__(self) -> str:
        spec = self.spec
        size = f"{len(spec.variants)} variants, {len(spec.seeds)} seeds"
        return f"Study({spec.name!r}, data={spec.data.name_or_path!r}, {size})"


def _source(data: Any) -> str:
    """The name or path of what a study is asked about."""
    if isinstance(data, Dataset):
        return data.name
    if isinstance(data, str | Path):
        return str(data)
    mend = "give a name, a path, or what wellfit.make_dataset(x, y) makes of arrays"
    raise StudyFileError(f"Study(...): data cannot be of type {type(data).__name__}; {mend}")


_OF_KIND: Final = {"hidden": ("mlp", "cnn"), "layers": ("layers",)}
"""Fields of a ``ModelSpec`` that only some kinds have a use for, and a study file takes of no others."""


def _model_table(model: Any) -> Any:
    """A model as the study file's [model] table says it, complete; what is no ``ModelSpec`` is left to the checks."""
    if not isinstance(model, ModelSpec):
        return model
    table = {key: value for key, value in vars(model).items() if model.kind in _OF_KIND.get(key, (model.kind,))}
    if "layers" in table:  # an empty function is none, which a study file says by leaving it out
        table["layers"] = [{key: value for key, value in vars(layer).items() if value != ""} for layer in model.layers]
    return table


def _plain_models(variants: Any) -> Any:
    """Variants whose models are tables; what is no table of tables is left to the checks."""
    if isinstance(variants, Mapping):
        return {key: _plain_models(value) for key, value in variants.items()}
    return _model_table(variants)


class _Temporary:
    """A folder that is removed with this object, without the warning that ``tempfile.TemporaryDirectory`` gives."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="wellfit-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


class Results:
    """What a study directory holds, finished or not.

    Args:
      directory: the study directory.

    Raises:
      StoreUnreadableError: there is no study in it.

    Example:
      >>> results = Study("digits", mlp(16), epochs=2, seeds=2).run()
      >>> results.table().shape[0]
      1
      >>> results.history().columns[:3].tolist()
      ['variant', 'seed', 'epoch']
    """

    def __init__(self, directory: str | Path, *, _keep: object = None) -> None:
        from wellfit.study.summary import summarize

        self.directory = Path(directory)
        self.summary: StudySummary = summarize(self.directory)
        self._keep = _keep  # a temporary directory lives as long as the results in it

    def table(self) -> pd.DataFrame:
        """One row a variant: means and 95 % intervals of every metric; accuracies are shares of 1.

        The intervals of ``test_accuracy``, ``test_loss`` and ``generalization_gap`` count the seeds and the finite test
        set; those of the training and validation metrics count the seeds alone.
        """
        import pandas as pd

        rows = {}
        for variant in self.summary.variants:
            row: dict[str, Any] = {}
            for metric, value in variant.mean.items():
                low, high = variant.interval.get(metric) or (float("nan"), float("nan"))
                row |= {metric: value, f"{metric}_low": low, f"{metric}_high": high}
            rows[variant.name] = {**row, "parameters": variant.parameters, "seconds": variant.seconds}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("variant")

    def runs(self) -> pd.DataFrame:
        """One row a run: variant, seed, state, epochs, and its metrics."""
        import pandas as pd

        return pd.DataFrame([{"variant": v.name, **vars(run)} for v in self.summary.variants for run in v.runs])

    def compare(self) -> pd.DataFrame:
        """One row a comparison with the first variant: difference, interval, p-values, verdict."""
        import pandas as pd

        columns = ["variant", "against", "metric", "difference", "interval", "p_value", "p_adjusted", "verdict"]
        return pd.DataFrame([vars(c) for c in self.summary.comparisons], columns=columns)

    def history(self) -> pd.DataFrame:
        """One row an epoch of a run, in long form."""
        import pandas as pd

        frames = [
            pd.DataFrame({"variant": name, "seed": seed, "epoch": range(1, len(h) + 1), **h.columns})
            for name, seeds in self.summary.histories.items()
            for seed, h in seeds.items()
        ]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["variant", "seed", "epoch"])

    def best(self) -> VariantSummary:
        """The variant with the highest mean validation accuracy: chosen without looking at the test set.

        A mean is over the runs that did not diverge, so a variant whose runs all hold comes before any that lost some.

        Raises:
          StudyFileError: no run has finished yet.
        """
        scored = [v for v in self.summary.variants if "validation_accuracy" in v.mean]
        if not scored:
            raise StudyFileError(f"no run of the study in {self.directory} has finished; run it first")
        sound = [v for v in scored if all(run.state != "diverged" for run in v.runs)]
        return max(sound or scored, key=lambda variant: variant.mean["validation_accuracy"])

    @property
    def verdict(self) -> str:
        """What the evidence allows one to say."""
        return self.summary.verdict

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the checks of data, split and training saw."""
        return self.summary.findings

    def plot_curves(self, metric: str = "loss", *, ax: Axes | None = None) -> Figure:
        """Learning curves of every variant: mean and band over the seeds, training and validation.

        Args:
          metric: ``"loss"`` or ``"accuracy"``.
          ax: where to draw, instead of a new figure.
        """
        from wellfit.report.figures import plot_curves

        return _shown(plot_curves(self.summary, metric, ax=ax))

    def plot_intervals(self, *, ax: Axes | None = None) -> Figure:
        """Test accuracy of every variant: its runs as points, its mean and its 95 % interval."""
        from wellfit.report.figures import plot_intervals

        return _shown(plot_intervals(self.summary, ax=ax))

    def plot_gap(self, *, ax: Axes | None = None) -> Figure:
        """The generalization gap over the epochs."""
        from wellfit.report.figures import plot_gap

        return _shown(plot_gap(self.summary, ax=ax))

    def plot_confusion(self, variant: str | None = None, *, ax: Axes | None = None) -> Figure:
        """The confusion matrix of a variant on the test set, summed over its runs; the first variant's by default."""
        from wellfit.report.figures import plot_confusion

        return _shown(plot_confusion(self.summary, variant or self.summary.variants[0].name, ax=ax))

    def report(self, path: str | Path | None = None) -> Path:
        """Write the report, one HTML file that needs no network.

        Args:
          path: of the file; by default ``report.html`` in the study directory. A study that was run without ``out``
            has none that lasts, and gets ``wellfit-report.html`` in the working directory.

        Returns:
          The file.
        """
        from wellfit.report.page import write_page

        usual = self.directory / "report.html" if self._keep is None else Path("wellfit-report.html")
        return write_page(self.summary, usual if path is None else Path(path))

    def __repr__(self) -> str:
        s = self.summary
        return f"Results({s.name!r}, {s.state}, {len(s.variants)} variants, {len(s.seeds)} seeds)\n{s.verdict}"


def _shown(figure: Figure) -> Figure:
    """A figure that a notebook shows where it is the value of a cell, as it would show one of pyplot's."""
    vars(figure)["_repr_png_"] = partial(_png, figure)
    return figure


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight")
    return buffer.getvalue()
