"""The console that everything in color is printed to: its own codes steer the terminal, and no printed text does."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from wellfit.errors import escaped

__all__ = ["EscapingConsole"]


class EscapingConsole(Console):
    r"""A rich console that shows what could steer a terminal as in Python's strings.

    Example:
      >>> EscapingConsole(width=40).print("\x1b]0;title\a", soft_wrap=True)
      \x1b]0;title
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of what is printed; cells are escaped before their width is measured."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(escaped(segment.text), segment.style)
