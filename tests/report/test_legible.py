"""Texts of a study as a report may show them."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

import summaries
from wellfit.base import Finding, History, Ranked, RunSummary
from wellfit.report.legible import legible, legible_summary

RAW, SHOWN = "a\x1b[2J\u202e\u2066b", "a\\x1b[2J\\u202e\\u2066b"


def test_every_text_in_a_tree_is_spelled_out() -> None:
    tree = {RAW: [RAW, (Ranked(RAW, 0.5, "a"), Finding("a", "info", RAW, RAW))], "n": (1, None, 0.5, True)}
    shown = {SHOWN: [SHOWN, (Ranked(SHOWN, 0.5, "a"), Finding("a", "info", SHOWN, SHOWN))], "n": (1, None, 0.5, True)}
    assert legible(tree) == shown
    assert legible(shown) == shown
    assert isinstance(legible(tree)[SHOWN][1][0], Ranked)


def test_arrays_and_types_stay() -> None:
    array = np.arange(3)
    assert legible((array, int))[0] is array
    assert legible(int) is int


def test_a_summary_keeps_its_settings() -> None:
    summary = summaries.study(variants=("baseline", "l2"), classes=(RAW, *"bcdefghij"))
    object.__setattr__(summary, "settings", {"title": RAW})
    shown = legible_summary(summary)
    assert shown.classes == (SHOWN, *"bcdefghij")
    assert shown.settings == {"title": RAW}
    assert shown.histories["l2"][0] is summary.histories["l2"][0]
    assert shown.variants[1].runs[0] is summary.variants[1].runs[0]


def test_runs_and_their_histories_have_no_texts_but_those_of_wellfit() -> None:
    """There are thousands of them; what a store holds is checked when it is read."""
    of_texts = {field.name: field.type for field in fields(RunSummary) if "float" not in str(field.type)}
    assert of_texts == {"seed": "int", "state": "RunState"} | dict.fromkeys(
        ("epochs", "readout_epoch", "best_epoch", "overfit_onset"), "int | None"
    )
    assert [field.type for field in fields(History)] == ["Mapping[str, FloatArray]"]
