"""Figures for one column of a paper, read back by other programs."""

from __future__ import annotations

import io
import re
from pathlib import Path
from xml.etree import ElementTree

import pypdf
import pytest
from matplotlib.figure import Figure

import summaries
from wellfit.report.marks.column import COLUMN, SCALE, SHEET, is_narrow, one_column, save_pdf, save_svg, wrapped
from wellfit.report.marks.static import alt_text
from wellfit.report.subjects.curves.static import plot_curves
from wellfit.report.subjects.ranking.static import plot_ranking

SVG = "{http://www.w3.org/2000/svg}"


def ranking() -> Figure:
    with one_column():
        return plot_ranking(summaries.study())


def inches(text: str) -> float:
    assert text.endswith("in")
    return float(text.removesuffix("in"))


def test_a_pdf_is_as_wide_as_a_column_and_has_its_fonts(tmp_path: Path) -> None:
    figure = ranking()
    save_pdf(figure, tmp_path / "a.pdf", alt_text(figure))
    (page,) = pypdf.PdfReader(tmp_path / "a.pdf").pages
    assert float(page.mediabox.width) / 72 == pytest.approx(COLUMN, abs=0.01)
    assert float(page.mediabox.height) / 72 < 1.05 * SCALE * figure.get_figheight()
    fonts = page["/Resources"]["/Font"].values()  # type: ignore[index]
    assert fonts
    for font in (reference.get_object() for reference in fonts):
        assert font["/Subtype"] == "/Type0"  # of Type 42; bitmaps and outlines as glyphs would be Type3
        (descendant,) = font["/DescendantFonts"]
        assert "/FontFile2" in descendant.get_object()["/FontDescriptor"]
    sizes: set[float] = set()

    def note(text: str, cm: list[float], _tm: object, _font: object, size: float) -> None:
        if text.strip():
            sizes.add(round(cm[0] * size, 2))

    page.extract_text(visitor_text=note)
    assert max(sizes) == pytest.approx(SCALE * 11.5)  # names; 8 pt is the size of the ticks
    assert SCALE * 10 in sizes
    assert min(sizes) >= 7
    assert "label-smoothing" not in page.extract_text()
    assert "early-stopping" in page.extract_text()
    about = pypdf.PdfReader(tmp_path / "a.pdf").metadata
    assert about is not None
    assert about.title == alt_text(figure)


def test_an_svg_is_as_wide_as_a_column_and_needs_no_font() -> None:
    buffer = io.BytesIO()
    save_svg(ranking(), buffer, "what <it> shows\x00 \\1")
    drawn = ElementTree.fromstring(buffer.getvalue())
    assert inches(drawn.attrib["width"]) == pytest.approx(COLUMN)
    _, _, width, height = map(float, drawn.attrib["viewBox"].split())
    assert inches(drawn.attrib["height"]) / COLUMN == pytest.approx(height / width, rel=1e-3)
    assert width / 72 == pytest.approx(SHEET, abs=0.02)
    assert not list(drawn.iter(f"{SVG}text"))
    assert len(list(drawn.iter(f"{SVG}path"))) > 50
    (title,) = drawn.findall(f"{SVG}title")
    assert title.text == "what <it> shows \\1"


@pytest.mark.parametrize("save", [save_pdf, save_svg])
def test_the_same_figure_gives_the_same_bytes(save: object) -> None:
    found = []
    for _ in range(2):
        buffer = io.BytesIO()
        save(ranking(), buffer, "title")  # type: ignore[operator]
        found.append(buffer.getvalue())
    assert found[0] == found[1]


def test_what_does_not_fit_is_smaller_not_cut() -> None:
    figure = Figure(figsize=(SHEET, 2.0))
    figure.text(0.0, 0.5, "a very long text that does not fit into the sheet, " * 2)
    buffer = io.BytesIO()
    save_svg(figure, buffer)
    drawn = ElementTree.fromstring(buffer.getvalue())
    assert inches(drawn.attrib["width"]) == pytest.approx(COLUMN)
    assert float(drawn.attrib["viewBox"].split()[2]) / 72 > SHEET + 0.5


def test_lines_reach_the_end_of_their_axes() -> None:
    """Lines are cut at the size of a PDF's page, which is smaller than that of the drawing."""
    with one_column():
        figure = plot_curves(summaries.study(variants=("baseline",)))
    buffer = io.BytesIO()
    save_pdf(figure, buffer)
    content = pypdf.PdfReader(buffer).pages[0].get_contents()
    assert content is not None
    ends = [float(x) for x in re.findall(rb"([\d.]+) [\d.]+ l\n", content.get_data())]
    end = 72 * SHEET * figure.axes[0].get_position().x1
    assert end > 72 * COLUMN
    assert sum(abs(x - end) < 0.5 for x in ends) >= 2


def test_only_narrow_figures_are_wrapped() -> None:
    assert not is_narrow()
    assert plot_ranking(summaries.study()).get_figwidth() > SHEET
    assert wrapped("one two", 3) == "one two"
    with one_column():
        assert wrapped("one two\nthree", 3) == "one\ntwo\nthr\nee"
