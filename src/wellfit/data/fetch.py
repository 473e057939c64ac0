"""Finding a known data set's files on this machine, or downloading them. Only this module uses the network.

Every copy is checked against the SHA-256 of its decompressed content.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wellfit.data.arrays.npz import read_npz
from wellfit.data.entries import CATALOG, CatalogEntry, CatalogFile
from wellfit.data.idx import encode_idx, find_idx, read_content
from wellfit.errors import DataError, DataNotFoundError
from wellfit.files import cache_root, folder_named, replacing

if TYPE_CHECKING:
    import requests

__all__ = ["FoundFiles", "cache_folder", "find"]

_TIMEOUT: Final = (2.0, 30.0)  # seconds to connect, and between bytes; being offline must be noticed quickly
_LARGEST: Final = 1 << 26  # bytes of a file; the largest of the catalog has 26 million
_WINDOW: Final = 30.0  # seconds in which fewer bytes mean that the next mirror is tried
_LEAST: Final = 1 << 15


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
        try:
            contents = _read_keras_npz(entry, path) if path.suffix == ".npz" else _read_folder(entry, path)
        except OSError as error:  # a folder without access
            tried.append(f"{label} ({path}: {error.strerror})")
            continue
        if contents is not None:
            return FoundFiles(f"{label} ({path})", contents)
        tried.append(f"{label} ({path})")
    folder = cache_folder(entry.name)
    if os.environ.get("WELLFIT_OFFLINE", "") not in ("", "0"):
        tried.append("no download, because WELLFIT_OFFLINE is set")
    else:
        try:
            tried += _download(entry, folder)
            contents = _read_folder(entry, folder)
        except OSError as error:
            fix = "change its permissions, or set WELLFIT_CACHE to a folder of your own"
            raise DataError(f"{folder}: cannot be used ({error.strerror}); {fix}") from None
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
    chosen = folder_named("WELLFIT_DATA")
    if chosen is not None:
        places += [("WELLFIT_DATA", chosen / entry.name), ("WELLFIT_DATA itself", chosen)]
    places.append(("wellfit's cache", cache_folder(entry.name)))
    keras = folder_named("KERAS_HOME", "~/.keras")
    if keras is not None:
        places.append(("Keras's copy", keras / "datasets" / entry.keras))
    torch = folder_named("TORCH_HOME", "~/.cache/torch")
    usual = (Path(os.path.expanduser(name)) for name in ("data", "~/data", "~/torchvision"))
    for root in (*usual, torch):
        if root is not None:
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
    except (OSError, ValueError) as error:  # requests' errors are OSErrors
        return getattr(error, "strerror", None) or type(error).__name__
    return ""


def _retrieve(url: str, md5: str, target: Path) -> None:
    """Download a URL to a path; tests replace this function.

    Raises:
      OSError: no connection, no such file, too large, too slow, or redirected to an insecure address.
      ValueError: the content is another one.
    """
    received = _Received()
    worker = threading.Thread(target=_receive, args=(url, received), daemon=True)
    worker.start()
    before = 0
    try:
        while worker.is_alive():  # a server that sends a byte a second, in headers or content, would never time out
            worker.join(_WINDOW)
            if worker.is_alive() and len(received.content) - before < _LEAST:
                raise TimeoutError(0, f"fewer than {_LEAST:,} bytes in {_WINDOW:g} s")
            before = len(received.content)
    finally:
        received.given_up = True
    if received.error is not None:
        raise received.error
    if hashlib.md5(received.content, usedforsecurity=False).hexdigest() != md5:
        raise ValueError("another content")
    target.write_bytes(received.content)


@dataclass(eq=False)
class _Received:
    """What a thread has received, how it failed, and whether nobody waits for it any more."""

    content: bytearray = field(default_factory=bytearray)
    error: Exception | None = None
    given_up: bool = False


def _receive(url: str, received: _Received) -> None:
    import requests

    plain = {"Accept-Encoding": "identity"}
    try:
        with _session(url) as session, session.get(url, stream=True, timeout=_TIMEOUT, headers=plain) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_content(1 << 14):
                received.content += chunk
                if received.given_up:
                    return
                if len(received.content) > _LARGEST:
                    raise OSError(0, f"larger than {_LARGEST:,} bytes")
    except requests.exceptions.InvalidSchema:
        received.error = OSError(0, "redirected to an insecure address")
    except Exception as error:  # raised again by who waits
        received.error = error


def _session(url: str) -> requests.Session:
    """A session that follows no redirect from a secure address to an insecure one."""
    import requests

    session = requests.Session()
    if url.startswith("https:"):
        del session.adapters["http://"]
    return session
