from dataclasses import replace

from detailed import NOTHING
from summaries import FINDINGS, study
from wellfit.report.parts import Paragraph
from wellfit.report.subjects.findings.section import NONE, fragment, parts


def test_errors_come_first_with_evidence_and_fix() -> None:
    texts = [part for part in parts(study(epochs=3), NOTHING) if isinstance(part, Paragraph)]
    heads = ["Split shift (error, split-shift)", "Train overfit (warning, train-overfit)"]
    assert [text.head for text in texts] == [*heads, "Data duplicates (info, data-duplicates)"]
    for finding in FINDINGS:
        assert any(text.text == f"{finding.message} {finding.fix}" for text in texts)
    shown = fragment(study(epochs=3), NOTHING, {})
    assert [finding.code for finding in shown["urgent"]] == ["split-shift", "train-overfit"]
    assert [finding.code for finding in shown["further"]] == ["data-duplicates"]
    assert "gist" not in shown  # a warning is never folded


def test_no_findings_are_reported_as_such() -> None:
    summary = replace(study(epochs=3), findings=())
    assert parts(summary, NOTHING) == [Paragraph(NONE)]
    assert fragment(summary, NOTHING, {}) == {"urgent": [], "further": [], "nothing": NONE}


def test_notes_alone_are_folded_under_their_number() -> None:
    notes = tuple(finding for finding in FINDINGS if finding.level == "info")
    shown = fragment(replace(study(epochs=3), findings=notes), NOTHING, {})
    assert shown["gist"] == "1 note, no warning"
    assert shown["further"] == list(notes)
