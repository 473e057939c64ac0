"""Study files: what they may say, what is refused, and how a mistake is told."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellfit import base
from wellfit.base import EarlyStopping, LayerSpec, ModelSpec, Recipe
from wellfit.errors import StudyFileError, UnknownNameError
from wellfit.nn import initializers, layers, losses, models, optimizers, schedules
from wellfit.spec import schema
from wellfit.spec.identity import merged, spec_conflicts
from wellfit.spec.listing import list_studies
from wellfit.spec.source import MAX_BYTES, key_lines
from wellfit.spec.study import from_resolved, load_study, recipes, resolved, runs, study_from_mapping

LAB = """\
name = "lab"
title = "Which?"

[data]
name = "digits"

[model]
hidden = [8, 4]

[train]
epochs = 3
seeds = 2
l2 = 1

[variants.baseline]

[variants.both]
l2 = [1e-3, 0.01]
dropout = 0.5
early_stopping = { patience = 3, restore_best_weights = true }
"""


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    path = tmp_path / "lab.toml"
    path.write_text(LAB)
    return path


def refusal(path: Path, old: str, new: str, *, kind: type[StudyFileError] = StudyFileError, **how: object) -> str:
    """The one line that refuses the lab with a change, without the path before the file's name."""
    assert old in LAB
    path.write_text(LAB.replace(old, new))
    with pytest.raises(kind) as caught:
        load_study(path, **how)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(str(path), path.name)


# --- What a study is


def test_a_file_becomes_a_study(lab: Path) -> None:
    study = load_study(lab)
    assert (study.name, study.title, study.data.name_or_path, study.seeds) == ("lab", "Which?", "digits", (0, 1))
    assert study.base == Recipe(model=ModelSpec("mlp", (8, 4)), epochs=3, l2=1.0)
    assert isinstance(study.base.l2, float)
    made = recipes(study)
    assert made["baseline"] == study.base
    rule = EarlyStopping(patience=3, restore_best_weights=True)
    assert made["both"] == dataclasses.replace(study.base, l2=(1e-3, 0.01), dropout=0.5, early_stopping=rule)
    assert study.variants["both"]["l2"] == [1e-3, 0.01]  # as it was written
    assert [(run.variant, run.seed) for run in runs(study)] == [
        *(("baseline", 0), ("baseline", 1)),
        *(("both", 0), ("both", 1)),
    ]
    assert runs(study)[3].recipe == made["both"]


def test_what_is_left_out_has_the_recipes_defaults() -> None:
    study = study_from_mapping({"data": {"name": "digits"}})
    assert study.base == Recipe()
    assert (study.name, study.title, study.seeds) == ("study", "study", (0, 1, 2, 3, 4))
    assert (study.data.validation, study.data.scale, study.data.split_seed) == (0.2, "unit", 0)
    assert recipes(study) == {"baseline": Recipe()}


def test_the_built_in_studies() -> None:
    for listed in list_studies():
        study = load_study(listed.name)
        assert (study.name, study.title, study.description) == listed
        assert study.title.endswith("?")
    lab5 = load_study("lab5")
    expected = Recipe(ModelSpec("mlp", (128, 64)), epochs=30, batch_size=256, learning_rate=1e-3)
    assert recipes(lab5) == {
        "baseline": expected,
        "l2": dataclasses.replace(expected, l2=1e-3),
        "dropout": dataclasses.replace(expected, dropout=0.3),
    }
    assert {name: row["test_accuracy"] for name, row in lab5.published.items()} == {
        "baseline": 0.8835,
        "l2": 0.8730,
        "dropout": 0.8803,
    }
    names = ["baseline", "l2", "l1", "dropout", "l2+dropout", "early-stopping"]
    assert list(load_study().variants)[:6] == names
    assert load_study().name == "regularization"


