"""Checks of single features: constant, mostly missing, stand-ins for missing values, far values, odd categories."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Finding
from wellfit.data.audits.classes import plain_name
from wellfit.data.audits.sets import ExampleSet, Sets, column_name
from wellfit.data.parts import listed

__all__ = [
    "constant_features",
    "far_values",
    "missing_values",
    "similar_categories",
    "suspicious_values",
    "unseen_categories",
]

_ALIKE: Final = 0.95  # share of the training images that are the same image
_MISSING: Final = 0.5  # share of a column
_CODES: Final = (-9, -99, -999, -9999, -99999, 999, 9999, 99999, 999999)  # frequent stand-ins for missing values
_OTHERS: Final = 10  # distinct other values of a column in which a stand-in can be recognized
_SPIKE: Final = 3  # -1 must be this many times as frequent as any other value
_GAP: Final = 5  # zero must be this many times as far from the other values as those are from each other
_FAR: Final = 0.3  # and this share of their median away
_ZEROS: Final = 5  # so many of them
_ROWS: Final = 200_000
_STRAYS: Final = 3  # distinct values that may lie far from all others
_WIDER: Final = 20  # times the range of all others
_SQUEEZED: Final = 0.3  # standard deviations that all others then span: hardly a difference


def constant_features(sets: Sets) -> Iterator[Finding]:
    """Count features with the same value in every training example; it is an error if all are, or images are alike."""
    train = sets.training.x
    flat = train.reshape(len(train), -1)
    low, high = flat.min(axis=0), flat.max(axis=0)  # NaN if any value is missing
    constant = (low == high) | np.isnan(flat).all(axis=0) if flat.dtype.kind == "f" else low == high
    count, width = int(constant.sum()), flat.shape[1]
    kind = "pixel" if sets.images else "feature"
    if count == width or (sets.images and (alike := _most_frequent(sets.training)) >= max(2, _ALIKE * len(train))):
        alike = len(train) if count == width else alike
        what = f"{alike:,} of {len(train):,} training images are the same image" if sets.images else ""
        yield Finding(
            "all-features-constant",
            "error",
            f"{what or f'Every feature has the same value in all {len(train):,} training examples'}: there is nothing "
            "to learn from.",
            f"Check how the {kind}s were read or computed"
            + (": transparency, bit depth, a division of whole numbers." if sets.images else "."),
        )
    elif count:
        names = (
            [column_name(sets.dataset, j) for j in np.flatnonzero(constant).tolist()] if sets.dataset.columns else []
        )
        which = f" ({listed(names)})" if names else ""
        yield Finding(
            "constant-features",
            "info",
            f"{count} of {width} {kind}s {'never changes' if count == 1 else 'never change'}: the value is the same "
            f"in every training example{which}. That is harmless: it carries no information, and scaling leaves it "
            "alone.",
            "",
        )


def _most_frequent(images: ExampleSet) -> int:
    """How often the most frequent image occurs."""
    return Counter(images.hashes).most_common(1)[0][1]


def missing_values(sets: Sets) -> Iterator[Finding]:
    """Name columns with most of their training values missing."""
    x = sets.training.x
    if sets.images or x.dtype.kind != "f":
        return
    shares = np.isnan(x).mean(axis=0)  # (D,)
    columns = [
        f"{column_name(sets.dataset, j)} ({100 * shares[j]:.0f} %)" for j in np.flatnonzero(shares > _MISSING).tolist()
    ]
    if columns:
        yield Finding(
            "missing-values",
            "info",
            f"{len(columns)} of {len(shares)} columns {'has' if len(columns) == 1 else 'have'} no value in most "
            f"training examples: {listed(columns)}. Missing values are filled in, and a further feature says where.",
            "Compare the result without these columns; [data] drop leaves them out.",
        )


def unseen_categories(sets: Sets) -> Iterator[Finding]:
    """Count values of categories in the validation and test sets that no training example has."""
    dataset = sets.dataset
    found = []
    for j, column in enumerate(dataset.columns):
        if not column.categories:
            continue
        known = np.unique(sets.training.x[:, j])
        for part in (sets.validation, sets.test):
            values = part.x[:, j]
            new = values[~np.isnan(values) & ~np.isin(values, known)]
            if len(new):
                texts = [column.categories[int(k)] for k in np.unique(new)]
                found.append(
                    f"{column.name} in {len(new):,} of {len(values):,} {part.name} examples ({listed(texts, 3)})"
                )
    if found:
        yield Finding(
            "unseen-categories",
            "info",
            f"Some categories are in no training example: {listed(found)}. They become zeros, like no category at all.",
            "If there are many, merge rare categories.",
        )


def similar_categories(sets: Sets) -> Iterator[Finding]:
    """Find categories of a column that differ only in case, spaces, hyphens, underscores or the form of a character."""
    found = []
    for column in sets.dataset.columns:
        spelled: dict[str, list[str]] = {}
        for text in column.categories:
            spelled.setdefault(plain_name(text), []).append(text)
        alike = [f"{a!r} and {b!r}" for texts in spelled.values() for a, b in pairwise(texts)]
        if alike:
            found.append(f"{listed(alike, 3)} in {column.name}")
    if found:
        yield Finding(
            "similar-categories",
            "warning",
            f"Some categories differ only in spelling: {listed(found)}. Each becomes a feature of its own.",
            "If they mean the same, give them one spelling in the file.",
        )


# --- Values far from all others ---------------------------------------------------------------------------------------


def far_values(sets: Sets) -> Iterator[Finding]:
    """Find up to three values of a column that lie farther from all others than 20 times their range: typing errors."""
    if sets.images:
        return
    dataset = sets.dataset
    train = dataset.x_train[:_ROWS]
    shown, squeezed = [], False
    for j in sets.numeric:
        present = train[:, j][~np.isnan(train[:, j])]
        strange = _stand_in(present)
        far = [v for v in _strays(np.unique(present)) if strange is None or v != strange[0]]
        if far:
            there = np.isin(present, far)
            count, others = int(there.sum()), present[~there]
            squeezed |= float(np.ptp(others)) < _SQUEEZED * float(present.std())
            shown.append(f"{listed([_exact(v) for v in far])} in {column_name(dataset, j)} ({count} of {len(train):,})")
    if shown:
        yield Finding(
            "far-values",
            "warning",
            f"Some values lie far from all others: {listed(shown)}."
            + (" Scaled, the others then hardly differ." if squeezed else ""),
            "Correct them in the file if they are mistakes; [data] missing clears values that mean nothing.",
        )


def _strays(values: NDArray[Any]) -> list[float]:
    """Of ascending values, the fewest at one end that lie far from all others."""
    for count in range(1, _STRAYS + 1):
        if len(values) - count < _OTHERS:
            break
        for strays, others in ((values[-count:], values[:-count]), (values[:count], values[count:])):
            low, high = float(others[0]), float(others[-1])
            gap = max(float(strays[0]) - high, low - float(strays[-1]))
            if gap > _WIDER * (high - low):
                return [float(value) for value in strays]
    return []


def _exact(value: float) -> str:
    """A number with all of its digits, unless it has very many."""
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:g}"


# --- Stand-ins for missing values -------------------------------------------------------------------------------------


def suspicious_values(sets: Sets) -> Iterator[Finding]:
    """Find numbers that may stand for missing values: -999 and the like, -1 or 0 far below all other values."""
    if sets.images:
        return
    dataset = sets.dataset
    train, numeric = dataset.x_train[:_ROWS], sets.numeric
    strange = [(j, found) for j in numeric if (found := _stand_in(train[:, j])) is not None]
    for surely in (True, False):
        some = [(j, value, count) for j, (value, count) in strange if (value != 0) == surely]
        if not some:
            continue
        shown = [f"{value:g} in {column_name(dataset, j)} ({count:,} of {len(train):,})" for j, value, count in some]
        suspects = {j for j, _, _ in some}
        texts = sorted({f"{value:g}" for _, value, _ in some}, key=float)
        elsewhere = any(
            (train[:, j] == value).any() for value in map(float, texts) for j in numeric if j not in suspects
        )
        quoted = ", ".join(f'"{text}"' for text in texts)
        setting = f"[data] missing = [{quoted}]"
        yield Finding(
            "suspicious-values",
            "warning" if surely else "info",
            f"Some values may stand for missing ones, since they lie far from all others: {listed(shown)}.",
            f"If they do, leave these cells empty in the file; {setting} would also clear them in other columns."
            if elsewhere
            else f"If they do, set {setting}.",
        )


def _stand_in(column: NDArray[Any]) -> tuple[float, int] | None:
    """The value of a column that may stand for a missing one, and its count."""
    present = column[~np.isnan(column)]
    if not len(present):
        return None
    for value in {float(present.min()), float(present.max())}:
        if value not in _CODES and value not in (-1.0, 0.0):
            continue
        others, counts = np.unique(present[present != value], return_counts=True)
        if len(others) < _OTHERS:
            continue
        count = int((present == value).sum())
        found = {-1.0: _is_spike, 0.0: _is_far_zero}.get(value, _is_code)(value, count, others, counts)
        if found:
            return value, count
    return None


def _is_code(value: float, count: int, others: NDArray[Any], _: NDArray[Any]) -> bool:
    """-999 and the like: farther from the other values than those are from each other, or the only negative number."""
    low, high = float(others[0]), float(others[-1])
    gap = low - value if value < low else value - high
    return gap > high - low or (value <= -99 and low >= 0 and count > 1)


def _is_spike(value: float, count: int, others: NDArray[Any], counts: NDArray[Any]) -> bool:
    """-1: the only negative number, and far more frequent than any other value."""
    return bool(others[0] >= 0 and count >= _SPIKE * counts.max())


def _is_far_zero(value: float, count: int, others: NDArray[Any], counts: NDArray[Any]) -> bool:
    """Zero: several times, and far below all others, which are whole numbers or otherwise close to each other."""
    steps = float(np.median(np.diff(others)))
    low, middle = float(others[0]), float(np.repeat(others, counts)[int(counts.sum()) // 2])
    return (
        count >= _ZEROS and low > 0 and low >= _GAP * steps and low >= _FAR * middle and not math.isclose(low, middle)
    )
