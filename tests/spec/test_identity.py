"""Whether two studies are the same, and how they are merged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wellfit.spec.identity import default_directory, fingerprint, merged, setting_differences, spec_conflicts
from wellfit.spec.study import load_study, resolved, study_from_mapping


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
        ({"settings": ["train.examples=9"]}, "[train] examples is not set there and 9 here"),
        ({"settings": ["variants.new.l1=1", "title=Other", "published.baseline.test_loss=1"]}, None),
    ],
)
def test_what_makes_another_study(lab: Path, how: dict[str, object], conflict: str | None) -> None:
    assert spec_conflicts(resolved(load_study(lab)), resolved(load_study(lab, **how))) == conflict  # type: ignore[arg-type]


def test_settings_unknown_to_an_older_version_do_not_differ(lab: Path) -> None:
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


def test_two_versions_of_a_study_are_merged(lab: Path) -> None:
    old = resolved(load_study(lab, seeds=[5], settings=["variants.old.l1=1"]))
    new = resolved(load_study(lab, seeds=2, settings=["variants.new.l1=2", "title=New"]))
    both = merged(old, new)
    assert list(both["variants"]) == ["baseline", "both", "old", "new"]
    assert (both["seeds"], both["title"]) == ([5, 0, 1], "New")
    assert spec_conflicts(old, both) is None
    assert spec_conflicts(both, new) is None


def test_a_changed_study_has_a_directory_of_its_own(lab: Path) -> None:
    def name(**how: Any) -> str:
        return default_directory(load_study("lab5", **how), "lab5", "fashion-mnist").name

    assert name() == name(seeds=2) == "lab5-fashion-mnist"
    assert name(epochs=3) == name(epochs=3, seeds=2) != name(epochs=4)
    assert name(epochs=3).startswith("lab5-fashion-mnist-")
    study = load_study("lab5", epochs=3)
    assert default_directory(study, "lab5", "fashion-mnist", any_epochs=True).name == "lab5-fashion-mnist"
    study = load_study(data="my.csv")  # with all examples and five seeds, and so is its directory's plain name
    assert default_directory(study, None, "my.csv").name == "regularization-my.csv"
    study = load_study("regularization/l2", data="my.csv")
    assert default_directory(study, "regularization/l2", "my.csv").name == "regularization-l2-my.csv"
    study = load_study(settings=["train.examples=1150"])
    assert default_directory(study, None, "digits").name != "regularization-digits"
    lab.write_text("[variants.a]\nl2 = 1\n")  # a study only with settings
    study = load_study(lab, data="digits")
    assert default_directory(study, str(lab), "digits").name == "lab-digits"


@pytest.mark.parametrize(
    ("settings", "digits"),
    [
        (["model.hidden=[3]"], "aeec"),
        (["variants.l2.model.kind=lenet5"], "2f73"),
        (["model.kind=layers", "model.layers=[{kind='flatten'},{kind='dense',units=10}]"], "f199"),
    ],
)
def test_directories_of_earlier_studies_are_found_although_models_have_more_settings(
    settings: list[str], digits: str
) -> None:
    lab5 = resolved(load_study("lab5"))
    assert fingerprint(lab5, resolved(load_study("lab5", settings=settings))) == digits


def test_a_setting_of_a_layer_makes_another_study() -> None:
    def study(**of_layer: Any) -> dict[str, Any]:
        layers = [{"kind": "flatten"}, {"kind": "dense", "units": 10, **of_layer}]
        return resolved(study_from_mapping({"data": {"name": "d"}, "model": {"kind": "layers", "layers": layers}}))

    assert spec_conflicts(study(), study(bias=True, spread=0.05)) is None
    assert '"bias": false' in str(spec_conflicts(study(), study(bias=False)))


def test_setting_differences_name_every_entry_once() -> None:
    first, second = (resolved(load_study("lab5", **changes)) for changes in ({}, {"epochs": 3}))
    second["base"] = {**second["base"], "model": {**second["base"]["model"], "hidden": [8]}}
    for variant in second["variants"].values():
        variant["recipe"] = {**variant["recipe"], "model": second["base"]["model"]}
    second["variants"]["l2"]["recipe"]["l2"] = 0.5
    second["name"] = "another"
    found = {key: (a, b) for key, a, b in setting_differences(first, second)}
    assert found.pop("[variants.l2] l2")[1] == "0.5"
    assert found == {"[train] epochs": ("30", "3"), "[model] hidden": ("[128, 64]", "[8]")}
    assert setting_differences(first, first) == ()


def test_a_setting_that_one_study_lacks_is_not_set() -> None:
    first, second = (resolved(load_study("lab5", settings=s)) for s in ((), ("train.examples=100",)))
    assert ("[train] examples", "not set", "100") in setting_differences(first, second)
