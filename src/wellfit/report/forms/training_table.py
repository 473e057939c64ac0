"""The live table of a training: where every variant is, its validation accuracy so far, and its curve."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from wellfit.base import HISTORY_COLUMNS, FloatArray
from wellfit.report import wording
from wellfit.report.subjects.curves.sparklines import rising

__all__ = ["TrainingTable"]

_ACCURACY: Final = HISTORY_COLUMNS.index("validation_accuracy")
_LONGEST_NAME: Final = 26
_LONGEST_CURVE: Final = 24
_SHORTEST_CURVE: Final = 8
_BESIDE: Final = 33  # cells of the columns between the name and the curve


@dataclass
class _Variant:
    """What is known of a variant: sums over its seeds by epoch, and every run's epochs and latest accuracy."""

    sums: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    epochs: dict[int, int] = field(default_factory=dict)
    latest: dict[int, float] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)
    of: int = 0

    @property
    def mean(self) -> float | None:
        """Over the seeds, of each run's latest epoch."""
        known = [value for value in self.latest.values() if math.isfinite(value)]
        return math.fsum(known) / len(known) if known else None


class TrainingTable:
    """A table that is updated while a study trains.

    Args:
      variants: in their order; others are added when they begin.
      seeds: of every variant; 0 if unknown.

    Example:
      >>> import numpy as np
      >>> table = TrainingTable(["baseline", "dropout"], seeds=2)
      >>> row = np.full(len(HISTORY_COLUMNS), 0.5)
      >>> table.note({("baseline", 0): [row, row + 0.1]}, epochs=3, ended=False)
      >>> for line in table.lines(60, 10):
      ...     print(line.plain.rstrip())
      variant    epoch    seeds    validation
      baseline   2/3      0/2         60.00 %   ▁█
      dropout    waiting  0/2               –
    """

    def __init__(self, variants: Sequence[str] = (), seeds: int = 0) -> None:
        self._variants: dict[str, _Variant] = {name: _Variant() for name in variants}
        self._seeds = seeds

    def note(self, rows: Mapping[tuple[str, int], Sequence[FloatArray]], epochs: int, ended: bool) -> None:
        """Take over what is new of a population.

        Args:
          rows: (variant, seed) -> ``HISTORY_COLUMNS`` of every epoch so far.
          epochs: the most that any of these runs has.
          ended: whether all of these runs have.
        """
        for (name, seed), of_run in rows.items():
            variant = self._variants.setdefault(name, _Variant())
            variant.of = epochs
            for epoch in range(variant.epochs.get(seed, 0), len(of_run)):
                if epoch == len(variant.sums):
                    variant.sums.append(0.0)
                    variant.counts.append(0)
                if math.isfinite(value := float(of_run[epoch][_ACCURACY])):
                    variant.sums[epoch] += value
                    variant.counts[epoch] += 1
                variant.latest[seed] = value
            variant.epochs[seed] = len(of_run)
            if ended:
                variant.ended.add(seed)

    @property
    def best(self) -> str | None:
        """The variant with the highest mean validation accuracy so far; None before the first epoch."""
        means = {name: mean for name, variant in self._variants.items() if (mean := variant.mean) is not None}
        return max(means, key=lambda name: means[name]) if means else None

    def lines(self, width: int, height: int, *, ascii_only: bool = False) -> list[Text]:
        """The table; where it does not fit, the first variant and the best ones.

        Args:
          width, height: cells and lines that it may take at most.
          ascii_only: whether to use only characters that every encoding has.
        """
        if not self._variants or height < 3:
            return []
        names = self._shown(height - 1)
        name_cells = min(max(cell_len(name) for name in ("variant", *names)), _LONGEST_NAME)
        room = width - name_cells - _BESIDE
        cells = min(room, _LONGEST_CURVE) if room >= _SHORTEST_CURVE else 0
        head = self._line("variant", "epoch", "seeds", "validation", "", name_cells)
        lines = [Text(head, style="dim")]
        best = self.best
        for name in names:
            variant = self._variants[name]
            mean = wording.percent(variant.mean)
            seeds = f"{len(variant.ended)}/{self._seeds}" if self._seeds else str(len(variant.epochs))
            curve = rising(
                [s / count for s, count in zip(variant.sums, variant.counts, strict=True) if count],
                max(min(cells, cells * len(variant.sums) // (variant.of or 1)), 1) if cells else 0,
                ascii_only=ascii_only,
            )
            text = self._line(name, self._state(variant), seeds, mean, curve, name_cells)
            lines.append(Text(wording.ascii_only(text) if ascii_only else text, style="bold" if name == best else ""))
        if missing := len(self._variants) - len(names):
            lines.append(Text(f"and {missing} more, with a lower accuracy so far", style="dim"))
        for line in lines:
            line.truncate(width)
        return lines

    def _shown(self, room: int) -> list[str]:
        """The names of the variants that are shown, in their order."""
        names = list(self._variants)
        if len(names) <= room:
            return names
        ranked = sorted(names[1:], key=lambda name: -(self._variants[name].mean or 0.0))
        shown = {names[0], *ranked[: max(room - 2, 0)]}
        return [name for name in names if name in shown]

    def _state(self, variant: _Variant) -> str:
        if self._seeds and len(variant.ended) >= self._seeds:
            return "done"
        training = [epoch for seed, epoch in variant.epochs.items() if seed not in variant.ended]
        if not training:
            return "partly" if variant.epochs else "waiting"  # its next seeds are waiting
        return f"{max(training)}/{variant.of}"

    def _line(self, name: str, epoch: str, seeds: str, mean: str, curve: str, name_cells: int) -> str:
        if cell_len(name) > name_cells:
            name = f"{set_cell_size(name, name_cells - 1)}…"
        return f"{set_cell_size(name, name_cells)}   {epoch:<9}{seeds:<7}{mean:>12}   {curve}".rstrip()
