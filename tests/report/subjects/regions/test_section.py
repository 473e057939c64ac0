from __future__ import annotations

import re
from dataclasses import replace

from detailed import NOTHING, regions
from summaries import study
from wellfit.report.forms.page_template import page_environment
from wellfit.report.subjects.regions.section import fragment, parts

SUMMARY = study(variants=("baseline", "l2"), classes=("up", "down"), epochs=2)
DETAILS = replace(NOTHING, regions={"l2": regions("l2")})


def html(summary=SUMMARY, details=DETAILS):
    template = page_environment().get_template("subjects/regions/section.html.j2")
    return template.render(fragment(summary, details, {}), summary=summary)


def test_both_figures_are_side_by_side():
    drawings = parts(SUMMARY, DETAILS)
    assert [(d.name, d.width) for d in drawings] == [("regions-2-l2", "half"), ("disagreement-2-l2", "half")]
    assert all(d.draw().axes for d in drawings)


def test_several_variants_have_a_figure_of_all_of_them():
    both = replace(NOTHING, regions={name: regions(name) for name in ("l2", "baseline")})
    first = parts(SUMMARY, both)[0]
    assert first.name == "region-panels"
    assert [axes.get_title(loc="left") for axes in first.draw().axes] == ["baseline", "l2"]


def test_the_page_has_the_drawings_with_their_axes_and_one_key_for_all():
    page = html()
    assert 'aria-label="Decision regions of l2' in page
    assert 'aria-label="Disagreement of the seeds of l2' in page
    words = set(re.findall(r"<text[^>]*>([^<]*)</text>", page))
    assert {"feature 1", "feature 2", "0"} <= words
    assert not words & {"up", "down", "l2"}  # the key and the heading have them
    for name in DETAILS.regions["l2"].curves:
        assert f"true curve: {name}</span>" in page
    in_key, drawn = (re.findall(f"stroke-dasharray{of}", page) for of in ('="([\\d. ]+)"', r":\s*([\d., ]+)"))
    assert len(in_key) == 2
    assert set(in_key) <= {re.sub(r"[, ]+", " ", dashes.strip()) for dashes in drawn}


def test_the_page_stays_small():
    assert all(len(drawing) < 40_000 for drawing in fragment(SUMMARY, DETAILS, {})["variants"][0][2:])


def test_names_are_escaped():
    hostile = replace(SUMMARY, variants=(replace(SUMMARY.variants[1], name="<l2>"),))
    page = html(hostile, replace(NOTHING, regions={"<l2>": regions("<l2>")}))
    assert "Decision regions of &lt;l2&gt;" in page
    assert "<l2>" not in page


def test_without_regions_there_is_no_section():
    assert fragment(SUMMARY, NOTHING, {}) == {}
    assert parts(SUMMARY, NOTHING) == []
