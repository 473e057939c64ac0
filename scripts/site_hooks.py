"""What the documentation site does to a page: formulas become MathML, and links out of the documentation become text.

Browsers draw MathML by themselves, so the site needs no script and no font for it. The executed notebooks of the labs
are part of the site where ``scripts/lab_pages.py`` has made their pages.
"""

from __future__ import annotations

import html as entities
import re
from pathlib import Path
from typing import Any

OUTWARD = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(?:src|tests|benchmarks|scripts)/[^)]*\)")
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.S)
SIZES = re.compile(r"\\(?:[Bb]igg?[lr]?)(?![a-zA-Z])")  # brackets grow by themselves
NOTEBOOKS = "notebooks"
LABS = "labs.md"


def on_config(config: Any) -> Any:
    """Put the executed notebooks below the page of the labs."""
    pages = [{page.stem: f"{NOTEBOOKS}/{page.name}"} for page in _notebooks(config)]
    if pages:
        (labs,) = (entry["The labs"] for entry in config.nav if "The labs" in entry)
        labs.append({"Executed notebooks": pages})
    return config


def on_page_markdown(markdown: str, page: Any, config: Any, **_: object) -> str:
    """Leave the text of links to source files, which the site does not have; link the executed notebooks."""
    if page.file.src_uri == LABS and (notebooks := _notebooks(config)):
        links = ", ".join(f"[{each.stem}]({NOTEBOOKS}/{each.name})" for each in notebooks)
        markdown = markdown.replace("\n## ", f"\nThe notebooks, executed: {links}.\n\n## ", 1)
    return OUTWARD.sub(r"\1", markdown)


def _notebooks(config: Any) -> list[Path]:
    return sorted(Path(config.docs_dir, NOTEBOOKS).glob("*.md"), key=lambda page: (page.stem != "lab5", page.stem))


def on_page_content(html: str, **_: object) -> str:
    """Replace the formulas of a page."""
    return FORMULA.sub(_mathml, html)


def _mathml(formula: re.Match[str]) -> str:
    from latex2mathml.converter import convert

    tex = SIZES.sub("", entities.unescape(formula[3]))
    return str(convert(tex, display="block" if formula[2] == "[" else "inline"))
