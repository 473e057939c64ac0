"""Loading a data set by its name in the catalog, or from the user's files in any supported format."""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import importlib.util
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellfit.base import DEFAULT_READING, Dataset, Reading
from wellfit.data.applicable import FOR_IDX, FOR_TABLES, refuse_settings
from wellfit.data.arrays.files import (
    find_arrays,
    is_array_file,
    read_array_file,
    read_array_folder,
    refuse_pickled_folder,
    refuse_pickles,
)
from wellfit.data.assemble import assemble
from wellfit.data.entries import CATALOG, CatalogEntry, CatalogFile
from wellfit.data.fetch import find
from wellfit.data.generated import cosines, distance_of
from wellfit.data.given import with_given_sets
from wellfit.data.idx import parse_idx
from wellfit.data.idx_folder import find_idx_sets, read_idx_set
from wellfit.data.images.reader import has_images, images_come_first, read_image_folder
from wellfit.data.parts import Part, RawData
from wellfit.data.tables import find_tables, is_table, read_table, read_table_folder, stem_of
from wellfit.errors import DataError, DataNotFoundError, UnknownNameError
from wellfit.files import form_of

__all__ = ["CATALOG", "CatalogEntry", "CatalogFile", "load_dataset"]

_FORMS = (
    "put in a table (train.csv, with test.csv if there is one), arrays (x_train.npy, y_train.npy ...), the four IDX "
    "files, or one subfolder of images per class"
)


def load_dataset(name_or_path: str | Path, reading: Reading = DEFAULT_READING) -> Dataset:
    """Load a data set by its name in the catalog, or from a path.

    A path is a table (text, Parquet, Excel), a file of arrays (``.npz``, ``.npy``, ``.mat``, ``.h5``), or a folder of
    tables, arrays, IDX files or images; ``docs/data.md`` has all forms. If the data have no test set, a stratified
    fifth is held out, always the same one.

    Args:
      name_or_path: a name, for example ``"digits"``, or a path. A ``Path`` is never treated as a name. ``"cosines:2"``
        is the two cosine curves at distance 2.
      reading: how files are read: label column, columns to drop, image size ...

    Returns:
      The data set, unscaled.

    Raises:
      UnknownNameError: a name that is not in the catalog and does not look like a path.
      DataNotFoundError: nothing exists at the path, or a known data set is neither on this machine nor downloadable.
      DataError: data that cannot be read, or settings of ``reading`` for a data set of the catalog.

    Example:
      >>> digits = load_dataset("digits")
      >>> digits.x_train.shape, digits.x_test.shape, digits.pixel_max
      ((1438, 8, 8), (359, 8, 8), 16)
    """
    if isinstance(name_or_path, str) and (name_or_path in CATALOG or distance_of(name_or_path) is not None):
        refuse_settings(reading, name_or_path, "a known data set, which is read as published")
    if isinstance(name_or_path, str) and (a := distance_of(name_or_path)) is not None:
        return _generate_cosines(CATALOG["cosines"], a)
    if isinstance(name_or_path, str) and name_or_path in CATALOG:
        if found := form_of(name_or_path):
            warnings.warn(
                f"{name_or_path} is the known data set, not {found} of that name; for this one, write ./{name_or_path}",
                stacklevel=2,
            )
        entry = CATALOG[name_or_path]
        return _load_published(entry) if entry.files else _load_digits(entry)
    try:
        path = Path(name_or_path).expanduser()
        with contextlib.suppress(OSError):  # reported below
            path.stat()
    except (RuntimeError, ValueError) as error:  # ~nobody; a null character
        raise DataError(f"{str(name_or_path)!r}: not a path ({error}); give the path of a file or folder") from None
    try:
        raw = _read(path, reading)
    except OSError as error:  # a name that is too long; a folder without access
        place = str(_closed(Path(error.filename or path), path))
        place = place if len(place) <= 200 else f"{place[:197]}..."
        raise DataError(
            f"{place}: cannot be read ({error.strerror}); change its permissions or use another path"
        ) from None
    if raw is not None:
        name = path.resolve().stem if is_array_file(path) else stem_of(path.resolve())
        return assemble(
            raw,
            name=name,
            title=name,
            source=str(path),
            classes=reading.classes or None,
            pixel_max=reading.pixel_max,
        )
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or "/" in text or "\\" in text or path.suffix:
        raise DataNotFoundError(
            f"{text}: no such file or folder; give an existing path, or one of {', '.join(CATALOG)}"
        )
    beside = sorted(found.name for found in Path().glob(f"{glob.escape(text)}.*") if found.is_file())
    if beside:
        raise DataNotFoundError(f"{text}: no such data set; for the file of that name, write {beside[0]}")
    raise UnknownNameError("data set", text, CATALOG, instead="or the path of a file or folder")


