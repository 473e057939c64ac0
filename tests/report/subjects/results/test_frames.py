"""What prints to be read holds plain numbers, and becomes a plain frame where something is selected from it."""

from __future__ import annotations

import pandas as pd
import pytest

from wellfit.report.subjects.results.frames import MetricFrame, SentenceFrame

LONG = "a sentence of " + 40 * "many words " + "and an end"


def numbers() -> MetricFrame:
    columns = {"test_accuracy": [0.88, float("nan")], "test_accuracy_low": [0.87, float("nan")],
               "test_accuracy_high": [0.885, float("nan")], "test_loss": [0.3, 0.5], "generalization_gap": [0.012, 0.0],
               "parameters": [109386, 3], "note": ["<b>", ""]}  # fmt: skip
    return MetricFrame(columns, index=pd.Index(["baseline", "l2"], name="variant"))


def test_shares_print_as_percent_and_stay_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    table = numbers()
    shown = repr(table)
    assert "88.00 [87.00, 88.50]" in shown
    assert "test accuracy, %" in shown
    assert "generalization gap, points" in shown
    for text in ("0.3000", "1.20", "109,386", "–", "the columns hold shares of 1"):
        assert text in shown
    assert table["test_accuracy"].iloc[0] == 0.88
    assert type(table.head(1)) is type(table[["test_loss"]]) is pd.DataFrame
    assert "&lt;b&gt;" in table._repr_html_()
    assert "<b>" not in table._repr_html_()


@pytest.mark.parametrize("width", [40, 80])
def test_no_column_is_left_out_of_a_narrow_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    shown = repr(numbers())
    assert "..." not in shown
    assert "109,386" in shown
    assert max(map(len, shown.splitlines()[:-1])) <= width


def test_sentences_print_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    table = SentenceFrame({"question": ["Which <one>?", "Which <one>?", "Why?"], "sentence": [LONG, "Short.", "So."]})
    shown = repr(table)
    assert " ".join(shown.split()) == f"Which <one>? {LONG} Short. Why? So."
    assert max(map(len, shown.splitlines())) <= 60
    page = table._repr_html_()
    assert LONG in page
    assert page.count("Which &lt;one&gt;?") == 1
    assert repr(SentenceFrame(columns=["question", "sentence"])) == ""
    assert type(table[["sentence"]]) is pd.DataFrame
