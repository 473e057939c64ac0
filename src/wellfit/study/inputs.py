"""What precedes the network in a model, kept with its study: the preparation of a table's columns, the scaling.

With these and a run's weights, a model can predict from raw rows although the data set is gone.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from wellfit.base import Column, Dataset, FloatArray, Header, Preparation, PreparedColumn, Scaling
from wellfit.data.later import Form
from wellfit.data.seen import Hashes, example_hashes
from wellfit.data.subsets import subset_rows
from wellfit.store import Store
from wellfit.study.fold import Fold

__all__ = ["INPUTS", "Inputs", "has_inputs", "load_form", "load_inputs", "load_trained", "save_inputs"]

INPUTS: Final = "inputs"
"""The key of the note, or with folds the beginning of the keys of each seed's note."""

_ROUNDING: Final = 1e-5  # relative, above the largest pixel value

_FORM: Final = f"{INPUTS}.form"
"""The key of what all seeds have in common: units of columns, and the header of the table."""

_EXAMPLES: Final = f"{INPUTS}.examples"
"""The key of the hashes of all examples, and the beginning of the keys of each seed's bits: which of them train it.

Variants with fewer examples have bits of their own.
"""


@dataclass(frozen=True, eq=False)
class Inputs:
    """How raw examples become the inputs of a study's models.

    Args:
      shape: of a raw example: ``(28, 28)``, or the number of columns of a table.
      columns: the names of a table's columns; empty for images and for arrays without column names.
      pixel_max: the largest possible pixel value; None for feature rows.
      preparation: of the columns.
      scaling: of the features, or of the pixels.
    """

    shape: tuple[int, ...]
    columns: tuple[str, ...]
    pixel_max: float | None
    preparation: Preparation
    scaling: Scaling


def has_inputs(store: Store, seed: int | None, counts: Iterable[int] = ()) -> bool:
    """Whether ``save_inputs`` saved these; its arguments."""
    keys = (_key(seed), _FORM, *(_bits_key(seed, count) for count in counts))
    return all(store.metadata.note(key) is not None for key in keys)


def save_inputs(store: Store, whole: Dataset, fold: Fold, seed: int | None, counts: Iterable[int] = ()) -> None:
    """Save the preparation and the scaling of a seed, and which examples train it.

    Args:
      store: the study, open for writing.
      whole: the data of all seeds.
      fold: the data of the seed.
      seed: None if all seeds have the same.
      counts: the numbers of training examples of variants that have fewer.
    """
    dataset = fold.dataset
    _save_trained(store, whole, fold, seed, counts)
    if store.metadata.note(_FORM) is None:
        form = {
            "units": [column.unit for column in dataset.columns],
            "truth": [column.truth for column in dataset.columns],
        }
        header = None if dataset.header is None else asdict(dataset.header)
        store.metadata.write_note(_FORM, {**form, "header": header, "in_range": _in_range(dataset)})
    scaling = fold.data.scaling
    store.metadata.write_note(
        _key(seed),
        {
            "shape": list(dataset.input_shape),
            "columns": [column.name for column in dataset.columns],
            "pixel_max": dataset.pixel_max,
            "preparation": asdict(fold.preparation),
            "scaling": {"kind": scaling.kind, "shift": _text(scaling.shift), "factor": _text(scaling.factor)},
        },
    )


def load_inputs(store: Store, seed: int) -> Inputs | None:
    """The preparation and the scaling of a seed; None if it was trained before they were saved.

    Raises:
      StoreUnreadableError: the note has another form than ``save_inputs`` gives it.
    """
    note = store.metadata.note(_key(seed)) or store.metadata.note(_key(None))
    if note is None:
        return None
    with store.database.reading("the inputs of its models"):
        return _inputs(note)


def _save_trained(store: Store, whole: Dataset, fold: Fold, seed: int | None, counts: Iterable[int]) -> None:
    """Save a hash of each example once, and for each seed and number of training examples one bit per hash."""
    used = [column.name for column in fold.preparation.columns]
    note = store.metadata.note(_EXAMPLES)
    if note is None:
        parts = (whole.x_train, whole.x_test) if seed is not None else (whole.x_train,)
        hashes = np.unique(np.concatenate([example_hashes(x, whole.columns, used) for x in parts]))
        note = base64.b64encode(hashes.astype("<u8").tobytes()).decode("ascii")
        store.metadata.write_note(_EXAMPLES, note)
    train, split_seed = fold.splits.train, store.metadata.spec().data.split_seed
    own = example_hashes(fold.dataset.x_train[train], whole.columns, used)  # (n,)
    for count in (None, *counts):
        of = own if count is None else own[subset_rows(fold.dataset.y_train[train], count, split_seed)]
        bits = np.packbits(np.isin(_hashes(note), of))
        store.metadata.write_note(_bits_key(seed, count), base64.b64encode(bits.tobytes()).decode("ascii"))


