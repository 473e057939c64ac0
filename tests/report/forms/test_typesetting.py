"""Nothing on a page is wider than it has room for, higher than the page, or over something else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from matplotlib.figure import Figure

import detailed
import documents
import summaries
from wellfit.report.document import Code, Document, Drawing, Paragraph, Section, TableData, make_document
from wellfit.report.forms import typesetting
from wellfit.report.forms.line_breaking import text_width
from wellfit.report.forms.typesetting import BOTTOM, HEIGHT, LEFT, MEASURE, SQUEEZED, TOP, WIDTH, Page


def check(pages: list[Page]) -> None:
    """Lines within the margins and apart, figures within the text and apart from every line."""
    for number, page in enumerate(pages, 1):
        boxes = []
        for line in page.lines:
            wide = text_width(line.text, line.size, line.face)
            x = line.x - wide if line.right else line.x
            assert x >= LEFT - 0.1, line
            assert x + wide <= WIDTH - LEFT + 0.5, line
            boxes.append((x, line.y - 0.2 * line.size, x + wide, line.y + 0.75 * line.size, line.text))
        for placed in page.figures:
            wide, high = (72 * placed.scale * float(inches) for inches in placed.figure.get_size_inches())
            assert placed.x + wide <= WIDTH - LEFT + 0.5
            assert placed.y >= BOTTOM - 1
            assert placed.y + high <= HEIGHT - TOP + 1
            boxes.append((placed.x, placed.y, placed.x + wide, placed.y + high, "figure"))
        for at, one in enumerate(boxes):
            for other in boxes[:at]:
                across = min(one[2], other[2]) - max(one[0], other[0])
                up = min(one[3], other[3]) - max(one[1], other[1])
                assert across < 0.6 or up < 0.6, (number, one, other)
        assert any(line.text == f"{number} / {len(pages)}" for line in page.lines)


@pytest.mark.parametrize(
    ("made", "full"),
    [
        (summaries.study, True),
        (lambda: summaries.study(seeds=1, variants=("baseline",)), True),
        (summaries.empty, False),
        (summaries.running, False),
        (summaries.diverged, True),
        (summaries.hostile, False),
    ],
    ids=["all", "one", "empty", "running", "diverged", "hostile"],
)
@pytest.mark.filterwarnings("ignore:Glyph")
def test_every_state_of_a_study_is_set(made: object, full: bool) -> None:
    summary = documents.with_study(made())  # type: ignore[operator]
    details = detailed.details(summary) if full else detailed.NOTHING
    if len(summary.variants) == 1:
        details = replace(details, paths=())  # a sweep has more
    check(typesetting.typeset(make_document(summary, details)))


def test_headings_of_a_long_table_stand_on_every_page() -> None:
    table = TableData(("Variant", "number"), tuple((f"v{n}", str(n)) for n in range(200)))
    pages = typesetting.typeset(Document("t", "n", "finished", (Section("s", (table,)),)))
    check(pages)
    assert len(pages) > 2
    assert all(sum(line.text == "Variant" for line in page.lines) == 1 for page in pages)


def test_a_heading_stays_with_its_figure_and_two_small_figures_stand_side_by_side() -> None:
    def drawing(width: float, height: float) -> Drawing:
        return Drawing("d", "a caption", lambda: Figure(figsize=(width, height)))

    first = Section("first", (Paragraph("words " * 500),))
    pages = typesetting.typeset(Document("t", "n", "finished", (first, Section("second", (drawing(8.6, 8.0),)))))
    check(pages)
    (page,) = [page for page in pages if any(line.text == "second" for line in page.lines)]
    assert page.figures
    (page,) = typesetting.typeset(Document("t", "n", "", (Section("s", (drawing(4, 4), drawing(4, 4), Code("x"))),)))
    assert page.figures[0].y == page.figures[1].y
    assert page.figures[1].x > LEFT + MEASURE / 2


def test_what_is_too_high_for_a_page_is_made_smaller() -> None:
    part = Drawing("d", "c", lambda: Figure(figsize=(8.6, 30)))
    pages = typesetting.typeset(Document("t", "n", "", (Section("s", (part,)),)))
    check(pages)
    assert 72 * 30 * pages[-1].figures[0].scale < HEIGHT


def test_a_figure_that_nearly_fits_is_made_smaller_and_stays_with_its_words() -> None:
    def pages(words: int) -> list[Page]:
        drawing = Drawing("d", "a caption", lambda: Figure(figsize=(8.6, 6.0)))
        text = Section("s", (Paragraph("words " * words), drawing))
        return typesetting.typeset(Document("t", "n", "", (text,)))

    full = pages(0)[0].figures[0].scale
    seen = {(len(made), made[-1].figures[0].scale / full) for made in map(pages, range(300, 700, 20))}
    assert all(SQUEEZED <= scale <= 1 for _, scale in seen)
    assert {count for count, scale in seen if scale < 0.99} == {1}
    assert {count for count, _ in seen} == {1, 2}
    for words in (300, 500, 700):
        check(pages(words))
