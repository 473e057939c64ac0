"""Which images belong to which class and set: class folders, sets, wrappers, and labels in tables or file names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wellfit.base import Reading
from wellfit.data.images.labels import LabelTable, find_table, labels_from_names
from wellfit.data.images.masks import split_masks
from wellfit.data.images.names import (
    ASIDE,
    MASKS,
    PICTURES,
    Role,
    is_plain_role,
    is_table,
    number,
    role_of,
    skipped_text,
    some,
)
from wellfit.data.images.walk import Folder
from wellfit.errors import DataError

__all__ = ["ImageSet", "check_classes", "find_given", "find_sets"]

Facts = list[tuple[str, str]]

_SUBFOLDERS = "put the images of each class in a subfolder, or a table of file names and labels beside them"
_LABELS = "labels"
_UNMATCHED = "labels left out"


@dataclass(eq=False)
class ImageSet:
    """The images of one set.

    Args:
      where: its folder, for messages.
      files: paths, by class and path.
      labels: their classes.
      groups: their groups, if a table names them.
    """

    where: Path
    files: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


def find_sets(
    root: Folder, reading: Reading, taken: frozenset[Path] = frozenset()
) -> tuple[dict[Role, ImageSet], Facts]:
    """Find the images of the sets that a folder holds.

    Args:
      root: the folder, as listed.
      taken: subfolders that are sets of their own (``test_file``); they are ignored here.

    Returns:
      The sets, always with "train" among them, and what was detected.

    Raises:
      DataError: no class folders and no labels, an empty class, sets that do not fit together.
    """
    facts: Facts = []
    root = _without(root, taken)
    top = _enter(root)
    if top is not root:
        facts.append(("folder", top.path.relative_to(root.path).as_posix()))
    tables = _tables(root, top)
    sets = _of_sets(top, tables, reading, facts) or _of_classes(top, tables, reading, facts, "train")
    if sets is None:
        raise DataError(f"{top.path}: {_unlabeled(top)}; {_SUBFOLDERS}")
    check_classes(sets)
    return sets, facts


def find_given(root: Folder, reading: Reading, role: Role) -> tuple[ImageSet, Facts]:
    """Find the images of a set that is given by a folder of its own, as for ``find_sets``.

    Raises:
      DataError: no class folders and no labels.
    """
    facts: Facts = []
    top = _enter(root)
    found = _of_classes(top, _tables(root, top), reading, facts, role)
    if found is None or role not in found:
        raise DataError(f"{top.path}: {_unlabeled(top)}; {_SUBFOLDERS}")
    return found[role], facts


def _without(folder: Folder, taken: frozenset[Path]) -> Folder:
    """The folder as if some subfolders were not there."""
    if not taken:
        return folder
    below = tuple(_without(f, taken) for f in folder.folders if f.path.resolve() not in taken)
    total = len(folder.images) + sum(f.total for f in below)
    return Folder(folder.path, folder.images, folder.others, folder.system, below, total)


def _enter(folder: Folder) -> Folder:
    """Go down while a folder holds nothing but one folder of folders."""
    while not folder.images and len(folder.holding) == 1:
        inner = folder.holding[0]
        role = role_of(inner.path.name)
        if role in {"test", "validation", "unlabeled"} and is_plain_role(inner.path.name):
            raise DataError(
                f"{folder.path}: there is only {inner.path.name}/, and no training images; add train/, or give the "
                f"path {inner.path}"
            )
        if not inner.holding or _empty(folder):
            break
        folder = inner
    return folder


def _tables(outer: Folder, inner: Folder) -> list[Path]:
    """The tables in a folder, and in those between it and another around it, nearest first."""
    found: list[Path] = []
    for folder in outer.below():
        if inner.path == folder.path or inner.path.is_relative_to(folder.path):
            found = [folder.path / name for name in folder.others if is_table(name)] + found
    beside = [f for f in inner.folders if f.path.name.lower() in ASIDE or inner.holding == (f,)]
    return found + [folder.path / name for folder in beside for name in folder.others if is_table(name)]


# --- Sets -------------------------------------------------------------------------------------------------------------


def _of_sets(top: Folder, tables: list[Path], reading: Reading, facts: Facts) -> dict[Role, ImageSet] | None:
    """The sets of a folder with train/, val/ or test/; None if it has no such folders."""
    roles = _roles(top)
    if not roles:
        return None
    sets: dict[Role, ImageSet] = {}
    left_out: list[str] = []
    for role, folder in sorted(roles.items(), key=lambda item: item[0] != "train"):
        inner = _enter(folder)
        if role == "unlabeled":
            left_out.append(folder.path.name)
            continue
        found = _of_classes(inner, [*_tables(folder, inner), *tables], reading, facts, role)
        if found is None and role == "test":
            left_out.append(folder.path.name)
        elif found is None:
            raise DataError(f"{inner.path}: {_unlabeled(inner)}; {_SUBFOLDERS}")
        elif set(found) != {role} and role != "train":
            raise DataError(f"{inner.path}: the table of labels names other sets; remove its column of sets")
        else:
            sets.update(found)
    facts[:] = [fact for fact in facts if fact[0] != _UNMATCHED]  # another set may have them
    if left_out:
        facts.append(("left out", f"{some(left_out)} (images without labels)"))
    return sets


def _roles(top: Folder) -> dict[Role, Folder]:
    """The folders of the sets by role; empty if the folders are classes."""
    named = [(f, role_of(f.path.name)) for f in top.folders]
    roles = [(f, role) for f, role in named if role is not None]
    others = [f.path.name for f, role in named if role is None and f.total]
    plain = [f for f, _ in roles if is_plain_role(f.path.name)]
    if others and plain:
        alone = " and ".join(f"{f.path.name}/" for f in plain)
        raise DataError(
            f"{top.path}: beside {alone} there must be no other folders with images, but there are {some(others)}; "
            f"move them, or rename {alone} if it holds a class"
        )
    if others or not roles or (len(roles) == 1 and roles[0][1] == "train"):
        return {} if others or not roles else {"train": roles[0][0]}
    found: dict[Role, Folder] = {}
    for folder, role in roles:
        if role in found:
            raise DataError(
                f"{top.path}: both {found[role].path.name}/ and {folder.path.name}/ may be the {role} set; rename one"
            )
        if not folder.total:
            raise DataError(f"{folder.path}: contains no images; add images or remove the folder")
        found[role] = folder
    if "train" not in found:
        names = some(f.path.name for f in found.values())
        raise DataError(f"{top.path}: there is no training set beside {names}; add train/")
    return found


def check_classes(sets: dict[Role, ImageSet]) -> None:
    """Refuse a set with classes that the training set lacks.

    Raises:
      DataError: a set has such a class.
    """
    known = set(sets["train"].labels)
    for role, found in sets.items():
        unknown = sorted(set(found.labels) - known)
        if unknown:
            raise DataError(
                f"{found.where}: the {role} set has classes that the training set lacks: {some(unknown)} (it has "
                f"{some(sorted(known))}); give both the same class names"
            )


# --- Classes ----------------------------------------------------------------------------------------------------------


def _of_classes(
    folder: Folder, tables: list[Path], reading: Reading, facts: Facts, role: Role
) -> dict[Role, ImageSet] | None:
    """The images of one folder with their classes; None if nothing says the classes."""
    files = _images(folder)
    start = len(str(folder.path / "x")) - 1
    names = [file[start:].replace(os.sep, "/") for file in files]
    table = find_table(tables, names, reading, role)
    alone = role == "train" and not folder.images and len(folder.holding) == 1 and not _empty(folder)
    by_folder = bool(folder.holding) and not alone
    if table is not None and by_folder and reading.label is None:
        table = _confirmed(folder, names, table)
    if table is not None:
        return _of_table(folder, files, names, table, facts, role)
    if reading.label is not None or reading.group is not None:
        key, value = ("label", reading.label) if reading.label is not None else ("group", reading.group)
        raise DataError(
            f"{folder.path}: [data] {key} = {value!r} names a column, but no table beside the images has the images' "
            "names in one column; add the table or remove the setting"
        )
    if by_folder:
        return _of_folders(folder, facts, role)
    files, masks = split_masks(files, str(folder.path))
    short = [os.path.basename(file) for file in files]
    labels = labels_from_names(short)
    if labels is None:
        return None
    _say_masks(facts, folder, masks)
    _say(facts, _LABELS, f"from the file names: {short[0]} is {labels[0]}")
    return {role: ImageSet(folder.path, files, labels)}


def _confirmed(folder: Folder, names: Sequence[str], table: LabelTable) -> LabelTable | None:
    """None if a table beside class folders only repeats the folders; otherwise nobody can tell which of them counts."""
    within: dict[str, set[str]] = {}
    for at, label in table.labels.items():
        within.setdefault(names[at].partition("/")[0], set()).add(label)
    if all(len(labels) == 1 for labels in within.values()):
        return None
    mixed = next(name for name, labels in within.items() if len(labels) > 1)
    raise DataError(
        f"{folder.path}: {table.path.name} gives the images in {mixed}/ more than one class ({table.column}); set "
        f'[data] label = "{table.column}" if the table counts, or remove it if the folders do'
    )


def _of_table(
    folder: Folder, files: Sequence[str], names: Sequence[str], table: LabelTable, facts: Facts, role: Role
) -> dict[Role, ImageSet]:
    sets: dict[Role, ImageSet] = {}
    for at, label in sorted(table.labels.items()):
        found = sets.setdefault(table.roles.get(at, role), ImageSet(folder.path))
        found.files.append(files[at])
        found.labels.append(label)
        if table.groups:
            found.groups.append(table.groups[at])
    if "train" not in sets and role == "train":
        raise DataError(f"{table.path}: no image belongs to the training set; check the column of sets")
    _say(facts, _LABELS, f"column {table.column} of {table.path.name}")
    without = [name for at, name in enumerate(names) if at not in table.labels]
    if without:
        facts.append(("images left out", f"{len(without)} that {table.path.name} does not name: {some(without)}"))
    if table.unmatched:
        facts.append(
            (
                _UNMATCHED,
                f"{len(table.unmatched)} in {table.path.name} without an image: {some(table.unmatched)}",
            )
        )
    return sets


def _of_folders(folder: Folder, facts: Facts, role: Role) -> dict[Role, ImageSet]:
    """One class per subfolder; each may be divided into train/ and test/ once more."""
    empty = _empty(folder)
    if empty:
        held = sorted({name.rpartition(".")[2] for f in empty for inner in f.below() for name in inner.others})
        kinds = f" (only .{', .'.join(held[:5])})" if held else ""
        raise DataError(
            f"{folder.path}: {some(f.path.name for f in empty)} contains no images{kinds}; add images or remove it"
        )
    names = {f.path.name.lower() for f in folder.holding}
    if names & PICTURES and names <= PICTURES | MASKS | ASIDE:
        raise DataError(
            f"{folder.path}: {some(f.path.name for f in folder.holding)} hold pictures and what belongs to them, not "
            "classes; give the path of the pictures alone"
        )
    if len(folder.images) > folder.total // 2:
        raise DataError(
            f"{folder.path}: {len(folder.images):,} of {number(folder.total)} lie beside the class folders; put each "
            "into the folder of its class"
        )
    if folder.images:
        facts.append(("images left out", f"{len(folder.images)} outside the class folders: {some(folder.images)}"))
    parts: list[tuple[Role, Folder, Folder]] = [(role, one, one) for one in folder.holding]
    inside = [_roles(f) if f.holding and not f.images else {} for f in folder.holding]
    if role == "train" and all(len(roles) > 1 for roles in inside):
        facts.append(("folder", "each class has its own folders for the sets"))
        parts = [
            (of, one, within)
            for one, roles in zip(folder.holding, inside, strict=True)
            for of, within in roles.items()
            if of != "unlabeled"
        ]
    sets: dict[Role, ImageSet] = {}
    masks: list[str] = []
    for of, one, within in parts:
        files, more = split_masks(_images(within), str(within.path))
        found = sets.setdefault(of, ImageSet(folder.path))
        found.files += files
        found.labels += [_class(one)] * len(files)
        masks += more
    _say_masks(facts, folder, masks)
    return sets


def _say_masks(facts: Facts, folder: Folder, masks: Sequence[str]) -> None:
    if masks:
        names = (os.path.relpath(file, folder.path).replace(os.sep, "/") for file in masks)
        facts.append(("masks left out", f"{len(masks):,} named after the images that they belong to: {some(names)}"))


def _class(folder: Folder) -> str:
    """The name of a class folder; bytes that are not UTF-8 are read as Latin-1, as old archives have them."""
    name = folder.path.name
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("latin-1")
    return name


def _images(folder: Folder) -> list[str]:
    """The paths of all images in a folder and below it, sorted folder by folder, as paths are."""
    paths = [os.path.join(inner.path, name) for inner in folder.below() for name in inner.images]
    return sorted(paths, key=lambda path: path.split(os.sep))


def _empty(folder: Folder) -> list[Folder]:
    """The subfolders without images that may have been meant as classes."""
    return [f for f in folder.folders if not f.total and f.path.name.lower() not in ASIDE]


def _unlabeled(folder: Folder) -> str:
    if not folder.total:
        others = [name for inner in folder.below() for name in inner.others]
        return "contains no images" + (f", but {skipped_text(others, 0)}" if others else "")
    if folder.holding:
        return f"all images are in one folder, {folder.holding[0].path.name}"
    return f"{number(folder.total)} without class folders"


def _say(facts: Facts, name: str, text: str) -> None:
    """Add a fact unless it is there already."""
    if (name, text) not in facts:
        facts.append((name, text))
