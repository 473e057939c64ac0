"""Two studies side by side that never ran."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import summaries
from wellfit.base import Comparison, StudySummary, Verdict
from wellfit.study.side_by_side import SideBySide

VERDICTS: dict[str, tuple[float, tuple[float, float] | None, float | None, Verdict]] = {
    "baseline": (0.0123, (0.004, 0.0206), 0.004, "better"),
    "l2": (-0.02, (-0.03, -0.01), 0.0004, "worse"),
    "l1": (0.0, (-0.0005, 0.0005), 1.0, "equivalent"),
    "dropout": (0.01, None, None, "undecided"),
}


def side_by_side(second: StudySummary | None = None, metric: str = "accuracy", **changes: Any) -> SideBySide:
    """Four variants in both: better, worse, equivalent, undecided; ``changes`` replace fields."""
    first = replace(summaries.study(), metric=metric, directory="studies/before")
    after = replace(second or summaries.study(epochs=30), metric=metric, directory="studies/after")
    found = SideBySide(
        first=first,
        second=after,
        comparisons=tuple(Comparison(name, name, f"test_{metric}", d, bounds, p, p, verdict)
                          for name, (d, bounds, p, verdict) in VERDICTS.items()),
        paired=True,
        how=("Paired by seed and by test example: both studies have the same data and the same split.",),
        seeds=dict.fromkeys(VERDICTS, (first.seeds, after.seeds)),
        survivors=("l1",),
        only_first=("early-stopping",),
        only_second=(),
        differences={"[train] epochs": ("60", "30"), "code hash": ("a1" * 32, f"{'b2' * 32}; then {'c3' * 32}"),
                     "[train] optimizer": ('"adam"', '"sgd"')},
        margin=0.001,
    )  # fmt: skip
    return replace(found, **changes)
