"""Which installed font draws a letter: DejaVu Sans, which matplotlib brings along, and others for what it lacks.

Class names and titles may be Chinese, Thai or emoji. A letter that no installed font has stays an empty box, and a
line of text says so.
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
    from matplotlib.text import Text

__all__ = ["FONTS", "beyond", "families", "fit_letters", "measured", "missing", "notice", "quiet"]

FONTS: Final = {"": ("DejaVu Sans", "normal"), "bold": ("DejaVu Sans", "bold"), "mono": ("DejaVu Sans Mono", "normal")}
"""Face -> family and weight."""

PREFERRED: Final = (
    "DejaVu Sans",
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans SC", "Noto Sans JP", "Noto Sans KR"),
    *("Source Han Sans SC", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback", "IPAexGothic"),
    *("PingFang SC", "Hiragino Sans", "Apple SD Gothic Neo", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic"),
    *("Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari", "Noto Sans Thai", "Noto Sans"),
    *("Noto Emoji", "Symbola", "Segoe UI Emoji", "Segoe UI Symbol", "Noto Sans Symbols", "Noto Sans Symbols2"),
)
"""Families that are asked first, where they are installed; then all others by name."""

BOXES: Final = ("Last Resort", ".LastResort", "LastResort", "Adobe Blank")
"""Fonts that have a box for every letter, or nothing."""

SCRIPTS: Final = {"CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean"}
"""First word of a letter's Unicode name -> what most people call its script."""

SELECTORS: Final = frozenset(map(chr, range(0xFE00, 0xFE10)))
"""Characters that choose between forms of the one before them, and have none of their own."""


def beyond(text: str, face: str = "") -> tuple[str, ...]:
    """Installed families that have the letters of a text which a face lacks.

    Example:
      >>> beyond("Straße, naïve, →")
      ()
    """
    if text.isascii():
        return ()
    return tuple(dict.fromkeys(found for c in text if _lacks(c, face) and (found := _family(c))))


def families(text: str, face: str = "") -> list[str]:
    """What matplotlib takes for the family of a text: the face's own, then those of the letters that it lacks.

    Example:
      >>> families("plain", "mono")
      ['DejaVu Sans Mono']
    """
    return [FONTS[face][0], *beyond(text, face)]


def missing(text: str) -> str:
    """The letters of a text that no installed font has, each once.

    Example:
      >>> missing("Straße")
      ''
    """
    if text.isascii():
        return ""
    return "".join(dict.fromkeys(c for c in text if _lacks(c, "") and not _family(c)))


def notice(text: str) -> str:
    """One line about the letters of a text that no installed font has; empty where there are none.

    Example:
      >>> notice("cat, dog")
      ''
    """
    lost = missing(text)
    if not lost:
        return ""
    scripts = ", ".join(dict.fromkeys(map(_script, lost)))
    number = f"{len(lost)} letters are" if len(lost) > 1 else "1 letter is"
    they = "they are empty boxes" if len(lost) > 1 else "it is an empty box"
    mend = "install one that has them, such as one of the Noto fonts, and write the report again"
    return f"{number} in no installed font ({scripts}), so {they} in figures and PDF; {mend}."


@contextmanager
def quiet() -> Iterator[None]:
    """Keep matplotlib from telling of letters and weights that a font lacks: `notice` tells of them, in one line."""
    log = logging.getLogger("matplotlib.font_manager")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph")
            yield
    finally:
        log.setLevel(before)


def fit_letters(axes: Axes) -> None:
    """Give every text of a panel whose letters DejaVu Sans lacks the families that have them."""
    from matplotlib.text import Text
    from matplotlib.ticker import FixedFormatter

    for axis in (axes.xaxis, axes.yaxis):
        named = axis.get_major_formatter()
        if isinstance(named, FixedFormatter) and beyond("".join(map(str, named.seq))):
            axis.get_ticklabels()  # which are made only now
    for text in axes.findobj(Text):
        assert isinstance(text, Text)
        _fit(text)


def _fit(text: Text) -> None:
    if more := beyond(text.get_text()):
        text.set_fontfamily(list(dict.fromkeys([*text.get_fontfamily(), *more])))


def measured(character: str, face: str) -> Any:
    """The font that draws a character of a face, as matplotlib's ``FT2Font``."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    own, weight = FONTS[face]
    family = (_family(character) or own) if _lacks(character, face) else own
    return get_font(findfont(FontProperties(family=family, weight=weight)))


# --- Parts ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _lacks(character: str, face: str) -> bool:
    """Whether a face has no picture for a character that wants one."""
    from matplotlib.font_manager import FontProperties, findfont

    invisible = character.isspace() or unicodedata.category(character) in ("Cc", "Cf") or character in SELECTORS
    family, weight = FONTS[face]
    return not invisible and ord(character) not in _letters(findfont(FontProperties(family=family, weight=weight)))


@lru_cache(maxsize=4096)
def _family(character: str) -> str:
    """The first installed family that has a character; empty if none has."""
    return next((name for name, path in _installed() if ord(character) in _letters(path)), "")


@lru_cache(maxsize=1)
def _installed() -> tuple[tuple[str, Any], ...]:
    """Every upright family of plain weight and its file, the preferred ones first."""
    from matplotlib.font_manager import fontManager

    plain = [f for f in fontManager.ttflist if f.style == "normal" and str(f.weight) in ("400", "normal", "regular")]
    found = {f.name: f.fname for f in plain if not f.name.startswith(BOXES)}
    names = dict.fromkeys([*(name for name in PREFERRED if name in found), *sorted(found)])
    return tuple((name, found[name]) for name in names)


@lru_cache(maxsize=256)
def _letters(path: Any) -> frozenset[int]:
    from matplotlib.font_manager import get_font

    try:
        return frozenset(get_font(path).get_charmap())
    except (OSError, RuntimeError):  # a font that cannot be read has no letters
        return frozenset()


def _script(character: str) -> str:
    if not character.isalpha():
        return "emoji and signs"
    first = unicodedata.name(character, "unnamed").split()[0]
    return SCRIPTS.get(first, first.capitalize())
