from __future__ import annotations

from dataclasses import replace

import detailed
from summaries import study
from wellfit.base import ModelTable
from wellfit.report.forms.page_template import page_environment
from wellfit.report.parts import Paragraph, Table
from wellfit.report.subjects.models.section import MOST, fragment, parts

SUMMARY = study(variants=("baseline", "l2", "dropout"))
DETAILS = detailed.details(SUMMARY)


def test_every_network_that_is_trained_has_its_table() -> None:
    unused = ModelTable(DETAILS.models[0].rows, 0, base=True)
    heads = parts(SUMMARY, replace(DETAILS, models=(unused, *DETAILS.models)))
    tables = [part for part in heads if isinstance(part, Table)]
    assert [part.text for part in heads if isinstance(part, Paragraph)][::2] == ["baseline:", "l2, dropout:"]
    assert [table.rows[2] for table in tables] == [
        ("dropout_1", "16", "0", "rate 0"),
        ("dropout_1", "16", "0", "rate 0.5"),
    ]
    assert parts(SUMMARY, DETAILS)[2] == Paragraph("12,730 parameters, 49.73 KB.", kind="small")


def test_a_sweep_of_networks_is_cut_and_says_so() -> None:
    many = tuple(replace(DETAILS.models[0], variants=(f"v{n}",)) for n in range(MOST + 2))
    last = parts(SUMMARY, replace(DETAILS, models=many))[-1]
    assert last == Paragraph(
        "2 further networks differ in layers or dropout rates; wellfit model shows all of them.", kind="small"
    )
    one = parts(SUMMARY, replace(DETAILS, models=many[:-1]))[-1]
    assert isinstance(one, Paragraph)
    assert one.text.startswith("1 further network differs")
    assert len([part for part in parts(SUMMARY, replace(DETAILS, models=many)) if isinstance(part, Table)]) == MOST


def test_the_page_has_the_same() -> None:
    template = page_environment().get_template("subjects/models/section.html.j2")
    html = template.render(fragment(SUMMARY, DETAILS, {}), summary=SUMMARY)
    assert html.count("<table") == 2
    assert "rate 0.5" in html
    assert "12,730 parameters, 49.73 KB." in html


def test_a_directory_that_did_not_keep_them_has_no_section() -> None:
    assert parts(SUMMARY, detailed.NOTHING) == []
    assert fragment(SUMMARY, detailed.NOTHING, {}) == {}
