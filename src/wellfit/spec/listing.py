"""Lists of the built-in studies. Loads neither pydantic nor NumPy, so that ``wellfit list`` answers at once."""

from __future__ import annotations

from typing import NamedTuple

from wellfit.errors import UnknownNameError
from wellfit.spec.source import builtin_studies, parse_toml

__all__ = ["Listed", "find_study", "list_parts", "list_studies"]


class Listed(NamedTuple):
    """A built-in study or part: its name, its question, and what it trains on which data."""

    name: str
    title: str
    description: str


def list_studies() -> list[Listed]:
    """The built-in studies, by name.

    Example:
      >>> [study.name for study in list_studies()][:4]
      ['augmentation', 'lab-512', 'lab-depth', 'lab-lenet5']
    """
    tables = (parse_toml(text, name) for name, text in builtin_studies().items())
    return [Listed(table["name"], table["title"], table["description"]) for table in tables]


def list_parts(study: str) -> list[Listed]:
    """The parts of a built-in study in the file's order, with the names that ``wellfit run`` takes.

    Raises:
      UnknownNameError: no such study.

    Example:
      >>> [part.name for part in list_parts("lab5")][:3]
      ['lab5/combined', 'lab5/l2', 'lab5/dropout']
    """
    known = builtin_studies()
    if study not in known:
        raise UnknownNameError("study", study, known)
    parts = parse_toml(known[study], study).get("parts", {})
    return [Listed(f"{study}/{name}", part["title"], part.get("description", "")) for name, part in parts.items()]


def find_study(name: str) -> Listed:
    """A built-in study or part by the name that ``wellfit run`` takes.

    Args:
      name: for example ``"lab5"`` or ``"lab5/depth"``.

    Raises:
      UnknownNameError: no such study or part.

    Example:
      >>> find_study("lab5/depth").title
      'Do fewer or more hidden layers help on Fashion-MNIST?'
    """
    study, slash, part = name.partition("/")
    parts = {listed.name.partition("/")[2]: listed for listed in list_parts(study)}
    if not slash:
        return next(listed for listed in list_studies() if listed.name == study)
    if part not in parts:
        raise UnknownNameError("part", part, parts, f"study {study!r}")
    return parts[part]
