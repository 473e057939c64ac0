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

# Mistakes in place of "dropout = 0.5" of variant "both", and what is wrong with it.
IN_A_VARIANT = {
    "dropout = 1.5": "dropout: must be at least 0 and less than 1, got 1.5",
    "dropout = [0.5, -1]": "dropout[1]: must be at least 0 and less than 1, got -1",
    "dropout = true": "dropout: must be a number, got True",
    "dropout = nan": "dropout: must be finite, got nan",
    "max_norm = inf": "max_norm: must be finite, got inf",
    "max_norm = -1": "max_norm: must be at least 0, got -1",
    "learning_rate = 0": "learning_rate: must be greater than 0, got 0",
    "label_smoothing = 1": "label_smoothing: must be at least 0 and less than 1, got 1",
    "schedule = {every = 0}": "schedule.every: must be greater than 0 and at most 1, got 0",
    "average = {kind = 'ema', last = 0}": "average.last: must be from 1 to 1000000, got 0",
    "augmentation = {flip = 2}": "augmentation.flip: must be from 0 to 1, got 2",
}
ELSEWHERE = [
    ("epochs = 3", "epochs = 0", "line 11, [train] epochs: must be from 1 to 1000000, got 0"),
    ("epochs = 3", "epochs = 3.0", "line 11, [train] epochs: must be a whole number, got 3.0"),
    ("epochs = 3", "batch_size = '8'", "line 11, [train] batch_size: must be a whole number, got '8'"),
    ("seeds = 2", "seeds = []", "line 12, [train] seeds: must have 1 or more values, got 0"),
    ("seeds = 2", "seeds = [1, 1]", "line 12, [train] seeds: must be a list of distinct values, got [1, 1]"),
    ("seeds = 2", "seeds = [-1]", "line 12, [train] seeds[0]: must be from 0 to 2147483647, got -1"),
    ("seeds = 2", "seeds = true", "line 12, [train] seeds: must be a whole number, got True"),
    ("hidden = [8, 4]", "hidden = [8, 0]", "line 8, [model] hidden[1]: must be from 1 to 1000000, got 0"),
    ("hidden = [8, 4]", f"hidden = {[1] * 65}", "line 8, [model] hidden: must have at most 64 values, got 65"),
    ("hidden = [8, 4]", "hidden = 8", "line 8, [model] hidden: must be a list, got 8"),
    ('name = "digits"', "validation = 0.2", 'line 4, data: give either name (name = "digits") or path'),
    ('name = "digits"', "name = 'a'\nvalidation = 1", "line 6, [data] validation: must be greater than 0 and less"),
    (
        '[data]\nname = "digits"',
        "",
        'data: is missing, so there is nothing to train on; add [data] with name = "digits" or',
    ),
    ("[variants.both]", "[sweeps.both]", "line 19, [sweeps.both] dropout: must be a list, got 0.5"),
    ("patience = 3, ", "", "line 20, [variants.both] early_stopping.patience: is missing"),
    ("patience = 3", "patience = -1", "line 20, [variants.both] early_stopping.patience: must be from 0 to"),
    ("patience = 3", "patience = 3, min_delta = -1", "early_stopping.min_delta: must be at least 0, got -1"),
    ("patience = 3", "patience = 3, monitor = 'loss'", "monitor: training metrics keep improving while a network"),
    ("patience = 3", "patience = 3, monitor = 'accuracy'", "monitor: training metrics keep improving"),
    ("patience = 3", "patience = 3, monitor = 'train_loss'", "monitor: training metrics keep improving"),
    ("patience = 3", "patience = 3, monitor = 'test_loss'", "monitor: the test set is used only once, after"),
]


@pytest.mark.parametrize(("new", "message"), IN_A_VARIANT.items())
def test_a_wrong_value_is_reported_in_one_line(lab: Path, new: str, message: str) -> None:
    assert refusal(lab, "dropout = 0.5", new) == f"lab.toml, line 19, [variants.both] {message}"


@pytest.mark.parametrize(("old", "new", "message"), ELSEWHERE)
def test_a_wrong_value_is_reported_with_its_place(lab: Path, old: str, new: str, message: str) -> None:
    refused = refusal(lab, old, new)
    assert refused.startswith("lab.toml, ")
    assert message in refused


PUBLISHED = "[published]\nboth = {{{} = 1}}\n[variants.{}]"


@pytest.mark.parametrize(
    ("old", "new", "what", "place"),
    [
        ("dropout = 0.5", "droput = 0.5", "key 'droput'", "line 19, [variants.both]; did you mean 'dropout'?"),
        ("dropout = 0.5", "precision = 'mixed'", "key 'precision'", "line 19, [variants.both] (known: aug"),
        ("epochs = 3", "epoch = 3", "key 'epoch'", "line 11, [train]; did you mean 'epochs'?"),
        ("title =", "titel =", "key 'titel'", "line 2; did you mean 'title'?"),
        ("patience = 3", "patince = 3", "key 'patince'", "line 20, [variants.both]; did you mean 'patience'?"),
        ("[variants.both]", "[sweeps.a]\nl3 = [1]\n[variants.both]", "key 'l3'", "line 18, [sweeps.a]; did you mean"),
        ("epochs = 3", "optimizer = 'adm'", "optimizer 'adm'", "line 11, [train] optimizer; did you mean 'adam'?"),
        ("epochs = 3", "precision = 'mixt'", "precision 'mixt'", "line 11, [train] precision; did you mean 'mixed'?"),
        ("hidden = [8, 4]", "kind = 'mpl'", "model 'mpl'", "line 8, [model] kind; did you mean 'mlp'?"),
        ('"digits"', "'d'\nscale = 'unti'", "scale 'unti'", "line 6, [data] scale; did you mean 'unit'?"),
        ("patience = 3", "patience = 3, monitor = 'val_los'", "monitor 'val_los'", "line 20, [variants.both] early_"),
        ("[variants.both]", PUBLISHED.format("test_loss", "bath"), "variant 'both'", "line 18"),
        ("[variants.both]", PUBLISHED.format("test", "both"), "metric 'test'", "line 18"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(lab: Path, old: str, new: str, what: str, place: str) -> None:
    assert refusal(lab, old, new, kind=UnknownNameError).startswith(f"unknown {what} in lab.toml, {place}")


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
        ({"data": {"drop": "id"}}, """drop: must be a list, like ["id"], got 'id'"""),
        ({"data": {"drop": 1.5}}, "drop: must be a list, got 1.5"),
        ({"model": {"hidden": "x" * 99}}, f"hidden: must be a list, got '{'x' * 56}..."),
        (
            {"train": {"class_weights": "even"}},
            "unknown class_weights 'even' in study, [train] class_weights (known: balanced)",
        ),
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
    with pytest.raises(StudyFileError, match=r"test, \[early_stopping\] patience: is missing"):
        read_table(Changes, table, Source("test"))
