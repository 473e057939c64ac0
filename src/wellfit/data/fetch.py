"""Finding a known data set's files on this machine, or downloading them. Only this module uses the network.

Every copy is checked against the SHA-256 of its decompressed content.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wellfit.data.arrays.npz import read_npz
from wellfit.data.entries import CATALOG, CatalogEntry, CatalogFile
from wellfit.data.idx import encode_idx, find_idx, read_content
from wellfit.errors import DataError, DataNotFoundError
from wellfit.files import cache_root, replacing

__all__ = ["FoundFiles", "cache_folder", "find"]

_TIMEOUT: Final = (2.0, 30.0)  # seconds to connect, and between bytes; being offline must be noticed quickly


@dataclass(frozen=True, eq=False)
class FoundFiles:
    """The files of a data set, read and checked.

    Args:
      place: description and path of where they were found.
      contents: decompressed contents by file name.
    """

    place: str
    contents: Mapping[str, bytes]


def cache_folder(name: str) -> Path:
    """Return the download folder of a data set: ``data/NAME`` under ``WELLFIT_CACHE`` or the user's cache folder.

    Args:
      name: the data set's name.

    Returns:
      The folder, which may not exist yet.
    """
    return cache_root() / "data" / name


def find(entry: CatalogEntry) -> FoundFiles:
    """Find a known data set's files.

    The search order is: the folder ``WELLFIT_DATA``, wellfit's cache, Keras's copy, torchvision's copy. Otherwise,
    unless ``WELLFIT_OFFLINE=1`` is set, the files are downloaded to the cache; each is checked before it is moved into
    place.

    Args:
      entry: a catalog entry that has files.

    Raises:
      DataError: a copy whose content differs from the published content.
      DataNotFoundError: the files were not found; the message lists every place tried and what to put there.
    """
    tried = []
    for label, path in _places(entry):
        contents = _read_keras_npz(entry, path) if path.suffix == ".npz" else _read_folder(entry, path)
        if contents is not None:
            return FoundFiles(f"{label} ({path})", contents)
        tried.append(f"{label} ({path})")
    folder = cache_folder(entry.name)
    if os.environ.get("WELLFIT_OFFLINE", "") not in ("", "0"):
        tried.append("no download, because WELLFIT_OFFLINE is set")
    else:
        tried += _download(entry, folder)
        contents = _read_folder(entry, folder)
        if contents is not None:
            return FoundFiles(f"downloaded to wellfit's cache ({folder})", contents)
    files = ", ".join(f"{file.name}.gz" for file in entry.files)
    raise DataNotFoundError(
        f"data set {entry.name!r} was not found; tried {'; '.join(tried)}. Put {files} in {folder}, "
        "or in a folder of your own and set WELLFIT_DATA to it"
    )


def _places(entry: CatalogEntry) -> list[tuple[str, Path]]:
    """List where copies may be, in search order, each with its name for messages."""
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
    """Read and check a folder that has all files; None if it does not."""
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
    """Read Keras's ``.npz`` and check it as the IDX files that it was made from; None if it does not exist."""
    if not path.is_file():
        return None
    arrays = [array for part in read_npz(path).parts for array in (part.x, part.labels)]
    contents = {}
    for file, array in itertools.zip_longest(entry.files, arrays[: len(entry.files)]):
        if array is None or array.dtype.name != "uint8" or not array.ndim:
            raise DataError(f"{path}: does not contain {entry.title} as bytes; delete or replace the file")
        contents[file.name] = encode_idx(array)
        _check(file, contents[file.name], path)
    return contents


def _check(file: CatalogFile, content: bytes, path: Path) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != file.sha256:
        raise DataError(
            f"{path}: the content of {file.name} has SHA-256 {digest[:12]}... instead of the published "
            f"{file.sha256[:12]}...; delete or replace the file"
        )


def _is_of_another(entry: CatalogEntry, content: bytes) -> bool:
    digest = hashlib.sha256(content).hexdigest()
    return any(digest == file.sha256 for other in CATALOG.values() if other is not entry for file in other.files)


# --- Download ---------------------------------------------------------------------------------------------------------


def _download(entry: CatalogEntry, folder: Path) -> list[str]:
    """Download the files missing from the cache; returns the failures by mirror, or an empty list."""
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
    """Download one file, check it, and move it into place atomically; returns the reason of a failure, or ""."""
    try:
        with replacing(folder / f"{file.name}.gz") as temporary:
            _retrieve(url, file.md5, temporary)
            _check(file, read_content(temporary), temporary)
    except DataError:
        return "damaged content"
    except (OSError, ValueError) as error:  # pooch raises ValueError for a wrong MD5; requests' errors are OSErrors
        return type(error).__name__
    return ""


def _retrieve(url: str, md5: str, target: Path) -> None:
    """Download a URL to a path with pooch; tests replace this function."""
    import pooch

    pooch.get_logger().setLevel("WARNING")
    downloader = pooch.HTTPDownloader(timeout=_TIMEOUT)
    pooch.retrieve(url, known_hash=f"md5:{md5}", fname=target.name, path=target.parent, downloader=downloader)