def test_listing_is_quick_because_pydantic_and_numpy_stay_out() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(base.__file__).parents[1])!r}); "
        "from wellfit.spec.listing import list_studies; list_studies(); "
        "sys.exit(', '.join({'pydantic', 'numpy', 'jax'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_sweeps_make_one_variant_a_value(lab: Path) -> None:
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
    made = recipes(study)
    assert made["l2=1e-05"].l2 == 1e-5
    assert (made["batch_size=8,optimizer=sgd"].batch_size, made["batch_size=8,optimizer=sgd"].optimizer) == (8, "sgd")
    assert made["model=logistic,early_stopping=false"].model == ModelSpec("logistic", ())


def test_a_sweep_alone_is_compared_with_the_base_recipe() -> None:
    study = study_from_mapping({"data": {"name": "digits"}, "sweeps": {"l1": {"l1": [0.1]}}})
    assert list(study.variants) == ["baseline", "l1=0.1"]


def test_variants_change_a_model_part_by_part() -> None:
    parts = {
        "narrow": {"model": {"hidden": [3]}},
        "logistic": {"model": {"kind": "logistic"}},
        "tanh": {"model": {"activation": "tanh", "batch_norm": True}},
        "listed": {"model": {"kind": "layers", "layers": [{"kind": "flatten"}, {"kind": "dense", "units": 10}]}},
    }
    study = study_from_mapping({"data": {"name": "digits"}, "model": {"hidden": [5]}, "variants": parts})
    made = {name: recipe.model for name, recipe in recipes(study).items()}
    assert made["narrow"] == ModelSpec("mlp", (3,))
    assert made["logistic"] == ModelSpec("logistic", ())
    assert made["tanh"] == ModelSpec("mlp", (5,), activation="tanh", batch_norm=True)
    assert made["listed"] == ModelSpec("layers", (), layers=(LayerSpec("flatten"), LayerSpec("dense", units=10)))


def test_a_model_of_another_kind_has_hidden_layers_of_its_own(lab: Path) -> None:
    tables = {
        "data": {"name": "digits"},
        "model": {"hidden": [5]},
        "variants": {
            "cnn": {"model": {"kind": "cnn"}},
            "filters": {"model": {"kind": "cnn", "hidden": [4]}},
            "same": {"model": {"kind": "mlp", "batch_norm": True}},
        },
    }
    made = {name: recipe.model.hidden for name, recipe in recipes(study_from_mapping(tables)).items()}
    assert made == {"cnn": (16, 32, 64), "filters": (4,), "same": (5,)}
    tables = {"data": {"name": "digits"}, "model": {"kind": "cnn"}, "variants": {"mlp": {"model": {"kind": "mlp"}}}}
    study = study_from_mapping(tables)
    assert (study.base.model.hidden, recipes(study)["mlp"].model.hidden) == ((16, 32, 64), (128, 64))
    assert load_study(lab, settings=["model.kind=cnn", "train.l2=1"]).base.model == ModelSpec("cnn", (16, 32, 64))
    assert load_study(lab, settings=["model.kind=cnn", "model.hidden=[2]"]).base.model == ModelSpec("cnn", (2,))
    assert load_study(lab, settings=["model.kind=mlp"]).base.model == ModelSpec("mlp", (8, 4))
    changed = load_study(lab, settings=["variants.new.model.kind=cnn"])
    assert recipes(changed)["new"].model == ModelSpec("cnn", (16, 32, 64))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"kind": "logistic", "hidden": [4]}, "hidden: a model of kind 'logistic' has no hidden; drop it, or change"),
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
    ],
)
@pytest.mark.parametrize("where", ["base", "variant"])
def test_keys_that_a_kind_has_no_use_for_are_refused(model: dict[str, object], message: str, where: str) -> None:
    tables = {"model": model} if where == "base" else {"variants": {"a": {"model": model}}}
    with pytest.raises(StudyFileError) as caught:
        study_from_mapping({"data": {"name": "digits"}, **tables})
    assert message in str(caught.value)
    assert ("[model] " if where == "base" else "[variants.a] model.") in str(caught.value)


def test_a_default_is_no_mistake_and_a_base_models_keys_may_be_inherited() -> None:
    whole = ModelSpec("logistic")  # with every field, as Python gives it
    assert study_from_mapping({"data": {"name": "digits"}, "model": whole}).base.model.hidden == ()
    base_ = {"activation": "tanh", "batch_norm": True}
    kinds = {kind: {"model": {"kind": kind}} for kind in ("logistic", "cnn", "lenet5")}
    assert len(study_from_mapping({"data": {"name": "digits"}, "model": base_, "variants": kinds}).variants) == 3


