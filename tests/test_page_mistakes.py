from __future__ import annotations

from dataclasses import replace

import numpy as np

from detailed import NOTHING, details
from summaries import empty, study
from wellfit.report.page_mistakes import (
    MOST_MATRICES,
    by_use,
    gallery_groups,
    matrix_data,
    matrix_panels,
    mistakes_data,
)
from wellfit.report.pictures import pack


def made(**changes):
    summary = study(variants=("baseline", "l2", "dropout"), epochs=3)
    found = replace(details(summary).mistakes, **changes)
    return summary, found, pack(found.images, 1_000_000)


def test_a_matrix_says_percents_and_its_most_frequent_mistakes():
    summary = study(variants=("baseline",), epochs=3)
    (panel,) = matrix_panels(summary)
    counts = summary.confusion["baseline"]
    assert panel.right == f"{100 * counts.trace() / counts.sum():.2f} %"
    name, cells = panel.rows[0]
    assert name == "T-shirt/top"
    share = counts[0, 6] / counts[0].sum()
    assert cells[6] == (f"{100 * share:.0f}", round(100 * share**0.5))
    assert panel.mistakes[0] == f"T-shirt/top taken for Shirt: {counts[0, 6]} times, {100 * share:.2f} % of its class"


def test_no_more_matrices_than_a_reader_would_print():
    summary = study(epochs=3)
    names = [f"v{i}" for i in range(12)]
    many = replace(
        summary,
        variants=tuple(replace(summary.variants[0], name=n) for n in names),
        confusion=dict.fromkeys(names, summary.confusion["l2"]),
    )
    assert len(matrix_panels(many)) == MOST_MATRICES
    assert len(matrix_data(many, NOTHING)["variants"]) == 12
    assert matrix_panels(empty()) == []


def test_differences_go_along_in_points():
    summary = study(variants=("baseline", "l2"), epochs=3)
    found = details(summary)
    first, other = matrix_data(summary, found)["variants"]
    assert first["bounds"] is None
    np.testing.assert_allclose(other["bounds"][0], 100 * found.differences["l2"].low, atol=0.006)


def test_every_picture_knows_what_it_was_taken_for():
    _, found, sheet = made()
    data = mistakes_data(found, sheet)
    rows = found.image_rows
    assert data["labels"] == found.labels[rows].tolist()
    assert data["wrong"][1] == found.wrong[1, rows].tolist()
    assert data["wrong"][-1] == found.wrong[:, rows].sum(axis=0).tolist()
    assert data["runs"] == [5, 5, 5, 15]
    for kind, wanted in (("every", found.all_wrong), ("flips", found.flips)):
        assert {data["rows"][place] for place in data["kinds"][kind]} == set(wanted.tolist()) & set(rows.tolist())


def test_all_variants_together_take_a_picture_for_what_most_runs_do():
    wrong, predicted = np.array([[2], [3], [4]]), np.array([[1], [1], [2]])
    _, found, _ = made()
    few = replace(
        found, labels=np.array([0]), wrong=wrong, predicted=predicted, probability=np.array([[0.5], [0.9], [0.8]]),
        image_rows=np.array([0]), images=found.images[:1], all_wrong=np.array([0]), flips=np.array([], int), mended={},
    )  # fmt: skip
    data = mistakes_data(few, pack(few.images, 100_000))
    assert data["predicted"][-1] == [1]  # five runs against four
    assert data["percent"][-1] == [74]  # (2 * 0.5 + 3 * 0.9) / 5


def test_votes_for_a_second_class_are_kept():
    _, found, _ = made()
    votes = np.zeros((3, 2, 10), int)
    labels, predicted = np.array([0, 3]), np.array([[5, 5], [5, -1], [5, 5]])
    votes[:, 0, 5], votes[0, 0, 7], votes[0, 0, 0], votes[1, 1, 3] = 2, 1, 2, 5
    few = replace(
        found, labels=labels, wrong=np.array([[3, 1], [2, 0], [2, 1]]), predicted=predicted,
        probability=np.full((3, 2), 0.5), image_rows=np.array([0, 1]), images=found.images[:2], votes=votes,
        all_wrong=np.array([], int), flips=np.array([], int), mended={},
    )  # fmt: skip
    assert mistakes_data(few, pack(few.images, 100_000))["further"] == [[0, 0, 7, 1]]


def test_pictures_that_the_sheet_has_no_room_for_are_not_pointed_at():
    _, found, _ = made()
    sheet = pack(found.images, 20_000)
    assert sheet.count < len(found.image_rows)
    data = mistakes_data(found, sheet)
    assert all(place < sheet.count for place in data["kinds"]["every"])
    assert len(data["labels"]) == sheet.count


def test_pictures_are_ordered_by_use_and_keep_their_pixels_and_votes():
    _, found, _ = made()
    votes = np.random.default_rng(0).integers(0, 3, (3, len(found.image_rows), 10))
    found = replace(found, votes=votes)
    ordered = by_use(found)
    kept = set(found.image_rows.tolist())
    wanted = [row for row in found.all_wrong.tolist()[:48] if row in kept]
    assert ordered.image_rows[: len(wanted)].tolist() == wanted
    assert set(ordered.image_rows.tolist()) == kept
    for place in (0, 7, -1):
        before = int(np.flatnonzero(found.image_rows == ordered.image_rows[place])[0])
        np.testing.assert_array_equal(ordered.images[place], found.images[before])
        np.testing.assert_array_equal(ordered.votes[:, place], votes[:, before])


def test_the_gallery_without_a_script():
    summary, found, sheet = made()
    data = mistakes_data(found, sheet)
    groups = gallery_groups(data, summary.classes, sheet)
    assert groups[0].title == "Every run of every variant is wrong"
    assert groups[0].total == len(found.all_wrong)
    assert groups[0].tiles[0].runs == "15 of 15 runs wrong"
    assert groups[0].tiles[0].true in summary.classes
