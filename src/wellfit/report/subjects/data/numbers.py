"""How many examples of each class every split has, and the images that the page shows of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wellfit.base import DataOverview, StudySummary
from wellfit.data.facts import data_line
from wellfit.report.marks.pictures import Sheet, pack

__all__ = ["LARGEST", "MOST", "SPLITS", "ClassExamples", "class_examples", "data_sheet", "describe_data", "unit"]

SPLITS: Final = {"train": "training", "validation": "validation", "test": "test", "unused": "unused"}
"""Split -> its name in a sentence."""

MOST: Final = 8
"""Examples of a class that are shown."""

LARGEST: Final = 60
"""Classes up to which examples are shown, and counts listed in written forms."""


@dataclass(frozen=True)
class ClassExamples:
    """A class: its examples in every split, and where its images are on the sheet."""

    name: str
    counts: tuple[str, ...]
    images: tuple[str, ...]


def data_sheet(data: DataOverview, budget: int) -> Sheet | None:
    """The first examples of every class on one sheet of at most so many characters; None if there are no images."""
    if data.examples is None or not data.examples.size:
        return None
    kept = data.examples[:LARGEST, :MOST]
    return pack(kept.reshape(-1, *kept.shape[2:]), budget)


def class_examples(summary: StudySummary, data: DataOverview, sheet: Sheet | None = None) -> tuple[ClassExamples, ...]:
    """Every class in the order of the labels.

    Args:
      sheet: from `data_sheet`.
    """
    each = 0 if data.examples is None else min(MOST, data.examples.shape[1])
    rows = []
    for k, name in enumerate(summary.classes):
        places = range(k * each, (k + 1) * each) if sheet is not None else ()
        images = tuple(sheet.place(at) for at in places if at < sheet.count) if sheet is not None else ()
        rows.append(ClassExamples(name, tuple(f"{int(counts[k]):,}" for counts in data.counts.values()), images))
    return tuple(rows)


def describe_data(data: DataOverview) -> str:
    """One sentence: what the data are, and how many.

    Example:
      >>> describe_data(DataOverview("Digits", "scikit-learn", (8, 8), {"train": [3, 4]}, None, ()))
      'Digits, from scikit-learn: 7 examples of 8 × 8 pixels.'
    """
    total = sum(int(sum(counts)) for counts in data.counts.values()) if data.total is None else data.total
    return f"{data_line(data.title, data.source)}: {total:,} examples of {unit(data.shape)}."


def unit(shape: tuple[int, ...]) -> str:
    """The size of an example.

    Example:
      >>> unit((28, 28)), unit((4,)), unit((1,))
      ('28 × 28 pixels', '4 features', '1 feature')
    """
    noun = "pixels" if len(shape) > 1 else "feature" if shape == (1,) else "features"
    return f"{' × '.join(map(str, shape))} {noun}"