def test_python_may_give_tuples_arrays_and_dataclasses() -> None:
    given_ = {
        "data": {"name": "digits"},
        "model": ModelSpec("mlp", (7, 5)),
        "train": {"seeds": np.arange(2), "dropout": (0.1, 0.2), "l2": np.float64(0.5), "learning_rate": None},
        "variants": {"stop": {"early_stopping": EarlyStopping(4)}, "go": {"early_stopping": None}},
    }
    study = study_from_mapping(given_)
    assert study.base == Recipe(ModelSpec("mlp", (7, 5)), dropout=(0.1, 0.2), l2=0.5)
    assert study.seeds == (0, 1)
    assert recipes(study)["stop"].early_stopping == EarlyStopping(4)


def test_a_variant_can_drop_what_the_base_recipe_has() -> None:
    tables = {
        "data": {"name": "digits"},
        "train": {"early_stopping": {"patience": 1}, "schedule": {"kind": "cosine"}, "average": {"kind": "swa"}},
        "variants": {"a": {}, "b": {"early_stopping": False, "schedule": False, "average": False}},
    }
    made = recipes(study_from_mapping(tables))
    assert made["a"].early_stopping == EarlyStopping(1)
    assert (made["b"].early_stopping, made["b"].schedule, made["b"].average) == (None, None, None)


# --- The schema follows the vocabulary


@pytest.mark.parametrize(
    ("table", "part"),
    [
        (schema.Changes, base.Recipe),
        (schema.ModelTable, base.ModelSpec),
        (schema.LayerTable, base.LayerSpec),
        (schema.StoppingTable, base.EarlyStopping),
        (schema.AveragingTable, base.Averaging),
        (schema.ScheduleTable, base.Schedule),
        (schema.AugmentationTable, base.Augmentation),
    ],
)
def test_every_field_of_the_vocabulary_is_a_key(table: type[schema.Table], part: type) -> None:
    assert set(table.model_fields) == {field.name for field in dataclasses.fields(part)}


def test_every_name_of_the_networks_is_known() -> None:
    assert tuple(optimizers.OPTIMIZERS) == schema.OPTIMIZERS
    assert losses.LOSSES == schema.LOSSES
    assert models.MODELS == schema.MODELS
    assert models.LAYERS == schema.LAYERS
    assert set(layers.ACTIVATIONS) == set(schema.ACTIVATIONS)
    assert set(initializers.INITIALIZERS) == set(schema.INITIALIZERS)
    assert set(schedules.SCHEDULES) == set(schema.SCHEDULES)


# --- Settings and flags


def test_flags_and_settings_change_a_study(lab: Path) -> None:
    study = load_study(
        lab,
        data="my.csv",
        seeds=[4, 7],
        epochs=9,
        settings=[
            *("train.batch_size=64", "variants.both.dropout = 0.1", "model.hidden=[3, 2]", "train.optimizer=sgd"),
            *("variants.new.l1=1e-4", "variants.'l2+more'.l2=3", "variants.both.early_stopping.patience=8"),
        ],
    )
    assert (study.data.name_or_path, study.seeds, study.base.epochs, study.base.batch_size) == ("my.csv", (4, 7), 9, 64)
    assert study.base.model.hidden == (3, 2)
    made = recipes(study)
    assert (made["both"].dropout, made["new"].l1, made["l2+more"].l2) == (0.1, 1e-4, 3.0)
    assert made["both"].early_stopping == EarlyStopping(8, restore_best_weights=True)
    assert {recipe.optimizer for recipe in made.values()} == {"sgd"}


def test_a_study_asks_for_a_precision(lab: Path) -> None:
    assert load_study(lab).precision == "float32"
    for name in schema.PRECISIONS:
        assert load_study(lab, precision=name).precision == name
        assert load_study(lab, settings=[f"train.precision={name}"]).precision == name
        again = from_resolved(json.loads(json.dumps(resolved(load_study(lab, precision=name)))))
        assert again == load_study(lab, precision=name)
    lab.write_text(LAB.replace("epochs = 3", 'epochs = 3\nprecision = "auto"'))
    assert load_study(lab).precision == "auto"
    assert load_study(lab, precision="mixed").precision == "mixed"


