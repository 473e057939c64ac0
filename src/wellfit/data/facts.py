"""What wellfit decided about a data set, in words: what a class is, what the features are, what was changed.

``plan``, ``run``, ``audit``, ``data info`` and the report print these facts, so that nothing is guessed in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from wellfit.base import Dataset, IntArray, Preparation, Scaling, Splits
from wellfit.data.folds import can_fold
from wellfit.data.preparation import IDENTITY, count_missing, count_unseen

__all__ = ["Facts", "data_facts", "data_line", "dataset_facts", "fold_facts"]

Facts = tuple[tuple[str, str], ...]
"""Pairs of a short name and a text; no name occurs twice."""

LISTED: Final = 10
"""Classes and columns up to which all are named."""

VALUES: Final = "values"
"""The reader's fact about the range of pixel values, and what they are divided by."""

_UNEQUAL: Final = 1.1  # times the share of equal classes: guessing the largest is worth a word
_NAME: Final = 30  # characters
_PARTS: Final = {2: "half", 3: "third", 4: "quarter", 5: "fifth", 6: "sixth", 8: "eighth", 9: "ninth", 12: "twelfth"}


def data_line(title: str, source: str) -> str:
    """The data and where they come from.

    Example:
      >>> data_line("Digits", "scikit-learn (load_digits)"), data_line("Two cosines", "generated, a = 1")
      ('Digits, from scikit-learn (load_digits)', 'Two cosines, generated, a = 1')
    """
    return f"{title}, {source}" if source.startswith("generated") else f"{title}, from {source}"


def dataset_facts(dataset: Dataset) -> Facts:
    """What is known without a split: what the reader decided, the classes and the shape of the examples.

    Example:
      >>> from wellfit.data.catalog import load_dataset
      >>> dict(dataset_facts(load_dataset("digits")))["images"]
      '8 × 8 pixels, values 0 to 16'
    """
    said = dict(dataset.facts)
    name, text = _examples(dataset)
    values = said.get(VALUES) or _range(dataset)
    classes = ("classes", _classes(dataset))
    return _joined([*_others(dataset), classes, *_guessing(dataset), (name, f"{text}, values {values}")])


def data_facts(dataset: Dataset, splits: Splits, preparation: Preparation, scaling: Scaling) -> Facts:
    """What the reader decided, and how the data are split, prepared and scaled.

    Args:
      dataset: as it was read, the share of it that is used.
      splits: of its training examples.
      preparation, scaling: fitted on the training split.

    Example:
      >>> from wellfit.data.catalog import load_dataset
      >>> from wellfit.data.preparation import fit_preparation
      >>> from wellfit.data.scaling import fit_scaling
      >>> from wellfit.data.splits import split_of
      >>> digits = load_dataset("digits")
      >>> splits = split_of(digits, 0.2)
      >>> scaling = fit_scaling(digits.x_train, "auto", digits.pixel_max)
      >>> facts = dict(data_facts(digits, splits, fit_preparation(digits, splits.train), scaling))
      >>> facts["images"]
      '8 × 8 pixels, values 0 to 16, divided by 16'
    """
    name, text = _examples(dataset, preparation)
    numbers = np.array([c.column for c in preparation.columns if not c.categories], dtype=np.int64)
    said = dict(dataset.facts).get(VALUES)
    values = said if said and scaling.kind == "unit" else f"{_range(dataset, numbers)}, {_scaled(scaling)}"
    shown = preparation is IDENTITY or len(numbers) > 0
    return _joined(
        [
            *_others(dataset),
            ("classes", _classes(dataset)),
            *_guessing(dataset),
            (name, f"{text}, values {values}" if shown else text),
            *_prepared(dataset, preparation),
            *_divided(dataset, splits),
        ]
    )


