"""The figures of a report alone, as PNG files in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from wellfit.report.document import Drawing
from wellfit.report.figures import alt_text
from wellfit.report.saving import in_one_step

__all__ = ["PRINT_DPI", "write_figures"]

PRINT_DPI: Final = 300
"""Dots an inch that print asks for."""


def write_figures(drawings: Iterable[Drawing], folder: str | os.PathLike[str], dpi: int = PRINT_DPI) -> dict[str, str]:
    """Write figures as pictures, each with its alt text inside as the description.

    Args:
      drawings: the figures.
      folder: where; it is made if it is missing. Each file appears in one step.
      dpi: dots an inch.

    Returns:
      The alt text of every figure, by its name.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    said: dict[str, str] = {}
    for drawing in drawings:
        figure = drawing.draw()
        said[drawing.name] = alt_text(figure)
        with in_one_step(place / f"{drawing.name}.png") as temporary:
            # no version of any program: the same store gives the same bytes
            about = {"Description": said[drawing.name], "Software": None}
            figure.savefig(temporary, dpi=dpi, facecolor="white", metadata=about)
    return said
