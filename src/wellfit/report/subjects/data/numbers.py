"""The look at the data: how many examples of every class stand in every split, and what they look like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wellfit.base import DataLook, StudySummary
from wellfit.report.marks.pictures import Sheet, pack

__all__ = ["ClassLook", "data_facts", "data_rows", "data_sheet"]

MOST: Final = 8
"""Examples of a class that are shown."""

LARGEST: Final = 60
"""Classes up to which each is shown in a row of its own."""


@dataclass(frozen=True)
class ClassLook:
    """A class: its name, its examples in every split, and where their pictures stand on the sheet."""

    name: str
    counts: tuple[str, ...]
    pictures: tuple[str, ...]


def data_sheet(look: DataLook, budget: int) -> Sheet | None:
    """The first examples of every class on one sheet; None where the data are no images."""
    if look.examples is None or not look.examples.size:
        return None
    kept = look.examples[:LARGEST, :MOST]
    return pack(kept.reshape(-1, *kept.shape[2:]), budget)


def data_rows(summary: StudySummary, look: DataLook, sheet: Sheet | None) -> list[ClassLook]:
    """A row for every class.

    Args:
      summary: the study.
      look: at its data.
      sheet: what `data_sheet` returned.

    Returns:
      The rows, in the order of the labels.
    """
    each = 0 if look.examples is None else min(MOST, look.examples.shape[1])
    rows = []
    for k, name in enumerate(summary.classes):
        places = range(k * each, (k + 1) * each) if sheet is not None else ()
        pictures = tuple(sheet.place(at) for at in places if at < sheet.count) if sheet is not None else ()
        rows.append(ClassLook(name, tuple(f"{int(counts[k]):,}" for counts in look.counts.values()), pictures))
    return rows


def data_facts(look: DataLook) -> str:
    """One line: what the data are, and how large.

    Example:
      >>> data_facts(DataLook("Digits", "scikit-learn", (8, 8), {"train": [3, 4]}, None, ()))
      'Digits (scikit-learn): 7 examples of 8 × 8 pixels.'
    """
    total = sum(int(sum(counts)) for counts in look.counts.values())
    size = " × ".join(map(str, look.shape))
    unit = "pixels" if len(look.shape) > 1 else "feature" if look.shape == (1,) else "features"
    return f"{look.title} ({look.source}): {total:,} examples of {size} {unit}."
