"""One variant's part of a finding, how parts become one finding, and the settings that a mend names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from wellfit.analysis.intervals import t_interval
from wellfit.base import Finding, FloatArray, History, Recipe, RunState, RunSummary
from wellfit.narrative.words import listed, points

__all__ = ["Case", "Seen", "adding", "gathered", "largest", "mean_text", "points_text", "rate", "runs_text", "setting"]

SHOWN: Final = 3  # cases that a finding tells in full; of the others it gives the names


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of a variant when its training is judged.

    Args:
      name: the variant's.
      recipe: its complete recipe.
      histories: seed -> its epochs, of every run that was trained.
      states: seed -> how the run ended, pending ones included.
      rows: seed -> the run as the summary has it; empty where nobody has summed up.
    """

    name: str
    recipe: Recipe
    histories: Mapping[int, History]
    states: Mapping[int, RunState]
    rows: Mapping[int, RunSummary]

    @property
    def sound(self) -> dict[int, History]:
        """The runs that ended without diverging."""
        return {s: h for s, h in self.histories.items() if self.states.get(s) in ("finished", "stopped") and len(h) > 0}

    def scores(self, metric: str) -> dict[int, float]:
        """A metric of every sound run where it was read; at its last epoch where nobody has summed up."""
        found = {s: getattr(self.rows[s], metric) for s in self.sound if s in self.rows}
        if not found and metric.startswith(("train", "validation")):
            return {s: float(h[metric][-1]) for s, h in self.sound.items()}
        return {s: float(value) for s, value in found.items() if value is not None}

    def score(self, metric: str) -> float:
        """The mean of ``scores``; NaN where there are none."""
        values = list(self.scores(metric).values())
        return float(np.mean(values)) if values else float("nan")

    def column(self, name: str) -> list[FloatArray]:
        """A column of every sound run that recorded it.  # (E,) each"""
        return [h[name] for h in self.sound.values() if name in h.columns]


@dataclass(frozen=True)
class Case:
    """What one variant contributes to a finding.

    Args:
      code, level: the finding's.
      variant: its name.
      text: the evidence, a clause that follows ``"NAME: "``, without a full stop.
      fix: the mend.
      strength: how strong the case is among those of its code.
      plural: what several variants do, after ``"3 of 7 variants "``.
    """

    code: str
    level: Literal["info", "warning", "error"]
    variant: str
    text: str
    fix: str
    strength: float
    plural: str


def gathered(cases: Iterable[Case], variants: int) -> list[Finding]:
    """One finding a code: the strongest cases in full, the others by name, the mend of the strongest.

    Args:
      cases: of any codes; a finding stands where its first case does.
      variants: how many the study has.

    Example:
      >>> cases = [Case("slow", "info", n, f"{k} s", "Wait.", k, "are slow") for n, k in (("a", 1), ("b", 2))]
      >>> gathered(cases, variants=3)[0].message
      '2 of 3 variants are slow. b: 2 s. a: 1 s.'
    """
    by_code: dict[str, list[Case]] = {}
    for case in cases:
        by_code.setdefault(case.code, []).append(case)
    return [_finding(sorted(group, key=lambda c: -c.strength), variants) for group in by_code.values()]


def _finding(group: Sequence[Case], variants: int) -> Finding:
    told = [f"{case.variant}: {case.text}." for case in group[:SHOWN]]
    if len(group) > 1:
        told.insert(0, f"{len(group)} of {variants} variants {group[0].plural}.")
    if len(group) > SHOWN:
        told.append(f"Likewise {listed([case.variant for case in group[SHOWN:]])}.")
    alike = len({case.fix for case in group}) == 1
    fix = group[0].fix if alike else f"For {group[0].variant}: {group[0].fix[0].lower()}{group[0].fix[1:]}"
    level = min((case.level for case in group), key=("error", "warning", "info").index)
    return Finding(group[0].code, level, " ".join(told), fix)


# --- Numbers in words -------------------------------------------------------------------------------------------------


def points_text(values: Iterable[float]) -> str:
    """The mean of shares in percentage points, with its 95 % t interval over the seeds where there are three.

    Example:
      >>> points_text([0.07, 0.08, 0.075]), points_text([0.07])
      ('7.5 points [6.3, 8.7]', '7.0 points')
    """
    numbers = list(values)
    interval = t_interval(numbers) if len(numbers) > 2 else None  # that of two is too wide to tell anything
    bounds = "" if interval is None else f" [{points(interval[0])}, {points(interval[1])}]"
    return f"{points(float(np.mean(numbers)))} points{bounds}"


