from __future__ import annotations

from dataclasses import replace

from detailed import details, table_look
from summaries import study
from wellfit.report.subjects.data.numbers import data_facts, data_rows, data_sheet


def test_every_class_has_its_counts_and_its_own_pictures():
    summary = study(variants=("baseline",), epochs=2)
    look = details(summary).look
    sheet = data_sheet(look, 1_000_000)
    assert sheet.count == 80
    rows = data_rows(summary, look, sheet)
    assert rows[3].name == "Dress"
    assert rows[3].counts == ("4,800", "1,200", "1,000")
    assert rows[3].pictures == tuple(sheet.place(i) for i in range(24, 32))


def test_pictures_without_room_are_left_out():
    summary = study(variants=("baseline",), epochs=2)
    look = details(summary).look
    sheet = data_sheet(look, 20_000)
    assert sheet.count < 80
    assert data_rows(summary, look, sheet)[-1].pictures == ()


def test_a_table_has_no_pictures():
    summary = study(variants=("baseline",), epochs=2)
    look = table_look(summary)
    assert data_sheet(look, 1_000_000) is None
    assert data_rows(summary, look, None)[0].pictures == ()
    assert data_facts(look) == "Rows (a CSV file): 1,000 examples of 2 features."
    assert data_facts(replace(look, shape=(1,))).endswith("1 feature.")