def _closed(place: Path, path: Path) -> Path:
    """The folder without access that hides a place below a path: the place itself may be one that nobody has."""
    while place != path and path in place.parents:
        try:
            place.stat()
        except PermissionError:
            place = place.parent
        except OSError:
            break
        else:
            break
    return place


def _load_digits(entry: CatalogEntry) -> Dataset:
    """Load scikit-learn's digits; the test set is the same stratified fifth on every machine."""
    images, labels = _digits()
    raw = RawData(Part(images.astype(np.uint8), labels.astype(np.int64), "sklearn.datasets.load_digits"))
    return _of_catalog(entry, raw, "scikit-learn (load_digits)")


def _digits() -> tuple[NDArray[Any], NDArray[Any]]:
    """What ``load_digits`` returns, from the file that it reads: to import that takes most of a second.

    Returns:
      Images and labels.  # (1797, 8, 8), (1797,)
    """
    found = importlib.util.find_spec("sklearn")
    place = Path(found.origin).parent if found is not None and found.origin else Path()
    with contextlib.suppress(OSError, ValueError):
        table = np.loadtxt(place / "datasets" / "data" / "digits.csv.gz", delimiter=",")  # (1797, 65)
        if table.shape == (1797, 65):
            return table[:, :-1].reshape(-1, 8, 8), table[:, -1]
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return bunch.images, bunch.target


def _generate_cosines(entry: CatalogEntry, a: float) -> Dataset:
    name, title = (entry.name, entry.title) if a == 1 else (f"{entry.name}-{a:g}", f"{entry.title} (a = {a:g})")
    return assemble(cosines(a), name=name, title=title, source=f"generated, a = {a:g}", classes=entry.classes)


def _load_published(entry: CatalogEntry) -> Dataset:
    files = find(entry)
    arrays: list[NDArray[Any]] = [parse_idx(files.contents[f.name], f.name) for f in entry.files]
    x_train, y_train, x_test, y_test = arrays
    train, test = Part(x_train, y_train, entry.files[0].name), Part(x_test, y_test, entry.files[2].name)
    return _of_catalog(entry, RawData(train, test), files.place)


def _of_catalog(entry: CatalogEntry, raw: RawData, source: str) -> Dataset:
    dataset = assemble(
        raw, name=entry.name, title=entry.title, source=source, classes=entry.classes, pixel_max=entry.pixel_max
    )
    return dataclasses.replace(dataset, facts=())  # nothing had to be decided


def _read(path: Path, reading: Reading) -> RawData | None:
    """Read a path in any form; None if nothing exists there."""
    form = form_of(path)
    if form not in (None, "a file", "a folder"):  # a pipe would wait forever, a device may never end
        raise DataError(f"{path}: {form}, not a file; copy what it gives to a file")
    raw = _read_arrays(path, reading)
    if raw is not None:
        return with_given_sets(raw, path, reading, _read_arrays)
    if not path.exists():
        return None
    return _read_folder(path, reading) if path.is_dir() else _read_file(path, reading)


def _read_arrays(path: Path, reading: Reading) -> RawData | None:
    """Read IDX files or files of arrays; None if the path has neither."""
    if path.is_file():
        refuse_pickles(path)
        return read_array_file(path, reading) if is_array_file(path) else None
    sets = find_idx_sets(path)
    if sets:
        refuse_settings(reading, str(path), "IDX files", FOR_IDX)
        return read_idx_set(sets)
    arrays = find_arrays(path) if path.is_dir() else []
    return read_array_folder(arrays, reading) if arrays else None


def _read_folder(folder: Path, reading: Reading) -> RawData:
    if images_come_first(folder, reading):  # before the tables: train.csv may name the images in train/
        return read_image_folder(folder, reading)
    if find_tables(folder):
        refuse_settings(reading, str(folder), "tables", FOR_TABLES)
        return read_table_folder(folder, reading)
    if has_images(folder):
        return read_image_folder(folder, reading)
    refuse_pickled_folder(folder)
    raise DataError(f"{folder}: no data set in this folder; {_FORMS}")


def _read_file(path: Path, reading: Reading) -> RawData:
    if is_table(path):
        refuse_settings(reading, str(path), "a table", FOR_TABLES)
        return read_table(path, reading)
    raise DataError(
        f"{path}: this file format is not supported; give a table (.csv, .tsv, .parquet, .xlsx), arrays (.npz, .npy, "
        ".mat, .h5), or a folder; if it is a table, rename it to end in .csv"
    )
