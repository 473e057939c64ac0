"""What a study directory knows of its study beside the runs: plain data in one table, and the findings."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from wellfit.base import Finding
from wellfit.store.database import Database

__all__ = [
    "joined",
    "now",
    "read_findings",
    "read_notes",
    "read_provenance",
    "read_study",
    "read_test_opened",
    "replace_findings",
    "trained_part",
    "write_note",
]

_COLUMNS: Final = "code, level, message, fix"  # of a finding
_NOTE: Final = "note: "  # of the study table; the note's own key follows


def read_study(database: Database) -> dict[str, Any]:
    """The study in its ``resolved`` form; empty where there is none yet."""
    study: dict[str, Any] = database.get("study", {})
    return study


def trained_part(study: dict[str, Any], asked: Mapping[tuple[str, int], int]) -> dict[str, Any]:
    """A study with no more epochs anywhere than its runs were trained for.

    Args:
      study: in its ``resolved`` form; it is changed.
      asked: every run that was trained, and the epochs that its recipe asked for.
    """
    most: dict[str, int] = {}
    for (variant, _), epochs in asked.items():
        most[variant] = max(epochs, most.get(variant, 0))
    base = max((most.get(name, 0) for name, v in study["variants"].items() if "epochs" not in v["changes"]), default=0)
    study["base"]["epochs"] = min(study["base"]["epochs"], max(base, 1))
    for name, variant in study["variants"].items():
        variant["recipe"]["epochs"] = min(variant["recipe"]["epochs"], most.get(name, 1))
    return study


def write_note(database: Database, key: str, value: Any) -> None:
    """Keep plain data under a key that is apart from the store's own."""
    database.put(_NOTE + key, value)


def read_notes(database: Database) -> dict[str, Any]:
    """What was noted of the study, key -> plain data."""
    rows = database.rows("SELECT key, value FROM study WHERE key LIKE ? ORDER BY key", f"{_NOTE}%")
    return {key.removeprefix(_NOTE): json.loads(value) for key, value in rows}


def read_provenance(database: Database) -> dict[str, str]:
    """Where the saved runs come from."""
    provenance: dict[str, str] = database.get("provenance", {})
    return provenance


def joined(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """Provenance of runs saved before and now.

    Example:
      >>> joined({"jax": "1", "numpy": "5"}, {"jax": "2", "numpy": "5"})
      {'jax': '1; then 2', 'numpy': '5'}
    """
    together = dict(before)
    for fact, value in now.items():
        values = before[fact].split("; then ") if fact in before else []
        together[fact] = "; then ".join(dict.fromkeys([*values, *value.split("; then ")]))
    return together


def read_test_opened(database: Database) -> str | None:
    """When the test set was opened: every time, joined by ", "; or None."""
    opened: str | None = database.get("test_opened", None)
    return opened


def read_findings(database: Database) -> tuple[Finding, ...]:
    """The findings that were saved, in order."""
    return tuple(Finding(*row) for row in database.rows(f"SELECT {_COLUMNS} FROM findings ORDER BY position"))


def replace_findings(database: Database, findings: Sequence[Finding]) -> None:
    """Put findings in the place of those that are there; to be called in a transaction."""
    rows = [(f.code, f.level, f.message, f.fix) for f in findings]
    database.execute("DELETE FROM findings")
    database.execute_many(f"INSERT INTO findings ({_COLUMNS}) VALUES (?, ?, ?, ?)", rows)


def now() -> str:
    """The time, ISO 8601, UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
