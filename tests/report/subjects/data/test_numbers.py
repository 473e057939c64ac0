from __future__ import annotations

from detailed import details, table_look
from summaries import study
from wellfit.report.subjects.data.numbers import class_examples, data_sheet, describe_data

SUMMARY = study(variants=("baseline",), epochs=2)
IMAGES = details(SUMMARY).data


def test_every_class_has_its_counts_and_its_own_images():
    sheet = data_sheet(IMAGES, 1_000_000)
    assert sheet.count == 80
    row = class_examples(SUMMARY, IMAGES, sheet)[3]
    assert row.name == "Dress"
    assert row.counts == ("4,800", "1,200", "1,000")
    assert row.images == tuple(sheet.place(i) for i in range(24, 32))


def test_images_without_room_are_left_out():
    sheet = data_sheet(IMAGES, 20_000)
    assert sheet.count < 80
    assert class_examples(SUMMARY, IMAGES, sheet)[-1].images == ()


def test_a_table_has_no_images():
    table = table_look(SUMMARY)
    assert data_sheet(table, 1_000_000) is None
    assert class_examples(SUMMARY, table)[0].images == ()
    assert describe_data(table) == "Rows, from a CSV file: 1,000 examples of 2 features."
