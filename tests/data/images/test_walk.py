"""Listing folders, also those that lead nowhere or in circles."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from data.images.pictures import tree
from wellfit.data.images import walk
from wellfit.data.images.walk import has_images, list_folder
from wellfit.errors import DataError


def test_everything_is_listed_once_and_sorted(tmp_path: Path):
    tree(tmp_path)
    (tmp_path / "cat" / "notes.txt").touch()
    (tmp_path / "cat" / ".hidden.png").touch()
    (tmp_path / ".cache").mkdir()
    root = list_folder(tmp_path)
    assert [folder.path.name for folder in root.folders] == ["cat", "dog"]
    assert root.folders[0].images == ("0.png", "1.png", "2.png")
    assert root.folders[0].others == ("notes.txt",)
    assert (root.total, root.system, root.folders[0].system) == (6, 1, 1)
    assert [folder.path.name for folder in root.below()] == [tmp_path.name, "cat", "dog"]
    assert root.holding == root.folders


def test_a_link_to_a_folder_is_followed(tmp_path: Path):
    tree(tmp_path / "elsewhere")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cat").symlink_to(tmp_path / "elsewhere" / "cat")
    assert list_folder(tmp_path / "data").total == 3


def test_links_in_circles(tmp_path: Path):
    tree(tmp_path)
    (tmp_path / "dog" / "again").symlink_to(tmp_path)
    with pytest.raises(DataError, match=r"again: a link makes this the same folder as .*; remove the link"):
        list_folder(tmp_path)


def test_a_link_to_itself_is_no_folder(tmp_path: Path):
    (tmp_path / "cat").symlink_to(tmp_path / "cat")
    assert list_folder(tmp_path).total == 0
    assert not has_images(tmp_path)


def test_limits(tmp_path: Path, monkeypatch):
    tree(tmp_path)
    monkeypatch.setattr(walk, "_MOST_ENTRIES", 5)
    with pytest.raises(DataError, match="more than 5 files"):
        list_folder(tmp_path)
    monkeypatch.setattr(walk, "_PEEK", 1)
    assert not has_images(tmp_path)
    monkeypatch.undo()
    (tmp_path / "/".join("a" * 40)).mkdir(parents=True)
    with pytest.raises(DataError, match="more than 32 levels"):
        list_folder(tmp_path)


@pytest.mark.parametrize("name", ["cat/a/b/1.PNG", "1.jpg", "cat/1.heic"])
def test_images_are_found_below(tmp_path: Path, name):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
    assert has_images(tmp_path)


def test_no_images(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "table.csv").touch()
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "1.png").touch()
    assert not has_images(tmp_path)


def test_a_folder_without_access(tmp_path: Path, monkeypatch):
    tree(tmp_path)
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("dog"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match=r"dog: cannot be read \(Permission denied\); change its permissions"):
        list_folder(tmp_path)
    assert has_images(tmp_path)
    assert has_images(tmp_path / "dog")  # nobody knows, and reading it says why
