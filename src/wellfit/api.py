"""The Python interface: ``Study`` and ``Results``, with the terms of study files and the command line."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, overload

from wellfit.across import judge_datasets, plot_ranks
from wellfit.base import Dataset, ModelSpec, Reading
from wellfit.claims import claim
from wellfit.data.assemble import make_dataset
from wellfit.data.catalog import load_dataset as load_data
from wellfit.data.predictions.log import log
from wellfit.data.tracked.runs import Tracked
from wellfit.errors import StudyFileError
from wellfit.files import TemporaryFolder
from wellfit.how_many import power
from wellfit.judging import judge
from wellfit.model.saved import load
from wellfit.narrative.techniques import technique
from wellfit.nn.specs import cnn, layers, lenet5, logistic, mlp
from wellfit.previews import Previews
from wellfit.report.given_words import check_sections
from wellfit.results import Results
from wellfit.spec.imported.study import from_keras
from wellfit.spec.reading import plain_of, read_table
from wellfit.spec.source import Source
from wellfit.spec.study import StudySpec, check_utf8, load_study, study_from_mapping
from wellfit.study.handed import (
    SETS,
    WHERE,
    arguments_of,
    divided,
    handed_over,
    is_network,
    naming_arguments,
    of_one_scale,
    plain_models,
)
from wellfit.study.shareable import last_part

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from wellfit.analysis.sequential import InterimAnalysis

__all__ = [
    "Results",
    "Study",
    "Tracked",
    "claim",
    "cnn",
    "from_keras",
    "judge",
    "judge_datasets",
    "layers",
    "lenet5",
    "load",
    "load_dataset",
    "log",
    "logistic",
    "make_dataset",
    "mlp",
    "plot_ranks",
    "power",
    "technique",
]

Variants = Mapping[str, Mapping[str, Any]]
EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


def load_dataset(name_or_path: str | Path, **reading: Any) -> Dataset:
    """Load a data set by its name, or from the path of a file or folder.

    Args:
      name_or_path: a name, for example ``"digits"``, or a path; a ``Path`` is never interpreted as a name.
      reading: any key of ``[data]`` in a study file about how files are read: ``label``, ``drop``, ``image_size`` ...

    Returns:
      The data set, unscaled.

    Raises:
      StudyFileError: an invalid setting.
      WellfitError: no such data set, or data that cannot be read; one line says why and how to fix it.

    Example:
      >>> load_dataset("digits").x_train.shape
      (1438, 8, 8)
    """
    with naming_arguments():
        return load_data(name_or_path, read_table(Reading, plain_of(reading), Source("load_dataset(...)")))


class Study(Previews):
    """One question: a data set, a base recipe, named variants of it, seeds.

    The data are a name or a path, a ``Dataset``, arrays of examples and labels, or a pandas DataFrame:
    ``Study("digits")``, ``Study(x, y)``, ``Study(frame, label="species")``, ``Study(frame, labels)``.

    Args:
      data: the data; a ``Path`` is never interpreted as a name.
      y: labels of arrays or of a DataFrame.  # (N,)
      model: the architecture, from ``mlp``, ``logistic``, ``lenet5``, ``cnn``, ``layers`` or ``from_keras``; by default
        ``mlp(128, 64)``. What else ``from_keras`` gives holds unless ``settings`` say otherwise.
      variants: name -> its changes to the base recipe; the first variant is the reference.
      x_test, y_test: the test set; a stratified fifth of the examples by default. For a DataFrame with its labels in a
        column, ``x_test`` has them too, and ``y_test`` is left out.
      x_val, y_val: the validation set, likewise; by default a share of the training examples.
      groups: the group of each example, for example the patient; a group is never divided.  # (N,)
      seeds: their number (0, 1, ...) or a list.
      name, title: of the study.
      metric: what variants are compared on: ``"accuracy"``, ``"balanced_accuracy"``, ``"macro_f1"``, ``"roc_auc"``,
        ``"log_loss"`` or ``"brier"``; verdicts, ranking and conclusion rest on it alone.
      margin: the largest irrelevant difference in it, a share of 1 except for losses; fix it before you see results.
      questions: further questions, each with the keys of ``[[questions]]`` in a study file.
      search: what to try before the study is judged, with the keys of ``[search]``: ``{"trials": 20, "space": {"l2":
        {"low": 1e-6, "high": 1e-2, "log": True}}}``. The best configuration becomes another variant.
      report: who hands the report in, and their own words, with the keys of ``[report]``: ``{"authors": ["Ada"]}``.
      settings: any other key of ``[train]`` or ``[data]`` in a study file: ``epochs``, ``batch_size``, ``optimizer``,
        ``learning_rate``, ``l2``, ``precision`` ..., ``validation``, ``scale``, ``label``, ``drop``, ``image_size`` ...

    Raises:
      StudyFileError: an invalid key or value, as in a study file, or one that does not apply; the message names it.
      DataError: arrays or a DataFrame that cannot be used.

    Example:
      >>> study = Study("digits", mlp(32), variants={"baseline": {}, "dropout": {"dropout": 0.3}}, epochs=3, seeds=2)
      >>> results = study.run()
      >>> [variant.name for variant in results.summary.variants]
      ['baseline', 'dropout']
      >>> len(results.runs())
      4
    """

    @overload
    def __init__(
        self,
        data: str | Path | Dataset = "digits",
        model: ModelSpec | Mapping[str, Any] | None = None,
        variants: Variants | None = None,
        *,
        seeds: int | Sequence[int] = 5,
        name: str = "study",
        title: str | None = None,
        metric: str = "accuracy",
        margin: float | None = None,
        questions: Sequence[Mapping[str, Any]] = (),
        search: Mapping[str, Any] | None = None,
        report: Mapping[str, Any] = EMPTY,
        **settings: Any,
    ) -> None: ...

    @overload
    def __init__(
        self,
        data: ArrayLike | pd.DataFrame,
        y: ArrayLike | pd.Series[Any] | None = None,
        model: ModelSpec | Mapping[str, Any] | None = None,
        variants: Variants | None = None,
        *,
        x_test: ArrayLike | pd.DataFrame | None = None,
        y_test: ArrayLike | pd.Series[Any] | None = None,
        x_val: ArrayLike | pd.DataFrame | None = None,
        y_val: ArrayLike | pd.Series[Any] | None = None,
        groups: ArrayLike | pd.Series[Any] | None = None,
        seeds: int | Sequence[int] = 5,
        name: str = "study",
        title: str | None = None,
        metric: str = "accuracy",
        margin: float | None = None,
        questions: Sequence[Mapping[str, Any]] = (),
        search: Mapping[str, Any] | None = None,
        report: Mapping[str, Any] = EMPTY,
        **settings: Any,
    ) -> None: ...

    def __init__(
        self,
        data: Any = "digits",
        *given: Any,
        seeds: int | Sequence[int] = 5,
        name: str = "study",
        title: str | None = None,
        metric: str = "accuracy",
        margin: float | None = None,
        questions: Sequence[Mapping[str, Any]] = (),
        search: Mapping[str, Any] | None = None,
        report: Mapping[str, Any] = EMPTY,
        **settings: Any,
    ) -> None:
        named = {key: settings.pop(key, None) for key in ("y", "model", "variants", *SETS)}
        y, model, variants = arguments_of(data, given, named)
        if isinstance(model, Mapping) and is_network(model):
            settings = {**model, **settings}
            model = settings.pop("model")
        of_data, of_train = divided(settings)
        source = str(data) if isinstance(data, str | Path) else data.name if isinstance(data, Dataset) else "data"
        check_utf8(source, f"{WHERE}: {source}")
        tables: dict[str, Any] = {
            "name": name,
            "title": title or f"Which variant generalizes best on {last_part(source)}?",
            "data": {**of_data, "path" if isinstance(data, Path) else "name": source},
            "train": {**of_train, "seeds": seeds},
            "variants": plain_models(of_one_scale(variants, settings.get("scale")) or {"baseline": {}}),
            "compare": {"metric": metric} | ({} if margin is None else {"margin": margin}),
            "questions": questions,
            "report": report,
        }
        if search is not None:
            tables["search"] = search
        if model is not None:
            tables["model"] = plain_models(model)
        with naming_arguments():
            self.spec: StudySpec = study_from_mapping(tables, where=WHERE)
            check_sections(self.spec.report, name, f"{WHERE}, report['text']")
            self.dataset = handed_over(data, y, {key: named[key] for key in SETS}, self.spec.data)
        self._origin: tuple[str | Path, Sequence[str]] = (WHERE, ())

    @classmethod
    def from_toml(cls, path: str | Path, **overrides: Any) -> Study:
        """Load a study file, or a built-in study by its name.

        Args:
          path: the file or the name.
          overrides: ``data``, ``seeds``, ``epochs``, ``precision``, ``settings`` or ``quick``, as on the command line.

        Raises:
          StudyFileError: the file is not a valid study.

        Example:
          >>> Study.from_toml("regularization", seeds=2).spec.seeds
          (0, 1)
        """
        study = cls.__new__(cls)
        study.dataset = None
        study.spec = load_study(path, **overrides)
        check_sections(study.spec.report, study.spec.name, f"{path}, [report] text")
        study._origin = (path, overrides.get("settings", ()))
        return study

    def run(
        self,
        out: str | Path | None = None,
        *,
        fresh: bool = False,
        progress: bool | None = None,
        until_decided: bool = False,
        max_seeds: int | None = None,
        max_minutes: float | None = None,
        tensorboard: str | Path | None = None,
        on: str | None = None,
    ) -> Results:
        """Train and evaluate what is missing, and return the results.

        Args:
          out: the study directory, which keeps everything; by default a temporary one that lasts as long as the
            results.
          fresh: delete the study in the directory first.
          progress: show a progress bar; by default in terminals and notebooks.
          until_decided: add seeds, five at a time, until every comparison with the first variant is decided. Each
            interim analysis has its own significance level; the overall error rate stays at 5 %.
          max_seeds: with ``until_decided``, the maximum seeds (by default 20), fixed at the first interim analysis.
          max_minutes: with ``until_decided``, start no batch of seeds that would end later by the forecast.
          tensorboard: a folder in which the study is logged for TensorBoard while it trains.
          on: train on Ray: ``"ray"`` starts it here, ``"HOST:PORT"`` or ``"ray://HOST:PORT"`` is a cluster.

        Returns:
          The results, including those of runs that the directory held before.

        Raises:
          WellfitError: the data, the model or the directory cannot be used; one line says why and how to fix it.
        """
        from wellfit.report.forms.notebook_progress import progress_display
        from wellfit.study.decide import check_budget, run_until_decided
        from wellfit.study.executors.ray_pool import RayPool, usable_address
        from wellfit.study.run import run_study
        from wellfit.study.search.drive import search_first
        from wellfit.study.session import Session

        if not until_decided and (max_seeds is not None or max_minutes is not None):
            raise StudyFileError("run(...): max_seeds and max_minutes need until_decided=True; add that")
        if on is not None and self.spec.search is not None:
            raise StudyFileError("run(...): on and a search exclude each other; leave on out")
        if on is not None and tensorboard is not None:
            raise StudyFileError("run(...): on and tensorboard exclude each other; use Results.export afterwards")
        keep: object = None
        if out is None:
            keep = TemporaryFolder()
            out = keep.path / "study"
        with self._naming():
            address = None if on is None else usable_address(on)
            spec, dataset = self._fitted()
        pool = None if address is None else RayPool(address, dataset, spec.data)
        session = Session(spec, dataset, Path(out), fresh, pool=pool)
        if until_decided and spec.search is not None:  # which would come first
            with self._naming():
                check_budget(session, max_seeds, max_minutes)
        logs: Any = None
        if tensorboard is not None:
            from wellfit.interop.tensorboard import LogFolder

            logs = LogFolder(Path(tensorboard), session, temporary=keep is not None)
        closing = contextlib.nullcontext() if pool is None else contextlib.closing(pool)
        with closing, self._naming(), progress_display(progress) as on_progress:
            session = search_first(session, command="from Python", on_progress=on_progress)

            def train(batch: Session, interim: InterimAnalysis | None = None) -> None:
                run_study(
                    batch,
                    command="from Python",
                    interim=interim,
                    on_plan=None if logs is None else lambda _: logs.begin(batch),
                    on_progress=on_progress,
                    on_epoch=None if logs is None else logs.after_epoch,
                )

            if until_decided:
                run_until_decided(session, train, max_seeds=max_seeds, max_minutes=max_minutes)
            else:
                train(session)
        if logs is not None:
            logs.finish(Path(out))
        return Results(out, _keep=keep)

    def _naming(self) -> AbstractContextManager[None]:
        """For errors about settings, which are arguments unless they come from a file."""
        return naming_arguments(self._origin[0] is WHERE)

    def _data(self) -> Dataset:
        with self._naming():
            return self.dataset or load_data(self.spec.data.name_or_path, self.spec.data)

    def _fitted(self) -> tuple[StudySpec, Dataset]:
        """The study, fitted to its data if it is a built-in one, and the data."""
        from wellfit.study.adapt import adapted

        with self._naming():
            return adapted(self.spec, self._data(), *self._origin)

    def _repr_html_(self) -> str:
        from wellfit.report.forms.cells import study_html

        return study_html(self.spec, None if self.dataset is None else self.dataset.title)

    def __repr__(self) -> str:
        spec = self.spec
        size = f"{len(spec.variants)} variants, {len(spec.seeds)} seeds"
        return f"Study({spec.name!r}, data={spec.data.name_or_path!r}, {size})"