def fold_facts(dataset: Dataset, splits: Splits, folds: int) -> Facts:
    """How every seed divides the data.

    Args:
      dataset: all data.
      splits: of any seed.
      folds: the number of folds; 1 if the division is the same for all seeds.

    Example:
      >>> from wellfit.data.catalog import load_dataset
      >>> from wellfit.data.splits import split_of
      >>> digits = load_dataset("digits")
      >>> fold_facts(digits, split_of(digits, 0.2), 5)
      (('test set', 'none given; each seed is tested on another fifth of the 1,797 examples'),)
    """
    if not can_fold(dataset):
        return (("folds", "none: test and validation set are given, so all seeds have the same examples"),)
    if folds == 1:
        return ()
    if dataset.pool is not None:
        total = len(dataset.y_train) + len(dataset.y_test)
        equal = folds in _PARTS and dataset.groups is None
        part = f"another {_PARTS[folds]}" if equal else f"another of {folds} folds"
        whole = "" if dataset.groups is None else ", in whole groups"
        return (("test set", f"none given; each seed is tested on {part} of the {total:,} examples{whole}"),)
    total, held_out = len(splits.validation) + len(splits.train), len(splits.validation)
    text = f"each seed validates on a different {held_out:,} of the {total:,} training examples"
    if dataset.groups is not None:
        text = f"each seed validates on other groups, seed 0 on {held_out:,} of the {total:,} training examples"
    return (("validation set", text),)


def _others(dataset: Dataset) -> Facts:
    """What the reader decided, except about the values, which are reported with the features."""
    return tuple((name, text) for name, text in dataset.facts if name != VALUES)


def _joined(facts: Iterable[tuple[str, str]]) -> Facts:
    """One text a name: a reader and the preparation may both leave out columns."""
    texts: dict[str, str] = {}
    for name, text in facts:
        texts[name] = f"{texts[name]}; {text}" if name in texts else text
    return tuple(texts.items())


def _classes(dataset: Dataset) -> str:
    """The number of classes and their sizes, over all sets."""
    size, names = len(dataset.classes), [_short(name) for name in dataset.classes]
    counts = np.bincount(dataset.y_train, minlength=size) + np.bincount(dataset.y_test, minlength=size)  # (K,)
    low, high = int(counts.argmin()), int(counts.argmax())
    equal = counts[low] == counts[high]
    if size > LISTED:
        each = f"{counts[0]:,} examples each"
        range_ = f"from {counts[low]:,} ({names[low]}) to {counts[high]:,} ({names[high]}) examples"
        return f"{size:,}, {each if equal else range_}"
    if equal:
        return f"{size}, {counts[0]:,} examples each: {', '.join(names)}"
    return f"{size}: {', '.join(f'{name} ({count:,})' for name, count in zip(names, counts.tolist(), strict=True))}"


def _guessing(dataset: Dataset) -> Facts:
    """The accuracy of always predicting the largest class, where that is more than equal classes would give."""
    counts = np.bincount(np.concatenate([dataset.y_train, dataset.y_test]), minlength=len(dataset.classes))  # (K,)
    most, total = int(counts.argmax()), int(counts.sum())
    if counts[most] * len(counts) < _UNEQUAL * total:
        return ()
    return (("guessing", f"always {_short(dataset.classes[most])} is right for {100 * counts[most] / total:.1f} %"),)


def _examples(dataset: Dataset, preparation: Preparation | None = None) -> tuple[str, str]:
    """The size of an image, or the columns of a table."""
    if len(dataset.input_shape) > 1:
        height, width, *channels = dataset.input_shape
        more = f", {channels[0]} channels" if channels and channels[0] != 1 else ""
        return "images", f"{height} × {width} pixels{more}"
    if preparation is None:
        return "features", _named(dataset.input_shape[0], "column", [column.name for column in dataset.columns])
    kept, made = preparation.columns, len(preparation.features)
    text = _named(len(kept), "column", [column.name for column in kept] if dataset.columns else ())
    return "features", f"{made:,} from {text}" if made > len(kept) else text


