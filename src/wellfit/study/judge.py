"""A study directory of runs that others trained: it holds what they predicted, and everything that judges a study."""

from __future__ import annotations

import datetime
import hashlib
import json
import math
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit import __version__
from wellfit.analysis.metrics import accuracy, log_loss
from wellfit.analysis.scores import LOSSES, MARGINS
from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import History, Recipe
from wellfit.data.predictions.runs import GivenRun, GivenRuns, baseline_first, check_examples, check_names, renumbered
from wellfit.errors import DataError, StudyFileError, UnknownNameError
from wellfit.files import NAME_RULE, SAFE_NAME
from wellfit.spec.reading import plain_of
from wellfit.spec.source import builtin_studies
from wellfit.spec.study import DataSpec, StudySpec, check_utf8, resolved
from wellfit.store import create_or_open
from wellfit.store.runs import JudgedRun
from wellfit.study.beside import built_beside, check_new
from wellfit.study.interim import record_analysis, record_plan
from wellfit.study.provenance import without_home

__all__ = ["IN_ORDER", "UNPAIRED", "judge_runs", "look_of", "paired", "with_settings"]

UNPAIRED: Final = "--unpaired (unpaired=True)"
"""The option that numbers the runs of each variant from 0."""

IN_ORDER: Final = "in the order of their seeds"
"""How `paired` begins where they were."""

_CLASSES_DO: Final = ("accuracy", "balanced_accuracy", "macro_f1")
"""The metrics that need no probabilities."""

_LONGEST_TITLE: Final = 300


def judge_runs(
    given: GivenRuns,
    out: Path,
    *,
    baseline: str | None = None,
    name: str = "judged",
    title: str | None = None,
    metric: str = "accuracy",
    margin: float | None = None,
    unpaired: bool = False,
    look: tuple[int, int] | None = None,
    histories: Mapping[tuple[str, int], History] | None = None,
    command: str = "",
) -> None:
    """Write the study directory of runs that others trained; it is there whole or not at all.

    Args:
      given: the runs.
      out: the directory, which must not exist.
      baseline: the variant that the others are compared with; by default the one of that name, or the first.
      name, title: of the study.
      metric: what variants are compared on, as in ``[compare]``.
      margin: the largest difference in it that does not matter; by default that of a study.
      unpaired: whether seeds of different variants have nothing in common; their runs are then paired in order.
      look: which of how many equally spaced looks at a growing number of seeds this is.
      histories: variant and seed -> the epochs of the run, which take the place of those that came with it.
      command: what the user typed.

    Raises:
      DataError: predictions that are none, or that cannot be compared.
      StudyFileError: a metric or a look that the predictions do not allow; an unknown name.
      StoreError: ``out`` exists or cannot be written.
    """
    check_new(out, "judge")
    check_names((run.variant, run.seed, run.where) for run in given.runs)
    given = replace(given, histories={**given.histories, **(histories or {})})
    given = renumbered(given) if unpaired else given
    order = baseline_first(given, baseline)
    check_examples(given.runs, len(given.labels))
    how = paired(given, order[0], unpaired=unpaired)
    interim = None if look is None else look_of(look, {len(seeds) for seeds in given.variants.values()})
    _check_metric(given, metric)
    _check_scorable(given, metric)
    _check_words(name, title, margin, metric)
    given = replace(
        given,
        notes=(*given.notes, *([] if unpaired else _missing_seeds(given))),
        caution=" ".join(filter(None, (given.caution, _about_splits(given)))),
    )
    by = f" in {given.measure}" if given.measure else ""
    question = f"Does any variant differ from {order[0]}{by}?" if len(order) > 1 else f"How good is {order[0]}{by}?"
    spec = StudySpec(
        name=name,
        title=title or question,
        data=DataSpec(given.source),
        base=Recipe(),
        variants={variant: plain_of(given.settings.get(variant, {})) for variant in order},
        seeds=tuple(sorted({run.seed for run in given.runs})),
        metric=metric,  # type: ignore[arg-type]
        margin=MARGINS[metric] if margin is None else margin,
        elsewhere=True,
    )
    place = {variant: at for at, variant in enumerate(order)}
    runs = sorted(given.runs, key=lambda run: (place[run.variant], run.seed))
    with (
        built_beside(out) as beside,
        create_or_open(beside, resolved(spec), provenance=_provenance(given, how, command)) as store,
    ):
        if len(given.labels):
            store.keepsakes.save_labels(given.labels, given.classes, given.groups)
        if interim is not None:
            record_plan(store, interim)
        store.metadata.mark_test_opened()
        store.runs.save_judged(_judged(runs, given))
        if interim is not None:
            record_analysis(store, interim, spec.seeds)
        store.metadata.write_note("examples", {"test": len(given.labels)})


