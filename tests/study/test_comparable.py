from __future__ import annotations

import json

import numpy as np
import pytest

from wellfit.errors import StudyFileError
from wellfit.spec.study import from_resolved, load_study, resolved
from wellfit.study.comparable import check_metric, metric_caution, published_caution


def caution(place, name=None, **options):
    spec = load_study(place, **options)
    return published_caution(name or spec.name, spec.published, resolved(spec))


@pytest.mark.parametrize("name", ["lab5", "lab5/l2", "lab-lenet5/mlp"])
def test_a_study_as_it_was_published_needs_no_caution(name):
    assert caution(name) == ""


@pytest.mark.parametrize("name", ["lab5", "lab5/l2"])
def test_a_quick_study_says_what_differs(name):
    text = "The published numbers come from 30 epochs and all training data, not from 8 and 50 % of it as here."
    assert caution(name, quick=True) == text


def test_other_epochs_alone_are_named():
    assert caution("lab5", epochs=5) == "The published numbers come from 30 epochs, not from 5 as here."


def test_other_settings_are_named():
    assert caution("lab5", settings=["train.learning_rate=0.01"]) == (
        "The published runs had other settings: learning_rate = 0.001."
    )
    several = caution("lab5", epochs=3, settings=["train.learning_rate=0.01", "model.hidden=[9]", "train.l1=0.1"])
    assert several == (
        "The published numbers come from 30 epochs, not from 3 as here. The published runs had other settings: "
        "model.hidden = [128, 64], learning_rate = 0.001, and others."
    )
    assert caution("lab5", settings=["variants.mine.l2=0.5"]) == ""  # nothing was published about it


def test_other_data_are_named():
    spec = load_study("lab5")
    settings = resolved(spec)
    other = {**settings, "data": {**settings["data"], "name_or_path": "mnist"}}
    text = "The published numbers come from fashion-mnist, not from mnist as here."
    assert published_caution("lab5", spec.published, other) == text


def test_unknown_or_unpublished_studies_need_no_caution():
    assert caution("lab5", "lab5-of-mine", epochs=5) == ""
    assert caution("lab5", "mine", epochs=5) == ""
    assert published_caution("lab5", {"baseline": {}}, resolved(load_study("lab5", epochs=5))) == ""


OWN = """name = "mine"
[data]
name = "digits"
[model]
hidden = [16]
[train]
epochs = 9
[variants.baseline]
[variants.l2]
l2 = 0.01
[published]
l2 = { test_accuracy = 0.97 }
"""


def test_a_study_file_is_what_its_published_numbers_come_from(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(OWN)
    assert caution(file) == ""
    assert caution(file, seeds=2, settings=["variants.baseline.l1=0.1"]) == ""  # nothing was published about it
    assert caution(file, epochs=3) == "The published numbers come from 9 epochs, not from 3 as here."
    assert caution(file, quick=True).startswith("The published numbers come from 9 epochs and all training data, not")
    assert caution(file, settings=["variants.l2.l2=0.5"]) == "The published runs had other settings: l2 = 0.01."
    assert caution(file, data="mnist") == ""  # the numbers are dropped


def test_a_file_that_extends_a_study_has_the_settings_of_its_numbers(tmp_path):
    (tmp_path / "mine.toml").write_text(OWN)
    above = tmp_path / "above.toml"
    above.write_text('extends = "mine.toml"\nname = "above"\n[train]\nepochs = 4\n')
    assert caution(above) == "The published numbers come from 9 epochs, not from 4 as here."
    above.write_text('extends = "lab5"\nname = "above"\n[train]\nepochs = 4\n')
    assert caution(above) == "The published numbers come from 30 epochs, not from 4 as here."
    above.write_text(
        'extends = "mine.toml"\nname = "above"\n[train]\nepochs = 4\n[published]\nl2 = {test_loss = 0.2}\n'
    )
    assert caution(above) == ""  # it has numbers of its own
    above.write_text(f'{OWN}[parts.longer]\nextends = "mine.toml"\n[parts.longer.train]\nepochs = 20\n')
    assert caution(f"{above}/longer") == "The published numbers come from 9 epochs, not from 20 as here."


def test_the_settings_of_published_numbers_are_stored(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(OWN)
    spec = load_study(file, epochs=3)
    stored = json.loads(json.dumps(resolved(spec)))
    assert "from 9 epochs, not" in published_caution("mine", spec.published, resolved(from_resolved(stored)))
    assert "published_at" not in resolved(load_study("lab5"))
    file.write_text(OWN.replace("l2 = 0.01", ""))
    settings = ["variants.l2.l2=0.01"]
    assert caution(file, settings=settings) == "The published runs had other settings: l2 = 0."
    file.write_text(OWN.replace('[data]\nname = "digits"\n', ""))
    assert caution(file, settings=["data.name=digits"]) == ""  # the file alone is no study


def test_accuracy_of_one_class_gets_a_caution():
    labels = np.repeat([0, 1], [95, 5])
    assert metric_caution("accuracy", labels).startswith("95.0 % of the training examples belong to one class")
    assert metric_caution("accuracy", labels).endswith("--set compare.metric=balanced_accuracy")
    assert metric_caution("accuracy", np.repeat([0, 1], [94, 6])) == ""
    assert metric_caution("macro_f1", labels) == ""
    assert metric_caution("accuracy", labels[:0]) == ""


def test_roc_auc_needs_two_classes_in_every_fold():
    with pytest.raises(StudyFileError, match="all 3 test examples of seed 4 belong to one class"):
        check_metric("roc_auc", np.zeros(3, int), 4)
    check_metric("roc_auc", np.array([0, 1]), 4)
    check_metric("accuracy", np.zeros(3, int), 4)
