"""The colors of every figure and of the page, for light and for dark paper.

The first series color is a gray, for the variant that the others are compared with. The other six come from a search in
OKLab: each has a contrast of at least 3:1 with its paper, and deuteranopes and protanopes can distinguish any two
(``test_colors.py`` measures both).
"""

from __future__ import annotations

from typing import Final

from wellfit.report.numbers import SERIES

__all__ = ["DARK", "FORMS", "LIGHT", "SERIES", "series_color", "series_form"]

FORMS: Final = 4
"""How many marks there are: disk, ring, diamond, square. Color and mark together identify a series."""

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
"""Role -> color on white paper. All differ, so that a drawing can be recolored by replacing each color."""

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
    """The color, as ``#rrggbb``, of the variant at this position on white paper; they repeat after `SERIES`.

    Example:
      >>> series_color(0) == series_color(7)
      True
    """
    return LIGHT[f"s{index % SERIES}"]


def series_form(index: int) -> int:
    """The mark of the variant at this position: 0 a disk, 1 a ring, 2 a diamond, 3 a square.

    Color and mark together distinguish ``SERIES * FORMS`` variants.

    Example:
      >>> [series_form(i) for i in (0, 6, 7, 14, 21, 28)]
      [0, 0, 1, 2, 3, 0]
    """
    return index // SERIES % FORMS
