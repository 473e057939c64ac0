"""Letters that DejaVu Sans lacks come from another installed font, or are reported in one line."""

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
from wellfit.report.marks import fonts
from wellfit.report.marks import static as drawing
from wellfit.report.subjects.confusion.static import plot_confusion

HAS, LACKS = "\U000f0041", "\U000f0042"
"""Letters for private use, which no font has unless a test makes one."""


def forget() -> None:
    for known in (fonts._source, fonts._installed, fonts._letters):
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


def test_dejavu_sans_needs_no_fallback_for_its_own_letters() -> None:
    for text in ("plain", "Straße → naïve ≤ −0.5", "κύκλος", "a\ufe0f\u200db\n"):
        assert fonts.fallbacks(text) == ()
        assert fonts.missing(text) == fonts.notice(text) == ""
        assert len(fonts.files(text)) == 5


def test_an_installed_font_is_listed_for_its_letters(installed: str, tmp_path: Path) -> None:
    text = f"cat {HAS}{LACKS}"
    assert fonts.fallbacks(text) == (installed,)
    assert str(tmp_path / "one.ttf") in fonts.files(text)
    assert fonts.missing(text) == LACKS


def test_text_and_tick_labels_fall_back_to_that_font(installed: str) -> None:
    summary = summaries.study(variants=("baseline",), classes=("cat", HAS))
    figure = plot_confusion(summary, "baseline")
    (axes,) = figure.axes
    for text in (axes.title, *axes.get_yticklabels()):
        assert text.get_fontfamily() == [fonts.FAMILY, installed]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.draw_without_rendering()


def test_a_figure_of_plain_letters_keeps_its_family() -> None:
    (axes,) = plot_confusion(summaries.study(variants=("baseline",)), "baseline").axes
    assert axes.title.get_fontfamily() == ["sans-serif"]


@pytest.mark.parametrize(
    ("text", "start"),
    [
        (LACKS, "No installed font has 1 of the letters used here (emoji and symbols), so it is an empty box"),
        (LACKS * 2 + "\U000f0043", "No installed font has 2 of the letters used here (emoji and symbols), so they are"),
    ],
)
def test_letters_without_a_font_are_reported_in_one_line(text: str, start: str) -> None:
    notice = fonts.notice(f"dog {text}")
    assert notice.startswith(start)
    assert "\n" not in notice
    assert notice.isascii()


def test_scripts_have_plain_names() -> None:
    scripts = {c: fonts._script(c) for c in "中あア한ก🐈"}
    assert list(scripts.values()) == ["Chinese", "Japanese", "Japanese", "Korean", "Thai", "emoji and symbols"]


def test_quiet_silences_matplotlib(caplog: pytest.LogCaptureFixture) -> None:
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


def test_an_unreadable_font_has_no_letters(tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    assert fonts._letters(str(tmp_path / "broken.ttf")) == frozenset()
