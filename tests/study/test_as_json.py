"""A summary as plain data."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wellfit.base import StudySummary
from wellfit.study.as_json import to_json
from wellfit.study.summarize import summarize


@pytest.fixture(scope="module")
def summary(finished_study: Path) -> StudySummary:
    return summarize(finished_study)


def test_json_has_null_where_a_number_is_not_finite(summary: StudySummary) -> None:
    first = summary.variants[0]
    odd = replace(
        first,
        settings={"hidden": (np.int64(3), 4)},
        runs=(replace(first.runs[0], train_loss=math.nan, test_loss=np.float32(0.5)),),  # type: ignore[arg-type]
        mean={"train_loss": math.nan, "test_loss": 1.5},
        interval={"train_loss": (-math.inf, math.inf), "test_loss": None},
    )
    plain = to_json(replace(summary, variants=(odd,)), "1.0")
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain  # lists, dicts, strings, numbers; no more
    (variant,) = plain["variants"]
    assert variant["settings"] == {"hidden": [3, 4]}
    assert (variant["runs"][0]["train_loss"], variant["runs"][0]["test_loss"]) == (None, 0.5)
    assert variant["mean"] == {"train_loss": None, "test_loss": 1.5}
    assert variant["interval"] == {"train_loss": [None, None], "test_loss": None}
