"""A study directory as files and rows: what belongs in it, whether its database is whole, what several hold together.

A run is taken over bit by bit: its rows, its weights and its test probabilities, and the time at which it was finished.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from wellfit.study.store.database import Database
from wellfit.study.store.ends import end_files

__all__ = ["KEEPSAKES", "copy_rows", "damage", "facts_together", "files", "files_of_runs", "notes"]

Run = tuple[str, int]

KEEPSAKES: Final = "test/keepsakes.npz"  # what reports show of the data, see study/keepsakes.py


def files(database: Database) -> dict[str, str]:
    """Every file that the database names: its name in the directory -> its SHA-256."""
    found = {name: sha256 for _, name, sha256 in files_of_runs(database)} | end_files(database)
    labels, keepsakes = database.get("labels", None), database.get("keepsakes", None)
    found |= {"test/labels.npz": labels} if labels else {}
    return found | ({KEEPSAKES: keepsakes["sha256"]} if keepsakes else {})


def files_of_runs(database: Database) -> Iterator[tuple[Run, str, str]]:
    """Run, file name and SHA-256 of every run's weights, and of its test probabilities where it was tested."""
    rows = database.rows("SELECT variant, seed, weights_sha256, test_sha256 FROM runs ORDER BY variant, seed")
    for variant, seed, *sums in rows:
        for folder, sha256 in zip(("weights", "test"), sums, strict=True):
            if sha256 is not None:
                yield (variant, seed), f"{folder}/{variant}.{seed}.npz", sha256


def damage(database: Database) -> list[str]:
    """What is wrong with the database itself, in words; nothing where it is whole."""
    told = [row[0] for row in database.rows("PRAGMA integrity_check(10)")]
    if told != ["ok"]:
        return [" ".join(line.split()) for line in told]
    strays = database.rows(
        "SELECT DISTINCT variant, seed FROM epochs EXCEPT SELECT variant, seed FROM runs ORDER BY 1, 2"
    )
    broken = database.rows(
        "SELECT variant, seed FROM epochs GROUP BY variant, seed HAVING min(epoch) != 1 OR max(epoch) != count(*)"
    )
    return [
        *(f"epochs of variant {variant!r}, seed {seed}, which is no run" for variant, seed in strays),
        *(f"the epochs of variant {variant!r}, seed {seed} do not follow one another" for variant, seed in broken),
    ]


def notes(database: Database) -> dict[str, Any]:
    """What was noted of the study, key -> plain data."""
    rows = database.rows("SELECT key, value FROM study WHERE key LIKE 'note: %' ORDER BY key")
    return {key.removeprefix("note: "): json.loads(value) for key, value in rows}


def copy_rows(source: Database, target: Database, runs: Iterable[Run]) -> None:
    """Copy the rows of runs, and of their epochs, from one database to another of the same version."""
    for table in ("runs", "epochs"):
        for run in runs:
            rows = source.rows(f"SELECT * FROM {table} WHERE variant = ? AND seed = ?", *run)
            if rows:
                target.execute_many(f"INSERT INTO {table} VALUES (?{', ?' * (len(rows[0]) - 1)})", rows)


def facts_together(databases: Sequence[Database]) -> dict[str, Any]:
    """What the ``study`` tables of several directories of one study say together, save study and provenance.

    Of keepsakes the first one's pictures stay; what single runs say of a grid of points does not speak for the others.
    """
    told: list[dict[str, Any]] = []
    for database in databases:
        keys = [row[0] for row in database.rows("SELECT key FROM study")]
        told.append({key: database.get(key, None) for key in keys})
    together = {key: value for facts in reversed(told) for key, value in facts.items()}  # the first one's word counts
    together["created"] = min(facts["created"] for facts in told)
    together["seconds"] = sum(facts.get("seconds", 0.0) for facts in told)
    opened = {time for facts in told for time in facts.get("test_opened", "").split(", ") if time}
    if opened:
        together["test_opened"] = ", ".join(sorted(opened))
    if together.get("keepsakes", {}).get("facts", {}).get("shape") == [2]:
        del together["keepsakes"]
    return {key: value for key, value in together.items() if key not in ("study", "provenance")}
