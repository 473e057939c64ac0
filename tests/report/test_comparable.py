from __future__ import annotations

from dataclasses import replace

import pytest

from summaries import study
from wellfit.report.comparable import published_caution
from wellfit.spec.study import load_study, resolved


def of(name, **options):
    spec = load_study(name, **options)
    summary = study(variants=("baseline",))
    published = replace(summary.variants[0], published={"test_accuracy": 0.8835})
    return replace(
        summary,
        name=spec.name,
        title=spec.title,
        epochs=spec.base.epochs,
        settings=resolved(spec),
        variants=(published,),
    )


@pytest.mark.parametrize("name", ["lab5", "lab5/l2"])
def test_a_study_as_it_was_published_needs_no_caution(name):
    assert published_caution(of(name)) == ""


@pytest.mark.parametrize("name", ["lab5", "lab5/l2"])
def test_a_quick_study_says_what_differs(name):
    caution = "The published numbers come from 30 epochs and all training data, not from 8 and 50 % of it as here."
    assert published_caution(of(name, quick=True)) == caution


def test_other_epochs_alone_are_named():
    assert published_caution(of("lab5", epochs=5)) == "The published numbers come from 30 epochs, not from 5 as here."


def test_unknown_or_unpublished_studies_need_no_caution():
    assert published_caution(replace(of("lab5", epochs=5), name="lab5-of-mine")) == ""
    assert published_caution(replace(of("lab5", epochs=5), name="mine")) == ""
    summary = of("lab5", epochs=5)
    assert published_caution(replace(summary, variants=(replace(summary.variants[0], published={}),))) == ""
