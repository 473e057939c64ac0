"""Figures as inline SVG: part of the page, in its colors, rather than pictures on it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree

from wellfit.report.marks.colors import LIGHT
from wellfit.report.marks.static import alt_text

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure

__all__ = ["inline_svg", "svg_text"]

LENGTHS: Final = ("d", "x", "y", "width", "height", "points")
"""Attributes that are rounded to a tenth of a point, which is invisible."""

NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that no XML file may hold: a class name from a data file could."""


def svg_text(figure: Figure, dpi: float = 100, salt: str = "wellfit") -> str:
    """A figure as an SVG file without paper: text is text, and the same figure gives the same text.

    Args:
      dpi: of images within the figure; everything else is vectors.
      salt: the ids of shapes are hashed with it: it must differ between figures of one page.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    figure.patch.set_alpha(0.0)
    figure.dpi = dpi
    canvas: Any = FigureCanvasSVG(figure)
    buffer = StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt}):
        canvas.print_svg(buffer, metadata={"Date": None})  # Figure.savefig would draw twice, once for the layout alone
    return NOT_XML.sub("", buffer.getvalue())


def inline_svg(figure: Figure, colors: Mapping[str, str] | None = None) -> Markup:
    """A figure as an SVG element for the page, with nothing in it that the page does not need.

    Args:
      figure: from a ``plot_`` function, in the colors of `LIGHT`.
      colors: role -> its color in CSS; None for the page's custom properties, ``var(--ROLE)``.

    Returns:
      The element: text is text, in the page's font; colors follow the page; the alt text is its label.
    """
    from markupsafe import Markup

    label = alt_text(figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # the reader's browser has more fonts
        drawn = ElementTree.fromstring(svg_text(figure, salt=label))
    svg = ElementTree.Element("svg", {"viewBox": drawn.attrib["viewBox"], "role": "img", "aria-label": label})
    roles = colors or {role: f"var(--{role})" for role in LIGHT}
    svg.extend(kept for child in drawn for kept in _kept(child, roles))
    return Markup(ElementTree.tostring(svg, encoding="unicode"))


def _kept(element: ElementTree.Element, colors: Mapping[str, str]) -> list[ElementTree.Element]:
    """An element with short attributes and in the page's colors, or its children, or nothing."""
    element.tag = element.tag.rpartition("}")[2]
    element[:] = [kept for child in element for kept in _kept(child, colors)]
    element.tail = None
    if element.tag in ("metadata", "style") or (element.tag in ("g", "defs") and not len(element)):
        return []
    style = element.attrib.get("style", "")
    if element.tag == "path" and style.startswith("fill: none") and "stroke:" not in style:
        return []  # the background of a figure or a panel
    if element.tag == "g":
        element.attrib.pop("id", None)  # matplotlib's names of groups would repeat on the page
        if not element.attrib:
            return list(element)
        styles = {child.attrib.get("style", "") for child in element}
        if len(styles) == 1 < len(element) and "" not in styles:  # the points of a scatter plot
            element.attrib["style"] = styles.pop()
            for child in element:
                del child.attrib["style"]
    if element.tag != "text":
        element.text = None
    element.attrib.update({name: _attribute(name, value, colors) for name, value in element.attrib.items()})
    if (link := element.attrib.pop("{http://www.w3.org/1999/xlink}href", None)) is not None:
        element.attrib["href"] = link
    if element.attrib.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    return [element]


def _attribute(name: str, value: str, colors: Mapping[str, str]) -> str:
    if name == "style":
        value = re.sub(r"([:;,]) ", r"\1", re.sub(r"font-family: [^;]*; ", "", value))
        for role, color in LIGHT.items():
            value = value.replace(color, colors[role])
        return value
    if name == "d" and not re.search(r"[^MLz\d\s.-]", value):
        return _relative(value)
    return _rounded(value) if name in LENGTHS else value


def _relative(path: str) -> str:
    """A path of straight lines, each by its difference from the point before, to a tenth of a point.

    Example:
      >>> _relative("M 27.4123 104.5 L 31.84 104.5 L 36.26 91.31 z")
      'M27.4 104.5l4.4 0 4.5 -13.2z'
    """
    x = y = 0  # in tenths: differences of rounded numbers do not add up to an error
    parts = []
    for command, across, down in re.findall(r"([MLz])\s*(?:(\S+)\s+(\S+))?", path):
        if command == "z":
            parts.append("z")
            continue
        here = round(10 * float(across)), round(10 * float(down))
        pair = here if command == "M" else (here[0] - x, here[1] - y)
        letter = command.lower() if command == "L" else "M"
        repeated = letter == "l" and parts and parts[-1][0] in "l "
        parts.append(f"{' ' if repeated else letter}{pair[0] / 10:g} {pair[1] / 10:g}")
        x, y = here
    return "".join(parts)


def _rounded(value: str) -> str:
    value = re.sub(r"\s*([A-Za-z])\s*", r"\1", value).strip()
    return re.sub(r"-?\d+\.\d+", lambda number: f"{round(float(number[0]), 1):g}", value)
