from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wellfit.base import Mistakes
from wellfit.errors import DataError, UnknownNameError
from wellfit.report.subjects.mistakes.numbers import choose, gallery, kept_votes, report_choices, tally

CLASSES = ("cat", "dog", "cow")
NAN = float("nan")
MISTAKES = Mistakes(
    variants=("baseline", "l2", "dropout"),
    runs=np.array([[4], [4], [2]]).repeat(4, axis=1),
    labels=np.array([0, 1, 2, 0]),
    wrong=np.array([[4, 0, 4, 2], [4, 1, 0, 0], [2, 0, 1, 0]]),
    predicted=np.array([[1, -1, 0, 2], [2, 2, -1, -1], [2, -1, 0, -1]]),
    probability=np.array([[0.9, NAN, 0.5, 0.6], [0.8, 0.7, NAN, NAN], [0.6, NAN, 0.8, NAN]], np.float32),
    counts=np.zeros((3, 3, 3), np.int64),
    all_wrong=np.array([0]),
    mended={"l2": np.array([2])},
    flips=np.array([3]),
    image_rows=np.array([0, 2, 3]),
    images=np.arange(12, dtype=np.uint8).reshape(3, 2, 2),
)


def test_each_kind_has_its_rows_and_its_words():
    assert choose(MISTAKES).rows.tolist() == [0]
    assert choose(MISTAKES).variant is None
    flips = choose(MISTAKES, "flips")
    assert (flips.rows.tolist(), flips.variant) == ([3], "baseline")
    mended = choose(MISTAKES, "mended")
    assert mended.rows.tolist() == [2]
    assert mended.words == "wrong in every run of baseline, correct in every run of l2"
    assert choose(MISTAKES, "mended", "dropout").rows.tolist() == []


def test_most_often_wrong_is_sorted_and_leaves_out_what_all_got_right():
    assert choose(MISTAKES, "most").rows.tolist() == [0, 2, 3, 1]  # 10, 5, 2 and 1 runs
    assert choose(MISTAKES, "most", "l2").rows.tolist() == [0, 1]
    right = replace(MISTAKES, wrong=np.zeros_like(MISTAKES.wrong))
    assert choose(right, "most").rows.tolist() == []


def test_all_variants_vote_with_their_runs():
    counts = tally(MISTAKES)
    assert counts.runs.tolist() == [10] * 4
    assert counts.wrong.tolist() == [10, 1, 5, 2]
    assert counts.predicted.tolist() == [2, 2, 0, 2]  # row 0: 4 runs say dog, 4 + 2 say cow
    assert counts.probability[0] == pytest.approx((4 * 0.8 + 2 * 0.6) / 6, rel=1e-6)
    assert counts.probability[2] == pytest.approx((4 * 0.5 + 1 * 0.8) / 5, rel=1e-6)


def test_one_variant_has_its_own_counts():
    counts = tally(MISTAKES, "l2")
    assert counts.runs.tolist() == [4] * 4
    np.testing.assert_array_equal(counts.predicted, [2, 2, -1, -1])


def test_a_gallery_shows_what_has_a_picture_in_the_order_asked():
    choice = choose(MISTAKES, "most")
    pictures = gallery(MISTAKES, CLASSES, choice.rows, choice.variant)
    assert [picture.row for picture in pictures] == [0, 2, 3]  # of row 1 no picture was kept
    first = pictures[0]
    assert (first.true, first.predicted, first.wrong, first.runs) == ("cat", "cow", 10, 10)
    assert first.agree == 6  # 4 + 2 say cow, and 4 say dog
    np.testing.assert_array_equal(first.image, MISTAKES.images[0])
    assert len(gallery(MISTAKES, CLASSES, choice.rows, count=2)) == 2
    right = gallery(MISTAKES, CLASSES, [2], "l2")[0]
    assert (right.predicted, right.wrong, right.agree) == ("", 0, None)


def test_how_many_runs_agree_is_counted_from_the_votes():
    votes = np.zeros((3, 3, 3), np.int64)
    votes[0, 0] = [0, 3, 1]  # of the first variant's four wrong runs one says cow
    counts = gallery(replace(MISTAKES, votes=votes), CLASSES, [0, 1], "baseline")
    assert [(picture.row, picture.predicted, picture.agree, picture.wrong) for picture in counts] == [(0, "dog", 3, 4)]
    np.testing.assert_array_equal(kept_votes(MISTAKES)[0], [[0, 4, 0], [4, 0, 0], [0, 0, 2]])


def test_of_tables_every_row_is_told_without_a_picture():
    plain = replace(MISTAKES, images=np.zeros((0,), np.uint8), image_rows=np.array([], np.int64))
    pictures = gallery(plain, CLASSES, [1, 0])
    assert [picture.row for picture in pictures] == [1, 0]
    assert all(picture.image is None and picture.agree is None for picture in pictures)


def test_unknown_names_and_rows_are_refused():
    with pytest.raises(UnknownNameError, match="unknown kind of mistake 'flip'; did you mean 'flips'"):
        choose(MISTAKES, "flip")
    with pytest.raises(UnknownNameError, match="unknown variant 'l1' in the tested variants"):
        choose(MISTAKES, "most", "l1")
    with pytest.raises(DataError, match="there is no test row 4; give rows from 0 to 3"):
        gallery(MISTAKES, CLASSES, [4])
    with pytest.raises(DataError, match="there is no test row -1"):
        gallery(MISTAKES, CLASSES, [-1])


def test_a_report_shows_every_kind_that_has_rows():
    assert [(choice.kind, choice.variant) for choice in report_choices(MISTAKES, 6)] == [
        ("all-wrong", None), ("flips", "baseline"), ("mended", "baseline")
    ]  # fmt: skip
    none = np.array([], np.int64)
    two = replace(MISTAKES, all_wrong=none, flips=none, mended={"l2": np.array([2]), "dropout": np.array([2, 3])})
    choices = report_choices(two, 1)
    assert [choice.kind for choice in choices] == ["most", "mended"]
    assert choices[1].words.endswith("correct in every run of dropout")


def test_the_agreement_of_the_runs_in_words():
    first, second = gallery(MISTAKES, CLASSES, [0, 3])
    assert first.agreement == "6 of 10 runs agree, 10 are wrong"
    assert second.agreement == "2 of 10 runs agree"
    unknown = gallery(MISTAKES, CLASSES, [2], "l2")[0]
    assert unknown.agreement == "no run is wrong"
