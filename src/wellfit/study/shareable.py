"""What a report may say of the places on its author's machine: of an absolute path, the last part alone.

A report is sent to others, and a path names people, customers and machines. Relative paths stay, since they are part of
what was typed and mean the same elsewhere. The study directory keeps the whole paths.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Final

from wellfit.base import StudySummary
from wellfit.files import home_expanded
from wellfit.spec.tables import DATA_FILES

__all__ = ["last_part", "places_of", "shareable", "shareable_settings", "without_folders"]

_NAME: Final = r"""[^\s"'(),;\]/\\`<>|]+"""
_ABSOLUTE: Final = re.compile(
    r"""(?:(?<=^)|(?<=[\s"'(=,\[:;`<|]))(?:file://)?"""
    rf"""((?:~\w*|[A-Za-z]:)?(?:\\\\|[/\\])(?:{_NAME}[/\\]+)*{_NAME})[/\\]*"""
)
"""An absolute path without spaces, also with a drive, on a server of Windows, or as an address."""

_QUOTED: Final = re.compile(r"""(['"])((?:~|[A-Za-z]:)?[/\\][^'"]*)\1""")
"""An absolute path in quotes, which may have spaces."""


def last_part(path: str) -> str:
    r"""The name of what an absolute path leads to; any other text, and what is in the topmost folder, as it is.

    Example:
      >>> last_part("/home/ann/my data/people.csv"), last_part("C:\\Users\\ann\\pets"), last_part("../people.csv")
      ('people.csv', 'pets', '../people.csv')
    """
    for pure in (PurePosixPath(path), PureWindowsPath(path)):
        if (pure.is_absolute() and len(pure.parts) + (len(pure.drive) > 2) > 2) or (
            path.startswith("~") and len(pure.parts) > 1
        ):
            return pure.name
    return path


def without_folders(text: str, known: tuple[str, ...] = ()) -> str:
    """A text with the last part of every absolute path in it.

    Args:
      known: paths that occur in it, which may have spaces.

    Example:
      >>> without_folders("Pets, from /home/ann/pets; then Pets, from WELLFIT_DATA (/data/pets)")
      'Pets, from pets; then Pets, from WELLFIT_DATA (pets)'
      >>> without_folders("wellfit run --data='/my data/a.csv' --out=/tmp/x")
      "wellfit run --data='a.csv' --out=x"
    """
    for path in sorted(known, key=len, reverse=True):
        text = text.replace(path, last_part(path))
    text = _QUOTED.sub(lambda found: f"{found[1]}{last_part(found[2])}{found[1]}", text)
    return _ABSOLUTE.sub(lambda found: last_part(found[1]), text)


def shareable_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with the last part of every absolute path.

    Example:
      >>> shareable_settings({"data": {"name_or_path": "/home/ann/people.csv", "folds": 5}, "name": "a"})
      {'data': {'name_or_path': 'people.csv', 'folds': 5}, 'name': 'a'}
    """
    return {
        key: without_folders(value) if key == "title" and isinstance(value, str) else _shown(value)
        for key, value in settings.items()
    }


def places_of(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths of a study's data, as written and as they are opened.

    Args:
      data: the table ``[data]`` of a study in ``resolved`` form.
    """
    written = [str(data.get(key) or "") for key in ("name_or_path", *DATA_FILES)]
    return tuple(path for place in written if place for path in (place, str(home_expanded(place))))


def shareable(summary: StudySummary) -> StudySummary:
    """A summary that names no folder of this machine except that of the study."""
    known = (*places_of(summary.settings.get("data", {})), summary.directory)
    return replace(
        summary,
        title=without_folders(summary.title, known),
        data=last_part(summary.data),
        settings=shareable_settings(summary.settings),
        provenance={key: without_folders(value, known) for key, value in summary.provenance.items()},
        variants=tuple(replace(v, settings=shareable_settings(v.settings)) for v in summary.variants),
        findings=tuple(
            replace(f, message=without_folders(f.message, known), fix=without_folders(f.fix, known))
            for f in summary.findings
        ),
    )


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return shareable_settings(value)
    if isinstance(value, list | tuple):
        return type(value)(_shown(item) for item in value)
    return last_part(value) if isinstance(value, str) else value
