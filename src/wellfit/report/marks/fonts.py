"""Fonts for names in any script: DejaVu Sans, which comes with matplotlib, then installed families for what it lacks.

Class names and titles may be Chinese, Thai or emoji. matplotlib and typst fall back letter by letter along a list of
families; this module says which to list. A letter that no installed font has is drawn as an empty box, and one line of
text says so.
"""

from __future__ import annotations

import logging
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FAMILY", "fallbacks", "files", "fit_letters", "missing", "notice", "quiet"]

FAMILY: Final = "DejaVu Sans"
"""The family of all text."""

PREFERRED: Final = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans SC", "Noto Sans JP", "Noto Sans KR"),
    *("Source Han Sans SC", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback", "IPAexGothic"),
    *("PingFang SC", "Hiragino Sans", "Apple SD Gothic Neo", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic"),
    *("Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari", "Noto Sans Thai", "Noto Sans"),
    *("Noto Emoji", "Symbola", "Segoe UI Emoji", "Segoe UI Symbol", "Noto Sans Symbols", "Noto Sans Symbols2"),
)
"""Fallback families in order of preference; all other installed families follow by name."""

BOXES: Final = ("Last Resort", ".LastResort", "LastResort", "Adobe Blank")
"""Fonts whose every letter is a box or blank."""

SCRIPTS: Final = {"CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean"}
"""First word of a letter's Unicode name -> the common name of its script."""

SELECTORS: Final = frozenset(map(chr, range(0xFE00, 0xFE10)))
"""Variation selectors: they change the preceding character and have no glyph."""


def fallbacks(text: str) -> tuple[str, ...]:
    """The installed families to list after `FAMILY` so that every letter of a text has a glyph.

    Example:
      >>> fallbacks("Straße, naïve, →")
      ()
    """
    if text.isascii():
        return ()
    return tuple(dict.fromkeys(family for c in dict.fromkeys(text) if _lacks(c) and (family := _source(c))))


def files(text: str) -> list[str]:
    """The font files that set a text: regular and bold of `FAMILY` and its `fallbacks`, oblique and monospaced ones.

    Example:
      >>> len(files("plain"))
      5
    """
    from matplotlib.font_manager import FontProperties, findfont

    families = (FAMILY, *fallbacks(text))
    faces = [FontProperties(family=family, weight=weight) for family in families for weight in ("normal", "bold")]
    faces += [FontProperties(family=FAMILY, style="oblique", weight=weight) for weight in ("normal", "bold")]
    return list(dict.fromkeys(map(findfont, [*faces, FontProperties(family="DejaVu Sans Mono")])))


def missing(text: str) -> str:
    """The letters of a text that no installed font has, each once.

    Example:
      >>> missing("Straße")
      ''
    """
    return "".join(dict.fromkeys(c for c in text if _lacks(c) and not _source(c)))


def notice(text: str) -> str:
    """One line about the letters of a text that no installed font has; empty if there are none.

    Example:
      >>> notice("cat, dog")
      ''
    """
    letters = missing(text)
    if not letters:
        return ""
    scripts = ", ".join(dict.fromkeys(map(_script, letters)))
    if len(letters) > 1:
        lack = f"No installed font has {len(letters)} of the letters used here ({scripts}), so they are empty boxes"
    else:
        lack = f"No installed font has 1 of the letters used here ({scripts}), so it is an empty box"
    return f"{lack} in figures and PDF; install a Noto font that covers them and write the report again."


@contextmanager
def quiet() -> Iterator[None]:
    """Silence matplotlib's warnings about missing glyphs and weights, which `notice` reports, and about long names."""
    log = logging.getLogger("matplotlib.font_manager")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph")
            warnings.filterwarnings("ignore", message="constrained_layout")  # a name leaves no room for its panel
            yield
    finally:
        log.setLevel(before)


def fit_letters(axes: Axes) -> None:
    """List the `fallbacks` of a panel's letters as font families of all its text."""
    from matplotlib.axis import Axis
    from matplotlib.text import Text
    from matplotlib.ticker import FixedLocator

    # without those of ticks: asking for them would make every tick, and most are never seen
    parts = [child.label if isinstance(child, Axis) else child for child in axes.get_children()]
    texts = [str(text.get_text()) for part in parts for text in part.findobj(Text) if isinstance(text, Text)]
    named = [axis for axis in (axes.xaxis, axes.yaxis) if isinstance(axis.get_major_locator(), FixedLocator)]
    texts += [label for axis in named for label in axis.get_major_formatter().format_ticks([*axis.get_majorticklocs()])]
    if more := fallbacks("".join(texts)):
        families: Any = [FAMILY, *more]
        axes.tick_params(labelfontfamily=families)  # also of labels that are made only when the figure is drawn
        for text in axes.findobj(Text):
            if isinstance(text, Text):
                text.set_fontfamily(families)


# --- Parts ------------------------------------------------------------------------------------------------------------


def _lacks(character: str) -> bool:
    """Whether `FAMILY` has no glyph for a character that needs one."""
    invisible = character.isspace() or unicodedata.category(character) in ("Cc", "Cf") or character in SELECTORS
    return not (character.isascii() or invisible or ord(character) in _letters(_own()))


@lru_cache(maxsize=4096)
def _source(character: str) -> str:
    """The first installed family that has a character; empty if none has."""
    return next((name for name, file in _installed() if ord(character) in _letters(file)), "")


@lru_cache(maxsize=1)
def _own() -> str:
    from matplotlib.font_manager import findfont

    return findfont(FAMILY)


@lru_cache(maxsize=1)
def _installed() -> tuple[tuple[str, str], ...]:
    """Every upright family of regular weight and its file, the preferred ones first."""
    from matplotlib.font_manager import fontManager

    regular = [f for f in fontManager.ttflist if f.style == "normal" and str(f.weight) in ("400", "normal", "regular")]
    found = {f.name: f.fname for f in regular if not f.name.startswith(BOXES)}
    names = dict.fromkeys([*(name for name in PREFERRED if name in found), *sorted(found)])
    return tuple((name, found[name]) for name in names)


@lru_cache(maxsize=256)
def _letters(file: str) -> frozenset[int]:
    from matplotlib.font_manager import get_font

    try:
        return frozenset(get_font(file).get_charmap())
    except (OSError, RuntimeError):  # an unreadable font has no letters
        return frozenset()


def _script(character: str) -> str:
    if not character.isalpha():
        return "emoji and symbols"
    first = unicodedata.name(character, "unnamed").split()[0]
    return SCRIPTS.get(first, first.capitalize())
