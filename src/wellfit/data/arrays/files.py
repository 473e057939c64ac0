"""Files and folders of arrays: which reader takes which, and what is refused because only unpickling could read it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from wellfit.base import DEFAULT_READING, Reading
from wellfit.data.arrays.hdf5 import read_hdf5, stored_in_hdf5
from wellfit.data.arrays.matlab import read_mat, stored_in_mat
from wellfit.data.arrays.names import Stored, kind_of, raw_of_arrays
from wellfit.data.arrays.npy import read_npy, stored_in_npy
from wellfit.data.arrays.npz import read_npz, stored_in_npz
from wellfit.data.parts import RawData
from wellfit.errors import DataError

__all__ = [
    "ARRAY_SUFFIXES",
    "find_arrays",
    "is_array_file",
    "read_array_file",
    "read_array_folder",
    "refuse_pickled_folder",
    "refuse_pickles",
    "stored_arrays",
]

_READERS: Final[Mapping[str, Callable[[Path, Reading], RawData]]] = {
    ".npz": read_npz,
    ".npy": read_npy,
    ".mat": read_mat,
    ".h5": read_hdf5,
    ".hdf5": read_hdf5,
    ".hdf": read_hdf5,
}
ARRAY_SUFFIXES: Final = frozenset(_READERS)
"""Suffixes of files of arrays, in lower case."""

_PICKLES: Final = frozenset({".pickle", ".pkl", ".p", ".pt", ".pth", ".joblib", ".ckpt"})
_PROTOCOLS: Final = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")  # how pickles begin
_MOST_FILES: Final = 100


def is_array_file(path: Path) -> bool:
    """Return whether a file's name is that of a file of arrays.

    Example:
      >>> is_array_file(Path("digits.npz")), is_array_file(Path("digits.csv"))
      (True, False)
    """
    return path.suffix.lower() in ARRAY_SUFFIXES


def read_array_file(path: Path, reading: Reading = DEFAULT_READING) -> RawData:
    """Read a file of arrays: ``.npz``, ``.npy``, ``.mat``, ``.h5``.

    Args:
      path: a file with one of ``ARRAY_SUFFIXES``.
      reading: ``label`` and ``group`` may name arrays.

    Raises:
      DataError: as for the readers.
    """
    try:
        return _READERS[path.suffix.lower()](path, reading)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror or error}); check the path and its permissions"
        ) from None


def refuse_pickles(path: Path, instead: str | None = None) -> None:
    """Refuse a pickled file, by its suffix or its first bytes: reading it could run any program.

    Args:
      path: of the file.
      instead: what whoever made it should do; by default, save its arrays.

    Raises:
      DataError: it is one; the message says how to save the data instead.
    """
    try:
        with path.open("rb") as file:
            start = file.read(2)
    except OSError:
        return  # whoever reads the file reports it
    torch = path.suffix.lower() in {".pt", ".pth", ".ckpt"}
    if path.suffix.lower() in _PICKLES or (not path.suffix and start in _PROTOCOLS):
        tensors = "x.numpy(), y=y.numpy()" if torch else "x, y=y"
        fix = instead or f"save its arrays with np.savez('data.npz', x={tensors})"
        raise DataError(
            f"{path}: is a pickled file, which can run any program when it is read, so wellfit does not read it; have "
            f"whoever made it {fix}"
        )


def refuse_pickled_folder(folder: Path) -> None:
    """Refuse a folder of pickled files, like CIFAR's Python version.

    Raises:
      DataError: as for ``refuse_pickles``.
    """
    for path in sorted(p for p in folder.iterdir() if not p.name.startswith(".") and p.is_file())[:_MOST_FILES]:
        refuse_pickles(path)


# --- Folders ----------------------------------------------------------------------------------------------------------


def find_arrays(folder: Path) -> list[Path]:
    """List the files of arrays in a folder whose names say what they are, for example ``X_train.npy``.

    Returns:
      The files, sorted; empty if there are no training examples or labels among them.
    """
    files = sorted(p for p in folder.iterdir() if is_array_file(p) and not p.name.startswith(".") and p.is_file())
    kinds = [kind_of(file.stem) for file in files]
    named = [file for file, (part, kind, _) in zip(files, kinds, strict=True) if part or kind]
    return named if any(part == "train" or (kind and not part) for part, kind, _ in kinds) else []


def read_array_folder(files: list[Path], reading: Reading = DEFAULT_READING) -> RawData:
    """Read files of arrays that belong together: ``X_train.npy`` and others, KMNIST's, ``train.npz`` and ``test.npz``.

    Args:
      files: from ``find_arrays``.
      reading: ``label`` and ``group`` may name arrays.

    Raises:
      DataError: too many files, a damaged file, no training examples or labels, or several arrays of a kind.
    """
    folder = files[0].parent
    if len(files) > _MOST_FILES:
        raise DataError(
            f"{folder}: has {len(files)} files of arrays; join them, for example with np.concatenate, and save them "
            "as x_train, y_train, x_test and y_test"
        )
    arrays: dict[str, Stored] = {}
    for file in files:
        try:
            inside = stored_arrays(file)
        except OSError as error:
            raise DataError(f"{file}: cannot be read ({error.strerror or error}); check its permissions") from None
        if len(inside) == 1:
            arrays[file.stem] = next(iter(inside.values()))
        else:
            arrays |= {f"{file.stem}/{name}": stored for name, stored in inside.items()}
    raw = raw_of_arrays(arrays, str(folder), reading)
    return replace(raw, classes=raw.classes or _class_map(folder))


def stored_arrays(file: Path) -> dict[str, Stored]:
    """The arrays of a file by name, without their values.

    Args:
      file: with one of ``ARRAY_SUFFIXES``; the array of a ``.npy`` file has the name of the file.

    Raises:
      DataError: as for the readers.
    """
    suffix = file.suffix.lower()
    if suffix == ".npy":
        return {file.stem: stored_in_npy(file)}
    return (stored_in_npz if suffix == ".npz" else stored_in_mat if suffix == ".mat" else stored_in_hdf5)(file)


def _class_map(folder: Path) -> tuple[str, ...]:
    """The class names of KMNIST's ``..._classmap.csv``, with columns index and char."""
    for path in sorted(folder.glob("*classmap*.csv"))[:1]:
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = list(csv.DictReader(file))
            names = {int(row["index"]): row["char"].strip() for row in rows}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error):
            return ()
        return tuple(names[i] for i in range(len(names))) if set(names) == set(range(len(names))) else ()
    return ()
