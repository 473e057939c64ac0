"""Studies from files, flags and Python, and back from what was stored."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab_file import LAB
from wellfit.analysis.scores import MARGINS, SCORED
from wellfit.base import EarlyStopping, ModelSpec, Recipe
from wellfit.errors import StudyFileError
from wellfit.spec.study import (
    data_study,
    from_resolved,
    load_study,
    recipes,
    resolved,
    runs,
    study_from_mapping,
)
from wellfit.spec.tables import PrecisionChoice


def test_a_file_becomes_a_study(lab: Path) -> None:
    study = load_study(lab)
    assert (study.name, study.title, study.data.name_or_path, study.seeds) == ("lab", "Which?", "digits", (0, 1))
    assert study.base == Recipe(model=ModelSpec("mlp", (8, 4)), epochs=3, l2=1.0)
    assert isinstance(study.base.l2, float)
    variant = recipes(study)
    assert variant["baseline"] == study.base
    rule = EarlyStopping(patience=3, restore_best_weights=True)
    assert variant["both"] == dataclasses.replace(study.base, l2=(1e-3, 0.01), dropout=0.5, early_stopping=rule)
    assert study.variants["both"]["l2"] == [1e-3, 0.01]  # as it was written
    assert [(run.variant, run.seed) for run in runs(study)] == [
        *(("baseline", 0), ("baseline", 1)),
        *(("both", 0), ("both", 1)),
    ]
    assert runs(study)[3].recipe == variant["both"]


def test_settings_left_out_have_the_recipes_defaults() -> None:
    study = study_from_mapping({"data": {"name": "digits"}})
    assert study.base == Recipe()
    assert (study.name, study.title, study.seeds) == ("study", "study", (0, 1, 2, 3, 4))
    assert (study.data.validation, study.data.scale, study.data.split_seed) == (0.2, "auto", 0)
    assert study.data.given == ()
    assert recipes(study) == {"baseline": Recipe()}


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


def test_a_path_is_relative_to_the_study_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "s.toml").write_text('[data]\npath = "digits"\n')
    assert load_study(tmp_path / "deep" / "s.toml").data.name_or_path == str(tmp_path / "deep" / "digits")
    assert load_study(tmp_path / "deep" / "s.toml").name == "s"
    assert load_study(tmp_path / "deep" / "s.toml", data="mnist").data.name_or_path == "mnist"
    monkeypatch.chdir(tmp_path / "deep")
    assert load_study("s.toml").data.name_or_path == "./digits"  # not the digits of the catalog


# --- Flags and settings


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
    variant = recipes(study)
    assert (variant["both"].dropout, variant["new"].l1, variant["l2+more"].l2) == (0.1, 1e-4, 3.0)
    assert variant["both"].early_stopping == EarlyStopping(8, restore_best_weights=True)
    assert {recipe.optimizer for recipe in variant.values()} == {"sgd"}


def test_precision_from_a_file_a_flag_or_a_setting(lab: Path) -> None:
    assert load_study(lab).precision == "float32"
    for name in get_args(PrecisionChoice):
        assert load_study(lab, precision=name).precision == name
        assert load_study(lab, settings=[f"train.precision={name}"]).precision == name
        again = from_resolved(json.loads(json.dumps(resolved(load_study(lab, precision=name)))))
        assert again == load_study(lab, precision=name)
    lab.write_text(LAB.replace("epochs = 3", 'epochs = 3\nprecision = "auto"'))
    assert load_study(lab).precision == "auto"
    assert load_study(lab, precision="mixed").precision == "mixed"


def test_other_data_drop_title_and_published_numbers(tmp_path: Path) -> None:
    lab5 = load_study("lab5")
    other = load_study("lab5", data="mnist", epochs=2)
    assert (other.title, other.published, other.description) == (
        *("Which variant of lab5 generalizes best on MNIST?", {}),
        "",
    )
    assert load_study("lab5", settings=["data.name=mnist"]).title == other.title
    assert load_study("lab5", data=tmp_path / "my.csv").title == "Which variant of lab5 generalizes best on my.csv?"
    assert load_study("lab5", data="mnist", settings=["title=Mine"]).title == "Mine"
    added = load_study("lab5", data="mnist", settings=["published.l2.test_accuracy=0.5"])
    assert added.published == {"l2": {"test_accuracy": 0.5}}
    same = load_study("lab5", data="fashion-mnist", epochs=2, settings=["train.l2=1", "model.hidden=[3]"])
    assert (same.published, same.description) == (lab5.published, lab5.description)
    assert same.title == f"{lab5.title} (with train.l2=1, model.hidden=[3])"
    own = tmp_path / "own.toml"
    own.write_text('title = "Why?"\n[data]\npath = "my.csv"\n')
    assert load_study(own, data=tmp_path / "my.csv").title == "Why?"
    assert load_study(own, data="digits").title == "Which variant of own generalizes best on Digits?"


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"settings": ["train.batch_size=0"]}, "--set train.batch_size=0: must be from 1 to 1000000, got 0"),
        ({"settings": ["train.l2=sgd"]}, "--set train.l2=sgd: must be a number, got 'sgd'"),
        ({"settings": ["train"]}, "--set train: not KEY=VALUE; for example, --set train.batch_size=64"),
        ({"settings": ["=3"]}, "--set =3: not KEY=VALUE; for example, --set train.batch_size=64"),
        ({"settings": ["a.b="]}, "--set a.b=: not KEY=VALUE; for example, --set train.batch_size=64"),
        ({"settings": ["train.epochs.x=1"]}, "--set train.epochs.x=1: train.epochs is a value, not a table"),
        (
            {"settings": ["model.hidden=[1"]},
            "--set model.hidden=[1: '[1' is not a TOML value (64, 1e-3, [128, 64], true or a word)",
        ),
        (
            {"settings": ["a=1\nb=2"]},
            "--set a=1\\nb=2: '1\\nb=2' is not a TOML value (64, 1e-3, [128, 64], true or a word)",
        ),
        ({"seeds": 0}, "--seeds 0: must be from 1 to 10000, got 0"),
        ({"epochs": -1}, "--epochs -1: must be from 1 to 1000000, got -1"),
        ({"data": ""}, "--data : must not be empty"),
        (
            {"precision": "float16"},
            "unknown precision 'float16' in --precision float16; did you mean 'float32'? (known: auto, float32, mixed)",
        ),
    ],
)
def test_errors_name_the_wrong_flag(lab: Path, how: dict[str, object], message: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        load_study(lab, **how)  # type: ignore[arg-type]
    assert str(caught.value) == message


# --- Stored studies


def test_a_study_survives_json() -> None:
    tables = {
        "data": {"name": "digits", "scale": "standardize"},
        "model": {"kind": "layers", "layers": [{"kind": "flatten"}, {"kind": "dense", "units": 10}]},
        "train": {"schedule": {"kind": "cosine", "factor": 0}, "augmentation": {"flip": 1}, "class_weights": [1, 2]},
        "variants": {"a": {}, "b": {"average": {"kind": "ema"}, "early_stopping": {"patience": 1}, "dropout": [0.5]}},
        "published": {"a": {"test_loss": 1}},
        "questions": [{"ask": "Is b better?", "kind": "beats", "variant": "b", "than": ["a"]}],
        "compare": {"margin": 0.002},
    }
    for study in (study_from_mapping(tables), load_study("lab5"), load_study()):
        plain = json.loads(json.dumps(resolved(study)))
        assert from_resolved(plain) == study
        assert recipes(from_resolved(plain)) == recipes(study)
        assert plain == resolved(study)
    with pytest.raises(StudyFileError, match=r"stored study, \[data\] scale: must be a string, got 3"):
        from_resolved({**plain, "data": {**plain["data"], "scale": 3}})
    older = {key: value for key, value in plain.items() if key not in ("metric", "margin", "questions", "precision")}
    first = from_resolved(older)
    assert (first.metric, first.margin, first.questions) == ("accuracy", 0.001, ())


def test_every_metric_has_a_margin_of_its_own() -> None:
    def margin(**compare: object) -> float:
        return study_from_mapping({"data": {"name": "digits"}, "compare": compare}).margin

    assert {metric: margin(metric=metric) for metric in SCORED} == MARGINS
    assert margin() == 0.001
    assert margin(metric="brier", margin=0.01) == 0.01
    assert load_study("lab5", settings=["compare.metric=log_loss"]).margin == 0.005
    with pytest.raises(StudyFileError, match=r"\[compare\] metric"):
        margin(metric="accuracies")


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


def test_a_study_about_data_alone() -> None:
    study = data_study("a.csv", settings=["data.label=y", "data.image_size=[8, 9]"], validation=0.3)
    assert (study.data.name_or_path, study.data.label, study.data.image_size) == ("a.csv", "y", (8, 9))
    assert study.data.validation == 0.3
    for setting in ("train.l2=1", "model.hidden=[3]", "name=x"):
        with pytest.raises(StudyFileError, match=r"only settings of \[data\] apply here"):
            data_study("a.csv", settings=[setting])
    with pytest.raises(StudyFileError, match=r"--validation 2: must be"):
        data_study("a.csv", validation=2)
    with pytest.raises(StudyFileError, match=r"unknown key 'lable'.*did you mean 'label'"):
        data_study("a.csv", settings=["data.lable=y"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            ["model.kind=cnn"],
            r"^--set model\.kind=cnn: the study does not allow that: regularization\.toml \(built in\), line \d+, "
            r"\[variants\.batch-norm\] model\.batch_norm: a model of kind 'cnn' has no batch_norm$",
        ),
        (
            ["train.epochs=3", "model.kind=cnn", "train.l2=1e-3"],
            r"^--set model\.kind=cnn: the study does not allow that",
        ),
        (["train.l2=-1", "model.kind=cnn"], r"^--set train\.l2=-1: must be at least 0"),
    ],
)
def test_a_setting_that_a_sound_study_does_not_allow_is_to_blame(settings: list[str], message: str) -> None:
    with pytest.raises(StudyFileError, match=message):
        load_study("regularization", settings=settings)


def test_a_file_that_is_wrong_by_itself_is_to_blame(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('[data]\nname = "digits"\n[model]\nkind = "logistic"\n[variants.a]\n[variants.b]\ndropout = 0.5\n')
    with pytest.raises(StudyFileError, match=r"own\.toml, line 7, \[variants\.b\] dropout: a logistic model"):
        load_study(path, settings=["train.epochs=3"])
