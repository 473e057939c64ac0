from dataclasses import replace

from detailed import NOTHING
from summaries import ANSWERS, study
from wellfit.base import Sentence
from wellfit.report.parts import Paragraph, Table
from wellfit.report.subjects.answer.section import conclusion, fragment, key_figures, parts

ADVICE = (Sentence("Run five seeds."), Sentence("Train longer: -0.5 points."))


def test_the_conclusion_leads_and_the_key_figures_end() -> None:
    summary = replace(study(variants=("baseline", "l2"), epochs=3), advice=ADVICE)
    lead, *rest, answer, advice, table = parts(summary, NOTHING)
    assert lead == Paragraph(summary.conclusion[1].text, kind="lead")
    assert [part.text for part in rest if isinstance(part, Paragraph)] == conclusion(summary)[1:]
    assert isinstance(answer, Paragraph)
    assert answer.head == ANSWERS[0].ask
    assert advice == Paragraph("Run five seeds. Train longer: −0.5 points.", "What to try next")
    assert table == Table((), key_figures(summary), text=2)


def test_on_the_page_the_conclusion_is_two_paragraphs() -> None:
    summary = study(variants=("baseline", "l2"), epochs=3)
    lead, more = fragment(summary, NOTHING, {})["paragraphs"]
    assert f"{lead} {more}" == summary.verdict
    alone = replace(summary, conclusion=summary.conclusion[:2])
    assert fragment(alone, NOTHING, {})["paragraphs"] == [lead]


def test_the_key_figures_count_the_runs() -> None:
    figures = dict(key_figures(study(seeds=12, epochs=3)))
    assert figures["Seeds"] == "12 (0 … 11)"
    assert figures["Runs"] == "72 of 72"
