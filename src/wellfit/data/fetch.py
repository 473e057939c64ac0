"""Where a known data set's files are found: on this machine, or on a mirror. Only this module touches the network.

Every copy, wherever it lies, is checked against the SHA-256 of its decompressed content.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wellfit.data.entries import CATALOG, CatalogEntry, CatalogFile
from wellfit.data.idx import encode_idx, find_idx, read_content
from wellfit.data.tables import read_npz
from wellfit.errors import DataError, DataNotFoundError
from wellfit.files import cache_root, replacing

__all__ = ["FoundFiles", "cache_folder", "find"]

_TIMEOUT: Final = (2.0, 30.0)  # seconds to connect, and between two bytes: offline is to be told in seconds


@dataclass(frozen=True, eq=False)
class FoundFiles:
    """The files of a data set, read and checked.

    Args:
      place: where they were found, in words and with the path.
      contents: decompressed content by file name.
    """

    place: str
    contents: Mapping[str, bytes]


def cache_folder(name: str) -> Path:
    """Where wellfit keeps what it downloads: ``data/NAME`` under ``WELLFIT_CACHE`` or the user's cache folder.

    Args:
      name: the data set's name.

    Returns:
      The folder, which need not exist.
    """
    return cache_root() / "data" / name


def find(entry: CatalogEntry) -> FoundFiles:
    """Find a known data set's files.

    Looked into, in this order: the folder named by ``WELLFIT_DATA``, wellfit's cache, Keras's copy, torchvision's. Only
    then are they downloaded into the cache, each checked before it is moved into place; not with ``WELLFIT_OFFLINE=1``.

    Args:
      entry: an entry of the catalog that has files.

    Returns:
      The checked contents and where they were found.

    Raises:
      DataError: for a copy whose content is not what was published.
      DataNotFoundError: if they are nowhere; the message names every place tried and what to put there.
    """
    tried = []
    for label, path in _places(entry):
        contents = _read_keras_npz(entry, path) if path.suffix == ".npz" else _read_folder(entry, path)
        if contents is not None:
            return FoundFiles(f"{label} ({path})", contents)
        tried.append(f"{label} ({path})")
    folder = cache_folder(entry.name)
    if os.environ.get("WELLFIT_OFFLINE", "") not in ("", "0"):
        tried.append("no download because WELLFIT_OFFLINE is set")
    else:
        tried += _download(entry, folder)
        contents = _read_folder(entry, folder)
        if contents is not None:
            return FoundFiles(f"downloaded into wellfit's cache ({folder})", contents)
    files = ", ".join(f"{file.name}.gz" for file in entry.files)
    raise DataNotFoundError(
        f"data set {entry.name!r} was not found; tried {'; '.join(tried)}. Put {files} into {folder}, "
        "or into a folder that WELLFIT_DATA names"
    )


def _places(entry: CatalogEntry) -> list[tuple[str, Path]]:
    """Where a copy may lie, in order, each with the name that messages give it."""
    places = []
    chosen = os.environ.get("WELLFIT_DATA")
    if chosen:
        root = Path(chosen).expanduser()
        places += [("WELLFIT_DATA", root / entry.name), ("WELLFIT_DATA itself", root)]
    places.append(("wellfit's cache", cache_folder(entry.name)))
    keras = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    places.append(("Keras's copy", keras / "datasets" / entry.keras))
    torch = Path(os.environ.get("TORCH_HOME") or "~/.cache/torch").expanduser()
    for root in (Path("data"), Path("~/data").expanduser(), Path("~/torchvision").expanduser(), torch):
        places.append(("torchvision's copy", root / entry.torchvision / "raw"))
    return places


# --- Copies on this machine -------------------------------------------------------------------------------------------


def _read_folder(entry: CatalogEntry, folder: Path) -> dict[str, bytes] | None:
    """The checked contents of a folder that holds all files, or None."""
    paths = [find_idx(folder, file.name) for file in entry.files]
    contents = {}
    for file, path in zip(entry.files, paths, strict=True):
        if path is None or None in paths:
            return None
        contents[file.name] = read_content(path)
        if folder.name != entry.name and _is_of_another(entry, contents[file.name]):
            return None  # all these data sets use the same file names
        _check(file, contents[file.name], path)
    return contents


def _read_keras_npz(entry: CatalogEntry, path: Path) -> dict[str, bytes] | None:
    """Keras's ``.npz`` as the IDX files from which it was made, checked like them; None if it is not there."""
    if not path.is_file():
        return None
    raw = read_npz(path)
    contents = {}
    for file, array in zip(entry.files, (raw.x_train, raw.labels_train, raw.x_test, raw.labels_test), strict=True):
        if array is None or array.dtype.name != "uint8" or not array.ndim:
            raise DataError(f"{path}: does not hold {entry.title} as bytes; delete or replace it")
        contents[file.name] = encode_idx(array)
        _check(file, contents[file.name], path)
    return contents


def _check(file: CatalogFile, content: bytes, path: Path) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != file.sha256:
        raise DataError(
            f"{path}: the content of {file.name} has SHA-256 {digest[:12]}..., published is {file.sha256[:12]}...; "
            "delete or replace the file"
        )


def _is_of_another(entry: CatalogEntry, content: bytes) -> bool:
    digest = hashlib.sha256(content).hexdigest()
    return any(digest == file.sha256 for other in CATALOG.values() if other is not entry for file in other.files)


# --- Download ---------------------------------------------------------------------------------------------------------


def _download(entry: CatalogEntry, folder: Path) -> list[str]:
    """Download what the cache lacks; returns what failed, by mirror, or an empty list."""
    for file in entry.files:
        if find_idx(folder, file.name) is not None:
            continue
        failed = []
        for mirror in entry.mirrors:
            reason = _download_file(f"{mirror}{file.name}.gz", file, folder)
            if not reason:
                break
            failed.append(f"{mirror} ({reason})")
        else:
            return failed
    return []


def _download_file(url: str, file: CatalogFile, folder: Path) -> str:
    """Download one file, check it, and move it into place in one step; returns why that failed, or ""."""
    try:
        with replacing(folder / f"{file.name}.gz") as temporary:
            _retrieve(url, file.md5, temporary)
            _check(file, read_content(temporary), temporary)
    except DataError:
        return "damaged content"
    except (OSError, ValueError) as error:  # pooch: ValueError for a wrong MD5; requests: errors that are OSErrors
        return type(error).__name__
    return ""


def _retrieve(url: str, md5: str, target: Path) -> None:
    """Download a URL to a path with pooch. Tests put something else in its place."""
    import pooch

    pooch.get_logger().setLevel("WARNING")
    downloader = pooch.HTTPDownloader(timeout=_TIMEOUT)
    pooch.retrieve(url, known_hash=f"md5:{md5}", fname=target.name, path=target.parent, downloader=downloader)
