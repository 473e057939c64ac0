"""Lines and columns are as wide as the font makes them, and no wider than their measure."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from wellfit.report.document import TableData
from wellfit.report.forms.line_breaking import break_lines, column_widths, shortened, text_width

WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)


@given(text=WORDS)
def test_widths_are_those_of_the_font(text: str) -> None:
    drawn = TextPath(
        (0, 0), text.replace("$", "S") + "|", prop=FontProperties(family="DejaVu Sans", size=10)
    ).get_extents()
    wide = text_width(text.replace("$", "S") + "|", 10)
    assert drawn.x1 <= wide + 0.1  # kerning may only make it narrower; the last glyph's own bearing lies within


@given(text=WORDS, width=st.floats(30, 400))
def test_lines_are_broken_to_the_measure_and_lose_nothing(text: str, width: float) -> None:
    lines = break_lines(text, 9, width)
    assert all(text_width(line, 9) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(rows=st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=5), width=st.floats(80, 500))
def test_columns_fit(rows: list[tuple[str, str, str]], width: float) -> None:
    widths = column_widths(TableData(("a", "b", "c"), tuple(rows)), 8, width, 6)
    assert sum(widths) + 12 <= width + 0.01
    assert min(widths) > 0


@given(text=st.text(max_size=40), width=st.floats(20, 200))
def test_a_text_is_cut_to_one_line_whatever_its_letters(text: str, width: float) -> None:
    """Letters that no font has are as wide as the box that stands for them."""
    kept = shortened(text, 9, width)
    assert text_width(kept, 9) <= width
    assert kept == text or text.startswith(kept.removesuffix("…"))
