"""Folders of trackers: the files in them, bounded, without following links; and small files as JSON or YAML."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from wellfit.data.limits import raised, remedy
from wellfit.data.tracked.runs import flat
from wellfit.errors import DataError, one_line
from wellfit.files import form_of, read_plain

__all__ = ["files_below", "json_in", "parts_below", "read_bounded", "skipped_notes", "yaml_in"]

_DEEP: Final = 6
_OF_A_RUN: Final = re.compile(r"[0-9]|metrics|hparams|history")  # in a name; README.txt is of none
_MOST_FILES: Final = 50_000
_MOST_BYTES: Final = 1 << 23  # of a JSON file, which takes up to a hundred times as many in memory
_MOST_YAML: Final = 1 << 17  # PyYAML takes up to 15 s for a megabyte


def files_below(folder: Path, wanted: Callable[[str], bool], skipped: Counter[str] | None = None) -> Iterator[Path]:
    """The files in a folder and those within it whose names are wanted, in order; links to folders are not followed.

    Args:
      folder: where to begin.
      wanted: of the name of a file.
      skipped: counts what was not looked into, and why; see ``skipped_notes``.

    Raises:
      DataError: too many files, a folder that cannot be read, or something else than a file with the name of a run.
    """
    skipped = Counter() if skipped is None else skipped

    def refuse(error: OSError) -> None:
        raise DataError(
            f"{error.filename}: cannot be read ({error.strerror or error}); check its permissions"
        ) from None

    seen = 0
    base = len(folder.parts)
    for place, folders, files in os.walk(folder, onerror=refuse):
        here = Path(place)
        seen_here = sorted(name for name in folders if not name.startswith("."))
        folders[:] = [name for name in seen_here if not (here / name).is_symlink()]
        skipped["links"] += len(seen_here) - len(folders)
        if len(here.parts) - base >= _DEEP:
            skipped["deep"] += len(folders)
            folders.clear()
        seen += len(files)
        if seen > raised(_MOST_FILES):
            raise DataError(f"{folder}: more than {raised(_MOST_FILES):,} files; give the folder of the runs, or "
                            f"{remedy(seen, _MOST_FILES)}")  # fmt: skip
        for name in sorted(files):
            if wanted(name):
                if (form := form_of(here / name)) == "a file":
                    yield here / name
                elif _OF_A_RUN.search(name):
                    raise DataError(f"{here / name}: {form or 'a link that leads nowhere'}, not a file; put the file "
                                    "there, or remove this")  # fmt: skip
                else:
                    skipped["others"] += 1


def skipped_notes(skipped: Mapping[str, int]) -> list[str]:
    """What ``files_below`` did not look into, one sentence each.

    Example:
      >>> skipped_notes({"links": 2, "deep": 0})
      ['Not looked into: 2 links to folders; give the folders themselves.']
    """
    words = {
        "links": "links to folders; give the folders themselves",
        "deep": f"folders more than {_DEEP} levels deep",
        "others": "links that lead nowhere, pipes or devices",
    }
    return [f"Not looked into: {count} {words[which]}." for which, count in skipped.items() if count]


def parts_below(path: Path, root: Path) -> tuple[str, ...]:
    """The names of the folders and the file that lead to a path; of the root itself, its own name.

    Example:
      >>> parts_below(Path("logs/l2/seed-0"), Path("logs")), parts_below(Path("logs/l2.0"), Path("logs/l2.0"))
      (('l2', 'seed-0'), ('l2.0',))
    """
    return path.relative_to(root).parts or (root.resolve().name,)


def read_bounded(path: Path, most: int, what: str = "file") -> bytes:
    """The bytes of a regular file.

    Args:
      path: of the file.
      most: its largest size, which ``WELLFIT_LIMITS`` raises.
      what: it is, for errors.

    Raises:
      DataError: it is none, is too large, or cannot be read.
    """
    if (form := form_of(path)) != "a file":
        nothing = "a link that leads nowhere" if path.is_symlink() else "no such file"
        raise DataError(f"{path}: {form or nothing}; give a {what}")
    if path.is_symlink():
        raise DataError(f"{path}: a link; put the file itself there")
    try:
        size = path.stat().st_size
        if size > raised(most):
            raise DataError(f"{path}: {size:,} bytes are more than a {what} should have ({most:,}); "
                            f"{remedy(size, most)}")  # fmt: skip
        return read_plain(path, raised(most))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from None


def json_in(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
      DataError: it is too large or no JSON.
    """
    try:
        text = read_bounded(path, _MOST_BYTES, "JSON file").decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=partial(_once, path))
    except RecursionError:
        raise DataError(f"{path}: lists within lists too deep for JSON; write it with json.dump") from None
    except ValueError as error:
        raise DataError(f"{path}: no JSON ({one_line(error)}); write it with json.dump") from None