def _about_splits(given: GivenRuns) -> str:
    """What verdicts over parts of the examples leave open; empty if every seed judged all of them.

    Source: Nadeau & Bengio (2003), "Inference for the generalization error", Machine Learning 52:239-281.
    """
    parts = {run.seed: run.rows for run in given.runs if run.rows is not None}
    if not parts:
        return ""
    told = "Seeds judged parts of the examples, as the splits of a cross-validation do, which share training examples"
    if len(np.unique(np.concatenate(list(parts.values())))) == sum(map(len, parts.values())):
        return f"{told}: verdicts hold for networks trained on examples like these, not for every other training set"
    return (
        f"{told}, and examples were judged by several: these count as more evidence than they are, so that the "
        "probability of a false claim is above 5 %; judge one round of a cross-validation"
    )


def _missing_seeds(given: GivenRuns) -> list[str]:
    """Which variants lack seeds that others have."""
    every = {run.seed for run in given.runs}
    lacking = {name: sorted(every.difference(seeds)) for name, seeds in given.variants.items()}
    missing = [f"{name!r} has no {_listed(seeds)}" for name, seeds in lacking.items() if seeds]
    if not missing:
        return []
    more = f", and {len(missing) - 3} more variants lack some" if len(missing) > 3 else ""
    return [
        f"Compared over the seeds that both variants have: {'; '.join(missing[:3])}{more}. Means are over all seeds."
    ]


def _check_scorable(given: GivenRuns, metric: str) -> None:
    """Refuse runs whose test examples no metric can score, before anything is written."""
    for run in given.runs if len(given.labels) else ():
        truth = given.labels if run.rows is None else given.labels[run.rows]
        where = f"{run.where}, seed {run.seed}"
        if len(truth) < 2:
            raise DataError(f"{where}: one test example; give each run at least two")
        if metric == "roc_auc" and len(np.unique(truth)) < 2:
            raise DataError(f"{where}: all its examples belong to one class; choose another metric than roc_auc")


def _check_words(name: str, title: str | None, margin: float | None, metric: str) -> None:
    """Refuse a name, a title or a margin that no study can have."""
    if not SAFE_NAME.fullmatch(name):
        raise StudyFileError(f"name {name!r}: a name has {NAME_RULE}")
    if name in builtin_studies():
        raise StudyFileError(f"name {name!r}: is that of a built-in study; choose another")
    if title is not None:
        check_utf8(title, "title")
        if not title.strip() or len(title.splitlines()) > 1 or len(title) > _LONGEST_TITLE:
            fix = f"give the question in one line of at most {_LONGEST_TITLE} characters"
            raise StudyFileError(f"title {title[:60]!r}: {fix}")
    if margin is not None and not 0 <= margin < math.inf:
        raise StudyFileError(f"margin {margin:g}: give 0 or the largest difference that does not matter")
    if margin is not None and metric not in LOSSES and margin >= 1:
        raise StudyFileError(f"margin {margin:g}: {metric} is at most 1; one percentage point is 0.01")


def _judged(runs: Sequence[GivenRun], given: GivenRuns) -> Iterator[JudgedRun]:
    """Each run with its answers, which are read, checked and scored one after the other."""
    for run in runs:
        history = given.histories.get((run.variant, run.seed), History({}))
        if run.accuracy is not None:
            yield JudgedRun(run.variant, run.seed, {}, run.accuracy, history=history)
            continue
        values, truth = _answers(run), given.labels if run.rows is None else given.labels[run.rows]
        rows = {} if run.rows is None else {"rows": run.rows}
        if values.ndim == 1:
            kind = np.min_scalar_type(len(given.classes))
            arrays = {"predicted": values.astype(kind), **rows}
            yield JudgedRun(run.variant, run.seed, arrays, float((values == truth).mean()), history=history)
        else:
            loss = log_loss(values.astype(np.float64), truth)
            arrays = {"probabilities": values, **rows}
            yield JudgedRun(run.variant, run.seed, arrays, accuracy(values, truth), loss, history)


def _answers(run: GivenRun) -> NDArray[Any]:
    """What a run predicts; a file that cannot be read is not taken for a directory that cannot be written."""
    try:
        return run.values()
    except OSError as error:
        raise DataError(f"{run.where}: cannot be read ({error.strerror or error}); check its permissions") from None


def with_settings(given: GivenRuns, settings: Mapping[str, Mapping[str, Any]], where: str) -> GivenRuns:
    """The runs with what their variants were trained with, to be shown.

    Raises:
      StudyFileError: settings of another form.
      UnknownNameError: settings of an unknown variant.
    """
    for name, of in settings.items():
        if name not in given.variants:
            raise UnknownNameError("variant", name, list(given.variants), where)
        if not isinstance(of, Mapping):
            raise StudyFileError(f"{where}: {name!r} is of type {type(of).__name__}; give name -> value")
        try:
            json.dumps(plain_of(of), allow_nan=False)
        except (TypeError, ValueError):
            raise StudyFileError(f"{where}: {name!r} holds more than texts, numbers and lists; leave it out") from None
    return replace(given, settings={**given.settings, **settings})


