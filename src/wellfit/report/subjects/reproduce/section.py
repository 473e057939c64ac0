"""How to reproduce the study: the command, where the results come from, and the study as a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wellfit.base import OwnWords, StudyDetails, StudySummary
from wellfit.report.marks.pictures import Sheet
from wellfit.report.parts import Code, Paragraph, Part, Table
from wellfit.spec.study import from_resolved
from wellfit.spec.written import study_file

__all__ = ["fragment", "parts"]


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """The command, a table of the provenance, and the study file; runs that others trained have none."""
    shown = fragment(summary, details, {})
    return [
        *([Code(shown["command"])] if shown["command"] else []),
        *([Table((), shown["provenance"], text=2)] if shown["provenance"] else []),
        *([Paragraph("The whole study as a study file for wellfit run:", kind="small")] if shown["study"] else []),
        *([Code(shown["study"])] if shown["study"] else []),
    ]


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """The same."""
    facts = {**summary.provenance, **({"fingerprint": summary.fingerprint} if summary.fingerprint else {})}
    return {
        "gist": f"The command, versions, hashes{'' if summary.elsewhere else ', and the whole study as a file'}",
        "command": facts.pop("command", ""),
        "provenance": tuple((key, str(value)) for key, value in facts.items()),
        "study": "" if summary.elsewhere else study_file(replace(from_resolved(summary.settings), report=OwnWords())),
    }
