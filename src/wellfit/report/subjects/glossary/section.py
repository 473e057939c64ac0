"""The glossary: what the report's terms mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wellfit.base import StudyDetails, StudySummary
from wellfit.report.marks.pictures import Sheet
from wellfit.report.parts import Part, Table

__all__ = ["GLOSSARY", "fragment", "parts", "terms_of"]

GLOSSARY: Final = (
    (
        "run, seed",
        "A run is one variant trained from one seed. The seed fixes the initial weights, the batch order and the "
        "noise, the same for every variant, so that variants can be compared seed by seed.",
    ),
    (
        "95 % interval",
        "If the study were repeated many times, 95 of 100 such ranges would contain the true mean. A wide interval "
        "means that more seeds, or more test examples, are needed.",
    ),
    (
        "generalization gap",
        "Training minus test accuracy, both measured in inference mode: how much better the network does on examples "
        "that it has been trained on.",
    ),
    (
        "better, worse",
        "The difference from the first variant is larger than chance explains, after correcting for the number of "
        "comparisons.",
    ),
    ("equivalent", "The difference is known precisely enough to be called too small to matter."),
    ("undecided", "The runs so far do not decide it. That does not mean that there is no difference."),
    (
        "best epoch",
        "The epoch with the lowest validation loss; the median over the seeds. After it the network overfits or no "
        "longer improves.",
    ),
    (
        "validation, test",
        "Validation examples decide when to stop and what to keep. A run's test examples are used only after it has "
        "ended, and decide nothing.",
    ),
    (
        "letters",
        "Variants that share a letter do not differ clearly when every pair is compared; variants that share none do, "
        "after correcting for the number of pairs.",
    ),
    (
        "recall, precision, F1",
        "Recall: the share of a class's examples that are recognized. Precision: the share of the predictions of a "
        "class that are right. F1: the harmonic mean of the two.",
    ),
    (
        "reliability diagram, ECE",
        "How often predictions are right, by how confident the network is. The expected calibration error (ECE) is the "
        "average distance between the two; 0 is perfect.",
    ),
    ("Brier score", "The mean squared distance between the predicted probabilities and the truth; 0 is perfect."),
    ("diverged", "The loss became infinite or NaN. Such a run is counted but has no accuracy."),
    ("published", "What the source of the study reports, often from a single training."),
)
"""Terms and their definitions, in the order of the report."""


_ELSEWHERE: Final[Mapping[str, str]] = {
    "run, seed": "A run is one variant trained from one seed. Runs of the same seed are compared with one another, "
    "whatever the seed fixed in them.",
    "generalization gap": "Training minus validation accuracy, as they were logged. Training accuracy is often "
    "measured while the weights change and dropout is active, and the gap then says little.",
    "validation, test": "Validation examples decide when to stop and what to keep, and test examples should decide "
    "nothing. Whether that was so is not known of runs that were trained elsewhere.",
}
"""Other definitions for runs that others trained."""


def terms_of(summary: StudySummary) -> tuple[tuple[str, str], ...]:
    """The terms and their definitions, as they hold for a study."""
    if not summary.elsewhere:
        return GLOSSARY
    return tuple((term, _ELSEWHERE.get(term, definition)) for term, definition in GLOSSARY)


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """Every term in a row."""
    return [Table((), terms_of(summary), text=2)]


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """The same."""
    return {"glossary": terms_of(summary), "gist": "The terms of this report"}