def _once(path: Path, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, whose keys are there once."""
    _refuse_twice([name for name, _ in pairs], path)
    return dict(pairs)


def yaml_in(path: Path) -> dict[str, str]:
    """The settings in a YAML file as name -> text; empty where there is no file, or nothing in it.

    Raises:
      DataError: PyYAML is not installed; or the file is too large, no YAML, has a key twice, or asks for Python
        objects.
    """
    if form_of(path) is None and not path.is_symlink():
        return {}
    content = read_bounded(path, _MOST_YAML, "YAML file")
    if content.strip() in (b"", b"{}", b"null"):
        return {}
    try:
        import yaml
    except ImportError:
        fix = 'install it with: pip install "wellfit[yaml]"'
        raise DataError(f"{path}: reading it needs PyYAML, which is not installed; {fix}") from None
    if b"&" in content and b"*" in content:  # an alias of an alias of an alias ... is exponentially large
        aliases = sum(isinstance(event, yaml.AliasEvent) for event in _events(path, content))
        if aliases > 20:
            raise DataError(f"{path}: {aliases} aliases (*name); write the values out")
    try:
        found = _loaded(yaml, content, path)
        settings = flat(found, str(path)) if isinstance(found, Mapping) else None
    except DataError:
        raise
    except RecursionError:
        raise DataError(f"{path}: values within values too deep for YAML; repair it, or delete it") from None
    except Exception as error:  # PyYAML lets many pass: KeyError, IndexError, AttributeError, OverflowError
        why = one_line(error)
        fix = "save plain numbers and texts as settings" if "python/" in why else "repair it, or delete it"
        raise DataError(f"{path}: cannot be read as plain YAML ({why[:120]}); {fix}") from None
    if settings is None:
        raise DataError(f"{path}: holds no settings; give name: value in each line")
    return settings


def _loaded(yaml: Any, content: bytes, path: Path) -> Any:
    """The document in a YAML file, whose mappings have every key once."""
    loader = yaml.SafeLoader(content)
    try:
        node = loader.get_single_node()
        waiting, seen = [node], set[int]()
        while waiting:
            if id(inner := waiting.pop()) in seen or not isinstance(inner, yaml.CollectionNode):
                continue
            seen.add(id(inner))
            if isinstance(inner, yaml.MappingNode):
                _refuse_twice([key.value for key, _ in inner.value if isinstance(key, yaml.ScalarNode)], path)
                waiting += [of for pair in inner.value for of in pair]
            else:
                waiting += inner.value
        return None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _refuse_twice(names: Sequence[str], path: Path) -> None:
    if twice := [name for name, count in Counter(names).items() if count > 1 and name != "<<"]:
        raise DataError(f"{path}: the key {twice[0]!r} is there twice; keep one of the two")


def _events(path: Path, content: bytes) -> Iterator[Any]:
    import yaml

    try:
        yield from yaml.parse(content, Loader=yaml.SafeLoader)
    except Exception as error:
        raise DataError(f"{path}: cannot be read as plain YAML ({one_line(error)[:120]}); repair it") from None
