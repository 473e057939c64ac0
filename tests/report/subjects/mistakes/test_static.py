from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detailed import details
from summaries import CLASSES, study
from wellfit.errors import DataError, UnknownNameError
from wellfit.report.marks.static import alt_text
from wellfit.report.subjects.mistakes.numbers import choose, gallery
from wellfit.report.subjects.mistakes.static import plot_gallery, plot_predictions

SUMMARY = study(variants=("baseline", "l2"))
DETAILS = details(SUMMARY)


def test_a_gallery_captions_every_picture():
    assert DETAILS.mistakes is not None
    choice = choose(DETAILS.mistakes, "most")
    pictures = gallery(DETAILS.mistakes, CLASSES, choice.rows, count=6)
    axes = plot_gallery(DETAILS.mistakes, CLASSES, "most", count=6).axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert len(axes.images) == 6
    for place, picture in enumerate(pictures):
        true, predicted, sure, row = texts[4 * place : 4 * place + 4]
        assert (true, predicted, row) == (picture.true, f"→ {picture.predicted}", f"row {picture.row}")
        assert sure == f"{100 * picture.probability:.0f} %, {picture.agree} of {picture.runs} runs"
        np.testing.assert_array_equal(axes.images[place].get_array()[..., 0], picture.image)
    assert axes.get_title(loc="left") == f"Most often wrong, 6 of {len(choice.rows):,}"


def test_a_gallery_of_asked_rows_also_shows_what_was_right():
    found = DETAILS.mistakes
    assert found is not None
    easy = int(found.image_rows[0])
    wrong, predicted = found.wrong.copy(), found.predicted.copy()
    wrong[1, easy], predicted[1, easy] = 0, -1
    figure = plot_gallery(replace(found, wrong=wrong, predicted=predicted), CLASSES, variant="l2", rows=[easy])
    assert [text.get_text() for text in figure.axes[0].texts][1:3] == ["→ –", "0 of 5 runs"]
    assert f"row {easy} {CLASSES[found.labels[easy]]}, correct in all 5 runs" in alt_text(figure)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_long_title_is_broken_once(count: int):
    found = DETAILS.mistakes
    assert found is not None
    few = replace(found, mended={"l2": found.image_rows[:count]})
    figure = plot_gallery(few, CLASSES, "mended", variant="l2", count=count)
    lines = figure.axes[0].get_title(loc="left").split("\n")
    assert " ".join(lines) == "Wrong in every run of baseline, correct in every run of l2"
    assert all(len(line) > 12 for line in lines[:-1]), lines  # no line of one word between two others


def test_a_gallery_without_mistakes_says_so():
    found = DETAILS.mistakes
    assert found is not None
    figure = plot_gallery(replace(found, all_wrong=np.array([], np.int64)), CLASSES)
    assert "there is no such image" in alt_text(figure)
    assert [text.get_text() for text in figure.axes[0].texts] == ["There is no such image."]


def test_what_is_no_picture_is_refused():
    found = DETAILS.mistakes
    assert found is not None
    with pytest.raises(DataError, match="the test examples are not images"):
        plot_gallery(replace(found, images=np.zeros(0, np.uint8)), CLASSES)
    with pytest.raises(UnknownNameError, match="unknown kind of mistake 'worst'"):
        plot_gallery(found, CLASSES, "worst")


def test_predictions_are_named_under_every_picture_and_wrong_ones_stand_out():
    figure = plot_predictions(DETAILS.first, CLASSES)
    axes = figure.axes[0]
    assert len(axes.images) == 12
    texts = [(text.get_text(), text.get_color()) for text in axes.texts]
    for place, (label, predicted) in enumerate(zip(DETAILS.first.labels, DETAILS.first.predicted, strict=True)):
        (true, ink), (taken, color) = texts[2 * place : 2 * place + 2]
        assert (true, taken) == (f"GT: {CLASSES[label]}", f"P: {CLASSES[predicted]}")
        assert (color == ink) == (label == predicted)
    assert axes.get_title(loc="left") == "baseline, seed 0: 9 of 12 correct"
    assert "row 3 GT: " in alt_text(figure)


def test_no_predictions_are_refused():
    none = replace(DETAILS.first, images=np.zeros((0, 1, 1), np.uint8))
    with pytest.raises(DataError, match="there are no rows to show; give one or more"):
        plot_predictions(none, CLASSES)
