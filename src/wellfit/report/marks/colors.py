"""The colors of every figure and of the page, for light and for dark paper.

The first series color is a gray, for the variant that the others are compared with. The six that follow were found by a
search in OKLab: each reads on its paper (contrast 3:1 or more), and any two stay apart for deuteranopes and protanopes
(``test_colors.py`` measures both).
"""

from __future__ import annotations

from typing import Final

__all__ = ["DARK", "FORMS", "LIGHT", "SERIES", "series_color", "series_form"]

SERIES: Final = 7
"""How many series colors there are; further series use them again, with another mark."""

FORMS: Final = 4
"""How many marks there are beside the colors: disk, ring, diamond, square. Color and mark together name a series."""

LIGHT: Final = {
    "paper": "#ffffff",
    "ink": "#1b2026",
    "muted": "#5a6370",
    "rule": "#dfe3e8",
    "good": "#0b5cad",
    "bad": "#b34a00",
    "s0": "#5b6470",
    "s1": "#114ca6",
    "s2": "#d15c00",
    "s3": "#279468",
    "s4": "#cf75af",
    "s5": "#5a4703",
    "s6": "#9183f8",
}
"""Role -> color on white paper. All differ, so that a drawing can be recolored by its colors alone."""

DARK: Final = {
    "paper": "#15181c",
    "ink": "#e7eaee",
    "muted": "#a0a9b5",
    "rule": "#2e343b",
    "good": "#79b4ff",
    "bad": "#f2975a",
    "s0": "#a3acb8",
    "s1": "#649afc",
    "s2": "#d87307",
    "s3": "#85ebd0",
    "s4": "#a35976",
    "s5": "#f3be07",
    "s6": "#745fd1",
}
"""The same roles on dark paper."""


def series_color(index: int) -> str:
    """The color of a study's n-th variant on white paper.

    Args:
      index: position of the variant in the study, from 0.

    Returns:
      A color as ``#rrggbb``; the eighth variant has the first one's color again.

    Example:
      >>> series_color(0) == series_color(7)
      True
    """
    return LIGHT[f"s{index % SERIES}"]


def series_form(index: int) -> int:
    """The mark of a study's n-th variant: 0 a disk, 1 a ring, 2 a diamond, 3 a square.

    Args:
      index: position of the variant in the study, from 0.

    Returns:
      A number below `FORMS`; together with the color it tells ``SERIES * FORMS`` variants apart.

    Example:
      >>> [series_form(i) for i in (0, 6, 7, 14, 21, 28)]
      [0, 0, 1, 2, 3, 0]
    """
    return index // SERIES % FORMS
