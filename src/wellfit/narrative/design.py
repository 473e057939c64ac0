"""What the design of a study can decide, said before anything is trained."""

from __future__ import annotations

from typing import Final

from wellfit.analysis.power import Design, Detectable, minimum_detectable
from wellfit.narrative.metrics import NAMES
from wellfit.narrative.phrases import counted

__all__ = ["design_sentences"]

_USEFUL: Final = 0.01  # a difference in accuracy; designs that miss it are told what would find it
_HOPELESS: Final = 0.2  # a difference that no study of regularization expects
_SEEDS: Final = (5, 10, 20, 50)
_FEW: Final = 4  # comparisons


def design_sentences(
    design: Design, margin: float, *, foldable: bool = False, metric: str = "accuracy"
) -> tuple[str, ...]:
    """The smallest difference that a design decides, whether "equivalent" is within reach, and what decides more.

    Args:
      design: seeds, test examples, folds and comparisons.
      margin: the largest difference of no practical interest.
      foldable: whether the seeds share a test set that was held out, so that folds would test all examples.
      metric: what variants are compared on; how much any other than accuracy varies is not known beforehand.

    Returns:
      Sentences without a full stop; none if nothing is compared.

    Example: 18 comparisons with five seeds on a fifth of the digits.
      >>> for text in design_sentences(Design(5, 359, comparisons=18), 0.001, foldable=True):
      ...     print(text.partition(";")[0])
      Decides differences of 2.9 points or more (80 % power, 18 comparisons, variants that differ as is usual)
      To decide smaller differences: --set data.folds=5, 2.1 points
    """
    if design.comparisons < 1:
        return ()
    if design.seeds < 2:
        return ("Decides nothing: comparing variants takes at least two seeds; use --seeds 5",)
    found = minimum_detectable(design, margin=margin)
    how = f"80 % power, {counted(design.comparisons, 'comparison')}, variants that differ as is usual"
    if found.difference > _HOPELESS:
        seeds = counted(design.seeds, "seed")
        return (
            f"Decides nothing that is likely: {seeds} cannot tell ({how})",
            *_better(design, found, margin, foldable),
        )
    reach = f'"equivalent" within {_points(margin)} is possible'
    if not found.equivalent:
        reach = f'"equivalent" takes a margin of {_points(found.margin)}, not {_points(margin)}'
    first = f"Decides differences of {_points(found.difference)} or more ({how}); {reach}"
    if metric != "accuracy":
        name = NAMES[f"test_{metric}"]
        first = (
            f"Compares by {name}, whose smallest decidable difference depends on the data; in accuracy it would be "
            f"{_points(found.difference)} ({how})"
        )
    return (first,) if found.difference <= _USEFUL else (first, *_better(design, found, margin, foldable))


def _better(design: Design, found: Detectable, margin: float, foldable: bool) -> tuple[str, ...]:
    """What decides smaller differences, if anything does."""
    better = [
        f"{how}, {_points(smaller)}"
        for how, other in _alternatives(design, foldable)
        if (smaller := minimum_detectable(other, margin=margin).difference) < min(0.9 * found.difference, _HOPELESS)
    ]
    return (f"To decide smaller differences: {'; '.join(better)}",) if better else ()


def _alternatives(design: Design, foldable: bool) -> list[tuple[str, Design]]:
    """Other designs, with what the user would do."""
    others = []
    if foldable:
        others.append(("--set data.folds=5", design._replace(examples=5 * design.examples, folds=5)))
    more = next((seeds for seeds in _SEEDS if seeds >= 2 * design.seeds), 2 * design.seeds)
    others.append((f"--seeds {more}", design._replace(seeds=more)))
    if design.comparisons > _FEW:
        others.append((f"{_FEW} comparisons instead of {design.comparisons}", design._replace(comparisons=_FEW)))
    return others


def _points(difference: float) -> str:
    """A difference in accuracy, as in the verdicts."""
    points = 100 * difference
    return f"{points:.1f} points" if points >= 0.095 else f"{points:.2g} points"
