from __future__ import annotations

import numpy as np
import pytest

from wellfit.errors import StudyFileError
from wellfit.spec.study import load_study, resolved
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
