"""Files and folders of predictions: which reader takes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from wellfit.data.arrays.files import refuse_pickles
from wellfit.data.predictions.archives import is_archive, read_archives
from wellfit.data.predictions.labels import is_labels, labels_in
from wellfit.data.predictions.runs import GivenRuns, run_named
from wellfit.data.predictions.tables import read_tables
from wellfit.data.tables.files import is_table
from wellfit.errors import DataError
from wellfit.files import form_of

__all__ = ["read_predictions"]

_INSTEAD: Final = (
    "save predictions with np.savez('VARIANT.SEED.npz', probabilities=p), or a History of Keras with "
    "json.dump(history.history, open('VARIANT.SEED.json', 'w'))"
)
_OURS: Final = "keepsakes.npz"
"""In the folder test of a study directory, whose other files are predictions and labels in the form read here."""


def read_predictions(
    paths: Sequence[Path], *, labels: Path | None = None, classes: Sequence[str] | None = None, softmax: bool = False
) -> GivenRuns:
    """Read the predictions of runs.

    Args:
      paths: tables, NumPy archives, or folders of either.
      labels: a file with the labels of all examples, where neither the tables nor the folder has them.
      classes: the names of the classes, in the order of the columns.
      softmax: whether the values are logits.

    Raises:
      DataError: files that cannot be read, or do not belong together; one line says why, and how to fix it.
    """
    files = [file for path in paths for file in _files(path)]
    source = ", ".join(path.name or str(path) for path in paths[:3]) + (" ..." if len(paths) > 3 else "")
    for file in files:
        refuse_pickles(file, _INSTEAD)
    runs = [file for file in files if not is_labels(file)]
    archives = [file for file in runs if is_archive(file)]
    if archives and len(archives) < len(runs):
        table = next(file for file in runs if not is_archive(file))
        raise DataError(f"{table}: a table beside {archives[0].name}; give NumPy archives or tables, not both")
    apart = [labels] if labels is not None else [file for file in files if is_labels(file)]
    if len(apart) > 1:
        first, *others = [labels_in(file) for file in apart]
        if odd := next((file for file, of in zip(apart[1:], others, strict=True) if not first.same(of)), None):
            raise DataError(f"{odd}: holds other labels than {apart[0]}; keep one of the files, or give --labels FILE")
    if not runs:
        raise DataError(f"{source}: no predictions; give tables (.csv, .parquet) or archives named VARIANT.SEED.npz")
    read = read_archives if archives else read_tables
    return read(runs, source, labels=apart[0] if apart else None, classes=classes, softmax=softmax)


def _files(path: Path) -> list[Path]:
    """A file, or those of a folder that can be read."""
    form = form_of(path)
    if form is None:
        raise DataError(f"{path}: no such file or folder; give the path of the predictions")
    if form == "a file":
        return [path]
    if form != "a folder":
        raise DataError(f"{path}: {form}, not a file or folder; give the path of the predictions")
    try:
        every = sorted(file for file in path.iterdir() if not file.name.startswith("."))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
    files = [file for file in every if file.is_file()]
    if any(file.name == "study.db" for file in files):
        raise DataError(f"{path}: is a study directory, which wellfit show {path} opens; judge the folder test in it")
    inside = [file for file in files if file.name != _OURS]
    for file in every:
        if file not in files and (is_labels(file) or run_named(file.stem) is not None):
            what = form_of(file) or "a link that leads nowhere"
            raise DataError(f"{file}: {what}, not a file; put the file there, or remove this")
    found = [file for file in inside if is_archive(file) or is_table(file) or is_labels(file)]
    if not any(is_archive(file) or is_table(file) for file in found):
        for file in inside:
            refuse_pickles(file, _INSTEAD)
        raise DataError(
            f"{path}: no predictions in it; give tables (.csv, .parquet) or archives named VARIANT.SEED.npz"
        )
    return found
