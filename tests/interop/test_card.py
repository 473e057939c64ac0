"""The card beside an exported model; that its code works is tested in ``test_usage``."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest

import fitted_models as made
import summaries
from test_hostile_texts import ATTACKS, ONE, assert_legible
from wellfit.base import Column, Finding, ModelSpec, PreparedColumn, StudySummary
from wellfit.interop.card import MARK, model_card
from wellfit.interop.exports import FORMATS
from wellfit.spec.study import load_study, resolved


def study() -> StudySummary:
    """A study with findings, provenance and a fingerprint."""
    return replace(
        summaries.study(variants=("baseline", "l2"), epochs=5),
        settings=resolved(load_study("regularization")),
        findings=(Finding("data-duplicates", "warning", "3 images occur twice.", "Remove them."),),
        provenance={"command": "wellfit run --seeds 2", "wellfit": "0.1.0"},
        fingerprint="0123456789abcdef",
    )


@pytest.mark.parametrize("form", FORMATS)
def test_what_a_card_says(form: str) -> None:
    card = model_card(made.image_model(ModelSpec("logistic")), study(), form, f"model{FORMATS[form]}")
    assert card.startswith(
        f"# l2, a model of the study toy\n\n{MARK}\n\nThis model is the mean of 2 networks (seeds 0, 1) that "
    )
    titles = re.findall("^## (.*)$", card, re.MULTILINE)
    assert titles == [
        *("How accurate it is", "Input and output", "How to use it", "How it was trained"),
        *("What the checks found", "How to make it again"),
    ]
    for text in (
        "On new examples: one network classifies 87.50 % \\[85.00, 90.00\\] of new examples correctly.",
        "Why this variant: l2, as asked.",
        "| test examples | 200 |",
        "| classes | a, b, c |",
        "| pixels | from 0 to 16 |",
        "| l2 | 0.001 |",
        "| model.hidden | \\[12, 8\\] |",
        "** 3 images occur twice. Remove them.",
        f"wellfit run --seeds 2\nwellfit export DIR --format {form} --variant l2\n",
        "| fingerprint | 0123456789abcdef |",
        "[variants.l2]",
    ):
        assert text in card, text
    assert "dropout |" not in card  # off


def test_a_network_alone_and_nothing_known() -> None:
    model = made.image_model(ModelSpec("logistic"), seeds=1)
    unknown = made.origin(accuracy=None, interval=None, tested=0, expected="unknown: the test set has not been opened")
    card = model_card(replace(model, origin=unknown), None, "onnx", "model.onnx")
    assert "This model is a network (seed 0) that assigns images to 3 classes. The study asks: Does it leave?" in card
    assert "On new examples: unknown: the test set has not been opened." in card
    for absent in ("test examples", "Brackets", "What the checks found", "How to make it again"):
        assert absent not in card
    assert " --variant l2 --seed 0\n" in model_card(model, study(), "onnx", "model.onnx")


def test_the_scores_are_those_of_the_variant() -> None:
    summary = study()
    (of,) = (variant for variant in summary.variants if variant.name == "l2")
    card = model_card(made.image_model(ModelSpec("logistic")), summary, "onnx", "model.onnx")
    assert f"| test accuracy | {100 * of.mean['test_accuracy']:.2f} % | " in card
    assert f"| validation accuracy | {100 * of.mean['validation_accuracy']:.2f} % | " in card


def test_the_columns_of_a_table() -> None:
    card = model_card(made.table_model(), None, "onnx", "model.onnx")
    assert "| age | number | yes |" in card
    assert "| city, or town | one of Bern, Genève, Zürich | yes |" in card
    assert "| paid | number | no |" in card
    assert "Numbers are without signs and units" in card
    assert "Numbers are without" not in model_card(made.table_model(), None, "safetensors", "model.safetensors")


def test_of_many_columns_the_first() -> None:
    model = made.table_model(1)
    columns = tuple(PreparedColumn(at, f"c{at}", 0.0) for at in range(120))
    of = replace(model.networks[0].preparation, columns=columns)
    form = replace(model.form, columns=tuple(Column(c.name, unit="%") for c in columns))
    card = model_card(
        replace(model, form=form, networks=(replace(model.networks[0], preparation=of),)), None, "joblib", "m.joblib"
    )
    assert "| c99 | number, in % | no |" in card
    assert "c100" not in card
    assert "And 20 more columns." in card


def test_texts_of_strangers_have_no_effect() -> None:
    names = tuple(text for key, text in ATTACKS.items() if key != "heading")
    model = made.table_model(1)
    prepared = model.networks[0].preparation.columns
    columns = tuple(replace(column, name=name) for column, name in zip(prepared, names, strict=False))
    columns = (*columns[:3], replace(columns[3], categories=names), *columns[4:])
    of = replace(model.networks[0].preparation, columns=columns)
    form = replace(model.form, columns=tuple(Column(column.name, unit=ONE) for column in columns))
    model = replace(
        model,
        classes=names,
        form=form,
        networks=(replace(model.networks[0], preparation=of),),
        origin=made.origin(title=ONE, data=ONE, study=ONE, expected=ONE, choice=ONE, recipe={ONE: ONE}),
    )
    summary = replace(
        study(),
        findings=(Finding("data-duplicates", "info", f"{ONE}.", f"{ONE}."),),
        provenance={"command": ONE, ONE: ONE},
    )
    card = model_card(model, summary, "keras", f"{ATTACKS['bidi']}.keras")
    plain = html.unescape(re.sub(r"\\([\\`*_{}\[\]|~$#+.)-])", r"\1", card))  # as Markdown shows it
    assert_legible(plain, tuple(key for key in ATTACKS if key != "heading"))
    outside = re.sub(r"^(`{3,})\w+\n.*?^\1$", "", card, flags=re.MULTILINE | re.DOTALL)
    assert not re.search(r"<(script|img)|(?<!\\)\]\((javascript|http)", outside)
    assert len(re.findall("^# ", outside, re.MULTILINE)) == 1
