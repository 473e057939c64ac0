"""A study directory as files and rows: what belongs in it, whether its database is whole, what several hold together.

A run is taken over bit by bit: its rows, its weights and its test probabilities, and the time at which it was finished.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from wellfit.store.database import Database
from wellfit.store.ends import FOLDER as ENDS
from wellfit.store.ends import end_files
from wellfit.store.facts import joined, read_provenance
from wellfit.store.files import read_file, write_file
from wellfit.store.runs import RUN_FOLDERS, Run, file_of

__all__ = ["KEEPSAKES", "LABELS", "copy_all", "damage", "files"]

LABELS: Final = "test/labels.npz"
KEEPSAKES: Final = "test/keepsakes.npz"  # what reports show of the data, see study/keepsakes.py

Part: TypeAlias = tuple[Path, Database, Collection[Run]]
"""A study directory, its database, and the runs to take from it."""


def files(database: Database) -> dict[str, str]:
    """Every file that the database names: its name in the directory -> its SHA-256."""
    found = dict(_files_of_runs(database)) | end_files(database)
    labels, keepsakes = database.get("labels", None), database.get("keepsakes", None)
    found |= {LABELS: labels} if labels else {}
    return found | ({KEEPSAKES: keepsakes["sha256"]} if keepsakes else {})


def _files_of_runs(database: Database) -> Iterator[tuple[str, str]]:
    """File name and SHA-256 of every run's weights, and of its test probabilities where it was tested."""
    rows = database.rows("SELECT variant, seed, weights_sha256, test_sha256 FROM runs ORDER BY variant, seed")
    for variant, seed, *sums in rows:
        for folder, sha256 in zip(RUN_FOLDERS, sums, strict=True):
            if sha256 is not None:
                yield file_of(folder, (variant, seed)), sha256


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


def copy_all(parts: Sequence[Part], directory: Path, database: Database) -> None:
    """Fill a directory that has no runs with the runs and the facts of others of the same study, bit by bit.

    The directory is whole when this returns, not before. The findings are not copied.

    Args:
      parts: what to take; the runs of an earlier one are not in a later one.
      directory: to fill.
      database: of that directory.

    Raises:
      StoreUnreadableError: a file of the others is missing or damaged.
      StoreError: the disk is full or the directory not writable.
    """
    with database.transaction():
        for _, source, runs in parts:
            _copy_rows(source, database, runs)
        for key, value in _facts_together([source for _, source, _ in parts]).items():
            database.put(key, value)
        provenance: dict[str, str] = {}
        for _, source, _ in parts:
            provenance = joined(provenance, read_provenance(source))
        database.put("provenance", provenance)
    places = {named: place for place, source, _ in reversed(parts) for named in files(source).items()}
    for name, sha256 in files(database).items():
        path = places[name, sha256] / name
        if not name.startswith(f"{ENDS}/") or path.exists():  # one may do without ends
            write_file(directory / name, read_file(path, sha256))


def _copy_rows(source: Database, target: Database, runs: Collection[Run]) -> None:
    """Copy the rows of runs, and of their epochs, from one database to another of the same version."""
    for table in ("runs", "epochs"):
        for run in runs:
            rows = source.rows(f"SELECT * FROM {table} WHERE variant = ? AND seed = ?", *run)
            if rows:
                target.execute_many(f"INSERT INTO {table} VALUES (?{', ?' * (len(rows[0]) - 1)})", rows)


def _facts_together(databases: Sequence[Database]) -> dict[str, Any]:
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