def mean_text(values: Iterable[float]) -> str:
    """The mean of accuracies in percent, with its 95 % t interval over three seeds or more, cut to what is possible.

    Example:
      >>> mean_text([0.12, 0.1, 0.11]), mean_text([1.0])
      ('11.0 % [8.5, 13.5]', '100.0 %')
    """
    numbers = list(values)
    interval = t_interval(numbers) if len(numbers) > 2 else None
    bounds = "" if interval is None else f" [{100 * max(interval[0], 0):.1f}, {100 * min(interval[1], 1):.1f}]"
    return f"{100 * float(np.mean(numbers)):.1f} %{bounds}"


def runs_text(some: int, of: int) -> str:
    """How many of the runs.

    Example:
      >>> runs_text(2, 3), runs_text(1, 1)
      ('2 of 3 runs', '1 of 1 run')
    """
    return f"{some} of {of} {'run' if of == 1 else 'runs'}"


def largest(number: float | tuple[float, ...] | None) -> float:
    """The largest of a recipe's number, which may be one for each layer, or None.

    Example:
      >>> largest((0.1, 0.5)), largest(None)
      (0.5, 0.0)
    """
    return max(number, default=0.0) if isinstance(number, tuple) else number or 0.0


def rate(seen: Seen) -> float | None:
    """The learning rate that a variant trained with, the highest of its schedule; the optimizer's own where that is it.

    Example:
      >>> rate(Seen("a", Recipe(learning_rate=0.1), {}, {}, {}))
      0.1
    """
    columns = [h["learning_rate"] for h in seen.histories.values() if len(h) and "learning_rate" in h.columns]
    known = [float(column.max()) for column in columns]
    return seen.recipe.learning_rate or (float(f"{max(known):.6g}") if known else None)


# --- Settings ---------------------------------------------------------------------------------------------------------


def adding(name: str, changes: Mapping[str, str]) -> str:
    r"""What to give ``wellfit run`` so that the study has one more variant; what is trained already stays as it is.

    A name of a few letters and tables without blanks keep it shorter than a line of a terminal: only then can it be
    pasted from there.

    Args:
      name: the new variant's.
      changes: key -> value in TOML.

    Example:
      >>> adding("l2=0.01", {"l2": "0.01"})
      '--set "variants.\'l2=0.01\'.l2=0.01"'
      >>> adding("stop", {"early_stopping": "{patience=5}"})
      '--set "variants.stop.early_stopping={patience=5}"'
    """
    return " ".join(f'--set "variants.{_quoted(name)}.{key}={value}"' for key, value in changes.items())


def setting(key: str, value: float, seen: Seen, recipes: Mapping[str, Recipe]) -> str:
    """What to give ``wellfit run`` so that a variant is trained with another number.

    It stands at the end of a mend, without a full stop, which would be copied with it.

    That is the base recipe's where there is one variant, for epochs in which all agree, and where the variant comes
    from a sweep of something else; a further variant where it is one value of a sweep of this; else the variant's own.

    Args:
      key: in a recipe, such as ``"learning_rate"`` or ``"early_stopping.patience"``.
      value: the new number.
      seen: the variant.
      recipes: of all variants.

    Example:
      >>> both = {"sgd": Recipe(learning_rate=1.0), "adam": Recipe()}
      >>> setting("learning_rate", 0.1, Seen("sgd", both["sgd"], {}, {}, {}), both)
      '--set variants.sgd.learning_rate=0.1'
      >>> setting("epochs", 20, Seen("adam", Recipe(), {}, {}, {}), {"adam": Recipe()})
      '--epochs 20'
      >>> setting("learning_rate", 1e-4, Seen("adam", Recipe(), {}, {}, {}), {"adam": Recipe()})
      '--set train.learning_rate=0.0001'
    """
    number = f"{value:.3g}" if isinstance(value, float) else str(value)
    if "=" in seen.name and re.search(rf"(^|\W){re.escape(key)}=", seen.name):
        name = f"{key}={number}"
        # Not the bare name, which --set takes for a slip where a variant is called almost so.
        return f"as {name} has it" if name in recipes else adding(f"try-{name}", {key: number})
    together = (
        key == "epochs" and len({recipe.epochs for recipe in recipes.values()}) == 1
    )  # or they are not comparable
    if "=" in seen.name or len(recipes) <= 1 or together:
        if key == "epochs":
            return f"--epochs {number}"
        return f"--set train.{key}={number}"
    name = _quoted(seen.name)
    return f"--set variants.{name}.{key}={number}" if name == seen.name else adding(seen.name, {key: number})


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f"'{name}'"
