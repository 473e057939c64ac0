"""The input of the checks, what they observe in a variant, and how observations become findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal

import numpy as np

from wellfit.base import Finding, FloatArray, History, Recipe, RunState, RunSummary
from wellfit.narrative.options import option_for
from wellfit.narrative.phrases import listed

__all__ = ["Observation", "TrainedVariant", "combined", "largest", "was_worse"]

_SHOWN: Final = 3  # variants that a finding describes; it names the others


@dataclass(frozen=True, eq=False)
class TrainedVariant:
    """A trained variant, as the checks see it.

    Args:
      name: the variant's.
      recipe: its complete recipe.
      histories: seed -> its epochs, for every run that was trained.
      states: seed -> how the run ended, pending ones included.
      rows: seed -> the run as in the summary; empty if there is no summary.
      verdict: against the first variant; empty if it has none.
    """

    name: str
    recipe: Recipe
    histories: Mapping[int, History]
    states: Mapping[int, RunState]
    rows: Mapping[int, RunSummary]
    verdict: str = ""

    @cached_property
    def sound(self) -> dict[int, History]:
        """The runs that ended without diverging."""
        return {s: h for s, h in self.histories.items() if self.states.get(s) in ("finished", "stopped") and len(h) > 0}

    @cached_property
    def _scores(self) -> dict[str, dict[int, float]]:
        return {}

    def scores(self, metric: str) -> dict[int, float]:
        """A metric of every sound run at its readout; at its last epoch if there is no summary."""
        if metric not in self._scores:  # every variant is judged by those of all others
            self._scores[metric] = self._scores_by(metric)
        return self._scores[metric]

    def _scores_by(self, metric: str) -> dict[int, float]:
        known = {s: getattr(self.rows[s], metric) for s in self.sound if s in self.rows}
        if not known and metric.startswith(("train", "validation")):
            return {s: float(h[metric][-1]) for s, h in self.sound.items() if metric in h.columns}
        return {s: float(value) for s, value in known.items() if value is not None}

    def score(self, metric: str) -> float:
        """The mean of ``scores``; NaN if there are none."""
        values = list(self.scores(metric).values())
        return float(np.mean(values)) if values else float("nan")

    def column(self, name: str) -> list[FloatArray]:
        """A column of every sound run that recorded it.  # (E,) each"""
        return [h[name] for h in self.sound.values() if name in h.columns]

    @property
    def learning_rate(self) -> float | None:
        """The recipe's learning rate, or the highest that was recorded if the optimizer chose it."""
        columns = [h["learning_rate"] for h in self.histories.values() if len(h) and "learning_rate" in h.columns]
        known = [float(column.max()) for column in columns]
        return self.recipe.learning_rate or (float(f"{max(known):.6g}") if known else None)

    def option(self, key: str, value: float, variants: Iterable[TrainedVariant]) -> str:
        """The command-line option that trains it with another value; see ``options.option_for``."""
        return option_for(key, value, self.name, {v.name: v.recipe for v in variants})


def was_worse(key: str, variants: Sequence[TrainedVariant]) -> bool:
    """Whether the study has tried a setting alone and found it worse, at every strength that it tried.

    Args:
      key: of the setting, as a field of ``Recipe``.
      variants: of the study; the others are compared with the first.

    Example:
      >>> baseline = TrainedVariant("baseline", Recipe(), {}, {}, {})
      >>> weak, strong = (TrainedVariant(f"l2={x}", Recipe(l2=x), {}, {}, {}, "worse") for x in (1e-4, 1e-2))
      >>> was_worse("l2", [baseline, weak, strong]), was_worse("dropout", [baseline, weak, strong])
      (True, False)
    """
    if not variants:
        return False
    first = variants[0].recipe
    tried = [v for v in variants[1:] if getattr(v.recipe, key) != getattr(first, key)]
    alone = [v for v in tried if replace(first, **{key: getattr(v.recipe, key)}) == v.recipe]
    return bool(alone) and all(v.verdict == "worse" for v in alone)


@dataclass(frozen=True)
class Observation:
    """What a check observed in one variant: its part of a finding.

    Args:
      code, level: of the finding.
      variant: its name.
      claim: a predicate in the past tense that follows ``"NAME "`` as well as ``"3 of 7 variants "``.
      evidence: a clause that follows ``"NAME: "``, without a full stop.
      fix: what to do; may be empty.
      strength: for the order among observations of one code.
    """

    code: str
    level: Literal["info", "warning", "error"]
    variant: str
    claim: str
    evidence: str
    fix: str
    strength: float


def combined(observations: Iterable[Observation], variants: int) -> list[Finding]:
    """One finding per code: the strongest observations in full, the others by name, and the fix of the strongest.

    Args:
      observations: of any codes; a finding takes the place of its first observation.
      variants: number of variants in the study.

    Example:
      >>> slow = [Observation("slow", "info", n, "were slow", f"{k} s", "Wait.", k) for n, k in (("a", 1), ("b", 2))]
      >>> combined(slow, variants=3)[0].message
      '2 of 3 variants were slow. b: 2 s. a: 1 s.'
    """
    by_code: dict[str, list[Observation]] = {}
    for observation in observations:
        by_code.setdefault(observation.code, []).append(observation)
    return [_finding(sorted(group, key=lambda o: -o.strength), variants) for group in by_code.values()]


def _finding(group: Sequence[Observation], variants: int) -> Finding:
    strongest = group[0]
    level = min((o.level for o in group), key=("error", "warning", "info").index)
    if len(group) == 1:
        message = f"{strongest.variant} {strongest.claim}: {strongest.evidence}."
        return Finding(strongest.code, level, message, strongest.fix)
    sentences = [f"{len(group)} of {variants} variants {strongest.claim}."]
    sentences += [f"{o.variant}: {o.evidence}." for o in group[:_SHOWN]]
    if len(group) > _SHOWN:
        sentences.append(f"Likewise {listed([o.variant for o in group[_SHOWN:]])}.")
    fix = strongest.fix
    if len({o.fix for o in group}) > 1:
        fix = f"For {strongest.variant}: {fix[0].lower()}{fix[1:]}"
    return Finding(strongest.code, level, " ".join(sentences), fix)


def largest(value: float | tuple[float, ...] | None) -> float:
    """The largest value of a recipe's setting, which may be one per layer, or None.

    Example:
      >>> largest((0.1, 0.5)), largest(None)
      (0.5, 0.0)
    """
    return max(value, default=0.0) if isinstance(value, tuple) else value or 0.0