def test_other_data_leave_the_sources_claims_behind(tmp_path: Path) -> None:
    lab5 = load_study("lab5")
    other = load_study("lab5", data="mnist", epochs=2)
    assert (other.title, other.published, other.description) == (
        *("lab5: which variant generalizes best on MNIST?", {}),
        "",
    )
    assert load_study("lab5", settings=["data.name=mnist"]).title == other.title
    assert load_study("lab5", data=tmp_path / "my.csv").title == "lab5: which variant generalizes best on my.csv?"
    assert load_study("lab5", data="mnist", settings=["title=Mine"]).title == "Mine"
    added = load_study("lab5", data="mnist", settings=["published.l2.test_accuracy=0.5"])
    assert added.published == {"l2": {"test_accuracy": 0.5}}
    same = load_study("lab5", data="fashion-mnist", epochs=2, settings=["train.l2=1", "model.hidden=[3]"])
    assert (same.published, same.description) == (lab5.published, lab5.description)
    assert same.title == f"{lab5.title} (with train.l2=1, model.hidden=[3])"
    own = tmp_path / "own.toml"
    own.write_text('title = "Why?"\n[data]\npath = "my.csv"\n')
    assert load_study(own, data=tmp_path / "my.csv").title == "Why?"
    assert load_study(own, data="digits").title == "own: which variant generalizes best on Digits?"


