"""Lightning's CSVLogger: a folder ``version_N`` with ``metrics.csv`` and ``hparams.yaml`` for each run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from wellfit.data.tracked.folders import files_below, parts_below, skipped_notes, yaml_in
from wellfit.data.tracked.grouping import named
from wellfit.data.tracked.logs import curves_in, header_of, last_of, table_of
from wellfit.data.tracked.runs import Found, TrackedRun
from wellfit.errors import DataError

__all__ = ["METRICS", "is_lightning", "read_lightning"]

METRICS = "metrics.csv"
"""The name of the file with the metrics of a run."""

HPARAMS = "hparams.yaml"
"""The name of the file with its settings."""


def is_lightning(path: Path) -> bool:
    """Whether a file is the metrics of a run."""
    return path.name == METRICS and {"epoch", "step"} <= set(header_of(path))


def read_lightning(path: Path) -> Found:
    """The runs in a folder and those within it.

    The number of a version counts runs and is no seed; ``--seed-param version`` takes it as one.

    Args:
      path: a folder, or the metrics of one run.

    Raises:
      DataError: a file that cannot be read.
    """
    root = path if path.is_dir() else path.parent
    skipped: Counter[str] = Counter()
    every = list(files_below(path, {METRICS, HPARAMS}.__contains__, skipped)) if path.is_dir() else [path]
    files = [file for file in every if file == path or file.name == METRICS]
    if not files:
        raise DataError(f"{path}: no {METRICS} of Lightning in it; give the folder lightning_logs")
    for file in files:
        if not is_lightning(file):
            what = "has no columns epoch and step, which Lightning's CSVLogger writes; repair it, or move it elsewhere"
            empty = "is empty, as where a run ended before its first epoch; remove its folder, or train it again"
            raise DataError(f"{file}: {what if file.stat().st_size else empty}")
    begun = {file.parent for file in every} - {file.parent for file in files}
    notes = [f"Left out: runs without {METRICS}, which ended before their first epoch ({len(begun)})."] if begun else []
    return Found([_run(file, root) for file in files], [*notes, *skipped_notes(skipped)], "Lightning")


def _run(file: Path, root: Path) -> TrackedRun:
    folder = file.parent
    parts = parts_below(folder, root)
    table = table_of(file)
    by_step, by_epoch = curves_in(table, "step"), curves_in(table, "epoch")
    counted = {"epoch", "step"}
    curves = {name: of for name, of in by_epoch.items() if name not in counted}
    last = {name: value for name, value in last_of(by_step).items() if name not in counted}
    labels = {"folder": "/".join(parts[:-1])} | ({"version": parts[-1][8:]} if parts[-1].startswith("version_") else {})
    # The step orders what one epoch logs twice, so the last value is by step, and the curve by epoch.
    return TrackedRun(str(folder), yaml_in(folder / HPARAMS), labels, last, curves, named(parts))
