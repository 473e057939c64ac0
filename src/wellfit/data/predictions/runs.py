"""Runs that others trained: what each predicted, read when it is needed, and which examples it judged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import History, IntArray
from wellfit.errors import DataError, UnknownNameError
from wellfit.files import NAME_RULE, SAFE_NAME

__all__ = [
    "MOST_SEED",
    "GivenRun",
    "GivenRuns",
    "baseline_first",
    "check_examples",
    "check_names",
    "renumbered",
    "run_named",
]

_RUN: Final = re.compile(r"(?P<variant>.+)\.(?P<seed>\d{1,9})")
MOST_SEED: Final = 999_999_999
"""The largest seed in the name of a file."""

_MOST_STORED: Final = 2**63 - 1  # of a seed


class GivenRun(NamedTuple):
    """One run.

    Args:
      variant, seed: which it is.
      where: the file or argument that holds it, for errors.
      values: reads what it predicts, checked: probabilities, or the classes as integers.  # (m, K) or (m,)
      rows: which of the test examples these are, ascending; None for all.  # (m,)
      accuracy: where nothing else is known; ``values`` is not called then.
    """

    variant: str
    seed: int
    where: str
    values: Callable[[], NDArray[Any]]
    rows: IntArray | None = None
    accuracy: float | None = None


@dataclass(frozen=True, eq=False)
class GivenRuns:
    """All runs that are judged together.

    Args:
      runs: variant by variant; each variant and seed once.
      labels: true classes of all test examples, integers from 0; empty where accuracies alone are known.  # (M,)
      classes: their names; likewise.
      source: where they come from, for headlines.
      groups: the group of each test example; None without groups.  # (M,)
      settings: variant -> its settings, as they were given.
      histories: variant and seed -> the epochs of the run, as far as they are known.
      notes: how a tracker's runs were read, one sentence each.
      caution: what must be known of the accuracies before any number; empty where there is nothing.
      measure: what the accuracies are called, where they may not be those of a test set.
    """

    runs: tuple[GivenRun, ...]
    labels: IntArray
    classes: tuple[str, ...]
    source: str
    groups: IntArray | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    histories: Mapping[tuple[str, int], History] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    caution: str = ""
    measure: str = ""

    @property
    def variants(self) -> dict[str, tuple[int, ...]]:
        """Variant -> its seeds, in the order of the runs."""
        found: dict[str, list[int]] = {}
        for run in self.runs:
            found.setdefault(run.variant, []).append(run.seed)
        return {name: tuple(seeds) for name, seeds in found.items()}


def run_named(stem: str) -> tuple[str, int] | None:
    """Variant and seed in the name of a file without its suffix; None if it has another form.

    Example:
      >>> run_named("l2=0.001.3"), run_named("labels")
      (('l2=0.001', 3), None)
    """
    found = _RUN.fullmatch(stem)
    return None if found is None else (found["variant"], int(found["seed"]))


def check_names(runs: Iterable[tuple[str, int, str]], fix: str = "keep one of the two") -> None:
    """Refuse variants that cannot be file names or differ in case alone, and runs that are there twice.

    Args:
      runs: variant, seed and place of each.
      fix: what helps where a run is there twice.

    Raises:
      DataError: a name or a run that cannot be; the message says where.
    """
    folded: dict[str, str] = {}
    seen: dict[tuple[str, int], str] = {}
    for variant, seed, where in runs:
        if seed > _MOST_STORED:
            raise DataError(
                f"{where}: a seed of {int(seed).bit_length()} bits is too large; number the runs of each variant"
            )
        if not SAFE_NAME.fullmatch(variant):
            raise DataError(f"{where}: variant {variant!r}: a name has {NAME_RULE}; rename it")
        if (twin := folded.setdefault(variant.lower(), variant)) != variant:
            raise DataError(f"{where}: variants {twin!r} and {variant!r} would share a file; rename one")
        if (variant, seed) in seen:
            before = seen[variant, seed]
            place = "" if before == where else f", here and in {before}"
            raise DataError(f"{where}: variant {variant!r}, seed {seed} is there twice{place}; {fix}")
        seen[variant, seed] = where


def check_examples(runs: Sequence[GivenRun], examples: int, ids: Callable[[int], str] = str) -> None:
    """Refuse runs of one seed that judged different examples; nothing could be paired.

    Seeds may have judged different examples, as the folds of a cross-validation do.

    Args:
      runs: of all variants.
      examples: the number of all test examples.
      ids: names an example by its position, for errors.

    Raises:
      DataError: the first run that lacks an example of its seed, and that example.
    """
    of_seed: dict[int, GivenRun] = {}
    for run in runs:
        first = of_seed.setdefault(run.seed, run)
        before, now = (np.arange(examples) if of.rows is None else of.rows for of in (first, run))
        if not np.array_equal(before, now):
            missing = np.setdiff1d(before, now)
            lacks, has = (run, first) if len(missing) else (first, run)
            missing = missing if len(missing) else np.setdiff1d(now, before)
            number = f"{len(missing):,} examples" if len(missing) > 1 else "an example"
            raise DataError(
                f"{lacks.where}: variant {lacks.variant!r}, seed {lacks.seed}: lacks {number} that {has.variant!r} "
                f"judged with this seed, the first is {ids(int(missing[0]))}; give the same examples for all variants"
            )


def _plain_numbers(name: str) -> str:
    """A name whose settings are written in one way; other numbers, as of versions, are names.

    Example:
      >>> _plain_numbers("dropout=0.0, lr=1e-3"), _plain_numbers("dropout=0,lr=0.001"), _plain_numbers("1.10")
      ('dropout=0.0, lr=0.001', 'dropout=0.0,lr=0.001', '1.10')
    """
    return re.sub(r"(?<==)-?\d+(?:\.\d*)?(?:[eE][-+]?\d{1,3})?(?=,|$)", lambda found: repr(float(found[0])), name)


def baseline_first(given: GivenRuns, baseline: str | None) -> tuple[str, ...]:
    """The variants in the order of the study: the first is the one that all others are compared with.

    Args:
      given: the runs.
      baseline: its name; by default ``"baseline"`` where there is one, or else the first.

    Raises:
      UnknownNameError: there is no such variant.
    """
    names = tuple(given.variants)
    if baseline is not None and baseline not in names:
        same = [name for name in names if _plain_numbers(name) == _plain_numbers(baseline)]
        baseline = same[0] if len(same) == 1 else baseline
    if baseline is not None and baseline not in names:
        raise UnknownNameError("variant", baseline, names, given.source)
    first = baseline or ("baseline" if "baseline" in names else names[0])
    return (first, *(name for name in names if name != first))


def renumbered(given: GivenRuns) -> GivenRuns:
    """The runs of each variant numbered 0, 1, ... in the order of their seeds, for runs that share no seeds.

    Runs that are independent of one another can be paired in any order that their results do not decide.

    Raises:
      DataError: seeds judged different examples, so that pairing other seeds would pair other examples.
    """
    if any(run.rows is not None for run in given.runs):
        raise DataError(
            f"{given.source}: each seed judged its own examples, so runs of different seeds cannot be paired; give all "
            "variants the same seeds"
        )
    numbers = {(name, seed): at for name, of in given.variants.items() for at, seed in enumerate(sorted(of))}
    runs = tuple(run._replace(seed=numbers[run.variant, run.seed]) for run in given.runs)
    histories = {(which[0], numbers[which]): of for which, of in given.histories.items()}
    return replace(given, runs=runs, histories=histories)
