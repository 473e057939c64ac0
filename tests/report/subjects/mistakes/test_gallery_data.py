from __future__ import annotations

from dataclasses import replace

import numpy as np

from detailed import details
from summaries import study
from wellfit.report.marks.pictures import pack
from wellfit.report.subjects.mistakes.gallery_data import by_use, gallery_data


def result(**changes):
    summary = study(variants=("baseline", "l2", "dropout"), epochs=3)
    found = replace(details(summary).mistakes, **changes)
    return summary, found, pack(found.images, 1_000_000)


def test_every_picture_knows_what_it_was_taken_for():
    _, found, sheet = result()
    data = gallery_data(found, sheet)
    rows = found.image_rows
    assert data["labels"] == found.labels[rows].tolist()
    assert data["wrong"][1] == found.wrong[1, rows].tolist()
    assert data["wrong"][-1] == found.wrong[:, rows].sum(axis=0).tolist()
    assert data["runs"] == [5, 5, 5, 15]
    assert data["agree"][:-1] == data["wrong"][:-1]  # no second class has votes here
    for kind, wanted in (("every", found.all_wrong), ("flips", found.flips)):
        assert {int(rows[place]) for place in data["kinds"][kind]} == set(wanted.tolist()) & set(rows.tolist())


def test_totals_count_every_image_that_was_wrong_with_a_picture_or_without():
    _, found, _ = result(mended={"l2": np.array([3, 8, 20])})
    sheet = pack(found.images, 20_000)
    data = gallery_data(found, sheet)
    wrong = found.wrong > 0
    for v, row in enumerate([*wrong, wrong.any(axis=0)]):
        assert data["totals"]["often"][v] == [int((row & (found.labels == k)).sum()) for k in range(10)]
    assert sum(data["totals"]["every"]) == len(found.all_wrong)
    assert sum(data["totals"]["corrected"]["l2"]) == 3
    assert [sum(cells.values()) for cells in data["cells"]] == wrong.sum(axis=1).tolist()
    true, predicted = int(found.labels[found.image_rows[0]]), int(found.predicted[2, found.image_rows[0]])
    inside = (found.labels == true) & (found.predicted[2] == predicted)
    assert data["cells"][2][f"{true},{predicted}"] == inside.sum()
    assert data["text"] == (
        f"{wrong.any(axis=0).sum():,} test images were misclassified in at least one run; "
        f"the study kept 120 of them, and this page shows {sheet.count}."
    )
    assert gallery_data(found, pack(found.images, 10**6))["text"].endswith("this page shows 120 of them.")


def test_all_variants_together_take_a_picture_for_what_most_runs_do():
    wrong, predicted = np.array([[2], [3], [4]]), np.array([[1], [1], [2]])
    _, found, _ = result()
    few = replace(
        found, labels=np.array([0]), wrong=wrong, predicted=predicted, probability=np.array([[0.5], [0.9], [0.8]]),
        image_rows=np.array([0]), images=found.images[:1], all_wrong=np.array([0]), flips=np.array([], int), mended={},
    )  # fmt: skip
    data = gallery_data(few, pack(few.images, 100_000))
    assert data["predicted"][-1] == [1]  # five runs against four
    assert data["agree"][-1] == [5]
    assert data["wrong"][-1] == [9]
    assert data["percent"][-1] == [74]  # (2 * 0.5 + 3 * 0.9) / 5


def test_votes_for_a_second_class_are_kept():
    _, found, _ = result()
    votes = np.zeros((3, 2, 10), int)
    labels, predicted = np.array([0, 3]), np.array([[5, 5], [5, -1], [5, 5]])
    votes[:, 0, 5], votes[0, 0, 7], votes[0, 0, 0], votes[1, 1, 3] = 2, 1, 2, 5
    few = replace(
        found, labels=labels, wrong=np.array([[3, 1], [2, 0], [2, 1]]), predicted=predicted,
        probability=np.full((3, 2), 0.5), image_rows=np.array([0, 1]), images=found.images[:2], votes=votes,
        all_wrong=np.array([], int), flips=np.array([], int), mended={},
    )  # fmt: skip
    data = gallery_data(few, pack(few.images, 100_000))
    assert data["further"] == [[0, 0, 7, 1]]
    assert [row[0] for row in data["agree"]] == [2, 2, 2, 6]  # the first picture: of the runs that said class 5
    assert data["wrong"][0][0] == 3  # one more said class 7


def test_pictures_that_the_sheet_has_no_room_for_are_not_pointed_at():
    _, found, _ = result()
    sheet = pack(found.images, 20_000)
    assert sheet.count < len(found.image_rows)
    data = gallery_data(found, sheet)
    assert all(place < sheet.count for place in data["kinds"]["every"])
    assert len(data["labels"]) == sheet.count


def test_pictures_are_ordered_by_use_and_keep_their_pixels_and_votes():
    _, found, _ = result()
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


def test_every_cell_of_every_variant_has_its_first_picture_before_any_has_its_second():
    _, found, _ = result()
    votes = np.zeros((3, 12, 10), int)
    votes[0, :10, 1] = 5  # ten pictures of one cell of the first variant
    votes[2, 10, 1] = 1  # one that only a run of the third variant takes for it
    votes[1, 11, 7] = 1
    few = replace(
        found, labels=np.zeros(12, int), wrong=votes.sum(axis=2), predicted=np.where(votes.any(axis=2), 1, -1),
        probability=np.full((3, 12), 0.5), image_rows=np.arange(12), images=found.images[:12], votes=votes,
        all_wrong=np.array([], int), flips=np.array([], int), mended={},
    )  # fmt: skip
    assert set(by_use(few).image_rows[:3].tolist()) == {0, 10, 11}
