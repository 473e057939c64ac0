"""Templates, style sheets and scripts of the report and the live pages, and their text filters."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from wellfit.report import wording
from wellfit.report.forms.own_words import words_html
from wellfit.report.marks.colors import DARK, FORMS, LIGHT, SERIES, slots_of

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

__all__ = ["page_environment", "page_source", "page_styles", "prose"]

STYLES: Final = ("base", "first", "tables", "figures", "narrow", "print")


@lru_cache(maxsize=1)
def page_environment() -> Environment:
    """The templates, compiled once: every text is escaped, an undefined name is an error."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(page_source),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = _unbroken
    environment.filters["breakable"] = _breakable
    environment.filters["prose"] = prose
    environment.filters["own_words"] = words_html
    environment.globals.update(series=SERIES, forms=FORMS, slots_of=slots_of)
    # JSON in the study's order, without spaces
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    return environment


def page_source(name: str) -> str:
    """The text of a template, a style sheet or a script, by its path below ``wellfit.report``."""
    return resources.files("wellfit.report").joinpath(name).read_text(encoding="utf-8")


def page_styles() -> str:
    """All style sheets, after both palettes as custom properties; paper is always light."""
    light, dark = ("".join(f"--{role}:{color};" for role, color in colors.items()) for colors in (LIGHT, DARK))
    colors = (
        f":root{{color-scheme:light dark;{light}}}\n@media screen and (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"
    )
    return "".join([colors, *(page_source(f"forms/styles/{name}.css") for name in STYLES)])


def prose(text: str) -> str:
    """Sentences with a true minus sign before a number, and no line that begins with a percent sign.

    Example:
      >>> prose("It changes by -0.5 points.")
      'It changes by −0.5 points.'
    """
    return wording.true_minus(text).replace(" %", "\u00a0%")


def _unbroken(text: str) -> Markup:
    """Keep names with a hyphen after a digit, such as 128-64, on one line."""
    from markupsafe import Markup

    parts = re.split(r"(\S*\d-\S+)", text)
    kept = [Markup('<span class="unbroken">{}</span>').format(part) if i % 2 else part for i, part in enumerate(parts)]
    return Markup("").join(kept)


def _breakable(text: str) -> Markup:
    """Let a long name break after its underscores."""
    from markupsafe import Markup

    return Markup("_<wbr>").join(text.split("_"))