def _named(count: int, noun: str, names: Sequence[str]) -> str:
    """A count, and the first names.

    Example:
      >>> _named(2, "column", ["a", "b"]), _named(1, "column", [])
      ('2 columns: a, b', '1 column')
    """
    text = f"{count:,} {noun}{'' if count == 1 else 's'}"
    return f"{text}: {_listed(names)}" if names else text


def _listed(texts: Sequence[str]) -> str:
    rest = len(texts) - LISTED
    return ", ".join(map(_short, texts[:LISTED])) + (f" and {rest:,} more" if rest > 0 else "")


def _short(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"


def _range(dataset: Dataset, columns: IntArray | None = None) -> str:
    """The least and the greatest number in the training and validation examples."""
    x = dataset.x_train
    if columns is None:
        columns = np.array([j for j, c in enumerate(dataset.columns) if not c.categories], dtype=np.int64)
    if dataset.columns and len(columns) < x.shape[1]:
        x = x[:, columns]
    if not x.size or (x.dtype.kind == "f" and np.isnan(x).all()):
        return "unknown"
    low, high = float(np.nanmin(x)), float(np.nanmax(x))
    return f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.4g}"


def _scaled(scaling: Scaling) -> str:
    if scaling.kind == "standardize":
        return "standardized"
    divisor = 1 / float(scaling.factor)
    return "not scaled" if divisor == 1 else f"divided by {_number(float(np.float32(divisor)))}"


def _prepared(dataset: Dataset, preparation: Preparation) -> Iterable[tuple[str, str]]:
    """What the preparation leaves out and fills in."""
    if not preparation.columns:
        return
    if preparation.left_out:
        reasons: dict[str, list[str]] = {}
        for name, reason in preparation.left_out.items():
            reasons.setdefault(reason, []).append(name)
        yield "columns left out", "; ".join(f"{_listed(names)} ({reason})" for reason, names in reasons.items())
    missing = _added(count_missing(preparation, x) for x in (dataset.x_train, dataset.x_test))
    if missing:
        told = any(name == "missing values" for name, _ in dataset.facts)
        count = sum(missing.values())
        where = "" if told else f" ({_counted(missing)})"
        yield "imputed", f"{count:,} {'value' if count == 1 else 'values'}{where}, {_filled_with(preparation, missing)}"
    for what, x in (("validation", dataset.x_train), ("test", dataset.x_test)):  # the training split has seen its own
        if unseen := count_unseen(preparation, dataset.columns, x):
            yield "unseen categories", f"{sum(unseen.values()):,} in the {what} examples ({_counted(unseen)})"


def _filled_with(preparation: Preparation, missing: Mapping[str, int]) -> str:
    """What replaces the missing values, and how many features say where they were."""
    kinds = {bool(column.categories) for column in preparation.columns if column.name in missing}
    ways = [way for way, of in (("the median", False), ("the most frequent category", True)) if of in kinds]
    text = f"by {' or '.join(ways)} of the training split"
    flags = sum(column.indicator for column in preparation.columns)
    return f"{text}; {flags:,} {'feature says' if flags == 1 else 'features say'} where" if flags else text


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for of in counts:
        for name, count in of.items():
            total[name] = total.get(name, 0) + count
    return total


def _counted(counts: Mapping[str, int]) -> str:
    return _listed([f"{_short(name)} {count:,}" for name, count in counts.items()])


def _divided(dataset: Dataset, splits: Splits) -> Iterable[tuple[str, str]]:
    """A given validation set, and groups."""
    if dataset.validation_rows is not None:
        yield "validation set", f"given, {len(dataset.validation_rows):,} examples"
    if dataset.groups is not None:
        sizes = [len(np.unique(dataset.groups[rows])) for rows in (splits.train, splits.validation)]
        yield "groups", f"{sizes[0]:,} in the training split, {sizes[1]:,} in the validation split"
