from __future__ import annotations

from dataclasses import replace

from detailed import NOTHING, details, regions, table_look
from summaries import study
from wellfit.report.forms.page import render_page
from wellfit.report.marks.static import alt_text
from wellfit.report.parts import Drawing, Paragraph, Table
from wellfit.report.subjects.data.numbers import data_sheet
from wellfit.report.subjects.data.section import fragment, parts

SUMMARY = study(variants=("baseline",), epochs=2)
DETAILS = details(SUMMARY)


def test_paper_describes_draws_and_counts_the_data():
    sentence, drawing, counts = parts(SUMMARY, DETAILS)
    assert isinstance(sentence, Paragraph)
    assert isinstance(drawing, Drawing)
    assert isinstance(counts, Table)
    assert counts.headings == ("Class", "Training examples", "Validation examples", "Test examples")
    assert counts.rows[0] == ("T-shirt/top", "4,800", "1,200", "1,000")


def test_data_with_two_features_have_a_scatter_plot():
    plane = replace(NOTHING, data=table_look(SUMMARY), regions={"l2": regions("l2")})
    drawing = next(part for part in parts(SUMMARY, plane) if getattr(part, "name", "") == "scatter")
    assert drawing.caption == f"{len(regions('l2').labels)} training examples by their two features."
    assert "Scatter plot of " in alt_text(drawing.draw())
    ((caption, picture),) = fragment(SUMMARY, plane, {})["points"]
    assert caption == drawing.caption
    assert "Scatter plot of " in picture
    assert fragment(SUMMARY, DETAILS, {})["points"] == []


def test_the_page_shows_images_or_the_first_rows():
    sheet = data_sheet(DETAILS.data, 1_000_000)
    images = fragment(SUMMARY, DETAILS, {"examples": sheet})
    assert len(images["rows"][0].images) == 8
    assert images["first"] is None
    table = fragment(SUMMARY, replace(DETAILS, data=table_look(SUMMARY)), {})
    assert table["first"].headings == ("x1", "x2", "class")
    assert len(table["first"].rows) == 2


def test_many_classes_are_neither_drawn_nor_listed_on_paper():
    for size, kinds in ((31, [Paragraph, Table]), (61, [Paragraph])):
        summary = study(variants=("baseline",), epochs=2, classes=tuple(f"class {i}" for i in range(size)))
        assert [type(part) for part in parts(summary, details(summary, images=2))] == kinds


def test_without_data_there_is_no_section():
    assert parts(SUMMARY, NOTHING) == []
    assert fragment(SUMMARY, NOTHING, {}) == {}


def test_every_form_says_what_was_decided():
    shown = replace(DETAILS, data=table_look(SUMMARY))
    said = (("Label column", "<i>Churn</i>, the last of 3 columns"), ("Rows dropped", "2 without a label"))
    _, facts, *_ = parts(SUMMARY, shown)
    assert isinstance(facts, Table)
    assert (facts.headings, facts.rows, facts.text) == ((), said, 2)
    assert fragment(SUMMARY, shown, {})["facts"] == said
    whole = study()
    page = render_page(whole, replace(details(whole), data=table_look(whole)))
    assert "<dt>Rows dropped</dt><dd>2 without a label</dd>" in page
    assert "&lt;i&gt;Churn&lt;/i&gt;, the last of 3 columns" in page
