"""That variants which are compared trained for unlike numbers of epochs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from wellfit.base import Sentence
from wellfit.narrative.phrases import several

__all__ = ["unlike_epochs"]

_SHOWN: Final = 4  # numbers of epochs that a sentence gives with their variants; of more, the fewest and the most


def unlike_epochs(names: Iterable[str], epochs: Mapping[str, int], *, why: bool = False) -> list[Sentence]:
    """How many epochs each of several variants trained for, unless all trained for the same number.

    A rule of early stopping may end a run before; that is what such a variant is about, and does not count here.

    Args:
      names: of the variants that are compared.
      epochs: of their recipes.
      why: whether the sentence says why that matters.

    Returns:
      One sentence, or none.

    Example:
      >>> epochs = {"lenet5": 10, "dropout": 15, "batch-norm": 15}
      >>> unlike_epochs(epochs, epochs)[0].text
      'Epochs differ: 10 for lenet5, 15 for dropout and batch-norm.'
      >>> unlike_epochs(["dropout", "batch-norm"], epochs)
      []
    """
    groups: dict[int, list[str]] = {}
    for name in names:
        if name in epochs:
            groups.setdefault(epochs[name], []).append(name)
    if len(groups) < 2:
        return []
    if len(groups) <= _SHOWN:
        text = ", ".join(f"{number} for {several(groups[number])}" for number in sorted(groups))
    else:
        ends = (f"{number} for {several(groups[number])}" for number in (min(groups), max(groups)))
        text = f"from {' to '.join(ends)}"
    reason = "; differences between them include the effect of training longer" if why else ""
    keys = tuple(f"settings.variants[{name}].recipe.epochs" for group in groups.values() for name in group)
    return [Sentence(f"Epochs differ: {text}{reason}.", keys)]
