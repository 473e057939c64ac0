"""The steps of notebooks, read from their files."""

from __future__ import annotations

import pytest

import summaries
from wellfit.report.notebook_steps import Step, is_lab, lab_sections, steps, steps_of_lab

LABS = ("lab5", "lab-512", "lab-optimizers", "lab-lenet5", "lab-depth")


@pytest.mark.parametrize("lab", LABS)
def test_a_lab_has_its_own_steps_first(lab: str) -> None:
    own = steps_of_lab(lab)
    assert is_lab(lab)
    assert steps(lab)[: len(own)] == own
    assert len({step.name for step in steps(lab)}) == len(steps(lab))
    assert list(lab_sections(lab)) == [step.name for step in own]
    assert set(lab_sections(lab).values()) >= {(step.title,) for step in own if step.title}


def test_other_studies_have_the_general_steps_alone() -> None:
    assert steps("regularization") == steps("study")
    assert steps_of_lab("study") == ()
    assert not is_lab("study")
    assert lab_sections("study") == {}


def test_a_step_applies_where_its_question_is_asked_and_something_was_tested() -> None:
    study = summaries.study()
    kind = study.answers[0].kind
    assert Step("a", "1").applies(study)
    assert Step("a", "1", asks=(kind,), tested=True).applies(study)
    assert not Step("a", "1", asks=("signs",)).applies(study)
    assert not Step("a", "1", tested=True).applies(summaries.empty())
    assert not Step("a", "1", asks=()).applies(summaries.empty())
