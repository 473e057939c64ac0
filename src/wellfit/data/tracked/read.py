"""Whatever holds runs: whose files they are, and the runs in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from wellfit.base import History
from wellfit.data.predictions.archives import is_archive
from wellfit.data.predictions.curves import histories_of
from wellfit.data.predictions.read import read_predictions
from wellfit.data.predictions.runs import GivenRun, GivenRuns, check_names
from wellfit.data.tables.files import is_table
from wellfit.data.tracked.artifacts import read_artifacts
from wellfit.data.tracked.databases import is_database, program_of
from wellfit.data.tracked.folders import files_below
from wellfit.data.tracked.grouping import Grouped, grouped
from wellfit.data.tracked.keras import is_keras, may_be_keras, may_be_run, read_keras
from wellfit.data.tracked.lightning import METRICS, is_lightning, read_lightning
from wellfit.data.tracked.metrics import accuracies_of, history_of
from wellfit.data.tracked.mlflow import is_address, is_store, read_mlflow
from wellfit.data.tracked.optuna import is_journal, read_optuna
from wellfit.data.tracked.runs import Found, Tracked
from wellfit.data.tracked.tensorboard import is_events, read_tensorboard
from wellfit.data.tracked.wandb import is_wandb, read_wandb
from wellfit.errors import DataError

__all__ = ["curves_of", "is_tracked", "kind_of", "read_runs"]

Kind = Literal["mlflow", "wandb", "tensorboard", "lightning", "keras", "optuna"]

_SQLITE: Final = "sqlite:///"


def kind_of(path: Path | str) -> Kind | None:
    """Whose files a path leads to; None for predictions and whatever else.

    Args:
      path: of a file or a folder, or the address of a server.

    Raises:
      DataError: an SQLite database of another program.
    """
    if is_address(path):
        return "mlflow"
    place = Path(path)
    if place.is_dir():
        return _kind_of_folder(place)
    if not place.is_file():
        return None
    if is_database(place):
        if (program := program_of(place)) is None:
            raise DataError(f"{place}: an SQLite database of neither MLflow nor Optuna; save predictions as a table")
        return program
    return _kind_of_file(place)


def is_tracked(curves: Any) -> bool:
    """Whether curves are the files of a tracker or logger.

    Raises:
      DataError: as for ``kind_of``.
    """
    return isinstance(curves, str | Path) and kind_of(curves) is not None


def _kind_of_file(file: Path) -> Kind | None:
    if is_events(file.name):
        return "tensorboard"
    if is_journal(file):
        return "optuna"
    if is_lightning(file):
        return "lightning"
    if is_wandb(file):
        return "wandb"
    return "keras" if is_keras(file) else None


def _kind_of_folder(folder: Path) -> Kind | None:
    """Of a folder: what stands directly in it comes before what is deeper; predictions come first."""
    try:
        files = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror or error}); check its permissions") from None
    if any(is_archive(file) for file in files):
        return None
    if is_store(folder):
        return "mlflow"
    if any(_is_optuna(file) for file in files):
        return "optuna"
    tables = [file for file in files if is_table(file) and file.suffix.lower() != ".json"]
    for file in tables or files:
        kind = _kind_of_file(file)
        if kind is not None and (kind != "keras" or may_be_run(file)):
            return kind
    if tables:
        return None
    if any(is_lightning(file) for file in files_below(folder, METRICS.__eq__)):
        return "lightning"
    if any(files_below(folder, is_events)):
        return "tensorboard"
    return "keras" if any(may_be_run(file) for file in files_below(folder, may_be_keras)) else None


def _is_optuna(file: Path) -> bool:
    return is_journal(file) or (is_database(file) and program_of(file) == "optuna")


def read_runs(
    paths: Sequence[Path | str],
    *,
    labels: Path | None = None,
    classes: Sequence[str] | None = None,
    softmax: bool = False,
    tracked: Tracked | None = None,
    unpaired: bool = False,
    of_curves: bool = False,
) -> GivenRuns:
    """Read runs: their predictions, or what a tracker, a logger or a search keeps of them.

    Args:
      paths: of predictions, as for ``read_predictions``, or all of one other program: a store of MLflow, an exported
        table of W&B, log folders of TensorBoard, Lightning or Keras, a storage of Optuna.
      labels: a file with the labels of all examples, where predictions lack them.
      classes: the names of the classes, in the order of the columns.
      softmax: whether the predictions are logits.
      tracked: how the runs of other programs are read.
      unpaired: whether seeds of different variants have nothing in common; runs then need none.
      of_curves: whether curves of a tracker are read, too, to which its seed and variants then apply.

    Raises:
      DataError: files that cannot be read, or do not belong together; one line says why, and how to fix it.
    """
    tracked = tracked or Tracked()
    places = [_place(path) for path in paths]
    kinds = [kind_of(path) for path in places]
    if set(kinds) <= {None}:
        if {*tracked.given} - ({"seed", "by", "experiment"} if of_curves else set()):
            raise DataError(
                f"{paths[0]}: holds predictions or accuracies; {_options(tracked)} is for what trackers keep"
            )
        return read_predictions([Path(path) for path in places], labels=labels, classes=classes, softmax=softmax)
    found = _found(places, kinds, tracked)
    source = ", ".join(_called(path) for path in places[:3]) + (" ..." if len(places) > 3 else "")
    groups = grouped(found.runs, tracked, unpaired=unpaired)
    _check_names(groups, found)
    read = read_artifacts(found.runs, groups.runs, tracked, source, labels=labels, classes=classes, softmax=softmax,
                          keep=found.keep)  # fmt: skip
    if read is not None:
        given, caution, notes = read[0], "", [f"Predictions: the artifact {read[1]} of each run."]
    else:
        if labels is not None or classes or softmax:
            raise DataError(f"{paths[0]}: holds no predictions, so --labels, --classes and --softmax have no use here")
        given, notes, caution = _accuracies(found, groups, tracked, source)
    histories, about_curves = _histories(found, groups)
    return GivenRuns(
        given.runs,
        given.labels,
        given.classes,
        source,
        groups=given.groups,
        settings={name: {**given.settings.get(name, {}), **of} for name, of in groups.settings.items()},
        histories={**given.histories, **histories},
        notes=(f"Read: {len(given.runs)} runs of {found.kind}.", *groups.notes, *notes, *found.notes, *about_curves),
        caution=caution,
        measure=given.measure,
    )


def curves_of(
    curves: Any, given: GivenRuns, where: str, tracked: Tracked | None = None, *, unpaired: bool = False
) -> dict[tuple[str, int], History]:
    """The curves of runs, in a table of all, or as a logger keeps them.

    Args:
      curves: a DataFrame, or the path of a table, or of what TensorBoard, Lightning, Keras and others write.
      given: the runs, of which all curves must be.
      where: the argument or option, for errors.
      tracked: how the runs of a logger are read.
      unpaired: as for ``read_runs``.

    Raises:
      DataError: files that cannot be read, a run that is not judged, or one that is there twice.
    """
    path = Path(curves) if isinstance(curves, str | Path) else None
    if path is None or (kind := kind_of(path)) is None:
        return histories_of(curves, given, where)
    tracked = tracked or Tracked()
    which = replace(tracked, experiment=tracked.experiment if kind in ("mlflow", "optuna") else None, artifact=None)
    found = _found([path], [kind], which)
    settings = {name for run in found.runs for name in (*run.params, *run.labels)}
    if all(run.named for run in found.runs) and not settings & {which.seed, *which.by}:
        which = Tracked()  # what was said is about the runs that are judged
    groups = grouped(found.runs, which, unpaired=unpaired)
    _check_names(groups, found)
    known = {(run.variant, run.seed) for run in given.runs}
    for (variant, seed), run in zip(groups.runs, found.runs, strict=True):
        if (variant, seed) not in known:
            raise DataError(f"{run.where}: {variant!r}, seed {seed} is no run that is judged; leave it out")
    return _histories(found, groups)[0]


def _check_names(groups: Grouped, found: Found) -> None:
    fix = "keep one of the two, or name the settings that make a variant with --by"
    check_names(((*which, run.where) for which, run in zip(groups.runs, found.runs, strict=True)), fix)


def _place(path: Path | str) -> Path | str:
    """A path; addresses stay texts."""
    text = str(path)
    if is_address(text):
        return text
    return Path(text.removeprefix(_SQLITE)) if text.startswith(_SQLITE) else Path(path)


def _called(path: Path | str) -> str:
    return path if isinstance(path, str) else path.name or str(path)


def _options(tracked: Tracked) -> str:
    return "--seed-param" if tracked.given[0] == "seed" else f"--{tracked.given[0]}"


def _found(places: Sequence[Path | str], kinds: Sequence[Kind | None], tracked: Tracked) -> Found:
    """The runs of all paths, which must be of one program."""
    (first, kind), *others = zip(places, kinds, strict=True)
    for place, other in others:
        if other != kind:
            both = f"{other or 'predictions'} beside {kind or 'predictions'} ({first})"
            raise DataError(f"{place}: {both}; judge one kind at a time")
    if tracked.experiment and kind not in ("mlflow", "optuna"):
        raise DataError(f"{first}: --experiment is for MLflow and Optuna; leave it out")
    if tracked.artifact and kind != "mlflow":
        raise DataError(f"{first}: --artifact is for MLflow; leave it out")
    every = [_read(place, kind, tracked) for place in places]
    notes = list(dict.fromkeys(note for of in every for note in of.notes))
    return Found([run for of in every for run in of.runs], notes, every[0].kind, [of.keep for of in every])


def _read(place: Path | str, kind: Kind | None, tracked: Tracked) -> Found:
    if kind == "mlflow":
        return read_mlflow(place, tracked)
    path = Path(place)
    if kind == "optuna" and path.is_dir():
        files = sorted(file for file in path.iterdir() if file.is_file() and _is_optuna(file))
        every = [read_optuna(file, tracked) for file in files]
        return Found([run for of in every for run in of.runs], [note for of in every for note in of.notes], "Optuna")
    if kind == "optuna":
        return read_optuna(path, tracked)
    if kind == "wandb":
        return read_wandb(path)
    if kind == "tensorboard":
        return read_tensorboard(path)
    return read_lightning(path) if kind == "lightning" else read_keras(path)


def _accuracies(found: Found, groups: Grouped, tracked: Tracked, source: str) -> tuple[GivenRuns, list[str], str]:
    values, notes, caution = accuracies_of(found.runs, tracked)
    runs = [
        GivenRun(variant, seed, run.where, partial(np.zeros, 0), accuracy=value)
        for (variant, seed), run, value in zip(groups.runs, found.runs, values, strict=True)
    ]
    order = {name: at for at, name in enumerate(dict.fromkeys(run.variant for run in runs))}
    runs.sort(key=lambda run: (order[run.variant], run.seed))
    measure = (tracked.accuracy or "") if caution else ""
    return GivenRuns(tuple(runs), np.zeros(0, np.int32), (), source, measure=measure), notes, caution


def _histories(found: Found, groups: Grouped) -> tuple[dict[tuple[str, int], History], list[str]]:
    histories, notes = {}, []
    for which, run in zip(groups.runs, found.runs, strict=True):
        history, of_run = history_of(run)
        notes += of_run
        if history is not None:
            histories[which] = history
    return histories, list(dict.fromkeys(notes))
