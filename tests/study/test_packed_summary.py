"""Summaries as arrays and plain data: what comes back is the same through and through."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import summaries
from same_values import check_same
from wellfit.base import (
    HISTORY_COLUMNS,
    Divergence,
    EarlierLooks,
    History,
    SearchResult,
    StudySummary,
    Trial,
    VarianceComponents,
)
from wellfit.study.packed_summary import packed, unpacked
from wellfit.study.summarize import summarize


def again(summary: StudySummary) -> StudySummary:
    arrays, plain = packed(summary)
    return unpacked(arrays, json.loads(json.dumps(plain)))


def with_every_part() -> StudySummary:
    """A study in which no field has its default."""
    trial = Trial(0, {"l2": 0.1, "model.hidden": (8, 4), "layers": [{"units": 3}]}, "finished", 1, 3, (0.5, None))
    found = summaries.study(states={("l2", 1): "diverged", ("l1", 0): "pending"})
    columns = dict.fromkeys(HISTORY_COLUMNS, np.array([np.nan, -0.0, np.inf, 5e-324]))
    histories = {**found.histories, "dropout": {7: History(columns), 3: History({}), 1: History(columns)}}
    return replace(
        found,
        histories={name: {s: whole(h) for s, h in of.items()} for name, of in histories.items()},
        asked=found.comparisons[:1],
        gaps=found.comparisons[1:2],
        divergences=(Divergence("l2", "baseline", 1, 5, 0, 5, 1.0, 0.1 + 0.2),),
        leader_accuracy=np.float64(0.1),
        advice=found.conclusion[:1],
        earlier_looks=EarlierLooks((2,), ("brier",), (0.01,)),
        analyses=3,
        validation_examples=7,
        validation_overlap=0.25,
        validation={"l2": VarianceComponents(0.1, 2, 3, 1e-300, 0.0, -0.0, float("nan"), 4.0, 5.0)},
        search=SearchResult((trial,), 1, "validation_loss", 2, "found", best=0),
        fingerprint="0" * 16,
        metric="brier",
        margin=0.02,
        settings={"a": [1, (2, 3.0), {"b": None, "c": True}], "d": {}},
    )


def whole(history: History) -> History:
    """With every column, as a study directory has them; in a test, some are missing."""
    none = np.zeros(len(history))
    return History({name: np.asarray(history.columns.get(name, none), float) for name in HISTORY_COLUMNS})


def test_every_part_comes_back_as_it_was() -> None:
    summary = with_every_part()
    usual = {"friedman_p", "name", "title", "data", "state", "directory", "verdict"}
    bare = StudySummary("", "", "", "finished", (), 0, 0.0, "", (), (), (), "", {}, {}, (), {}, {})
    for field in fields(StudySummary):
        assert field.name in usual or getattr(summary, field.name) != getattr(bare, field.name), field.name
    check_same(replace(summary, leader_accuracy=0.1), again(summary))  # a number of NumPy is a number


@pytest.mark.parametrize("study", ["finished_study", "eventful_study"])
def test_a_trained_study_comes_back_as_it_was(study: str, request: pytest.FixtureRequest) -> None:
    directory: Path = request.getfixturevalue(study)
    summary = summarize(directory)
    check_same(summary, again(summary))


@pytest.mark.parametrize("part", [Path("x"), {1, 2}, b"bytes", np.zeros(2), type("Finding", (), {})()])
def test_what_is_no_part_of_a_summary_is_refused(part: Any) -> None:
    with pytest.raises(TypeError, match="is no part of a summary"):
        packed(replace(summaries.study(), settings={"x": part}, histories={}))


def test_histories_without_all_columns_are_refused() -> None:
    with pytest.raises(KeyError):
        packed(replace(summaries.study(), histories={"l2": {0: History({"train_loss": np.zeros(2)})}}))


def test_other_data_are_refused() -> None:
    arrays, plain = packed(with_every_part())
    with pytest.raises(ValueError, match="other epochs than those of its histories"):
        unpacked({**arrays, "epochs": arrays["epochs"][1:]}, plain)
    with pytest.raises(ValueError, match="zip"):
        unpacked({**arrays, "epochs": arrays["epochs"][:, 1:]}, plain)
    with pytest.raises(KeyError, match="confusion 0"):
        unpacked({"epochs": arrays["epochs"]}, plain)
    with pytest.raises(KeyError, match="Popen"):
        unpacked(arrays, {"Popen": ["ls"]})
    for other in (None, {"()": [1]}, {"a": [], "b": []}, {"()": [{"Sentence": []}, 1, 2]}, ["x"]):
        with pytest.raises((TypeError, ValueError, AttributeError)):
            unpacked(arrays, other)
