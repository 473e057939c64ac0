from dataclasses import replace

from detailed import NOTHING
from summaries import ANSWERS, empty, study
from wellfit.base import Sentence
from wellfit.model.chosen import supported_variant
from wellfit.report.parts import Paragraph, Table
from wellfit.report.subjects.answer.section import conclusion, fragment, key_figures, model_of, parts

ADVICE = (Sentence("Run five seeds."), Sentence("Train longer: -0.5 points."))


def test_the_conclusion_leads_and_the_key_figures_end() -> None:
    summary = replace(study(variants=("baseline", "l2"), epochs=3), advice=ADVICE)
    lead, *rest, advice, more, answer, table = parts(summary, NOTHING)
    assert lead == Paragraph(summary.conclusion[1].text, kind="lead")
    assert [part.text for part in rest if isinstance(part, Paragraph)] == conclusion(summary)[1:]
    assert isinstance(answer, Paragraph)
    assert answer.head == ANSWERS[0].ask
    assert (advice, more) == (Paragraph("Run five seeds.", "What to try next"), Paragraph("Train longer: −0.5 points."))
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


def test_the_model_is_the_one_that_predict_takes_and_its_commands_name_the_directory_alone() -> None:
    summary = study(variants=("baseline", "l2", "dropout"), epochs=3)
    model = model_of(summary)
    assert model is not None
    assert model.text.startswith(f"The 5 networks of {supported_variant(summary)[0]}, ")
    assert model.commands == ("wellfit predict studies/lab5 FILES", "wellfit export studies/lab5 --format onnx")
    sent = model_of(replace(summary, directory="/home/somebody/my study"))
    assert sent is not None
    assert sent.commands[0] == "wellfit predict 'my study' FILES"
    one = model_of(study(variants=("baseline", "l2"), seeds=1, epochs=3))
    assert one is not None
    assert one.text.startswith("The network of baseline, ")
    assert model_of(empty()) is None
