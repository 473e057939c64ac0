"""The colors of every figure and of the page, for light and for dark paper, and which of them a variant has.

The first series color is nearly the ink's, for the baseline. The other six come from a search in OKLab: each has a
contrast of at least 3:1 with its paper, and deuteranopes and protanopes can distinguish any two (``test_colors.py``
measures both).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from wellfit.base import StudySummary
from wellfit.report.numbers import SERIES

__all__ = ["DARK", "FORMS", "LIGHT", "SERIES", "series_color", "series_form", "slots", "slots_of"]

FORMS: Final = 4
"""How many marks there are: disk, ring, diamond, square. Color and mark together identify a series."""

NAMED: Final[Mapping[str, int]] = {
    **dict.fromkeys(("baseline", "none", "plain", "default", "control"), 0),
    **dict.fromkeys(("l2", "max-norm", "shift", "adam", "lenet5", "relu"), 1),
    **dict.fromkeys(("l1", "label-smoothing", "erasing", "sgd", "nadam", "mlp"), 2),
    **dict.fromkeys(("dropout", "mixup", "ema", "rmsprop", "nesterov", "one-dropout"), 3),
    **dict.fromkeys(("early-stopping", "noise", "swa", "momentum", "cnn"), 4),
    **dict.fromkeys(("batch-norm", "proximal-l1", "clipping", "flip", "adagrad", "lion"), 5),
    **dict.fromkeys(("l2+dropout", "weight-decay", "narrow", "rotation", "adamw", "two-dropouts", "logistic"), 6),
}
"""The colors of common names. Those that are often tried together differ."""

LIGHT: Final = {
    "paper": "#ffffff",
    "ink": "#1b2026",
    "muted": "#5a6370",
    "rule": "#dfe3e8",
    "crowd": "#8a939e",
    "good": "#0b5cad",
    "bad": "#b34a00",
    "s0": "#23282f",
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
    "crowd": "#66707c",
    "good": "#79b4ff",
    "bad": "#f2975a",
    "s0": "#e3e7ec",
    "s1": "#649afc",
    "s2": "#d87307",
    "s3": "#4cb48c",
    "s4": "#a35976",
    "s5": "#f3be07",
    "s6": "#745fd1",
}
"""The same roles on dark paper."""


def slots(names: Iterable[str]) -> dict[str, int]:
    """The place of every variant of a study among colors and marks, for `series_color` and `series_form`.

    A color follows its name: the same in every study, figure and form, wherever the variant stands in the list.

    1. A name of `NAMED` has the color that is written there. Case does not matter, nor whether words are joined by
       spaces, ``_`` or ``-``.
    2. Any other name is hashed to one of the six colors. If the study uses that color already, the name gets the next
       one that it does not use, and if it uses all six, the first that has a mark left. Names take their turn in the
       order of their hashes, so the order of the study does not matter; a variant more or less can matter to those
       that evade.
    3. Variants of one color have different marks: first the names of `NAMED` in its order, then the others by their
       hashes.

    Args:
      names: of all variants of the study, also those that a figure leaves out.

    Example:
      >>> slots(["baseline", "l2", "dropout"])
      {'baseline': 0, 'l2': 1, 'dropout': 3}
      >>> slots(["Dropout", "mine", "baseline"])["Dropout"]
      3
    """
    return dict(_slots(tuple(names)))


def slots_of(summary: StudySummary) -> dict[str, int]:
    """The `slots` of a study's variants, by name."""
    return slots(variant.name for variant in summary.variants)


def series_color(slot: int) -> str:
    """The color, as ``#rrggbb``, of a variant on white paper.

    Args:
      slot: from `slots`.

    Example:
      >>> series_color(0) == series_color(7)
      True
    """
    return LIGHT[f"s{slot % SERIES}"]


def series_form(slot: int) -> int:
    """The mark of a variant: 0 a disk, 1 a ring, 2 a diamond, 3 a square.

    Args:
      slot: from `slots`.

    Example:
      >>> [series_form(i) for i in (0, 6, 7, 14, 21, 28)]
      [0, 0, 1, 2, 3, 0]
    """
    return slot // SERIES % FORMS


@lru_cache(maxsize=256)
def _slots(names: tuple[str, ...]) -> dict[str, int]:
    rank = {name: place for place, name in enumerate(NAMED)}
    plain = {name: re.sub(r"[\s_-]+", "-", name.strip().lower()) for name in names}
    hashed = {name: zlib.crc32(plain[name].encode("utf-8", "replace")) for name in names}
    known = sorted((name for name in plain if plain[name] in rank), key=lambda name: (rank[plain[name]], name))
    others = sorted((name for name in plain if plain[name] not in rank), key=lambda name: (hashed[name], name))
    found: dict[str, int] = {}
    count = [0] * SERIES  # variants of each color so far
    for name in (*known, *others):
        color = NAMED.get(plain[name], -1)
        if color < 0:
            turns = [1 + (hashed[name] + step) % (SERIES - 1) for step in range(SERIES - 1)]
            unused = [turn for turn in turns if not count[turn]]
            color = (unused or [turn for turn in turns if count[turn] < FORMS] or turns)[0]
        found[name] = color + SERIES * count[color]
        count[color] += 1
    return {name: found[name] for name in names}
