"""Letters that DejaVu Sans lacks are taken from another installed font, or told of in one line."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.figure import Figure
from matplotlib.font_manager import FontEntry, fontManager

import summaries
from wellfit.report.forms.line_breaking import text_width
from wellfit.report.marks import fonts
from wellfit.report.marks import static as drawing
from wellfit.report.subjects.confusion.static import plot_confusion

HAS, LACKS = "\U000f0041", "\U000f0042"
"""Letters for private use, which no font has unless a test makes one."""


def forget() -> None:
    for known in (fonts._lacks, fonts._family, fonts._installed, fonts._letters):
        known.cache_clear()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A font of one letter, 1.5 times as wide as high."""
    pen = TTGlyphPen(None)
    for at, point in enumerate([(0, 0), (0, 1400), (1400, 1400), (1400, 0)]):
        (pen.lineTo if at else pen.moveTo)(point)
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "box"])
    builder.setupCharacterMap({ord(HAS): "box"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "box": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (500, 0), "box": (1500, 0)})
    builder.setupHorizontalHeader(ascent=1400, descent=0)
    builder.setupNameTable({"familyName": "One Letter", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "one.ttf")
    entry = FontEntry(fname=str(tmp_path / "one.ttf"), name="One Letter", style="normal", weight=400)
    monkeypatch.setattr(fontManager, "ttflist", [*fontManager.ttflist, entry])
    fontManager._findfont_cached.cache_clear()
    forget()
    yield entry.name
    monkeypatch.undo()
    fontManager._findfont_cached.cache_clear()
    forget()


def test_what_the_own_font_has_needs_no_other() -> None:
    for text in ("plain", "Straße → naïve ≤ −0.5", "κύκλος", "a\ufe0f\u200db\n"):
        assert fonts.beyond(text) == ()
        assert fonts.missing(text) == fonts.notice(text) == ""
    assert fonts.families("x", "bold") == ["DejaVu Sans"]


def test_another_installed_font_draws_what_the_own_one_lacks(installed: str) -> None:
    text = f"cat {HAS}{LACKS}"
    assert fonts.beyond(text) == (installed,)
    assert fonts.families(text, "mono") == ["DejaVu Sans Mono", installed]
    assert fonts.missing(text) == LACKS
    assert text_width(HAS, 10, "") == pytest.approx(15.0, abs=0.01)


def test_classes_of_a_figure_get_that_font(installed: str) -> None:
    summary = summaries.study(variants=("baseline",), classes=("cat", HAS))
    figure = plot_confusion(summary, "baseline")
    (axes,) = figure.axes
    assert [label.get_fontfamily()[-1] == installed for label in axes.get_yticklabels()] == [False, True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.draw_without_rendering()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LACKS, "1 letter is in no installed font (emoji and signs), so it is an empty box"),
        (LACKS + LACKS + "\U000f0043", "2 letters are in no installed font (emoji and signs), so they are empty boxes"),
    ],
)
def test_what_no_font_has_is_told_in_one_line(text: str, told: str) -> None:
    said = fonts.notice(f"dog {text}")
    assert said.startswith(told)
    assert "\n" not in said
    assert said.isascii()


def test_scripts_have_plain_names() -> None:
    scripts = {c: fonts._script(c) for c in "中あア한ก🐈"}
    assert list(scripts.values()) == ["Chinese", "Japanese", "Japanese", "Korean", "Thai", "emoji and signs"]


def test_matplotlib_keeps_quiet_of_them(caplog: pytest.LogCaptureFixture) -> None:
    axes = drawing.own_axes(None, (2, 2))
    axes.set_title(LACKS)
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    log = logging.getLogger("matplotlib.font_manager")
    before = log.level
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fonts.quiet():
            figure.draw_without_rendering()
            log.warning("findfont: Failed to find font weight bold")
    assert not caplog.records
    assert log.level == before
    with pytest.warns(UserWarning, match="Glyph"):
        figure.draw_without_rendering()


def test_a_font_that_cannot_be_read_has_no_letters(tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    assert fonts._letters(str(tmp_path / "broken.ttf")) == frozenset()
