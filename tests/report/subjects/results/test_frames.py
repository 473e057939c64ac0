"""What prints to be read holds plain numbers, and becomes a plain frame where something is selected from it."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from wellfit.report.subjects.results.frames import MetricFrame, SentenceFrame, csv_text, shown

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


def test_csv_keeps_numbers_and_makes_formulas_inert() -> None:
    cells = [
        "=1+1",
        "+cmd",
        "-x",
        "@SUM(A1)",
        " =1",
        "＝1",
        "\tx",
        "-1",
        "+2.5",
        "plain",
        "a=b",
        "two\nlines",
        "\u202eb",
    ]
    frame = pd.DataFrame({"class": cells, "=share": [1 / 3] * len(cells), "n": range(len(cells))})
    read = pd.read_csv(io.StringIO(csv_text(frame)), dtype={"class": str})
    assert list(read.columns) == ["class", "'=share", "n"]
    assert read["class"].tolist() == [
        *("'=1+1", "'+cmd", "'-x", "'@SUM(A1)", "' =1", "'＝1", "'\\tx", "-1", "+2.5", "plain", "a=b"),
        *("two\\nlines", "\\u202eb"),
    ]
    assert read["'=share"].tolist() == [1 / 3] * len(cells)
    assert read["n"].tolist() == list(range(len(cells)))


def test_csv_has_one_number_a_cell() -> None:
    frame = pd.DataFrame({"interval90": [(0.1, 0.2), None], "mcnemar_p": [(0.5, 1.0), ()], "p": [0.25, None]})
    assert csv_text(frame) == "interval90_low,interval90_high,mcnemar_p,p\n0.1,0.2,0.5 1.0,0.25\n,,,\n"


def test_the_compared_metric_has_its_name() -> None:
    ranking = pd.DataFrame({"variant": ["a"], "mean": [0.25], "low": [0.125], "high": [0.5], "letters": ["a"]})
    ranking.attrs = {"metric": "brier"}
    assert shown(ranking).to_dict("list") == {
        "variant": ["a"],
        "test brier": ["0.2500 [0.1250, 0.5000]"],
        "letters": ["a"],
    }
    runs = pd.DataFrame({"seed": [1234], "epochs": [1234], "test_accuracy": [0.5], "test_score": [None]})
    assert shown(runs).to_dict("list") == {"seed": ["1234"], "epochs": ["1,234"], "test accuracy, %": ["50.00"]}
