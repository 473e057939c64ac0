"""The findings of the checks of data, split and training, errors first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wellfit.base import StudyDetails, StudySummary
from wellfit.report import wording
from wellfit.report.marks.pictures import Sheet
from wellfit.report.parts import Paragraph, Part

__all__ = ["fragment", "parts"]

NONE = "The checks of the data, the split and the training have nothing to report."


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """A paragraph per finding: title, level and code, evidence, fix."""
    return [
        Paragraph(
            wording.true_minus(f"{finding.message} {finding.fix}".strip()),
            f"{finding.title} ({finding.level}, {finding.code})",
        )
        for finding in sorted(summary.findings, key=wording.urgency)
    ] or [Paragraph(NONE)]


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """Every finding with its title; notes, which ask for nothing, behind the warnings or their number."""
    findings = sorted(summary.findings, key=wording.urgency)
    urgent = [finding for finding in findings if finding.level != "info"]
    notes = [finding for finding in findings if finding.level == "info"]
    shown = {"urgent": urgent, "further": notes, "nothing": NONE}
    return shown if urgent or not notes else {**shown, "gist": f"{wording.count(len(notes), 'note')}, no warning"}
