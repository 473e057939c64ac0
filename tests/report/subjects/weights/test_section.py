from __future__ import annotations

import re
from dataclasses import replace

from detailed import NOTHING, details
from summaries import empty, study
from wellfit.report.forms.page_template import page_environment
from wellfit.report.subjects.weights.numbers import filter_sheet
from wellfit.report.subjects.weights.section import fragment, parts

SUMMARY = study(variants=("baseline", "l2"), epochs=3)
DETAILS = details(SUMMARY)


def html(shown):
    template = page_environment().get_template("subjects/weights/section.html.j2")
    return template.render(shown, summary=SUMMARY)


def test_distribution_and_filters_are_side_by_side():
    drawings = parts(SUMMARY, DETAILS)
    assert [(d.name, d.width) for d in drawings] == [
        ("weight-norms", "full"),
        ("weights-1-baseline", "half"),
        ("ridge-1-baseline", "half"),
        ("filters-1-baseline", "half"),
        ("weights-2-l2", "half"),
        ("ridge-2-l2", "half"),
        ("filters-2-l2", "half"),
    ]
    assert all(d.draw().axes for d in drawings)


def test_without_images_there_are_no_filters():
    bare = {name: replace(weights, filters=None) for name, weights in DETAILS.weights.items()}
    table = replace(DETAILS, weights=bare)
    assert not [d for d in parts(SUMMARY, table) if d.name.startswith("filters")]
    assert "Filters of the first layer" not in html(fragment(SUMMARY, table, {}))


def test_the_page_has_a_row_per_variant():
    sheet = filter_sheet(DETAILS.weights, 300_000)
    page = html(fragment(SUMMARY, DETAILS, {"filters": sheet}))
    assert page.count("Filters of the first layer of") == 2
    assert page.count('class="layer"') == 6
    assert "Norm of all kernels by epoch" in page


def test_distributions_have_the_color_of_their_variant():
    summary = study(variants=("baseline", "dropout"), epochs=3)
    template = page_environment().get_template("subjects/weights/section.html.j2")
    page = template.render(fragment(summary, details(summary), {}), summary=summary)
    row = page[page.index("<tbody>") :].split("<tr>")[2]
    assert set(re.findall(r"var\(--s(\d)\)", row)) == {"3"}  # of its mark and of every layer


def test_the_page_has_a_ridge_per_kernel_and_variant():
    page = html(fragment(SUMMARY, DETAILS, {}))
    assert page.count('class="weights-ridge-panel"') == 3
    assert page.count("Distribution of the weights dense_2/kernel of l2, seed 0, by epoch") == 1
    assert page.count("by epoch: after epoch 1 ") == 6
    assert re.findall(r"<option [^>]*>([^<]*)", page) == ["dense_1", "dense_2", "dense_3"]


def test_without_histograms_by_epoch_there_is_no_ridge():
    before = {name: replace(weights, history=None) for name, weights in DETAILS.weights.items()}
    older = replace(DETAILS, weights=before)
    assert not [d for d in parts(SUMMARY, older) if d.name.startswith("ridge")]
    assert "weights-ridge" not in html(fragment(SUMMARY, older, {}))


def test_without_weights_there_is_no_section():
    assert fragment(SUMMARY, NOTHING, {}) == {}
    assert parts(empty(), NOTHING) == []
