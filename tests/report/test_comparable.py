from __future__ import annotations

from dataclasses import replace

import pytest

from summaries import study
from wellfit.report.comparable import published_caution
from wellfit.spec.study import load_study, resolved


def of(name, **options):
    spec = load_study(name, **options)
    made = study(variants=("baseline",))
    published = replace(made.variants[0], published={"test_accuracy": 0.8835})
    return replace(
        made, name=spec.name, title=spec.title, epochs=spec.base.epochs, settings=resolved(spec), variants=(published,)
    )


@pytest.mark.parametrize("name", ["lab5", "lab5/l2"])
def test_a_study_as_it_was_published_needs_no_caution(name):
    assert published_caution(of(name)) == ""


@pytest.mark.parametrize("name", ["lab5", "lab5/l2"])
def test_a_quick_one_says_what_is_other_than_published(name):
    told = "The published numbers are of 30 epochs and all training data, not of 8 and 50 % of it as here."
    assert published_caution(of(name, quick=True)) == told


def test_other_epochs_alone_are_told():
    assert published_caution(of("lab5", epochs=5)) == "The published numbers are of 30 epochs, not of 5 as here."


def test_nothing_is_told_of_studies_that_are_not_known_or_have_nothing_published():
    assert published_caution(replace(of("lab5", epochs=5), name="lab5-of-mine")) == ""
    assert published_caution(replace(of("lab5", epochs=5), name="mine")) == ""
    made = of("lab5", epochs=5)
    assert published_caution(replace(made, variants=(replace(made.variants[0], published={}),))) == ""
