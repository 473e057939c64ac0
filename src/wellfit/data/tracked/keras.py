"""Keras: a file of ``CSVLogger`` or a ``History`` as JSON for each run.

Source: CSVLogger writes the columns epoch, then metrics in alphabetical order; ``History.history`` is metric -> values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from wellfit.data.tables.files import stem_of
from wellfit.data.tracked.folders import files_below, json_in, parts_below, skipped_notes
from wellfit.data.tracked.grouping import named
from wellfit.data.tracked.logs import check_rising, curves_in, header_of, last_of, table_of
from wellfit.data.tracked.metrics import is_accuracy
from wellfit.data.tracked.runs import Found, TrackedRun, number
from wellfit.errors import DataError

__all__ = ["is_keras", "may_be_keras", "may_be_run", "read_keras"]

_OTHERS: Final = {"variant", "seed", "metric", "example", "step"}
_NAME: Final = "name each file VARIANT.SEED.csv or VARIANT.SEED.json, for example l2.0.csv"
_NO_METRICS: Final = ("lr", "learning_rate", "epoch", "steps", "verbose")


def is_keras(path: Path) -> bool:
    """Whether a file is one of ``CSVLogger``, or JSON, as a ``History`` may be."""
    if _is_json(path):
        return True
    header = header_of(path) if path.suffix.lower() in (".csv", ".log", ".tsv", ".txt") else ()
    return "epoch" in header[:1] and len(header) > 1 and not _OTHERS & set(header)


def may_be_run(path: Path) -> bool:
    """Whether a file among others is one of Keras; JSON only with lists of numbers or an accuracy, or if damaged."""
    if not _is_json(path):
        return is_keras(path)
    try:
        found = json_in(path)
    except DataError:
        return True  # whoever reads it says what is wrong
    if not isinstance(found, Mapping):
        return False
    lists = [of for of in found.values() if isinstance(of, list) and of]
    numbers = any(all(number(value) is not None for value in of) for of in lists)
    said = any(is_accuracy(str(name)) and number(of) is not None for name, of in found.items())
    return numbers or said or isinstance(found.get("history"), Mapping)


def read_keras(path: Path) -> Found:
    """The runs in a file, or in the files of a folder, where the table of a run comes before its JSON.

    Raises:
      DataError: a file of another form, or whose name says no variant and seed; or one named like a run that is none.
    """
    root = path if path.is_dir() else path.parent
    skipped: Counter[str] = Counter()
    every = list(files_below(path, may_be_keras, skipped)) if path.is_dir() else [path]
    files = [file for file in every if file == path or may_be_run(file)]
    tables = [file for file in files if not _is_json(file)]
    of_tables = {_named(file, root) for file in tables}
    read = [f for f in files if not (tables and _is_json(f)) or _named(f, root) not in (None, *of_tables)]
    runs = [_run(file, root) for file in read]
    others = _others([file for file in every if file not in read], runs, root)
    note = "Curves: of training, Keras's means over each epoch while the weights change, with dropout and penalties."
    notes = [note] if any(run.curves for run in runs) else []
    return Found(runs, [*notes, *others, *skipped_notes(skipped)], "Keras")


def _is_json(file: Path) -> bool:
    return file.suffix.lower() == ".json"


def _others(files: Sequence[Path], runs: Sequence[TrackedRun], root: Path) -> list[str]:
    """What is said of files that are no runs; one that is named like a further seed is refused."""
    read = {run.named for run in runs}
    variants = {variant for variant, _ in filter(None, read)}
    left = []
    for file in files:
        run = _named(file, root)
        if run is not None and run not in read and run[0] in variants:
            raise DataError(f"{file}: is named like a run, but holds no log of CSVLogger, whose first column is epoch, "
                            "and no History; repair it, or move it elsewhere")  # fmt: skip
        if run not in read:
            left.append(file.name)
    more = f", and {len(left) - 3} more" if len(left) > 3 else ""
    return [f"Not read, since no log of CSVLogger and no History: {', '.join(left[:3])}{more}."] if left else []


def may_be_keras(name: str) -> bool:
    """Whether a name ends like that of a log or a History."""
    return name.lower().endswith((".csv", ".log", ".tsv", ".txt", ".json"))


def _named(file: Path, root: Path) -> tuple[str, int] | None:
    """Variant and seed in the name of a file and of the folders around it."""
    *above, _ = parts_below(file, root)
    stem = file.name if stem_of(file) == file.name else stem_of(file)
    for suffix in (".json", ".log"):
        stem = stem.removesuffix(suffix)
    return named([*above, stem]) or named([root.resolve().name, *above, stem])


def _run(file: Path, root: Path) -> TrackedRun:
    if (run := _named(file, root)) is None:
        raise DataError(f"{file}: a name without variant and seed; {_NAME}")
    if _is_json(file):
        curves, single = _history(file)
    else:
        table = table_of(file)
        check_rising(table, "epoch")
        curves, single = curves_in(table, "epoch"), {}
    return TrackedRun(str(file), metrics=_of_split(last_of(curves)) | single, curves=_of_split(curves), named=run)


def _of_split(of: Mapping[str, Any]) -> dict[str, Any]:
    """Keras's names with the split of each: those without one are of training."""
    plain = ("val_", "test_", "train_", "test/", "evaluate_")
    return {
        name if name.lower().startswith(plain) else f"train_{name}": value
        for name, value in of.items()
        if name not in _NO_METRICS
    }


def _history(file: Path) -> tuple[dict[str, dict[int, float]], dict[str, float]]:
    """The curves in a History as JSON, and single numbers beside these, such as the test accuracy."""
    found = json_in(file)
    if isinstance(found, Mapping) and isinstance(found.get("history"), Mapping):
        found = {**found["history"], **{name: of for name, of in found.items() if number(of) is not None}}
    if not isinstance(found, Mapping) or not found:
        raise DataError(f"{file}: no History of Keras; write it with json.dump(history.history, file)")
    curves: dict[str, dict[int, float]] = {}
    single: dict[str, float] = {}
    for name, of in found.items():
        if isinstance(of, Sequence) and not isinstance(of, str):
            values = [number(value) for value in of]
            if any(value is None for value in values):
                raise DataError(f"{file}: {name!r} holds more than numbers; write it with json.dump(history.history, "
                                "file), with float(...) around values of NumPy")  # fmt: skip
            if values:
                curves[str(name)] = {at: value for at, value in enumerate(values) if value is not None}
        elif (value := number(of)) is not None:
            single[str(name)] = value
    if not curves and not single:
        raise DataError(f"{file}: holds no numbers; write it with json.dump(history.history, file)")
    return curves, single
