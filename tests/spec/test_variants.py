"""Variants: partial changes to a recipe, and sweeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab_file import LAB, refusal
from wellfit.base import EarlyStopping, LayerSpec, ModelSpec
from wellfit.errors import StudyFileError
from wellfit.spec.study import load_study, recipes, study_from_mapping


def test_a_variant_changes_single_settings_of_a_model() -> None:
    parts = {
        "narrow": {"model": {"hidden": [3]}},
        "logistic": {"model": {"kind": "logistic"}},
        "tanh": {"model": {"activation": "tanh", "batch_norm": True}},
        "listed": {"model": {"kind": "layers", "layers": [{"kind": "flatten"}, {"kind": "dense", "units": 10}]}},
    }
    study = study_from_mapping({"data": {"name": "digits"}, "model": {"hidden": [5]}, "variants": parts})
    variant = {name: recipe.model for name, recipe in recipes(study).items()}
    assert variant["narrow"] == ModelSpec("mlp", (3,))
    assert variant["logistic"] == ModelSpec("logistic", ())
    assert variant["tanh"] == ModelSpec("mlp", (5,), activation="tanh", batch_norm=True)
    assert variant["listed"] == ModelSpec("layers", (), layers=(LayerSpec("flatten"), LayerSpec("dense", units=10)))


def test_another_kind_of_model_has_its_own_hidden_layers(lab: Path) -> None:
    tables = {
        "data": {"name": "digits"},
        "model": {"hidden": [5]},
        "variants": {
            "cnn": {"model": {"kind": "cnn"}},
            "filters": {"model": {"kind": "cnn", "hidden": [4]}},
            "same": {"model": {"kind": "mlp", "batch_norm": True}},
        },
    }
    variant = {name: recipe.model.hidden for name, recipe in recipes(study_from_mapping(tables)).items()}
    assert variant == {"cnn": (16, 32, 64), "filters": (4,), "same": (5,)}
    tables = {"data": {"name": "digits"}, "model": {"kind": "cnn"}, "variants": {"mlp": {"model": {"kind": "mlp"}}}}
    study = study_from_mapping(tables)
    assert (study.base.model.hidden, recipes(study)["mlp"].model.hidden) == ((16, 32, 64), (128, 64))
    assert load_study(lab, settings=["model.kind=cnn", "train.l2=1"]).base.model == ModelSpec("cnn", (16, 32, 64))
    assert load_study(lab, settings=["model.kind=cnn", "model.hidden=[2]"]).base.model == ModelSpec("cnn", (2,))
    assert load_study(lab, settings=["model.kind=mlp"]).base.model == ModelSpec("mlp", (8, 4))
    changed = load_study(lab, settings=["variants.new.model.kind=cnn"])
    assert recipes(changed)["new"].model == ModelSpec("cnn", (16, 32, 64))


def test_false_turns_off_what_the_base_recipe_has() -> None:
    tables = {
        "data": {"name": "digits"},
        "train": {"early_stopping": {"patience": 1}, "schedule": {"kind": "cosine"}, "average": {"kind": "swa"}},
        "variants": {"a": {}, "b": {"early_stopping": False, "schedule": False, "average": False}},
    }
    variant = recipes(study_from_mapping(tables))
    assert variant["a"].early_stopping == EarlyStopping(1)
    assert (variant["b"].early_stopping, variant["b"].schedule, variant["b"].average) == (None, None, None)


def test_a_sweep_makes_one_variant_per_combination(lab: Path) -> None:
    lab.write_text(
        LAB + "[sweeps.l2]\nl2 = [1e-5, 0.1]\n[sweeps.grid]\nbatch_size = [8, 16]\noptimizer = ['sgd', 'adam']\n"
        "[sweeps.size]\nmodel = [{ hidden = [4] }, { kind = 'logistic' }]\nearly_stopping = [false]\n"
    )
    with pytest.raises(StudyFileError, match=r"\[sweeps.size\] l2: 2 strengths|\[sweeps.size\] model"):
        load_study(lab, settings=["train.l2=[1, 2]"])
    study = load_study(lab)
    assert list(study.variants)[2:] == [
        *("l2=1e-05", "l2=0.1"),
        *("batch_size=8,optimizer=sgd", "batch_size=8,optimizer=adam"),
        *("batch_size=16,optimizer=sgd", "batch_size=16,optimizer=adam"),
        *("model=4,early_stopping=false", "model=logistic,early_stopping=false"),
    ]
    variant = recipes(study)
    assert variant["l2=1e-05"].l2 == 1e-5
    assert (variant["batch_size=8,optimizer=sgd"].batch_size, variant["batch_size=8,optimizer=sgd"].optimizer) == (
        8,
        "sgd",
    )
    assert variant["model=logistic,early_stopping=false"].model == ModelSpec("logistic", ())


def test_a_sweep_alone_is_compared_with_the_base_recipe() -> None:
    study = study_from_mapping({"data": {"name": "digits"}, "sweeps": {"l1": {"l1": [0.1]}}})
    assert list(study.variants) == ["baseline", "l1=0.1"]


def test_sweeps_are_checked(lab: Path) -> None:
    before, sweep = "[variants.both]", "[sweeps.a]\n{}\n[variants.both]"
    assert "line 18, [sweeps.a] l2: a sweep needs at least one value" in refusal(lab, before, sweep.format("l2 = []"))
    assert "line 18, [sweeps.a] l2[1]: must be at least 0, got -1" in refusal(lab, before, sweep.format("l2 = [0, -1]"))
    twice = refusal(lab, before, sweep.format("l2 = [0.5, 0.5]"))
    assert twice == "lab.toml, line 17, [sweeps] a: makes 'l2=0.5' twice; remove one of the two values"
    both = refusal(lab, before, sweep.format("l2 = [0.5]\n[sweeps.b]\nl2 = [0.1, 0.5]"))
    assert (
        both
        == "lab.toml, line 19, [sweeps] b: makes 'l2=0.5', as does [sweeps.a]; remove that value from one of the two"
    )
    named = refusal(lab, before, "[variants.'l2=0.5']\n" + sweep.format("l2 = [0.5]"))
    assert "makes 'l2=0.5', as does [variants.l2=0.5]" in named
    many = "\n".join(f"{key} = {[i / 100 for i in range(40)]}" for key in ("l1", "l2"))
    assert "line 17, [sweeps] a: makes more than 1000 variants" in refusal(lab, before, sweep.format(many))
