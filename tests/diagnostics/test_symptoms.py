"""Real trainings that went wrong: the finding names the cause, names no other, and its remedy helps."""

import pytest

from symptoms import CAUSES, MEASURES, SYMPTOMS, remedied, trained

SLOW = {
    "at chance, six sigmoid layers",
    "at chance, a lower rate works",
    "runs differ",
    "validation above running accuracy",
    "validation above training accuracy",
    "overfits while the loss falls steadily",
    "noise in the loss",
}
"""Several seconds each; the others show every kind of cause."""
assert set(SYMPTOMS) > SLOW


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in SYMPTOMS])
def test_the_cause_is_named_and_its_remedy_helps(name, tmp_path):
    symptom = SYMPTOMS[name]
    before = trained(symptom, tmp_path / "before")
    found = {finding.code: finding for finding in before.findings}
    assert symptom.finding in found
    assert not (CAUSES | set(symptom.wrong)) - {symptom.finding} & set(found)
    after, where = remedied(symptom, found[symptom.finding], tmp_path / "after")
    better, measure = MEASURES[symptom.measure]
    assert better * (measure(after, where) - measure(before, list(symptom.variants)[-1])) > 0
    # The finding is gone, or describes only the variant that is still there beside the remedied one.
    messages = [f.message for f in after.findings if f.code == symptom.finding]
    assert not any(message.startswith(f"{where} ") or f" {where}: " in message for message in messages)
