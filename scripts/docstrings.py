"""Docstrings as the documentation site reads them, an extension of griffe.

Our docstrings have an ``Example:`` that runs as doctest, and shapes as comments, ``# (N, D)``. The site's parser
expects ``Examples:``, and Markdown would read a shape at the start of a line as a heading.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

SHAPE = re.compile(r"(^|\s)# (\(.+|[A-Z]|\w+)$")


class Docstrings(griffe.Extension):
    """Rename the section of examples, and set shapes as code."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change the docstring of one object."""
        if obj.docstring is not None:
            lines = obj.docstring.value.split("\n")
            obj.docstring.value = "\n".join(map(_changed, lines))


def _changed(line: str) -> str:
    if line.strip() == "Example:":
        return line.replace("Example:", "Examples:")
    if line.lstrip().startswith((">>>", "...")):
        return line
    return SHAPE.sub(r"\1`\2`", line)