def _check_metric(given: GivenRuns, metric: str) -> None:
    """Refuse a metric that these predictions do not have."""
    if metric not in MARGINS:
        raise StudyFileError(f"metric {metric!r}: is none of {', '.join(MARGINS)}; give one of these")
    if not len(given.labels) and metric != "accuracy":
        raise StudyFileError(f"metric {metric!r}: only accuracies are known; give the predictions of every example")
    if metric not in _CLASSES_DO and _answers(given.runs[0]).ndim == 1:
        raise StudyFileError(f"metric {metric!r}: takes probabilities, and only classes are known; give probabilities, "
                             f"or compare by {', '.join(_CLASSES_DO)}")  # fmt: skip


def paired(given: GivenRuns, first: str, *, unpaired: bool = False) -> str:
    """How the runs of different variants are paired: the end of a sentence.

    Args:
      given: the runs, numbered as they are paired.
      first: the variant that the others are compared with.
      unpaired: whether they were numbered from 0.

    Raises:
      DataError: a variant has too few seeds in common with the first, though both have several.
    """
    of, examples = (
        given.variants,
        " and by test example" if len(given.labels) else "; single test examples are not known",
    )
    if unpaired:
        return f"{IN_ORDER}, which have nothing in common{examples}"
    for name, seeds in of.items():
        common = set(seeds) & set(of[first])
        if len(common) < min(2, len(seeds), len(of[first])):
            have = f"{'no seed' if not common else 'one seed'} in common"
            raise DataError(
                f"{given.source}: {name!r} and {first!r} have {have} ({_listed(seeds)}; {_listed(of[first])}); if "
                f"their runs are independent of one another, give {UNPAIRED}, or give both the same seeds"
            )
    alike = len({frozenset(seeds) for seeds in of.values()}) == 1
    return f"by seed{'' if alike else ', over the seeds that both variants have,'}{examples}"


def _listed(seeds: Sequence[int]) -> str:
    shown = ", ".join(map(str, seeds[:6]))
    return f"seed{'' if len(seeds) == 1 else 's'} {shown}{', ...' if len(seeds) > 6 else ''}"


def look_of(look: tuple[int, int], seeds: set[int]) -> InterimAnalysis:
    """The interim analysis that a look is: the first of four at 5 seeds is one of 5, 10, 15 and 20.

    Args:
      look: which of how many, from 1.
      seeds: how many each variant has.

    Raises:
      StudyFileError: no such look, or a number of seeds that it cannot have.

    Example:
      >>> look_of((2, 4), {10})
      InterimAnalysis(number=2, seeds=(5, 10, 15, 20))
    """
    number, of = look
    text = f"--look {number}/{of}"
    if not 1 <= number <= of <= 20:
        raise StudyFileError(f"{text}: give which look it is of how many, at most 20, for example 2/4")
    if len(seeds) > 1:
        raise StudyFileError(
            f"{text}: variants have {', '.join(map(str, sorted(seeds)))} seeds; give all the same number"
        )
    (count,) = seeds
    if count % number or count < 2 * number:
        raise StudyFileError(
            f"{text}: looks are equally spaced, the first at two seeds or more, so that look {number} takes a multiple "
            f"of {number} seeds, at least {2 * number}; there are {count}"
        )
    return InterimAnalysis(number, tuple(count // number * at for at in range(1, of + 1)))


# --- Provenance -------------------------------------------------------------------------------------------------------


def _provenance(given: GivenRuns, how: str, command: str) -> dict[str, str]:
    """Where the predictions come from, as name -> printable value."""
    facts = {
        "command": without_home(command),
        "trained": "elsewhere; wellfit judges the predictions",
        "predictions": _described(given),
        "paired": how,
        "read as": " ".join(given.notes),
        "caution": given.caution,
        "wellfit": __version__,
        "python": platform.python_version(),
        **{library: metadata.version(library) for library in ("numpy", "scipy")},
        "system": f"{platform.system()} {platform.machine()}",
        "data": without_home(given.source),
        "data hash": _hash(given) if len(given.labels) else "",
        "split hash": _split_hash(given) if len(given.labels) else "",
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    return {key: value for key, value in facts.items() if value}


def _described(given: GivenRuns) -> str:
    if not len(given.labels):
        return "accuracies alone, of which nothing says how many test examples they rest on"
    folds = "" if all(run.rows is None for run in given.runs) else "; each seed judged some of them"
    groups = "" if given.groups is None else f" in {len(np.unique(given.groups)):,} groups"
    return f"of {len(given.labels):,} test examples{groups}, {len(given.classes)} classes{folds}"


def _hash(given: GivenRuns) -> str:
    """Of the labels and the classes: runs on other examples have another."""
    found = hashlib.sha256(repr(given.classes).encode())
    found.update(given.labels.astype("<i8").tobytes())
    if given.groups is not None:
        found.update(given.groups.astype("<i8").tobytes())
    return found.hexdigest()


def _split_hash(given: GivenRuns) -> str:
    """Whether each seed judged everything, or its own examples, which are compared when studies are."""
    every = all(run.rows is None for run in given.runs)
    return hashlib.sha256(b"all" if every else b"by seed").hexdigest()
