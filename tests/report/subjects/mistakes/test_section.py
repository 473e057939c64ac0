from __future__ import annotations

from dataclasses import replace

import numpy as np

from detailed import NOTHING, details
from summaries import study
from wellfit.report.forms.page import render_page
from wellfit.report.marks.pictures import pack
from wellfit.report.marks.static import alt_text
from wellfit.report.subjects.mistakes.section import SHOWN, fragment, parts

SUMMARY = study(variants=("baseline", "l2", "dropout"), epochs=3)
DETAILS = details(SUMMARY)


def page(room=1_000_000, **changes):
    """What the page shows of changed mistakes, and these mistakes."""
    mistakes = replace(DETAILS.mistakes, **changes)
    sheet = pack(mistakes.images, room)
    return fragment(SUMMARY, replace(DETAILS, mistakes=mistakes), {"mistakes": sheet}), mistakes, sheet


def test_paper_has_a_gallery_of_each_kind():
    corrected = replace(DETAILS.mistakes, mended={"l2": DETAILS.mistakes.image_rows[:3]})
    drawings = parts(SUMMARY, replace(DETAILS, mistakes=corrected))
    names = ["mistakes-all-wrong", "mistakes-flips", "mistakes-mended", "predictions"]
    assert [drawing.name for drawing in drawings] == names
    assert drawings[0].caption.startswith("Wrong in every run of every variant. Below each image: true class, ")
    assert alt_text(drawings[0].draw()).startswith(f"Gallery: wrong in every run of every variant, {SHOWN} of ")


def test_the_page_without_a_script_has_a_few_images_of_each_kind():
    shown, mistakes, sheet = page()
    first = shown["groups"][0]
    assert (first.title, first.total) == ("Wrong in every run of every variant", len(mistakes.all_wrong))
    kept = [int(row) for row in mistakes.all_wrong if row in mistakes.image_rows][:SHOWN]
    places = [sheet.place(int(np.flatnonzero(mistakes.image_rows == row)[0])) for row in kept]
    assert [tile.place for tile in first.tiles] == places
    assert first.tiles[0].true == SUMMARY.classes[mistakes.labels[kept[0]]]
    assert first.tiles[0].runs == "all 15 runs agree"
    assert shown["data"]["variants"][0] == "baseline"


def test_the_page_has_the_first_images_whether_right_or_wrong():
    first = DETAILS.first
    sheets = {"mistakes": pack(DETAILS.mistakes.images, 1_000_000), "first": pack(first.images, 40_000)}
    tiles = fragment(SUMMARY, DETAILS, sheets)["first"]
    assert [tile.true for tile in tiles] == [SUMMARY.classes[label] for label in first.labels]
    assert [tile.predicted for tile in tiles] == [SUMMARY.classes[label] for label in first.predicted]
    assert tiles[3].true != tiles[3].predicted
    assert (tiles[0].place, tiles[0].runs) == (sheets["first"].place(0), "baseline, seed 0")
    assert fragment(SUMMARY, DETAILS, {"mistakes": sheets["mistakes"]})["first"] == ()


def test_the_first_images_are_shown_without_any_mistake():
    mistakes = DETAILS.mistakes
    none = replace(
        mistakes,
        wrong=np.zeros_like(mistakes.wrong),
        all_wrong=np.array([], int),
        flips=np.array([], int),
        mended={},
        image_rows=np.array([], int),
        images=mistakes.images[:0],
        votes=mistakes.votes[:, :0],
    )
    sheets = {"first": pack(DETAILS.first.images, 40_000)}
    for of in (none, None):
        shown = fragment(SUMMARY, replace(DETAILS, mistakes=of), sheets)
        assert (shown["data"], shown["groups"]) == (None, ())
        assert len(shown["first"]) == len(DETAILS.first.images)
    html = render_page(SUMMARY, replace(DETAILS, mistakes=none))
    assert f"The first {len(DETAILS.first.images)} test images, right or wrong" in html
    assert 'id="gallery-live"' not in html
    assert 'id="mistakes-data"' not in html
    assert fragment(SUMMARY, replace(DETAILS, mistakes=none, first=None), sheets) == {}


def test_where_no_image_is_always_wrong_the_most_often_wrong_are_shown():
    shown, mistakes, sheet = page(all_wrong=np.array([], int))
    first = shown["groups"][0]
    assert first.title == "Most often wrong"
    assert first.total == (mistakes.wrong > 0).any(axis=0).sum()
    often = mistakes.wrong[:, mistakes.image_rows].sum(axis=0)
    assert first.tiles[0].place == sheet.place(int(often.argmax()))


def test_only_images_on_the_sheet_are_shown():
    shown, _, sheet = page(room=20_000)
    places = {sheet.place(index) for index in range(sheet.count)}
    assert {tile.place for group in shown["groups"] for tile in group.tiles} <= places


def test_without_images_there_is_no_section():
    assert parts(SUMMARY, NOTHING) == []
    assert fragment(SUMMARY, DETAILS, {}) == {}
    table = replace(DETAILS, first=None, mistakes=replace(DETAILS.mistakes, images=np.zeros(0, np.uint8)))
    assert parts(SUMMARY, table) == []