def load_trained(store: Store, seeds: Iterable[int], count: int | None = None) -> Hashes | None:
    """The hashes of the examples that trained any of some seeds; None if a seed was trained before they were saved.

    Args:
      store: the study.
      seeds: of the runs.
      count: the number of examples that each trained on; None for all of its training split.

    Raises:
      StoreUnreadableError: the note has another form than ``save_inputs`` gives it.
    """
    note = store.metadata.note(_EXAMPLES)
    if note is None:
        return None
    with store.database.reading("the examples that trained its models"):
        hashes = _hashes(note)
        trained = np.zeros(len(hashes), bool)
        for seed in seeds:
            own = (store.metadata.note(_bits_key(of, count)) for of in (seed, None))
            bits = next((note for note in own if note is not None), None)
            if bits is None:
                return None
            trained |= np.unpackbits(np.frombuffer(base64.b64decode(bits), np.uint8))[: len(hashes)].astype(bool)
    return hashes[trained]


def _hashes(note: str) -> Hashes:
    return np.frombuffer(base64.b64decode(note), "<u8").astype(np.uint64)


def _in_range(dataset: Dataset) -> bool:
    """Whether all pixels are between 0 and the largest possible value; images may also be standardized already."""
    if dataset.pixel_max is None or len(dataset.input_shape) == 1:
        return True
    low, high = float(dataset.x_train.min()), float(dataset.x_train.max())
    return low >= 0 and high <= dataset.pixel_max * (1 + _ROUNDING)


def load_form(store: Store, inputs: Inputs) -> Form:
    """What later examples must look like.

    Args:
      store: the study.
      inputs: of any seed.

    Raises:
      StoreUnreadableError: the note has another form than ``save_inputs`` gives it.
    """
    note = store.metadata.note(_FORM) or {"units": [""] * len(inputs.columns), "header": None}
    categories = {column.name: column.categories for column in inputs.preparation.columns}
    with store.database.reading("the inputs of its models"):
        units, header = [str(unit) for unit in note["units"]], note["header"]
        if header is not None:
            names, features = tuple(map(str, header["names"])), tuple(map(int, header["features"]))
            header = Header(
                names, int(header["label"]), features, bool(header["written"]), str(header.get("decimal", ""))
            )
        truth = list(map(bool, note.get("truth", [False] * len(units))))  # studies of earlier versions do not say it
        each = zip(inputs.columns, units, truth, strict=True)
        columns = tuple(Column(name, categories.get(name, ()), unit, true) for name, unit, true in each)
    used = tuple(column.name for column in inputs.preparation.columns)
    pixel_max = inputs.pixel_max if note.get("in_range", True) else None
    return Form(inputs.shape, pixel_max, columns, used, header, store.metadata.spec().data)


def _key(seed: int | None) -> str:
    return INPUTS if seed is None else f"{INPUTS}.{seed}"


def _bits_key(seed: int | None, count: int | None) -> str:
    return f"{_EXAMPLES}.{_key(seed)}" if count is None else f"{_EXAMPLES}.{_key(seed)}.of {count}"


def _inputs(note: Mapping[str, Any]) -> Inputs:
    of, scaling = note["preparation"], note["scaling"]
    columns = tuple(PreparedColumn(**{**c, "categories": tuple(c["categories"])}) for c in of["columns"])
    return Inputs(
        shape=tuple(note["shape"]),
        columns=tuple(note["columns"]),
        pixel_max=note["pixel_max"],
        preparation=Preparation(columns, of["left_out"], tuple(of["features"])),
        scaling=Scaling(scaling["kind"], _array(scaling["shift"]), _array(scaling["factor"])),
    )


def _text(array: FloatArray) -> dict[str, Any]:
    """An array as plain data with the same bits."""
    return {"shape": list(array.shape), "float32": base64.b64encode(array.astype("<f4").tobytes()).decode("ascii")}


def _array(plain: Mapping[str, Any]) -> FloatArray:
    return np.frombuffer(base64.b64decode(plain["float32"]), "<f4").astype(np.float32).reshape(plain["shape"])
