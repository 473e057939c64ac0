"""Studies of the same variants on several data sets, read from their directories and compared over the data sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from wellfit.analysis.comparisons import paired_components
from wellfit.analysis.crossed import VarianceComponents
from wellfit.analysis.over_datasets import OverDatasets, over_datasets
from wellfit.base import TestRows
from wellfit.errors import OtherStudyError
from wellfit.narrative.metrics import is_loss
from wellfit.narrative.outcomes import diverged_runs
from wellfit.store import open_existing
from wellfit.study.scored import comparison_in_own_unit
from wellfit.study.side_by_side import ReadStudy, read_study, scores_in

__all__ = ["DatasetStudies", "data_names", "study_datasets"]

Pair = tuple[str, str]


@dataclass(frozen=True, eq=False)
class DatasetStudies(OverDatasets):
    """Variants over several data sets, each a study; means and differences in the unit of the metric.

    Args:
      metric: what is compared, a key of a ``VariantSummary``'s means.
      margin: the largest difference of no practical interest: the smallest of those of the studies.
      directories: data set -> its study directory.
      sizes: data set -> the number of seeds, and of test examples.
      left_out: variants that not every study has tested.
      notes: what else a reader must know, as sentences.
    """

    metric: str
    margin: float
    directories: Mapping[str, str]
    sizes: Mapping[str, tuple[int, int]]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


class _Scored(NamedTuple):
    """What is kept of a study: no scores, which are large."""

    means: dict[str, float]
    components: dict[Pair, VarianceComponents]
    identical: list[Pair]


def data_names(directories: list[Path]) -> dict[str, Path]:
    """The directories by the names of their data; those of the directories are added where data share a name.

    Raises:
      StoreUnreadableError: one of them is not a study directory, or is damaged.
    """
    names = []
    for directory in directories:
        with open_existing(directory) as store:
            names.append(read_study(store).summary.data)
    several = {name for name in names if names.count(name) > 1}
    return {
        f"{name} ({directory})" if name in several else name: directory
        for name, directory in zip(names, directories, strict=True)
    }


def study_datasets(directories: Mapping[str, Path]) -> DatasetStudies:
    """Compare the variants that all studies have, over their data sets.

    Args:
      directories: the name of a data set -> the study directory of it; at least two.

    Raises:
      StoreUnreadableError: one of them is not a study directory, or is damaged.
      OtherStudyError: fewer than two data sets, the same data twice, another metric, or no two common variants.
      StudyFileError: no run of one of them has been tested.
    """
    if len(directories) < 2:
        given = ", ".join(map(str, directories.values())) or "none"
        raise OtherStudyError(f"one study directory for each of at least two data sets is needed; given: {given}")
    studies: dict[str, ReadStudy] = {}
    for name, directory in directories.items():
        with open_existing(directory) as store:
            studies[name] = read_study(store)
    _check(studies)
    first = next(iter(studies.values()))
    common = [v for v in first.seeds if all(v in study.seeds for study in studies.values())]
    if len(common) < 2:
        given = ", ".join(study.name for study in studies.values())
        raise OtherStudyError(f"{given}: fewer than two variants that all of them have tested; run studies with "
                              "variants of the same names")  # fmt: skip
    scored: dict[str, _Scored] = {}
    for name, directory in directories.items():
        with open_existing(directory) as store:
            scored[name] = _scored(studies[name]._replace(store=store), common)
    metric, margin = first.summary.compared, min(study.summary.margin for study in studies.values())
    found = over_datasets(
        {name: of.means for name, of in scored.items()},
        {name: of.components for name, of in scored.items()},
        margin,
        metric,
        [(name, pair) for name, of in scored.items() for pair in of.identical],
    )
    own = {
        "means": -found.means if is_loss(metric) else found.means,
        "averages": tuple(comparison_in_own_unit(first.summary.metric, c) for c in found.averages),
        "verdicts": {
            name: tuple(comparison_in_own_unit(first.summary.metric, c) for c in of)
            for name, of in found.verdicts.items()
        },
    }
    return DatasetStudies(
        **{**vars(found), **own},
        metric=metric,
        margin=margin,
        directories={name: str(directory) for name, directory in directories.items()},
        sizes={name: (len(study.rows), _judged(study)) for name, study in studies.items()},
        left_out=tuple(
            dict.fromkeys(v.name for s in studies.values() for v in s.summary.variants if v.name not in common)
        ),
        notes=tuple(_notes(studies, common)),
    )


def _check(studies: Mapping[str, ReadStudy]) -> None:
    """Refuse studies that are not of different data, or not comparable."""
    first, *others = studies.values()
    for study in others:
        if study.summary.metric != first.summary.metric:
            raise OtherStudyError(
                f"{study.name}: compared on {study.summary.metric}, and {first.name} on {first.summary.metric}; run "
                f"one of them again with --set compare.metric={first.summary.metric}, which trains nothing"
            )
    seen: dict[str, str] = {}
    for study in studies.values():
        found = str(study.summary.provenance.get("data hash", study.name))
        if found in seen:
            raise OtherStudyError(f"{study.name}: the same data as {seen[found]}; give one study directory for each "
                                  "data set, and compare two of the same data with: wellfit compare A B")  # fmt: skip
        seen[found] = study.name


def _scored(study: ReadStudy, names: list[str]) -> _Scored:
    """Means and components of a study."""
    scores = scores_in(study, {name: study.seeds[name] for name in names})
    tested = TestRows(study.rows, len(study.labels), study.groups)
    pairs = list(combinations(names, 2))
    components = paired_components(scores, pairs, tested)
    missing = [pair for pair in pairs if pair not in components]
    if missing:
        raise OtherStudyError(f"{study.name}: {' and '.join(missing[0])} have no seed in common; train both with the "
                              "same seeds")  # fmt: skip
    identical = [
        (a, b)
        for a, b in pairs
        if all(np.array_equal(scores[a][seed], scores[b][seed]) for seed in scores[a].keys() & scores[b].keys())
        and len(study.labels)  # of equal accuracies alone, nobody knows
    ]
    of_all = {name: np.concatenate([np.atleast_1d(one) for one in of.values()]) for name, of in scores.items()}
    means = {name: float(np.mean(of, dtype=np.float64)) for name, of in of_all.items()}
    return _Scored(means, components, identical)


def _judged(study: ReadStudy) -> int:
    """How many test examples any seed judges."""
    return len(set().union(*(rows.tolist() for rows in study.rows.values())))


def _notes(studies: Mapping[str, ReadStudy], common: list[str]) -> list[str]:
    """What limits the comparison."""
    told = []
    for study in studies.values():
        summary = study.summary
        if summary.accuracies_alone:
            told.append(f"{study.name}: only accuracies are known, so only the seeds count, not the test examples.")
        if summary.state != "finished":
            told.append(f"{study.name} is not finished; its numbers may still change.")
        if study.looked:
            told.append(f"{study.name}: seeds were added after its results were seen, so the chance of a false verdict "
                        "is above 5 %.")  # fmt: skip
        lost = [v.name for v in summary.variants if v.name in common and diverged_runs(v)]
        if lost:
            told.append(f"{study.name}: runs of {', '.join(lost)} diverged; only the others are compared.")
    return told