def test_a_path_is_relative_to_the_study_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "s.toml").write_text('[data]\npath = "digits"\n')
    assert load_study(tmp_path / "deep" / "s.toml").data.name_or_path == str(tmp_path / "deep" / "digits")
    assert load_study(tmp_path / "deep" / "s.toml").name == "s"
    assert load_study(tmp_path / "deep" / "s.toml", data="mnist").data.name_or_path == "mnist"
    monkeypatch.chdir(tmp_path / "deep")
    assert load_study("s.toml").data.name_or_path == "./digits"  # not the digits of the catalog


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"settings": ["train.batch_size=0"]}, "--set train.batch_size=0: must be from 1 to 1000000, got 0"),
        ({"settings": ["train.l2=sgd"]}, "--set train.l2=sgd: must be a number, got 'sgd'"),
        ({"settings": ["train"]}, "--set train: not of the form KEY=VALUE, as in --set train.batch_size=64"),
        ({"settings": ["=3"]}, "--set =3: not of the form KEY=VALUE, as in --set train.batch_size=64"),
        ({"settings": ["a.b="]}, "--set a.b=: not of the form KEY=VALUE, as in --set train.batch_size=64"),
        ({"settings": ["train.epochs.x=1"]}, "--set train.epochs.x=1: train.epochs is a value, not a table"),
        (
            {"settings": ["model.hidden=[1"]},
            "--set model.hidden=[1: '[1' is not a TOML value, as 64, 1e-3, [128, 64], true or a word",
        ),
        (
            {"settings": ["a=1\nb=2"]},
            "--set a=1\nb=2: '1\\nb=2' is not a TOML value, as 64, 1e-3, [128, 64], true or a word",
        ),
        ({"seeds": 0}, "--seeds 0: must be from 1 to 10000, got 0"),
        ({"epochs": -1}, "--epochs -1: must be from 1 to 1000000, got -1"),
        ({"data": ""}, "--data : must be some words, got ''"),
        (
            {"precision": "float16"},
            "unknown precision 'float16' in --precision float16; did you mean 'float32'? (known: auto, float32, mixed)",
        ),
    ],
)
def test_wrong_flags_are_named(lab: Path, how: dict[str, object], message: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        load_study(lab, **how)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_a_mistyped_setting_is_told_the_nearest_key(lab: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown key 'bach_size' in --set .*; did you mean 'batch_size'\?"):
        load_study(lab, settings=["train.bach_size=3"])


# --- Refusals


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "dropout = 0.5",
            "dropout = 1.5",
            "line 19, [variants.both] dropout: must be at least 0 and less than 1, got 1.5",
        ),
        (
            "dropout = 0.5",
            "dropout = [0.5, -1]",
            "line 19, [variants.both] dropout[1]: must be at least 0 and less than 1",
        ),
        ("dropout = 0.5", "dropout = [0.5]", "line 19, [variants.both] dropout: 1 rates for 2 hidden layers; give one"),
        ("dropout = 0.5", "dropout = true", "line 19, [variants.both] dropout: must be a number, got True"),
        ("dropout = 0.5", "dropout = nan", "line 19, [variants.both] dropout: must be finite, got nan"),
        ("dropout = 0.5", "max_norm = inf", "line 19, [variants.both] max_norm: must be finite, got inf"),
        ("dropout = 0.5", "max_norm = -1", "line 19, [variants.both] max_norm: must be at least 0, got -1"),
        ("dropout = 0.5", "learning_rate = 0", "line 19, [variants.both] learning_rate: must be greater than 0, got 0"),
        (
            "dropout = 0.5",
            "label_smoothing = 1",
            "line 19, [variants.both] label_smoothing: must be at least 0 and less",
        ),
        (
            "dropout = 0.5",
            "momentum = 0.9",
            "line 19, [variants.both] momentum: adam has none; only sgd, momentum, nest",
        ),
        (
            "dropout = 0.5",
            "model = { kind = 'logistic' }\ndropout = 0.1",
            "[variants.both] dropout: a logistic model has",
        ),
        ("dropout = 0.5", "model = { hidden = [] }", "line 19, [variants.both] model: mlp needs hidden layers"),
        ("dropout = 0.5", "model = { kind = 'layers' }", '[variants.both] model: kind = "layers" needs layers'),
        (
            "dropout = 0.5",
            "l1 = [1, 2, 3, 4]",
            "[variants.both] l1: 4 strengths for 3 kernels; give 2 (the hidden ones) or 3",
        ),
        (
            "l2 = [1e-3, 0.01]",
            "model = { layers = [{ kind = 'flatten' }] }",
            "[variants.both] model.layers: a model of kind 'mlp' has no layers",
        ),
        ("epochs = 3", "epochs = 0", "line 11, [train] epochs: must be from 1 to 1000000, got 0"),
        ("epochs = 3", "epochs = 3.0", "line 11, [train] epochs: must be a whole number, got 3.0"),
        ("epochs = 3", "batch_size = '8'", "line 11, [train] batch_size: must be a whole number, got '8'"),
        ("seeds = 2", "seeds = []", "line 12, [train] seeds: must be a list of distinct seeds, got []"),
        ("seeds = 2", "seeds = [1, 1]", "line 12, [train] seeds: must be a list of distinct seeds, got [1, 1]"),
        ("seeds = 2", "seeds = [-1]", "line 12, [train] seeds[0]: must be from 0 to 2147483647, got -1"),
        ("seeds = 2", "seeds = true", "line 12, [train] seeds: must be a whole number, got True"),
        ("l2 = 1\n", "l2 = [1]\n", "line 13, [train] l2: 1 strengths for 3 kernels; give 2 (the hidden ones) or 3"),
        ("hidden = [8, 4]", "hidden = [8, 0]", "line 8, [model] hidden[1]: must be from 1 to 1000000, got 0"),
        ("hidden = [8, 4]", f"hidden = {[1] * 65}", "line 8, [model] hidden: must be at most 64 layers, got [1, 1,"),
        ("hidden = [8, 4]", "hidden = 8", "line 8, [model] hidden: must be a list, got 8"),
        ("[model]\n", "[model]\nkind = 'cnn'\nhidden = []\n#", "model: cnn needs hidden layers"),
        ('name = "digits"', "validation = 0.2", 'line 4, data: give either name, as name = "digits", or path'),
        ('name = "digits"', "name = 'a'\nvalidation = 1", "line 6, [data] validation: must be greater than 0 and less"),
        ('[data]\nname = "digits"', "", "data: is missing"),
        (
            'name = "lab"',
            "name = 'a/b'",
            "line 1, name: a name has at most 64 letters, digits and -_+.=, without a lead",
        ),
        ("[variants.both]", "[variants.'.both']", "line 17, [variants] .both: a name has at most 64 letters"),
        ("[variants.both]", f"[variants.{'a' * 65}]", "a name has at most 64 letters"),
        (
            "[variants.both]",
            "[variants.Baseline]",
            "line 17, [variants] Baseline: variants 'baseline' and 'Baseline' wo",
        ),
        ("[variants.both]", "[sweeps.both]", "line 19, [sweeps.both] dropout: must be a list, got 0.5"),
        ("patience = 3, ", "", "line 20, [variants.both] early_stopping.patience: is missing"),
        (
            "patience = 3",
            "patience = -1",
            "line 20, [variants.both] early_stopping.patience: must be from 0 to 1000000",
        ),
        ("patience = 3", "patience = 3, min_delta = -1", "early_stopping.min_delta: must be at least 0, got -1"),
        ("patience = 3", "patience = 3, monitor = 'loss'", "monitor: training metrics go on improving while a network"),
        ("patience = 3", "patience = 3, monitor = 'accuracy'", "monitor: training metrics go on improving"),
        ("patience = 3", "patience = 3, monitor = 'train_loss'", "monitor: training metrics go on improving"),
        ("patience = 3", "patience = 3, monitor = 'test_loss'", "monitor: the test set is opened once, at the end"),
    ],
)
def test_wrong_values_are_told_in_one_line(lab: Path, old: str, new: str, message: str) -> None:
    told = refusal(lab, old, new)
    assert told.startswith("lab.toml, ")
    assert message in told


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "dropout = 0.5",
            "droput = 0.5",
            "unknown key 'droput' in lab.toml, line 19, [variants.both]; did you mean 'dropout'?",
        ),
        ("epochs = 3", "epoch = 3", "unknown key 'epoch' in lab.toml, line 11, [train]; did you mean 'epochs'?"),
        ("title =", "titel =", "unknown key 'titel' in lab.toml, line 2; did you mean 'title'?"),
        (
            "patience = 3",
            "patince = 3",
            "unknown key 'patince' in lab.toml, line 20, [variants.both]; did you mean 'patience'",
        ),
        (
            "epochs = 3",
            "optimizer = 'adm'",
            "unknown optimizer 'adm' in lab.toml, line 11, [train] optimizer; did you mean 'ad",
        ),
        (
            "hidden = [8, 4]",
            "kind = 'mpl'",
            "unknown model 'mpl' in lab.toml, line 8, [model] kind; did you mean 'mlp'?",
        ),
        (
            'name = "digits"',
            "name = 'd'\nscale = 'unti'",
            "unknown scale 'unti' in lab.toml, line 6, [data] scale; did you",
        ),
        (
            "epochs = 3",
            "precision = 'mixt'",
            "unknown precision 'mixt' in lab.toml, line 11, [train] precision; did you mean 'mixed'?",
        ),
        ("dropout = 0.5", "precision = 'mixed'", "unknown key 'precision' in lab.toml, line 19, [variants.both]"),
        ("patience = 3", "patience = 3, monitor = 'val_los'", "unknown monitor 'val_los' in lab.toml, line 20"),
        (
            "[variants.both]",
            "[published]\nboth = {test_loss = 1}\n[variants.bath]",
            "unknown variant 'both' in lab.toml, line 18",
        ),
        (
            "[variants.both]",
            "[published]\nboth = {test = 1}\n[variants.both]",
            "unknown metric 'test' in lab.toml, line 18",
        ),
        (
            "[variants.both]",
            "[sweeps.a]\nl3 = [1]\n[variants.both]",
            "unknown key 'l3' in lab.toml, line 18, [sweeps.a]; did",
        ),
    ],
)
def test_unknown_names_are_told_the_nearest(lab: Path, old: str, new: str, message: str) -> None:
    assert message in refusal(lab, old, new, kind=UnknownNameError)


