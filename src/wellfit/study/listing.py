"""The built-in studies at a glance. Apart from ``spec`` so that listing them loads neither pydantic nor NumPy."""

from __future__ import annotations

from typing import NamedTuple

from wellfit.study.source import builtin_studies, parse_toml

__all__ = ["Listed", "list_studies"]


class Listed(NamedTuple):
    """A built-in study: its name, its question, and what it trains on what."""

    name: str
    title: str
    description: str


def list_studies() -> list[Listed]:
    """The built-in studies, by name.

    Example:
      >>> [study.name for study in list_studies()]
      ['lab5', 'regularization']
    """
    tables = (parse_toml(text, name) for name, text in builtin_studies().items())
    return [Listed(table["name"], table["title"], table["description"]) for table in tables]
