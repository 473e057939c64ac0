"""Which arrays are examples and labels, and of which set, by the names that people give them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import DEFAULT_READING, Reading
from wellfit.data.applicable import FOR_ARRAYS, refuse_settings
from wellfit.data.parts import SET_WORDS, Part, RawData, SetName
from wellfit.errors import DataError

__all__ = ["Stored", "kind_of", "raw_of_arrays"]

_KIND: Final = {
    "x": (
        *("x", "data", "image", "images", "img", "imgs", "pixels", "sample", "samples", "examples"),
        *("feature", "features", "feat", "feats", "input", "inputs"),
    ),
    "y": ("y", "target", "targets", "label", "labels", "lbl", "lbls", "class", "output", "outputs", "answers"),
    "classes": ("classes", "names", "classnames", "categories", "mapping"),
}
_SETS: Final[Mapping[str, SetName]] = {
    **SET_WORDS,
    **dict.fromkeys(("tr", "learn"), "train"),
    **dict.fromkeys(("va", "vl"), "validation"),
    **dict.fromkeys(("te", "ts", "t10k", "holdout"), "test"),
}
_KINDS: Final = {word: name for name, words in _KIND.items() for word in words}
_FUSED: Final = re.compile(f"({'|'.join(_SETS)})?({'|'.join(_KINDS)})({'|'.join(_SETS)})?")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")


@dataclass(frozen=True, eq=False)
class Stored:
    """An array in a file that has not been read yet.

    Args:
      shape, dtype: as in the file.
      read: reads it.
      note: a fact for the report if the array is used.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read: Callable[[], NDArray[Any]]
    note: tuple[str, str] | None = None


def kind_of(name: str) -> tuple[str, str, str]:
    """Return a name's set ("train", "validation", "test" or ""), its kind ("x", "y", "classes" or ""), and the rest.

    Example:
      >>> kind_of("X_train"), kind_of("kmnist-test-imgs"), kind_of("trainLabels"), kind_of("yval")
      (('train', 'x', ''), ('test', 'x', 'kmnist'), ('train', 'y', ''), ('validation', 'y', ''))
    """
    sets: list[str] = []
    kinds: list[str] = []
    rest: list[str] = []
    for word in (part.lower() for part in _CAMEL.split(name) if part):
        fused = _FUSED.fullmatch(word)
        if word in _SETS:
            sets.append(_SETS[word])
        elif word in _KINDS:
            kinds.append(_KINDS[word])
        elif fused and (fused[1] or fused[3]) and not (fused[1] and fused[3]):
            sets.append(_SETS[fused[1] or fused[3]])
            kinds.append(_KINDS[fused[2]])
        elif word not in {"set", "arr", "array", "split", "0", "orig", "list", "dataset"}:
            rest.append(word)
    kind = next((k for k in ("classes", "y", "x") if k in kinds), "")
    if "feature" in name.lower() and kind == "classes":  # feature_names
        kind = ""
    return (sets[0] if sets else ""), kind, "-".join(rest)


def raw_of_arrays(arrays: Mapping[str, Stored], where: str, reading: Reading = DEFAULT_READING) -> RawData:
    """Choose examples and labels by the arrays' names and read them.

    Args:
      arrays: by name, as in the file.
      where: the file or folder, for error messages.
      reading: ``label`` and ``group`` may name arrays.

    Raises:
      DataError: no examples or no labels, several arrays of a kind, or arrays of objects.

    Example:
      >>> stored = {k: Stored(a.shape, a.dtype, lambda a=a: a) for k, a in {"X": np.eye(2), "y": np.arange(2)}.items()}
      >>> raw_of_arrays(stored, "memory").train.labels
      array([0, 1])
    """
    refuse_settings(reading, where, "arrays", FOR_ARRAYS)
    chosen, facts = _chosen(arrays, where, reading)
    parts: dict[str, Part] = {}
    for name in dict.fromkeys(key for key, kind in chosen if kind == "y"):
        x, y = chosen[name, "x"], chosen[name, "y"]
        groups = None
        if reading.group is not None and name in {"", "train"}:
            groups = arrays[_named(arrays, reading.group, "group", where)].read().reshape(-1)
        parts[name] = Part(arrays[x].read(), arrays[y].read(), f"{where} ({x})", groups)
    classes = _classes(arrays, chosen, next(iter(parts.values())).labels)
    if not classes:
        chosen.pop(("", "classes"), None)
    used = {*chosen.values(), reading.group}
    notes = [arrays[name].note for name in chosen.values()]
    facts += dict.fromkeys(note for note in notes if note is not None)
    skipped = [name for name in arrays if name not in used]
    if skipped:
        text = f"{len(skipped)}: {', '.join(skipped[:10])}{', ...' * (len(skipped) > 10)}"
        if likely := [name for name in skipped if name.lower().startswith("group")]:
            text += f'; to keep its groups whole: [data] group = "{likely[0]}"'
        facts.append(("arrays skipped", text))
    if len(parts) == 1:  # a test or validation set alone, as a file of its own
        return RawData(next(iter(parts.values())), classes=classes, facts=tuple(facts))
    return RawData(parts["train"], parts.get("test"), parts.get("validation"), classes=classes, facts=tuple(facts))


