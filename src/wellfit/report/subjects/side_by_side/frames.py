"""Two studies side by side as a data frame; pandas is slow to load, so import this module only to make one."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pandas as pd

from wellfit.base import Comparison, StudySummary
from wellfit.study.side_by_side import SideBySide

__all__ = ["side_by_side_frame"]


def side_by_side_frame(found: SideBySide) -> pd.DataFrame:
    """One row per comparison, the second study minus the first: see ``Results.against``."""
    compared = [field.name for field in fields(Comparison) if field.name not in ("variant", "against", "metric")]
    rows: list[dict[str, Any]] = []
    for c in found.comparisons:
        means = _mean(found.second, c, "mean") | _mean(found.first, c, "other_mean")
        rest = {key: getattr(c, key) for key in compared}
        rows.append({"variant": c.variant, **means, **rest, "survivors": c.variant in found.survivors})
    frame = pd.DataFrame(rows)
    frame.attrs = {
        "metric": found.first.metric,
        "margin": found.margin,
        "paired": found.paired,
        "how": " ".join(found.how),
        "only_here": found.only_second,
        "only_there": found.only_first,
        "differences": dict(found.differences),
    }
    return frame


def _mean(summary: StudySummary, c: Comparison, name: str) -> dict[str, float]:
    variant = next(v for v in summary.variants if v.name == c.variant)
    low, high = variant.interval.get(c.metric) or (float("nan"), float("nan"))
    return {name: variant.mean[c.metric], f"{name}_low": low, f"{name}_high": high}
