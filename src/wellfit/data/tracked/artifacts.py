"""Predictions among the artifacts of tracked runs: which file of each run, and its reader."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from wellfit.data.predictions.archives import is_archive, read_archives
from wellfit.data.predictions.labels import is_labels, labels_in
from wellfit.data.predictions.runs import GivenRuns
from wellfit.data.predictions.tables import read_tables
from wellfit.data.tracked.metrics import split_of
from wellfit.data.tracked.runs import Tracked, TrackedRun
from wellfit.errors import DataError

__all__ = ["may_be_predictions", "read_artifacts"]

_ENDINGS: Final = (".npz", ".csv", ".csv.gz", ".tsv", ".parquet")
_SAYS_SO: Final = re.compile(r"pred|prob|logit|y_score", re.IGNORECASE)


def may_be_predictions(name: str) -> bool:
    """Whether the name of an artifact is that of predictions or labels, in a form that is read.

    Example:
      >>> [may_be_predictions(name) for name in ("test_predictions.npz", "labels.npz", "losses.csv", "pred.pkl")]
      [True, True, False, False]
    """
    return name.lower().endswith(_ENDINGS) and (_SAYS_SO.search(name) is not None or is_labels(Path(name)))


def read_artifacts(
    runs: Sequence[TrackedRun],
    named: Sequence[tuple[str, int]],
    tracked: Tracked,
    source: str,
    *,
    labels: Path | None = None,
    classes: Sequence[str] | None = None,
    softmax: bool = False,
    keep: Any = None,
) -> tuple[GivenRuns, str] | None:
    """The predictions of runs, and which artifact they are; None if no run has any.

    Args:
      runs: at least one.
      named: variant and seed of each.
      tracked: which artifact, where there are several.
      source: where they come from, for headlines.
      labels, classes, softmax: as for other predictions.
      keep: what must live as long as the files.

    Raises:
      DataError: several artifacts that could be it, or runs without; as for the readers.
    """
    name = _artifact(runs, tracked)
    if name is None:
        return None
    for run in runs:
        if name not in run.artifacts:
            have = sum(name in other.artifacts for other in runs)
            raise DataError(
                f"{run.where}: has no artifact {name!r}, which {have} of {len(runs)} runs have; log it, leave the run "
                "out, or judge metrics with --accuracy NAME"
            )
    of_file = {run.artifacts[name]: which for run, which in zip(runs, named, strict=True)}
    labels = labels or _labels(runs)
    read = read_archives if is_archive(Path(name)) else read_tables
    given = read(list(of_file), source, labels=labels, classes=classes, softmax=softmax, named=of_file)
    if keep is not None:
        kept = tuple(run._replace(values=partial(_while, keep, run.values)) for run in given.runs)
        given = replace(given, runs=kept)
    return given, name


def _while(keep: Any, values: Any) -> Any:
    """Values whose file lives as long as what is kept."""
    return values()


def _artifact(runs: Sequence[TrackedRun], tracked: Tracked) -> str | None:
    """The path of the predictions among the artifacts of each run."""
    names = list(dict.fromkeys(name for run in runs for name in run.artifacts if not is_labels(Path(name))))
    if tracked.artifact is not None:
        if tracked.artifact not in names:
            shown = ", ".join(names[:8]) or "none"
            raise DataError(f"{runs[0].where}: no run has predictions as the artifact {tracked.artifact!r} (there are: "
                            f"{shown}); log them as predictions.npz or predictions.csv")  # fmt: skip
        return tracked.artifact
    if tracked.accuracy is not None:
        return None
    of_test = [name for name in names if split_of(name) == "test"]
    candidates = of_test or [name for name in names if split_of(name) is None]
    if len(candidates) > 1:
        shown = ", ".join(map(repr, candidates[:6]))
        raise DataError(f"{runs[0].where}: the artifacts {shown} could each be the predictions; choose with "
                        "--artifact PATH, or judge metrics with --accuracy NAME")  # fmt: skip
    return candidates[0] if candidates else None


def _labels(runs: Sequence[TrackedRun]) -> Path | None:
    """The labels among the artifacts, which must be the same in all runs."""
    files = [file for run in runs for name, file in run.artifacts.items() if is_labels(Path(name))]
    first = labels_in(files[0]) if files else None
    for file in files[1:]:
        if first is not None and not np.array_equal(labels_in(file).values, first.values):
            raise DataError(f"{file}: other labels than {files[0]}; judge runs of the same test examples")
    return files[0] if files else None