def test_sweeps_are_checked(lab: Path) -> None:
    before, sweep = "[variants.both]", "[sweeps.a]\n{}\n[variants.both]"
    assert "line 18, [sweeps.a] l2: a sweep needs at least one value" in refusal(lab, before, sweep.format("l2 = []"))
    assert "line 18, [sweeps.a] l2: must be at least 0, got -1" in refusal(lab, before, sweep.format("l2 = [0, -1]"))
    twice = refusal(lab, before, sweep.format("l2 = [0.5, 0.5]"))
    assert twice == "lab.toml, line 17, [sweeps] a: makes 'l2=0.5' twice; drop one of the two values"
    both = refusal(lab, before, sweep.format("l2 = [0.5]\n[sweeps.b]\nl2 = [0.1, 0.5]"))
    assert (
        both == "lab.toml, line 19, [sweeps] b: makes 'l2=0.5', as [sweeps.a] does; drop that value from one of the two"
    )
    named = refusal(lab, before, "[variants.'l2=0.5']\n" + sweep.format("l2 = [0.5]"))
    assert "makes 'l2=0.5', as [variants.l2=0.5] does" in named
    many = "\n".join(f"{key} = {[i / 100 for i in range(40)]}" for key in ("l1", "l2"))
    assert "line 17, [sweeps] a: makes more than 1000 variants" in refusal(lab, before, sweep.format(many))


