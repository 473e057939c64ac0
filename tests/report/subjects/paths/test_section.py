from __future__ import annotations

from dataclasses import replace

import numpy as np

from detailed import NOTHING, grid, path
from summaries import study
from wellfit.report.forms.page_template import page_environment
from wellfit.report.parts import Drawing, Paragraph
from wellfit.report.subjects.paths.section import fragment, parts

NAMES = ("baseline", "l2", "l1", "dropout", "l2 + dropout", "early-stopping")
SUMMARY = study(epochs=2)


def html(*paths, grids=(), summary=SUMMARY):
    template = page_environment().get_template("subjects/paths/section.html.j2")
    return template.render(fragment(summary, replace(NOTHING, paths=paths, grids=grids), {}), summary=summary)


def test_a_path_is_sentences_and_a_figure():
    paragraph, drawing = parts(SUMMARY, replace(NOTHING, paths=(path(NAMES),)))
    assert isinstance(paragraph, Paragraph)
    assert paragraph.head == "l2"
    assert paragraph.text.startswith("Of the 6 values of l2")
    assert isinstance(drawing, Drawing)
    assert drawing.name == "path-1-l2"


def test_a_grid_is_a_figure():
    (drawing,) = parts(SUMMARY, replace(NOTHING, grids=(grid(NAMES),)))
    assert (drawing.name, drawing.caption) == ("grid-1", "Validation accuracy by l2 and dropout.")
    assert drawing.draw().axes


def test_the_page_has_every_mean_with_its_interval():
    page = html(path(NAMES))
    for mean in path(NAMES).metrics["test_accuracy"][0]:
        assert f'<span class="interval">[{100 * mean - 0.4:.2f}, {100 * mean + 0.4:.2f}]</span>' in page
    assert "in brackets: 95&nbsp;% interval" in page
    assert 'aria-label="Path of accuracy along l2' in page


def test_without_intervals_the_page_does_not_mention_them():
    nothing = np.full(len(NAMES), np.nan)
    alone = {name: (mean, nothing, nothing) for name, (mean, _, _) in path(NAMES).metrics.items()}
    page = html(replace(path(NAMES), metrics=alone, chosen=None, one_standard_error=None))
    assert "in brackets" not in page
    assert 'class="interval"' not in page


def test_the_cells_of_a_grid_are_described():
    page = html(grids=(grid(NAMES),))
    low, high = SUMMARY.variants[1].interval["validation_accuracy"]
    assert f'title="l2: 89.00 % [{100 * low:.2f}, {100 * high:.2f}]"' in page
    assert "Intervals: " in page
    assert "Framed: chosen on validation." in page
    bare = replace(SUMMARY, variants=tuple(replace(v, interval={}) for v in SUMMARY.variants))
    page = html(grids=(replace(grid(NAMES), chosen=None),), summary=bare)
    assert "Framed" not in page
    assert "Intervals: " not in page


def test_no_sweep_is_no_section():
    assert fragment(SUMMARY, NOTHING, {}) == {}
    assert parts(SUMMARY, NOTHING) == []
