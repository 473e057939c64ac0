"""Settings that are valid on their own but do not fit together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab_file import refusal
from wellfit.base import ModelSpec
from wellfit.errors import StudyFileError, UnknownNameError
from wellfit.spec.study import load_study, study_from_mapping


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"kind": "logistic", "hidden": [4]}, "hidden: a model of kind 'logistic' has no hidden; remove it or change"),
        ({"kind": "logistic", "batch_norm": True}, "batch_norm: a model of kind 'logistic' has no batch_norm"),
        ({"kind": "logistic", "activation": "tanh"}, "activation: a model of kind 'logistic' has no activation"),
        ({"kind": "lenet5", "hidden": [4]}, "hidden: a model of kind 'lenet5' has no hidden"),
        ({"kind": "cnn", "batch_norm": True}, "batch_norm: a model of kind 'cnn' has no batch_norm"),
        ({"kind": "layers", "initializer": "he_normal", "layers": [{"kind": "flatten"}]}, "has no initializer"),
        (
            {"kind": "layers", "layers": [{"kind": "flatten"}, {"kind": "dropout", "units": 3}]},
            "layers[1].units: a layer of kind 'dropout' has no units",
        ),
        ({"kind": "layers", "layers": [{"kind": "dense", "units": 3, "rate": 0.5}]}, "'dense' has no rate"),
        ({"kind": "layers", "layers": [{"kind": "flatten", "bias": False}]}, "'flatten' has no bias"),
        ({"kind": "layers", "layers": [{"kind": "max_pool", "spread": 0.5}]}, "'max_pool' has no spread"),
    ],
)
@pytest.mark.parametrize("where", ["base", "variant"])
def test_keys_that_a_kind_does_not_use_are_refused(model: dict[str, object], message: str, where: str) -> None:
    tables = {"model": model} if where == "base" else {"variants": {"a": {"model": model}}}
    with pytest.raises(StudyFileError) as caught:
        study_from_mapping({"data": {"name": "digits"}, **tables})
    assert message in str(caught.value)
    assert ("[model] " if where == "base" else "[variants.a] model.") in str(caught.value)


def test_defaults_and_inherited_keys_are_accepted() -> None:
    whole = ModelSpec("logistic")  # with every field, as Python gives it
    assert study_from_mapping({"data": {"name": "digits"}, "model": whole}).base.model.hidden == ()
    base_ = {"activation": "tanh", "batch_norm": True}
    kinds = {kind: {"model": {"kind": kind}} for kind in ("logistic", "cnn", "lenet5")}
    assert len(study_from_mapping({"data": {"name": "digits"}, "model": base_, "variants": kinds}).variants) == 3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("dropout = 0.5", "dropout = [0.5]", "line 19, [variants.both] dropout: 1 rates for 2 hidden layers; give one"),
        ("dropout = 0.5", "momentum = 0.9", "line 19, [variants.both] momentum: adam has none; only sgd, momentum"),
        ("dropout", "model = { kind = 'logistic' }\ndropout", "dropout: a logistic model has no hidden units"),
        ("dropout = 0.5", "model = { hidden = [] }", "line 19, [variants.both] model: mlp needs hidden layers"),
        ("dropout = 0.5", "model = { kind = 'layers' }", '[variants.both] model: kind = "layers" needs layers'),
        ("dropout = 0.5", "l1 = [1, 2, 3, 4]", "l1: 4 strengths for 3 kernels; give 2 (the hidden ones) or 3"),
        ("l2 = 1\n", "l2 = [1]\n", "line 13, [train] l2: 1 strengths for 3 kernels; give 2 (the hidden ones) or 3"),
        ("[model]\n", "[model]\nkind = 'cnn'\nhidden = []\n#", "model: cnn needs hidden layers"),
        ("dropout", "model = { layers = [{ kind = 'flatten' }] }\ndropout", "a model of kind 'mlp' has no layers"),
        ('name = "lab"', "name = 'a/b'", "line 1, name: a name has at most 64 letters, digits and -_+.=, without a"),
        ("[variants.both]", "[variants.'.both']", "line 17, [variants] .both: a name has at most 64 letters"),
        ("[variants.both]", f"[variants.{'a' * 65}]", "a name has at most 64 letters"),
        ("[variants.both]", "[variants.Baseline]", "line 17, [variants] Baseline: variants 'baseline' and 'Base"),
    ],
)
def test_what_does_not_fit_is_reported_in_one_line(lab: Path, old: str, new: str, message: str) -> None:
    refused = refusal(lab, old, new)
    assert refused.startswith("lab.toml, ")
    assert message in refused


# --- Questions


ASKS: dict[str, Any] = {"ask": "?", "kind": "beats", "variant": "a", "than": ["b"]}


def asking(question: dict[str, Any], **more: Any) -> Any:
    variants = {"a": {}, "b": {"l2": 1.0}}
    return study_from_mapping({"data": {"name": "digits"}, "variants": variants, "questions": [question], **more})


@pytest.mark.parametrize(
    ("question", "refused"),
    [
        ({"ask": "?", "kind": "beats", "variant": "a"}, r"\[questions\] .*than: is missing; .* kind 'beats' needs it"),
        (
            {"ask": "?", "kind": "generalizes", "variants": ["a"]},
            "variants: a question of kind 'generalizes' compares",
        ),
        ({"ask": "?", "kind": "capacity"}, "variants: is missing; a question of kind 'capacity' needs it"),
        ({"ask": "?", "kind": "impact"}, "variant: is missing; a question of kind 'impact' needs it"),
        ({"ask": "?", "kind": "matches"}, "value: is missing; a question of kind 'matches' needs it"),
        ({**ASKS, "value": 0.9}, "value: a question of kind 'beats' has no value; remove it"),
        ({**ASKS, "than": ["a", "b"]}, "than: compares 'a' with itself; remove it"),
        ({"ask": "?", "kind": "winner"}, "needs the \\[published\\] accuracies of two variants; give them"),
        ({"ask": "?", "kind": "winner", "variants": ["a"]}, "variants: a question of kind 'winner' compares"),
        ({"ask": " ", "kind": "best"}, "ask"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(question: dict[str, Any], refused: str) -> None:
    with pytest.raises(StudyFileError, match=refused) as caught:
        asking(question)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("question", "refused"),
    [
        ({**ASKS, "variant": "aa"}, "unknown variant 'aa'.*a"),
        ({**ASKS, "than": ["c"]}, "unknown variant 'c'"),
        ({"ask": "?", "kind": "best", "variants": ["a", "bb"]}, "unknown variant 'bb'"),
        ({"ask": "?", "kind": "onsets"}, "unknown question 'onsets'.*did you mean 'onset'"),
        ({"ask": "?", "kind": "matches", "value": 0.9, "metric": "test_acuracy"}, "did you mean 'test_accuracy'"),
        ({"ask": "?", "kinds": "best"}, "unknown key 'kinds'.*did you mean 'kind'"),
    ],
)
def test_a_misspelled_question_suggests_the_nearest_name(question: dict[str, Any], refused: str) -> None:
    with pytest.raises(UnknownNameError, match=refused):
        asking(question)


def test_the_margin_is_a_fraction() -> None:
    for margin in (-0.1, 1.0, "wide"):
        with pytest.raises(StudyFileError, match=r"\[compare\] margin"):
            asking(ASKS, compare={"margin": margin})
    with pytest.raises(StudyFileError, match=r"did you mean 'compare\.margin'"):
        asking(ASKS, margin=0.1)
    assert load_study("lab5", settings=["compare.margin=0.005"]).margin == 0.005
    assert load_study("lab5/l2", settings=["compare.margin=0.005"]).margin == 0.005


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("test_accuracy = 97", "an accuracy is a fraction from 0 to 1, got 97; write 0.97 for 97 %"),
        ("validation_accuracy = 88.35", "an accuracy is a fraction from 0 to 1, got 88.35; write 0.8835 for 88.35 %"),
        ("train_accuracy = -0.1", "an accuracy is a fraction from 0 to 1, got -0.1"),
        ("test_accuracy = 200", "an accuracy is a fraction from 0 to 1, got 200"),
        ("test_loss = -1", "a loss is 0 or more, got -1"),
    ],
)
def test_a_published_number_that_the_metric_cannot_have(tmp_path: Path, number: str, message: str) -> None:
    file = tmp_path / "lab.toml"
    file.write_text(f'[data]\nname = "digits"\n[published]\nbaseline = {{ {number} }}\n')
    with pytest.raises(StudyFileError) as error:
        load_study(file)
    assert str(error.value) == f"{file}, line 4, [published] baseline.{number.partition(' ')[0]}: {message}"


def test_published_numbers_at_the_ends_of_their_range_are_accepted() -> None:
    published = {"baseline": {"test_accuracy": 1, "validation_accuracy": 0, "test_loss": 0, "train_loss": 7.5}}
    study = study_from_mapping({"data": {"name": "digits"}, "published": published})
    assert study.published == published
