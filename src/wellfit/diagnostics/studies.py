"""What only several runs or variants together show: edges of sweeps, and seeds that disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from typing import Final

import numpy as np
from scipy.stats import chi2
from scipy.stats import f as fisher

from wellfit.analysis.curves import falling, matrix
from wellfit.analysis.intervals import t_interval
from wellfit.base import Finding, Recipe
from wellfit.diagnostics.cases import Case, Seen, adding, rate, setting
from wellfit.narrative.words import listed, points

__all__ = ["few_seeds", "seeds_disagree", "sweep_edges"]

APART: Final = 0.02  # seeds whose accuracies lie closer together than that do not disagree in any way that matters
SWEPT: Final = (
    *("learning_rate", "momentum", "l1", "l2", "proximal_l1", "weight_decay", "dropout", "label_smoothing"),
    *("max_norm", "clip_norm", "global_clip_norm", "batch_size", "epochs"),
)
_SHARES: Final = ("dropout", "label_smoothing", "momentum")  # below 1, on a linear scale


# --- Sweeps -----------------------------------------------------------------------------------------------------------


def sweep_edges(all_seen: Sequence[Seen]) -> list[Case]:
    """Numbers whose best value is the least or the greatest that was tried.

    Variants belong together whose recipes differ in one number only, of which three values or more were tried. The
    value with the highest mean validation accuracy is at the edge, and better than its neighbor for sure: the 97.5 %
    t interval of the difference paired by seed, two edges being looked at, lies above 0. An edge of 0 is natural, and
    so no finding. Assumes near-normal differences; needs three seeds. Source: Bengio (2012), arXiv:1206.5533, section
    3.3: "if the best value found is near the border, explore further".

    Args:
      all_seen: the study's variants.

    Example:
      >>> sweep_edges([])
      []
    """
    cases = []
    for key in SWEPT:
        groups: dict[Recipe, list[tuple[float, Seen]]] = {}
        for seen in all_seen:
            if seen.sound and (value := _value(seen, key)) is not None:
                groups.setdefault(replace(seen.recipe, **{key: getattr(Recipe(), key)}), []).append((value, seen))
        for group in groups.values():
            case = _edge(key, sorted(group, key=lambda pair: pair[0]))
            cases += [case] if case is not None else []
    return cases


def _value(seen: Seen, key: str) -> float | None:
    if key == "learning_rate":
        return rate(seen)
    value = getattr(seen.recipe, key)
    if isinstance(value, tuple):
        return None
    return 0.0 if value is None and key == "dropout" and seen.recipe.model.kind != "layers" else value


def _edge(key: str, group: Sequence[tuple[float, Seen]]) -> Case | None:
    if len({value for value, _ in group}) < 3:
        return None
    means = [seen.score("validation_accuracy") for _, seen in group]
    place = int(np.argmax(means))
    if place not in (0, len(group) - 1) or group[place][0] == 0:
        return None
    (value, best), (other, beside) = group[place], group[1 if place == 0 else -2]
    mine, theirs = best.scores("validation_accuracy"), beside.scores("validation_accuracy")
    apart = [mine[s] - theirs[s] for s in mine if s in theirs]
    interval = t_interval(apart, 0.975) if len(apart) >= 3 else None
    if interval is None or interval[0] <= 0:
        return None
    following = _next(key, value, other)
    least = "least" if place == 0 else "greatest"
    return Case(
        "edge-of-sweep",
        "info",
        best.name,
        f"the best {key} is the {least} that was tried, {value:g} ({len(group)} values from {group[0][0]:g} to "
        f"{group[-1][0]:g}): validation accuracy is {points(float(np.mean(apart)), signed=True)} points "
        f"[{points(interval[0])}, {points(interval[1])}] above that of {other:g}",
        f"Try values beyond it: {adding(f'try-{key}={following}', {key: following})}",
        float(np.mean(apart)),
        "are best at the edge of a sweep",
    )


def _next(key: str, value: float, beside: float) -> str:
    """The value after the edge: on a linear scale for shares, on a logarithmic one otherwise."""
    if key in _SHARES:
        further = value + (1 - value) / 2 if value > beside else value / 2
    else:
        further = value * value / beside if beside > 0 else 2 * value
    if key in ("batch_size", "epochs"):
        return str(max(1, round(further)))
    return f"{further:.2g}"


# --- Seeds ------------------------------------------------------------------------------------------------------------


def seeds_disagree(seen: Seen, all_seen: Sequence[Seen], validation: int) -> Case | None:
    """Seeds whose validation accuracies lie much further apart than the finite set and the other variants explain.

    Explained is the larger of two variances: what drawing the validation examples alone would make,
    ``p (1 - p) / n`` (too much, if anything, as all runs are measured on the same), and the median of the other
    variants' variances over the seeds, divided by the median of chi-squared per degree of freedom. The variance is
    beyond it if F = variance / explained exceeds the ``1 - 0.01 / V`` quantile of F with S - 1 and (V - 1)(S - 1)
    degrees of freedom (of chi-squared where it is the only variant), and the seeds differ by 2 points at least. Named
    are the seeds more than three explained deviations from the median, or else the lowest and the highest.

    Assumes three seeds, and near-normal accuracies in the variants that agree; the median stands one half of them that
    do not. Sources: Fisher (1924) for F; Hampel (1974) for a median as the yardstick; Bouthillier et al. (2021),
    arXiv:2103.03098, for what seeds usually do.

    Args:
      seen: the variant.
      all_seen: the study's, with this one.
      validation: how many examples validate; 0 where that is not known.

    Example: one of five seeds fails, in one of two variants.
      >>> from wellfit.base import History
      >>> def runs(*accuracies):
      ...     return {s: History({"validation_accuracy": np.array([a])}) for s, a in enumerate(accuracies)}
      >>> states = dict.fromkeys(range(5), "finished")
      >>> calm = Seen("a", Recipe(), runs(0.9, 0.91, 0.9, 0.89, 0.9), states, {})
      >>> wild = Seen("b", Recipe(), runs(0.9, 0.91, 0.9, 0.5, 0.9), states, {})
      >>> seeds_disagree(wild, [calm, wild], 1000).text.split(";")[0]
      'validation accuracy ranges from 50.0 % to 91.0 % over 5 seeds (seed 3 stands apart)'
    """
    scores = seen.scores("validation_accuracy")
    values = np.array(list(scores.values()))  # (S,)
    if len(values) < 3 or float(np.ptp(values)) < max(APART, 3 / validation if validation else 0.0):
        return None  # two validation examples more or less are no disagreement
    middle, runs = float(np.median(values)), len(values)
    sampling = middle * (1 - middle) / validation if validation else 0.0
    others = [list(s.scores("validation_accuracy").values()) for s in all_seen if s is not seen]
    variances = [float(np.var(v, ddof=1)) for v in others if len(v) >= 3]
    ordinary = float(np.median(variances)) / float(chi2.median(runs - 1) / (runs - 1)) if variances else 0.0
    explained = max(sampling, ordinary)
    spread = float(np.var(values, ddof=1))
    if explained <= 0 and not variances:
        return None
    tests, freedom = len(variances) + 1, len(variances) * (runs - 1)
    beyond = chi2.isf(0.01, runs - 1) / (runs - 1) if not freedom else fisher.isf(0.01 / tests, runs - 1, freedom)
    if spread <= float(beyond) * explained:
        return None
    apart = [s for s, value in scores.items() if abs(value - middle) > 3 * sqrt(explained)]
    usual = (
        f"the other variants' seeds spread by {points(sqrt(ordinary))}" if variances else "no other variant is there"
    )
    named = f"seed{'' if len(apart) == 1 else 's'} {listed([str(s) for s in sorted(apart)])} "
    return Case(
        "seeds-disagree",
        "warning",
        seen.name,
        f"validation accuracy ranges from {100 * values.min():.1f} % to {100 * values.max():.1f} % over {runs} seeds ("
        + (named + f"stand{'s' if len(apart) == 1 else ''} apart" if apart and len(apart) < runs else "all over it")
        + f"); one standard deviation is {points(sqrt(spread))} points, {usual}",
        _agree(seen, all_seen, 2 * runs),
        spread / explained if explained else float("inf"),
        "have seeds that disagree",
    )


def _agree(seen: Seen, all_seen: Sequence[Seen], seeds: int) -> str:
    """What makes seeds agree: seeds are furthest apart while they still learn; else single runs may have gone wrong."""
    learning = len(seen.column("train_loss")) == len(seen.sound) and falling(matrix(seen.sound.values(), "train_loss"))
    if learning:
        how = setting("epochs", 2 * seen.recipe.epochs, seen, {s.name: s.recipe for s in all_seen})
        return f"It was still learning, which is when seeds differ most, so train longer first: {how}"
    return (
        f"Read its interval, not its mean alone: look at its runs one by one, add seeds (--seeds {seeds}), and try a "
        f"lower learning rate or clipping: {adding('clipped', {'global_clip_norm': '1'})}"
    )


def few_seeds(all_seen: Sequence[Seen]) -> Finding | None:
    """One or two seeds; once for the study.

    Args:
      all_seen: the study's variants.

    Example:
      >>> few_seeds([Seen("a", Recipe(), {}, {0: "pending"}, {})]).code
      'few-seeds'
    """
    most = max((len(seen.states) for seen in all_seen), default=0)
    if not 1 <= most <= 2:
        return None
    told = (
        "one seed shows no chance at all, so nothing can be compared" if most == 1 else "two seeds barely show chance"
    )
    return Finding(
        "few-seeds",
        "info",
        f"Each variant has {most} {'seed' if most == 1 else 'seeds'}: {told}.",
        "Run five seeds (--seeds 5); what is there already is not repeated.",
    )
