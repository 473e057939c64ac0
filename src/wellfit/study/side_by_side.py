"""Two studies side by side: variants of the same name compared with each other, paired where data and split agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.comparisons import compare_pairs, judged
from wellfit.analysis.crossed import variance_components
from wellfit.analysis.independent import independent_components
from wellfit.analysis.metrics import correctness
from wellfit.base import Comparison, IntArray, StudySummary, TestRows, VariantSummary
from wellfit.errors import OtherStudyError, StudyFileError
from wellfit.narrative.outcomes import diverged_runs
from wellfit.spec.identity import setting_differences
from wellfit.store import Store, open_existing
from wellfit.study.interim import recorded
from wellfit.study.scored import comparison_in_own_unit, scores_of_runs
from wellfit.study.summarize import summary_of

__all__ = ["ReadStudy", "SideBySide", "compare_studies", "read_study", "scores_in", "to_json"]

_FACTS: Final = ("data", "data hash", "split", "split hash", "wellfit", "code hash", "jax", "devices", "kernels")
"""Entries of the provenance that are listed where they differ."""

_AGREE: Final = ("data hash", "split hash")
"""Those that must agree in two studies that are paired."""

Scores = dict[str, dict[int, NDArray[Any]]]


@dataclass(frozen=True, eq=False)
class SideBySide:
    """Two studies, and every variant that both have, compared across them.

    Args:
      first, second: the studies; differences are the second minus the first.
      comparisons: one for each variant that both have tested, in the order of the first; ``variant`` and ``against``
        are both its name.
      paired: whether they are paired by seed and by test example.
      how: how they are compared, and why not paired, as sentences.
      seeds: those that are compared: variant -> seeds of the first, seeds of the second.
      survivors: the variants of which a run diverged in either study: only the other runs are compared.
      only_first, only_second: variants that only one study has, or has tested.
      differences: what else differs: name -> both values, as text.
      margin: the largest difference of no practical interest: the smaller of those of the studies.
    """

    first: StudySummary
    second: StudySummary
    comparisons: tuple[Comparison, ...]
    paired: bool
    how: tuple[str, ...]
    seeds: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]
    survivors: tuple[str, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    differences: Mapping[str, tuple[str, str]]
    margin: float


class ReadStudy(NamedTuple):
    """What is read from a directory.

    Args:
      labels: of all test examples.  # (N,)
      rows: seed -> which of them it judges.  # (m,) each
      seeds: variant -> the seeds of its tested runs; variants without any are left out.
      looked: whether seeds were added after results were seen.
    """

    store: Store
    summary: StudySummary
    labels: IntArray
    groups: IntArray | None
    rows: dict[int, IntArray]
    seeds: dict[str, tuple[int, ...]]
    looked: bool

    @property
    def name(self) -> str:
        """The directory as it was given."""
        return self.summary.directory


def compare_studies(first: Path, second: Path) -> SideBySide:
    """Compare two study directories, finished or not.

    Variants of the same name are compared with each other, the second study minus the first, with one correction over
    all of them. If data and split agree they are paired by seed and test example, see ``compare_pairs``; otherwise
    their means are compared as independent ones, see ``independent_components``.

    Raises:
      StoreUnreadableError: one of them is not a study directory, or is damaged.
      OtherStudyError: they have other classes, another metric, no common variant, or are the same directory.
      StudyFileError: no run of one of them has been tested.
    """
    if first.resolve() == second.resolve():
        raise OtherStudyError(f"{second}: the same directory as {first}; give two directories")
    with open_existing(first) as one, open_existing(second) as other:
        studies = read_study(one), read_study(other)
        _check(*studies)
        names = [name for name in studies[0].seeds if name in studies[1].seeds]
        if not names:
            raise OtherStudyError(
                f"{second}: has no tested variant of the same name as {first}, which has "
                f"{', '.join(list(studies[0].seeds)[:5])}; compare studies with a variant of the same name"
            )
        why = _unpaired(*studies, names)
        margin = min(study.summary.margin for study in studies)
        seeds = {name: (studies[0].seeds[name], studies[1].seeds[name]) for name in names}
        if not why:
            common = {name: tuple(seed for seed in a if seed in b) for name, (a, b) in seeds.items()}
            seeds = {name: (of, of) for name, of in common.items()}
        comparisons = _compared(*studies, seeds, margin, paired=not why)
    before, after = (study.summary for study in studies)
    return SideBySide(
        first=before,
        second=after,
        comparisons=comparisons,
        paired=not why,
        how=(_how(why, before, after), *_cautions(*studies, seeds, paired=not why)),
        seeds=seeds,
        survivors=tuple(name for name in names if diverged_runs(_of(before, name)) + diverged_runs(_of(after, name))),
        only_first=tuple(v.name for v in before.variants if v.name not in names),
        only_second=tuple(v.name for v in after.variants if v.name not in names),
        differences=_differences(before, after),
        margin=margin,
    )


def to_json(found: SideBySide, version: str) -> dict[str, Any]:
    """The plain data that ``wellfit compare --json`` prints."""
    keys = ("name", "title", "data", "state", "seeds", "directory", "fingerprint")
    metric = found.first.compared

    def of(variant: VariantSummary) -> dict[str, Any]:
        return {"mean": variant.mean.get(metric), "interval": variant.interval.get(metric)}

    def plain(c: Comparison) -> dict[str, Any]:
        name = c.variant
        both = {"first": of(_of(found.first, name)), "second": of(_of(found.second, name))}
        entries = {key: value for key, value in vars(c).items() if key != "against"}
        return entries | both | {"seeds": found.seeds[name], "survivors": name in found.survivors}

    return {
        "wellfit": version,
        "first": {key: getattr(found.first, key) for key in keys},
        "second": {key: getattr(found.second, key) for key in keys},
        "metric": found.first.metric,
        "margin": found.margin,
        "paired": found.paired,
        "how": found.how,
        "comparisons": [plain(c) for c in found.comparisons],
        "only_first": found.only_first,
        "only_second": found.only_second,
        "differences": found.differences,
    }


# --- Reading ----------------------------------------------------------------------------------------------------------


def read_study(store: Store) -> ReadStudy:
    """What a comparison of studies reads of one.

    Raises:
      StudyFileError: no run of it has been tested.
    """
    summary = summary_of(store)
    labels, _ = store.keepsakes.labels()
    tested = {v.name: tuple(run.seed for run in v.runs if run.test_accuracy is not None) for v in summary.variants}
    seeds = {name: of for name, of in tested.items() if of}
    if not seeds:
        raise StudyFileError(f"{summary.directory}: no run has been tested, so nothing can be compared; run it first")
    rows: dict[int, IntArray] = {}
    for name, of in seeds.items():
        for seed in of:
            if seed not in rows and not len(labels):  # accuracies alone
                rows[seed] = np.zeros(0, np.int64)
            elif seed not in rows:
                found = store.runs.tested(name, seed).rows
                rows[seed] = np.arange(len(labels)) if found is None else found
    looked = any(summary.earlier_looks) or recorded(store) is not None
    return ReadStudy(store, summary, labels, store.keepsakes.test_groups(), rows, seeds, looked)


def _check(first: ReadStudy, second: ReadStudy) -> None:
    """Refuse studies whose results mean different things."""
    one, other = first.summary, second.summary
    if one.accuracies_alone != other.accuracies_alone:
        alone, whole = (first, second) if one.accuracies_alone else (second, first)
        raise OtherStudyError(f"{alone.name}: only accuracies are known, and {whole.name} has predictions; compare "
                              "studies of one kind")  # fmt: skip
    if one.classes != other.classes:
        here, there = (
            f"{len(s.classes)} ({', '.join(s.classes[:5])}{', ...' * (len(s.classes) > 5)})" for s in (other, one)
        )
        raise OtherStudyError(f"{second.name}: other classes than {first.name}: {here}, not {there}; "
                              "compare studies of the same classes")  # fmt: skip
    if one.metric != other.metric:
        raise OtherStudyError(
            f"{second.name}: compared on {other.metric}, and {first.name} on {one.metric}; run one of them again with "
            f"--set compare.metric={one.metric}, which trains nothing"
        )


def _unpaired(first: ReadStudy, second: ReadStudy, names: Sequence[str]) -> str:
    """Why the two cannot be paired; empty if they can."""
    if first.summary.accuracies_alone:
        return "nothing says whether accuracies alone rest on the same test examples"
    facts = first.summary.provenance, second.summary.provenance
    for key in _AGREE:
        if facts[0].get(key) != facts[1].get(key) or key not in facts[0]:
            return "other data" if key == "data hash" else "the same data, but another split"
    common = {name: {*first.seeds[name]} & {*second.seeds[name]} for name in names}
    few = min(len(study.seeds[name]) for study in (first, second) for name in names)
    if min(map(len, common.values())) < min(2, few):
        return "the same data and split, but too few common seeds"
    same = np.array_equal(first.labels, second.labels) and all(
        np.array_equal(first.rows[seed], second.rows[seed]) for seed in set().union(*common.values())
    )
    return "" if same else "the same data, but other test examples"


# --- Comparing --------------------------------------------------------------------------------------------------------


def _compared(
    first: ReadStudy,
    second: ReadStudy,
    seeds: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]],
    margin: float,
    *,
    paired: bool,
) -> tuple[Comparison, ...]:
    metric = first.summary.metric
    before = scores_in(first, {name: of for name, (of, _) in seeds.items()})
    after = scores_in(second, {name: of for name, (_, of) in seeds.items()})
    if paired:
        scores = {f"{at}{name}": of for at, side in ((1, before), (2, after)) for name, of in side.items()}
        tested = TestRows(first.rows, len(first.labels), first.groups)
        pairs = [(f"2{name}", f"1{name}") for name in seeds]
        found = compare_pairs(scores, pairs, margin, tested=tested, metric=first.summary.compared)
        found = tuple(replace(c, variant=c.variant[1:], against=c.against[1:]) for c in found)
    else:
        components = {}
        for name in seeds:
            sides = [
                variance_components(
                    list(scores[name].values()),
                    TestRows(study.rows, len(study.labels), study.groups).only(list(scores[name])),
                )
                for study, scores in ((second, after), (first, before))
            ]
            components[name, name] = independent_components(*sides)
        found = judged(components, margin, metric=first.summary.compared)
    return tuple(comparison_in_own_unit(metric, c) for c in found)


def scores_in(study: ReadStudy, seeds: Mapping[str, Sequence[int]]) -> Scores:
    """Variant -> seed -> score of each example that the seed judges, the larger the better."""
    metric, labels = study.summary.metric, study.labels
    scores: Scores = {}
    for name, of in seeds.items():
        if not len(labels):
            runs = next(v.runs for v in study.summary.variants if v.name == name)
            known = {run.seed: run.test_accuracy for run in runs}
            scores[name] = {seed: np.asarray(known[seed], np.float64) for seed in of}  # () each
        elif metric == "accuracy":
            results = {seed: study.store.runs.tested(name, seed) for seed in of}
            scores[name] = {seed: correctness(test.probabilities, test.of(labels)) for seed, test in results.items()}
        else:
            rows = {seed: study.rows[seed] for seed in of}
            scores[name] = scores_of_runs(study.store, metric, name, rows, labels)[0]
    return scores


# --- Words ------------------------------------------------------------------------------------------------------------


def _how(why: str, first: StudySummary, second: StudySummary) -> str:
    if not why:
        return "Paired by seed and by test example: both studies have the same data and the same split."
    shared = first.provenance.get("data hash") == second.provenance.get("data hash")
    wide = "; where they share examples, the intervals are rather too wide than too narrow" if shared else ""
    return f"Not paired: {why}. Their means are compared as independent ones{wide}."


def _cautions(
    first: ReadStudy, second: ReadStudy, seeds: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]], *, paired: bool
) -> list[str]:
    told = []
    for study in (first, second):
        left = (
            sorted({s for name, (of, _) in seeds.items() for s in study.seeds[name] if s not in of}) if paired else []
        )
        if left:
            which = f"seed {left[0]}" if len(left) == 1 else f"seeds {', '.join(map(str, left))}"
            told.append(
                f"Differences leave out {which} of {study.name}, which the other study lacks; means are over all seeds "
                "of each study."
            )
        if study.summary.state != "finished":
            told.append(f"{study.name} is not finished; its numbers may still change.")
        if study.looked:
            told.append(
                f"{study.name} got seeds after results were seen; the p-values and verdicts here do not allow for that."
            )
    return told


def _differences(first: StudySummary, second: StudySummary) -> dict[str, tuple[str, str]]:
    """Settings and facts in which the two differ."""
    found = {key: (a, b) for key, a, b in setting_differences(first.settings, second.settings)}
    facts = first.provenance, second.provenance
    unknown = "unknown"
    return found | {
        key: (facts[0].get(key, unknown), facts[1].get(key, unknown))
        for key in _FACTS
        if facts[0].get(key) != facts[1].get(key)
    }


def _of(summary: StudySummary, name: str) -> VariantSummary:
    return next(v for v in summary.variants if v.name == name)
