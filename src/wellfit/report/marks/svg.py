"""Figures as a part of the page, rather than pictures on it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from io import StringIO
from typing import TYPE_CHECKING

from wellfit.report.marks.colors import LIGHT
from wellfit.report.marks.static import alt_text

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure

__all__ = ["inline_svg"]


def inline_svg(figure: Figure, colors: Mapping[str, str] | None = None) -> Markup:
    """A figure as an SVG element of the page.

    Args:
      figure: a figure of `wellfit.report.marks.static` or one of its fellows, drawn in the colors of `LIGHT`.
      colors: role -> what stands for its color, as CSS; None for the page's custom properties, ``var(--ROLE)``.

    Returns:
      The element: its text is text, its colors follow the page, its alt text is its label.
    """
    import matplotlib
    from markupsafe import Markup, escape

    wanted = colors or {role: f"var(--{role})" for role in LIGHT}
    label = alt_text(figure)
    figure.patch.set_alpha(0.0)
    buffer = StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": label}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # the reader's browser has more fonts
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    width, height = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)[0]
    body = text[text.index(">", text.index("<svg")) + 1 :]
    # Metadata and a style sheet that would rule the whole page go; ids of groups go, for they must not repeat on it.
    body = re.sub(r"<metadata>.*?</metadata>|<defs>\s*<style.*?</style>\s*</defs>", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    body = re.sub(r'style="[^"]*"', lambda found: _page_colors(found[0], wanted), body)
    return Markup(f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">{body}')


def _page_colors(text: str, wanted: Mapping[str, str]) -> str:
    for role, color in LIGHT.items():
        text = text.replace(color, wanted[role])
    return text
