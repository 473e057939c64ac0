"""Single values: what a table accepts, and the error line for everything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab_file import refusal
from wellfit.errors import StudyFileError, UnknownNameError
from wellfit.spec.reading import read_table
from wellfit.spec.source import Source
from wellfit.spec.study import study_from_mapping
from wellfit.spec.tables import Changes


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
        ("seeds = 2", "seeds = []", "line 12, [train] seeds: must have 1 or more values, got 0"),
        ("seeds = 2", "seeds = [1, 1]", "line 12, [train] seeds: must be a list of distinct values, got [1, 1]"),
        ("seeds = 2", "seeds = [-1]", "line 12, [train] seeds[0]: must be from 0 to 2147483647, got -1"),
        ("seeds = 2", "seeds = true", "line 12, [train] seeds: must be a whole number, got True"),
        ("l2 = 1\n", "l2 = [1]\n", "line 13, [train] l2: 1 strengths for 3 kernels; give 2 (the hidden ones) or 3"),
        ("hidden = [8, 4]", "hidden = [8, 0]", "line 8, [model] hidden[1]: must be from 1 to 1000000, got 0"),
        ("hidden = [8, 4]", f"hidden = {[1] * 65}", "line 8, [model] hidden: must have at most 64 values, got 65"),
        ("hidden = [8, 4]", "hidden = 8", "line 8, [model] hidden: must be a list, got 8"),
        ("[model]\n", "[model]\nkind = 'cnn'\nhidden = []\n#", "model: cnn needs hidden layers"),
        ('name = "digits"', "validation = 0.2", 'line 4, data: give either name (name = "digits") or path'),
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
        ("patience = 3", "patience = 3, monitor = 'loss'", "monitor: training metrics keep improving while a network"),
        ("patience = 3", "patience = 3, monitor = 'accuracy'", "monitor: training metrics keep improving"),
        ("patience = 3", "patience = 3, monitor = 'train_loss'", "monitor: training metrics keep improving"),
        (
            "patience = 3",
            "patience = 3, monitor = 'test_loss'",
            "monitor: the test set is used only once, after",
        ),
    ],
)
def test_a_wrong_value_is_reported_in_one_line(lab: Path, old: str, new: str, message: str) -> None:
    refused = refusal(lab, old, new)
    assert refused.startswith("lab.toml, ")
    assert message in refused


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
def test_an_unknown_name_suggests_the_nearest(lab: Path, old: str, new: str, message: str) -> None:
    assert message in refusal(lab, old, new, kind=UnknownNameError)


@pytest.mark.parametrize("key", ["l1", "l2", "weight_decay", "max_norm", "clip_norm"])
@pytest.mark.parametrize("value", [-0.1, float("nan")])
def test_a_negative_or_undefined_strength_is_refused(key: str, value: float) -> None:
    with pytest.raises(StudyFileError, match=rf"\[train\] {key}: must be (at least 0|finite), got"):
        study_from_mapping({"data": {"name": "digits"}, "train": {key: value}})


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"variants": {3: {}}}, "study, variants: names must be strings, got 3"),
        ({"train": {3: 1}}, "unknown key '3' in study, [train]"),
        ({"train": 3}, "study, train: must be a table, got 3"),
        ({"train": {"optimizer": 3}}, "study, [train] optimizer: must be a string, got 3"),
        ({"model": {"batch_norm": 1}}, "study, [model] batch_norm: must be true or false, got 1"),
        ({"train": {"class_weights": "x" * 99}}, f"class_weights: must be a list, got '{'x' * 56}..."),
    ],
)
def test_python_is_checked_like_a_file(tables: dict[str, object], message: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        study_from_mapping({"data": {"name": "digits"}, **tables})
    assert message in str(caught.value)


@pytest.mark.parametrize("key", ["l1", "l2", "weight_decay", "max_norm", "clip_norm"])
def test_what_is_read_has_the_declared_type(key: str) -> None:
    value = read_table(Changes, {key: 2}, Source("test"))[key]
    assert (value, type(value)) == (2.0, float)


def test_a_partial_table_may_lack_required_settings() -> None:
    table = {"early_stopping": {"monitor": "val_accuracy"}}
    assert read_table(Changes, table, Source("test"), partial=True) == table
    with pytest.raises(StudyFileError, match=r"test, early_stopping.patience: is missing|\[early_stopping\] patience"):
        read_table(Changes, table, Source("test"))
