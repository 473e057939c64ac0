"""Predictions of single runs, as methods of ``Results``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import wellfit
from wellfit.errors import DataError
from wellfit.report.marks.static import alt_text


@pytest.fixture(scope="module")
def results(finished_study: Path) -> wellfit.Results:
    return wellfit.Results(finished_study)


def test_a_row_for_every_example(results: wellfit.Results) -> None:
    table = results.predictions()
    classes = list(results.summary.classes)
    assert len(table) == 10
    vectors = table[classes].to_numpy()
    np.testing.assert_allclose(vectors.sum(axis=1), 1, atol=1e-5)
    assert table["argmax"].tolist() == vectors.argmax(axis=1).tolist()
    assert table["probability"].tolist() == vectors.max(axis=1).tolist()
    assert table["predicted"].tolist() == [classes[k] for k in vectors.argmax(axis=1)]
    assert table["correct"].tolist() == (table["true"] == table["predicted"]).tolist()
    assert table.attrs == {"variant": "baseline"}
    assert results.predictions(table.index[3:4], "l2").index.tolist() == [table.index[3]]


def test_right_images_are_shown_too(results: wellfit.Results) -> None:
    table = results.predictions(60)
    rows = [*table.index[table["correct"]][-2:], *table.index[~table["correct"]][:1]]
    figure = results.plot_predictions(rows)
    words = alt_text(figure)
    assert len(figure.axes[0].images) == 3
    assert "2 of 3 correct" in figure.axes[0].get_title(loc="left")
    for row in rows:
        assert f"row {row} GT: {table.true[row]}, P: {table.predicted[row]}" in words
    texts = {text.get_text(): text.get_color() for text in figure.axes[0].texts}
    wrong = table.predicted[rows[-1]]
    assert texts[f"P: {wrong}"] != texts[f"GT: {table.true[rows[-1]]}"]


def test_the_first_25_need_no_data(results: wellfit.Results, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise AssertionError("the study kept these images")

    monkeypatch.setattr("wellfit.data.catalog.load_dataset", unreachable)
    rows = [row for row in range(25) if row in set(results.predictions(2000).index)]
    assert rows
    assert len(results.plot_predictions(rows).axes[0].images) == len(rows)


def test_no_rows_are_refused(results: wellfit.Results) -> None:
    with pytest.raises(DataError, match="there are no rows to show; give one or more"):
        results.plot_predictions([])


def test_confusions_are_counted_from_the_most_frequent(results: wellfit.Results) -> None:
    table, matrix = results.confusions("l2"), results.summary.confusion["l2"]
    classes = list(results.summary.classes)
    assert table["count"].is_monotonic_decreasing
    assert table["count"].sum() == matrix.sum() - matrix.trace()
    first = table.iloc[0]
    true, predicted = classes.index(first.true), classes.index(first.predicted)
    assert first["count"] == matrix[true, predicted]
    assert first.share == matrix[true, predicted] / matrix[true].sum()
    both = [results.confusions("l2", seed=seed)["count"].sum() for seed in (0, 1)]
    assert sum(both) == table["count"].sum()


def test_predictions_are_saved_like_every_figure(results: wellfit.Results, tmp_path: Path) -> None:
    assert results.save_plot(tmp_path / "predictions.pdf", "predictions", rows=4).read_bytes().startswith(b"%PDF")
