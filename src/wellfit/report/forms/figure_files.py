"""The figures of a report alone, as PNG files in a folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

from wellfit.report.forms.saving import Tell, in_one_step, untold
from wellfit.report.marks.static import alt_text
from wellfit.report.parts import Drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PRINT_DPI", "save_picture", "write_figures"]

PRINT_DPI: Final = 300
"""Dots an inch that print asks for."""

COMPRESSION: Final = 4
"""Of PNG, from 0 to 9: what comes after saves a few percent, and takes twice the time."""


def write_figures(
    drawings: Sequence[Drawing], folder: str | os.PathLike[str], dpi: int = PRINT_DPI, tell: Tell = untold
) -> dict[str, str]:
    """Write figures as pictures, each with its alt text inside as the description.

    Args:
      drawings: the figures.
      folder: where; it is made if it is missing. Each file appears in one step.
      dpi: dots an inch.
      tell: is told how far it is.

    Returns:
      The alt text of every figure, by its name.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    said: dict[str, str] = {}
    for number, drawing in enumerate(drawings, 1):
        tell(f"figure {number} of {len(drawings)}", (number - 1) / len(drawings))
        figure = drawing.draw()
        said[drawing.name] = alt_text(figure)
        with in_one_step(place / f"{drawing.name}.png") as temporary:
            save_picture(figure, temporary, dpi, said[drawing.name])
    return said


def save_picture(figure: Figure, file: Path | IO[bytes], dpi: int, said: str = "") -> None:
    """Save a figure as a PNG on white paper; the same figure gives the same bytes.

    ``Figure.savefig`` lays a figure out in a first drawing that it throws away, and its transparent paper, which is
    white here, takes a quarter of the file: this takes half of its time.

    Args:
      figure: what is drawn.
      file: where to.
      dpi: dots an inch.
      said: its alt text, kept inside the file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    figure.dpi = dpi
    figure.set_facecolor("white")
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    about = PngInfo()
    about.add_itxt("Description", said)
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    picture.save(file, "PNG", dpi=(dpi, dpi), pnginfo=about, compress_level=COMPRESSION)
