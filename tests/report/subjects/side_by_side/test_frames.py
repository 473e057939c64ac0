"""Two studies side by side as a data frame."""

from __future__ import annotations

import numpy as np

from sides import side_by_side
from wellfit.report.subjects.side_by_side.frames import side_by_side_frame


def test_one_row_per_comparison() -> None:
    found = side_by_side()
    frame = side_by_side_frame(found)
    assert list(frame.columns) == [
        *("variant", "mean", "mean_low", "mean_high", "other_mean", "other_mean_low", "other_mean_high"),
        *("difference", "interval", "p_value", "p_adjusted", "verdict", "identical", "survivors"),
    ]
    assert frame["variant"].tolist() == [c.variant for c in found.comparisons]
    assert frame["mean"].tolist() == [v.mean["test_accuracy"] for v in found.second.variants[:4]]
    assert frame["other_mean"].tolist() == [v.mean["test_accuracy"] for v in found.first.variants[:4]]
    assert frame["survivors"].tolist() == [False, False, True, False]
    assert frame["interval"][3] is None
    assert frame.attrs["paired"]
    assert frame.attrs["only_there"] == ("early-stopping",)
    assert (frame.attrs["metric"], frame.attrs["margin"]) == ("accuracy", 0.001)
    assert np.isfinite(frame["mean_low"]).all()