def test_files_that_are_no_study_files(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("a = 1\nb = = 2\n")
    with pytest.raises(StudyFileError, match=r"bad.toml, line 2, column 5: not TOML: Invalid value$"):
        load_study(bad)
    bad.write_text('a = 1\nb = "')
    with pytest.raises(StudyFileError, match=r"bad.toml, line 2, column \d+: not TOML"):
        load_study(bad)
    bad.write_bytes(b"a = '\xff'")
    with pytest.raises(StudyFileError, match=r"bad.toml: not TOML: byte 5 is not UTF-8"):
        load_study(bad)
    bad.write_text("a = " + "9" * 5000)
    with pytest.raises(StudyFileError, match="absurdly long or deep"):
        load_study(bad)
    bad.write_text("a = " + "[" * 50_000)
    with pytest.raises(StudyFileError, match="absurdly long or deep"):
        load_study(bad)
    bad.write_text("#" * (MAX_BYTES + 1))
    with pytest.raises(StudyFileError, match="larger than a megabyte"):
        load_study(bad)
    with pytest.raises(StudyFileError, match="cannot be read: Is a directory"):
        load_study(tmp_path)
    with pytest.raises(StudyFileError, match=r"none.toml: no such file \(built-in studies: .*lab5"):
        load_study(tmp_path / "none.toml")
    with pytest.raises(UnknownNameError, match="unknown study 'lab6'; did you mean 'lab5'"):
        load_study("lab6")
    for name in ("x" * 300, f"{'y' * 300}.toml"):
        with pytest.raises(StudyFileError, match=r"^'[xy]{60}': cannot be looked for: File name too long$"):
            load_study(name)


def test_a_byte_order_mark_and_windows_lines_are_read(lab: Path) -> None:
    lab.write_bytes(b"\xef\xbb\xbf" + LAB.replace("\n", "\r\n").encode())
    assert load_study(lab).name == "lab"
    lab.write_bytes(lab.read_bytes().replace(b"dropout", b"droput"))
    with pytest.raises(UnknownNameError, match="line 19"):
        load_study(lab)


def test_lines_are_found_behind_values_of_many_lines() -> None:
    text = 'a = """\n[no]\nb = 1\n"""\n\n# c = 1\n[t]\nd = [\n  1,\n]\n"e f".g = 2\n[[u]]\nh = 1\n[[u]]\nh = 2\n'
    lines = key_lines(text)
    expected = {("a",): 1, ("t",): 7, ("t", "d"): 8, ("t", "e f", "g"): 11, ("u",): 12, ("u", "h"): 13}
    assert {path: lines[path] for path in expected} == expected
    assert ("b",) not in lines
    assert ("c",) not in lines


# --- Identity


def test_a_study_survives_json() -> None:
    tables = {
        "data": {"name": "digits", "scale": "standardize"},
        "model": {"kind": "layers", "layers": [{"kind": "flatten"}, {"kind": "dense", "units": 10}]},
        "train": {"schedule": {"kind": "cosine", "factor": 0}, "augmentation": {"flip": 1}, "class_weights": [1, 2]},
        "variants": {"a": {}, "b": {"average": {"kind": "ema"}, "early_stopping": {"patience": 1}, "dropout": [0.5]}},
        "published": {"a": {"test_loss": 1}},
    }
    for study in (study_from_mapping(tables), load_study("lab5"), load_study()):
        plain = json.loads(json.dumps(resolved(study)))
        assert from_resolved(plain) == study
        assert recipes(from_resolved(plain)) == recipes(study)
        assert plain == resolved(study)


@given(
    l2=st.floats(0, allow_nan=False, allow_infinity=False),
    dropout=st.lists(st.floats(0, 1, exclude_max=True), min_size=2, max_size=2),
    seeds=st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=4, unique=True),
)
def test_numbers_survive_to_the_last_bit(l2: float, dropout: list[float], seeds: list[int]) -> None:
    tables = {"data": {"name": "d"}, "train": {"seeds": seeds}, "variants": {"a": {"l2": l2, "dropout": dropout}}}
    study = study_from_mapping(tables)
    again = from_resolved(json.loads(json.dumps(resolved(study))))
    assert (recipes(again)["a"].l2, recipes(again)["a"].dropout, again.seeds) == (l2, tuple(dropout), tuple(seeds))


