"""The networks in the report: the layers of each, their output shapes, parameters and settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wellfit.base import ModelTable, StudyDetails, StudySummary
from wellfit.report import wording
from wellfit.report.marks.pictures import Sheet
from wellfit.report.parts import Paragraph, Part, Table

__all__ = ["fragment", "parts"]

MOST: Final = 6
"""Networks that a report lists; of a sweep over dropout rates, every value is a network of its own."""

HEADINGS: Final = ("Layer", "Output shape", "Parameters", "Setting")


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """A table for each of the first networks; nothing for a study directory that did not keep them."""
    listed: list[Part] = []
    for head, table, sizes in _shown(details):
        listed += [Paragraph(head, kind="small"), table, Paragraph(sizes, kind="small")]
    return [*listed, *([Paragraph(more, kind="small")] if (more := _more(details)) else [])]


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """The same."""
    shown = _shown(details)
    sizes = sorted(sum(row.parameters for row in table.rows) for table in _used(details))
    count = wording.count(len(sizes), "network")
    if not sizes:
        return {}
    between = f"{sizes[0]:,}" if sizes[0] == sizes[-1] else f"{sizes[0]:,} to {sizes[-1]:,}"
    return {"networks": shown, "more": _more(details), "gist": f"{count} of {between} parameters, layer by layer"}


def _used(details: StudyDetails) -> list[ModelTable]:
    """The networks that some variant trains; the base recipe's may be none of them."""
    return [table for table in details.models if table.variants]


def _shown(details: StudyDetails) -> list[tuple[str, Table, str]]:
    """Who uses it, its layers, and what they have together, of each of the first networks."""
    return [
        (
            f"{', '.join(table.variants)}:",
            Table(HEADINGS, tuple((r.name, r.shape, f"{r.parameters:,}", r.setting) for r in table.rows), text=2),
            f"{'. '.join(table.sizes)}.",
        )
        for table in _used(details)[:MOST]
    ]


def _more(details: StudyDetails) -> str:
    left = len(_used(details)) - MOST
    if left <= 0:
        return ""
    which = "1 further network differs" if left == 1 else f"{left} further networks differ"
    return f"{which} in layers or dropout rates; wellfit model shows all of them."
