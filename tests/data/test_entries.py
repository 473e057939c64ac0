"""The catalog: every entry is complete, and reading it imports no heavy package."""

from __future__ import annotations

import subprocess
import sys

import pytest

from wellfit.data.entries import CATALOG, CatalogEntry
from wellfit.data.idx import IDX_NAMES

ENTRIES = pytest.mark.parametrize("entry", CATALOG.values(), ids=lambda entry: entry.name)


def test_the_known_data_sets_are_listed_in_order() -> None:
    assert list(CATALOG) == ["digits", "fashion-mnist", "mnist", "cosines"]
    assert all(entry.name == name for name, entry in CATALOG.items())


@ENTRIES
def test_an_entry_describes_its_data_set_in_one_line(entry: CatalogEntry) -> None:
    assert entry.title
    assert entry.license
    assert entry.description
    assert "\n" not in entry.description
    assert f"{len(entry.classes)} classes" in entry.description
    assert len(set(entry.classes)) == len(entry.classes)


@ENTRIES
def test_files_have_checksums_and_mirrors(entry: CatalogEntry) -> None:
    for file in entry.files:
        assert len(bytes.fromhex(file.sha256)) == 32
        assert len(bytes.fromhex(file.md5)) == 16
    assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in entry.mirrors)
    assert (len(entry.mirrors) >= 3) == bool(entry.files)
    assert bool(entry.keras and entry.torchvision) == bool(entry.files)


@pytest.mark.parametrize("name", ["fashion-mnist", "mnist"])
def test_downloaded_data_sets_have_the_standard_files(name: str) -> None:
    assert tuple(file.name for file in CATALOG[name].files) == IDX_NAMES


def test_no_two_files_have_the_same_checksum() -> None:
    digests = [digest for entry in CATALOG.values() for file in entry.files for digest in (file.sha256, file.md5)]
    assert len(set(digests)) == len(digests) == 16


def test_the_catalog_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        CATALOG["digits"] = CATALOG["mnist"]  # type: ignore[index]


def test_reading_the_catalog_is_light() -> None:
    heavy = ("numpy", "sklearn", "scipy", "pandas", "jax", "requests", "PIL", "matplotlib", "platformdirs")
    code = f"import sys, wellfit.data.entries; print([m for m in {heavy!r} if m in sys.modules])"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"
