"""No setting about reading is ignored: it applies to the form of the data, or is refused."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.images.pictures import tree
from wellfit.base import Reading
from wellfit.data import applicable
from wellfit.data.applicable import refuse_settings
from wellfit.data.catalog import load_dataset
from wellfit.data.idx import encode_idx
from wellfit.errors import DataError

FORMS = {name: getattr(applicable, name) for name in applicable.__all__ if name.startswith("FOR_")}
SETTINGS: dict[str, Any] = {
    "label": 1, "drop": (1,), "columns": (1,), "categories": (1,), "missing": ("-9",), "group": "a", "header": True,
    "separator": ";", "decimal": ",", "encoding": "ascii", "pixel_max": 99.0, "image_size": 4, "resize": "stretch",
    "color": "gray", "background": "black", "classes": ("a", "b"), "test_file": "t", "validation_file": "v",
    "skip_corrupt": True,
}  # fmt: skip
X, Y = np.arange(160.0).reshape(20, 8) / 7, np.arange(20) % 2


def table(folder: Path) -> Path:
    (folder / "a.csv").write_text("a,b,label\n" + "".join(f"{i / 7},{i % 3},{i % 2}\n" for i in range(20)))
    return folder / "a.csv"


def tables(folder: Path) -> Path:
    return table(folder).rename(folder / "train.csv").parent


def arrays(folder: Path) -> Path:
    np.savez(folder / "a.npz", x=X, y=Y)
    return folder / "a.npz"


def rows(folder: Path) -> Path:
    np.save(folder / "a.npy", np.column_stack([Y, X]))
    return folder / "a.npy"


def records(folder: Path) -> Path:
    kinds = [("a", "f4"), ("label", "i4")]
    np.save(folder / "a.npy", np.array(list(zip(X[:, 0], Y, strict=True)), kinds))
    return folder / "a.npy"


def idx(folder: Path) -> Path:
    for name, array in {"train-images-idx3-ubyte": X.reshape(20, 2, 4), "train-labels-idx1-ubyte": Y}.items():
        (folder / name).write_bytes(encode_idx(array.astype(np.uint8)))
    return folder


def images(folder: Path) -> Path:
    tree(folder)
    return folder


KINDS = {
    table: "FOR_TABLES", tables: "FOR_TABLES", arrays: "FOR_ARRAYS", rows: "FOR_ROWS", records: "FOR_FIELDS",
    idx: "FOR_IDX", images: "FOR_IMAGES",
}  # fmt: skip


def test_every_setting_applies_to_something() -> None:
    assert {*SETTINGS} == {field.name for field in fields(Reading)} == {name for of in FORMS.values() for name in of}
    assert all(Reading(**{name: value}).given == (name,) for name, value in SETTINGS.items())


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_a_setting_that_does_not_apply_is_refused(make: Any, tmp_path: Path) -> None:
    path, known = make(tmp_path), FORMS[KINDS[make]]
    load_dataset(path)
    others = SETTINGS.keys() - set(known)
    assert others
    for name in others:
        with pytest.raises(
            DataError, match=rf"\[data\] {name} does not apply to .*; remove it; those that do: .*classes"
        ):
            load_dataset(path, Reading(**{name: SETTINGS[name]}))


def test_nothing_may_apply() -> None:
    with pytest.raises(DataError, match=r"^here: \[data\] drop does not apply to a rock; remove it$"):
        refuse_settings(Reading(drop=(1,)), "here", "a rock")
