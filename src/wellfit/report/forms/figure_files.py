"""The figures of a report as files in a folder: pictures for a screen, or vectors for one column of a paper."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

from wellfit.files import OnWriting, ignore_progress, replacing
from wellfit.report.marks.column import one_column, save_pdf, save_svg
from wellfit.report.marks.static import alt_text
from wellfit.report.parts import Drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PRINT_DPI", "save_picture", "write_figures"]

PRINT_DPI: Final = 300
"""Dots per inch, for print."""

COMPRESSION: Final = 4
"""Of PNG, from 0 to 9: higher levels save a few percent and take twice the time."""


def write_figures(
    drawings: Sequence[Drawing],
    folder: str | os.PathLike[str],
    dpi: int = PRINT_DPI,
    progress: OnWriting = ignore_progress,
    form: str = "png",
) -> dict[str, str]:
    """Write figures as files, each with its alt text inside.

    Args:
      folder: it is made if it is missing. Each file appears in one step.
      dpi: of pictures.
      form: ``"png"``; or ``"svg"`` or ``"pdf"``: drawn for one column of a paper.

    Returns:
      Name -> alt text of every figure.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    alt_texts: dict[str, str] = {}
    for number, drawing in enumerate(drawings, 1):
        progress(f"figure {number} of {len(drawings)}", (number - 1) / len(drawings))
        with nullcontext() if form == "png" else one_column():
            figure = drawing.draw()
            alt_texts[drawing.name] = description = alt_text(figure)
            with replacing(place / f"{drawing.name}.{form}") as temporary:
                if form == "png":
                    save_picture(figure, temporary, dpi, description)
                else:
                    (save_pdf if form == "pdf" else save_svg)(figure, temporary, description)
    return alt_texts


def save_picture(figure: Figure, file: Path | IO[bytes], dpi: int, description: str = "") -> None:
    """Save a figure as a PNG on white paper; the same figure gives the same bytes.

    It takes half of the time of ``Figure.savefig``, which draws everything twice and saves an alpha channel, a quarter
    of the file.

    Args:
      description: kept inside the file: the alt text.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    figure.dpi = dpi
    figure.set_facecolor("white")
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    about = PngInfo()
    about.add_itxt("Description", description)
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    picture.save(file, "PNG", dpi=(dpi, dpi), pnginfo=about, compress_level=COMPRESSION)