@pytest.mark.parametrize(
    ("how", "conflict"),
    [
        ({"data": "elsewhere/digits"}, None),  # by another path: the store compares the hashes
        ({"epochs": 4}, "[train] epochs is 3 there and 4 here"),
        ({"settings": ["data.validation=0.3"]}, "[data] validation is 0.2 there and 0.3 here"),
        ({"settings": ["variants.both.dropout=0.1"]}, "[variants.both] dropout is 0.5 there and 0.1 here"),
        ({"settings": ["name=x"]}, "it is called 'lab' there and 'x' here"),
        ({"seeds": 7}, None),
        ({"precision": "float32"}, None),
        ({"precision": "auto"}, '[train] precision is "float32" there and "auto" here'),
        ({"settings": ["variants.new.l1=1", "title=Other", "published.baseline.test_loss=1"]}, None),
    ],
)
def test_what_makes_another_study(lab: Path, how: dict[str, object], conflict: str | None) -> None:
    assert spec_conflicts(resolved(load_study(lab)), resolved(load_study(lab, **how))) == conflict  # type: ignore[arg-type]


def test_a_study_of_an_older_wellfit_is_the_same_one(lab: Path) -> None:
    stored, new = resolved(load_study(lab)), resolved(load_study(lab))
    for recipe in (stored["base"], *(variant["recipe"] for variant in stored["variants"].values())):
        del recipe["max_norm"], recipe["model"]["output"]  # not yet invented
    del stored["data"]["scale"], stored["precision"]
    assert spec_conflicts(stored, new) is None
    changed = resolved(load_study(lab, settings=["train.max_norm=2"]))
    assert spec_conflicts(stored, changed) == "[train] max_norm is 0.0 there and 2.0 here"


def test_names_that_differ_in_case_would_share_files() -> None:
    one = resolved(study_from_mapping({"data": {"name": "d"}, "variants": {"L2": {}}}))
    other = resolved(study_from_mapping({"data": {"name": "d"}, "variants": {"l2": {}}}))
    assert spec_conflicts(one, other) == "variant 'l2' would share its files with 'L2'"


def test_two_forms_of_a_study_are_merged(lab: Path) -> None:
    old = resolved(load_study(lab, seeds=[5], settings=["variants.old.l1=1"]))
    new = resolved(load_study(lab, seeds=2, settings=["variants.new.l1=2", "title=New"]))
    both = merged(old, new)
    assert list(both["variants"]) == ["baseline", "both", "old", "new"]
    assert (both["seeds"], both["title"]) == ([5, 0, 1], "New")
    assert spec_conflicts(old, both) is None
    assert spec_conflicts(both, new) is None
