"""Formulas as drawings."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from wellfit.report.marks.formulas import formula
from wellfit.report.notebook_steps import steps
from wellfit.report.own_words import blocks

LABS = ("lab5", "lab-512", "lab-optimizers", "lab-lenet5", "lab-depth")


def test_a_formula_is_a_drawing_of_its_size() -> None:
    small, large = formula("x"), formula(r"\frac{\partial L}{\partial w}")
    assert small is not None
    assert large is not None
    assert large.height > 1.5 * small.height
    assert 0 <= small.depth < 0.5 < large.depth + 0.4
    assert "<text" not in small.svg
    assert ElementTree.fromstring(small.svg).tag.endswith("svg")


@pytest.mark.parametrize("source", [r"\nothing", "{", "x^", r"\input{/etc/passwd}", "{" * 150, "", "a$b"])
def test_what_cannot_be_set_is_none(source: str) -> None:
    assert formula(source) is None


def test_every_formula_of_the_labs_can_be_set() -> None:
    found = [span.text for lab in LABS for step in steps(lab) for block in blocks(step.text) for span in block.spans
             if span.kind == "formula"]  # fmt: skip
    assert len(found) > 40
    assert [source for source in found if formula(source) is None] == []
    assert not any(re.search(r"\$", span.text) for lab in LABS for step in steps(lab) for block in blocks(step.text)
                   for span in block.spans if span.kind == "text")  # fmt: skip
