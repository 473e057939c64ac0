from dataclasses import replace

from detailed import NOTHING
from summaries import study
from wellfit.report.parts import Table
from wellfit.report.subjects.glossary.section import GLOSSARY, fragment, parts, terms_of


def test_every_term_is_defined_once_in_sentences() -> None:
    terms = [term for term, _ in GLOSSARY]
    assert len(set(terms)) == len(terms) >= 14
    assert all(definition.endswith(".") for _, definition in GLOSSARY)
    assert parts(study(epochs=3), NOTHING) == [Table((), GLOSSARY, text=2)]
    assert fragment(study(epochs=3), NOTHING, {})["glossary"] == GLOSSARY


def test_runs_that_others_trained_are_described_by_what_is_known() -> None:
    elsewhere = dict(terms_of(replace(study(epochs=3), settings={"elsewhere": True})))
    assert elsewhere.keys() == dict(GLOSSARY).keys()
    assert "whatever the seed fixed" in elsewhere["run, seed"]
    assert "as they were logged" in elsewhere["generalization gap"]
    assert not any(
        "inference mode" in definition or "ended, and decide nothing." in definition
        for definition in elsewhere.values()
    )


def test_every_verdict_has_a_definition() -> None:
    terms = {term for names, _ in GLOSSARY for term in names.split(", ")}
    assert {"better", "worse", "equivalent", "undecided", "letters", "95 % interval"} <= terms
