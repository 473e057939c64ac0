"""Formulas in LaTeX as pictures of vectors, set by matplotlib; no TeX is needed, and none can be run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from typing import Any, Final

__all__ = ["Formula", "formula"]

SIZE: Final = 10.0
"""Of the letters, in points."""


@dataclass(frozen=True)
class Formula:
    """A formula as SVG, with lengths in units of the size of the text around it.

    Args:
      depth: below the line of the text.
    """

    svg: str
    width: float
    height: float
    depth: float


@lru_cache(maxsize=512)
def formula(source: str) -> Formula | None:
    r"""Set a formula; None for what matplotlib cannot set, which is then shown as its source.

    Args:
      source: LaTeX, without dollar signs.

    Example:
      >>> round(formula(r"\lambda \sum w^2").width), formula(r"\nothing{")
      (3, None)
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import MathTextParser

    text = "$" + re.sub(r"\\top\b", r"\\mathsf{T}", source) + "$"  # matplotlib's own is an arrow
    letters = FontProperties(size=SIZE)
    with matplotlib.rc_context({"mathtext.fontset": "dejavusans", "svg.fonttype": "path", "svg.hashsalt": source}):
        try:
            width, height, depth, *_ = MathTextParser("path").parse(text, dpi=72, prop=letters)
        except (ValueError, RecursionError):
            return None
        if "$" in source or not width or not height:
            return None
        figure = Figure(figsize=(width / 72, height / 72))
        figure.patch.set_alpha(0.0)
        figure.text(0, depth / height, text, fontproperties=letters)
        buffer = StringIO()
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(buffer, metadata={"Date": None})
    return Formula(buffer.getvalue(), width / SIZE, height / SIZE, depth / SIZE)
