"""What the documentation site does to a page: formulas become MathML, and links out of the documentation become text.

Browsers draw MathML by themselves, so the site needs no script and no font for it.
"""

from __future__ import annotations

import html as entities
import re

from latex2mathml.converter import convert

OUTWARD = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(?:src|tests|benchmarks|scripts)/[^)]*\)")
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.S)
SIZES = re.compile(r"\\(?:[Bb]igg?[lr]?)(?![a-zA-Z])")  # brackets grow by themselves


def on_page_markdown(markdown: str, **_: object) -> str:
    """Leave the text of links to source files, which the site does not have."""
    return OUTWARD.sub(r"\1", markdown)


def on_page_content(html: str, **_: object) -> str:
    """Replace the formulas of a page."""
    return FORMULA.sub(_mathml, html)


def _mathml(formula: re.Match[str]) -> str:
    tex = SIZES.sub("", entities.unescape(formula[3]))
    return str(convert(tex, display="block" if formula[2] == "[" else "inline"))
