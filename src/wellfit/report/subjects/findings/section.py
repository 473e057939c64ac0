"""The findings of the checks of data, split and training, errors first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wellfit.base import StudyDetails, StudySummary
from wellfit.report import wording
from wellfit.report.marks.pictures import Sheet
from wellfit.report.parts import Paragraph, Part

__all__ = ["by_urgency", "fragment", "parts"]

NONE = "The checks of the data, the split and the training have nothing to report."


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """A paragraph per finding: title, level and code, evidence, fix."""
    return [
        Paragraph(
            wording.true_minus(f"{finding.message} {finding.fix}".strip()),
            f"{finding.title} ({finding.level}, {finding.code})",
        )
        for finding in sorted(summary.findings, key=wording.urgency)
    ] or ([] if summary.elsewhere else [Paragraph(NONE)])


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """Every finding with its title; notes, which ask for nothing, behind the warnings or their number."""
    if summary.elsewhere and not summary.findings:  # nothing of data and training was there to check
        return {}
    shown = by_urgency(summary)
    if shown["urgent"] or not shown["further"]:
        return shown
    return {**shown, "gist": f"{wording.count(len(shown['further']), 'note')}, no warning"}


def by_urgency(summary: StudySummary) -> dict[str, Any]:
    """What the template shows: errors and warnings, notes, and what to say if there are neither."""
    findings = sorted(summary.findings, key=wording.urgency)
    urgent = [finding for finding in findings if finding.level != "info"]
    notes = [finding for finding in findings if finding.level == "info"]
    return {"urgent": urgent, "further": notes, "nothing": NONE}