def _chosen(
    arrays: Mapping[str, Stored], where: str, reading: Reading
) -> tuple[dict[tuple[str, str], str], list[tuple[str, str]]]:
    """Return the names of the arrays to read by set and kind, and facts."""
    found: dict[tuple[str, str], list[str]] = {}
    for name in arrays:
        part, kind, _ = kind_of(name)
        if kind and (kind == "classes" or arrays[name].shape):
            found.setdefault((part, kind), []).append(name)
    label = None if reading.label is None else _named(arrays, reading.label, "label", where)
    if label is not None:
        found["" if ("", "x") in found else "train", "y"] = [label]
    sets = [part for part in ("train", "validation", "test", "") if (part, "x") in found and (part, "y") in found]
    if "train" in sets:
        sets = [part for part in sets if part]
    elif "" in sets and not {"validation", "test"} & set(sets):
        sets = [""]
    if not {"train", ""} & set(sets):
        by_shape = _by_shape(arrays)
        if by_shape:
            x, y = by_shape
            return {("", "x"): x, ("", "y"): y}, [("arrays", f"{x} as examples, {y} as labels")]
        if len(sets) != 1:
            _refuse_missing(arrays, found, where)
    single = {}
    for part in sets:
        for kind in ("x", "y"):
            single[part, kind] = _single(found[part, kind], kind, where)
    names = [name for (_, kind), of in found.items() if kind == "classes" for name in of]
    if names:
        single["", "classes"] = names[0]
    return single, []


def _single(names: list[str], kind: str, where: str) -> str:
    """The only array of a kind; of several, the one whose name says nothing else."""
    plain = names if len(names) == 1 else [name for name in names if not kind_of(name)[2]]
    if len(plain) != 1:
        what = "examples" if kind == "x" else "labels"
        fix = 'name one with [data] label = "..."' if kind == "y" else "keep one of them"
        raise DataError(f"{where}: several arrays could be the {what} ({', '.join(names)}); {fix}")
    return plain[0]


def _by_shape(arrays: Mapping[str, Stored]) -> tuple[str, str] | None:
    """Of two arrays that are not named: examples have further axes, labels have one value per example."""
    real = {name: a for name, a in arrays.items() if a.shape}
    if len(real) != 2:
        return None
    flat = [name for name, a in real.items() if int(np.prod(a.shape)) == max(a.shape)]
    if len(flat) != 1 or any(kind_of(name)[1] for name in real):
        return None
    x = next(name for name in real if name != flat[0])
    return (x, flat[0]) if max(real[flat[0]].shape) in real[x].shape else None


def _named(arrays: Mapping[str, Stored], name: str | int, setting: str, where: str) -> str:
    if str(name) not in arrays:
        raise DataError(
            f"{where}: has no array {str(name)!r} (it has {', '.join(sorted(arrays))}); "
            f"name one of them with [data] {setting}"
        )
    return str(name)


def _refuse_missing(arrays: Mapping[str, Stored], found: Mapping[tuple[str, str], Sequence[str]], where: str) -> None:
    present = ", ".join(f"{name} {_shape(a)}" for name, a in sorted(arrays.items())[:20]) or "nothing"
    part = "train" if any(key == "train" for key, _ in found) else ""
    lacking = [kind for kind in ("x", "y") if (part, kind) not in found]
    names = " and ".join(f"{kind}_train" if part else kind for kind in lacking) or "training arrays"
    raise DataError(
        f"{where}: lacks {names} (it has {present}); save x_train, y_train, x_test, y_test, or x and y, "
        'or name the labels with [data] label = "..."'
    )


def _shape(array: Stored) -> str:
    return f"({', '.join(map(str, array.shape))})"


def _classes(
    arrays: Mapping[str, Stored], chosen: Mapping[tuple[str, str], str], labels: NDArray[Any]
) -> tuple[str, ...]:
    """The class names in an array, if there are as many as labels; not the names of files, for example."""
    name = chosen.get(("", "classes"))
    if name is None or arrays[name].dtype.kind not in "SUO" or len(arrays[name].shape) > 2:
        return ()
    names = [n.decode("utf-8", "replace") if isinstance(n, bytes) else str(n) for n in arrays[name].read().flat]
    flat = labels.ndim == 1 or labels.shape[1] == 1
    if labels.dtype.kind not in "biuf" or not labels.size:
        return ()
    counts = {len(np.unique(labels)), int(np.nan_to_num(labels).max()) + 1} if flat else {labels.shape[1]}
    return tuple(names) if len(names) in counts else ()
