"""The study directory as a whole: the files that belong to it, damage to its database, and merging directories."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from wellfit.files import replacing, write_errors
from wellfit.store.arrays import read_file
from wellfit.store.database import Database
from wellfit.store.directory import Store
from wellfit.store.final_states import FOLDER as FINAL_STATES
from wellfit.store.metadata import joined
from wellfit.store.names import file_named, is_there
from wellfit.store.runs import Run

__all__ = ["copy_runs", "damage", "files"]


def files(store: Store) -> dict[str, str]:
    """Every file that the database names: its name in the directory -> its SHA-256."""
    return store.runs.files() | store.final_states.files() | store.keepsakes.files()


def damage(database: Database) -> list[str]:
    """What is wrong with the database itself, a line each; empty if it is undamaged."""
    lines = [row[0] for row in database.rows("PRAGMA integrity_check(10)")]
    if lines != ["ok"]:
        return [" ".join(line.split()) for line in lines]
    strays = database.rows(
        "SELECT DISTINCT variant, seed FROM epochs EXCEPT SELECT variant, seed FROM runs ORDER BY 1, 2"
    )
    gaps = database.rows(
        "SELECT variant, seed FROM epochs GROUP BY variant, seed HAVING min(epoch) != 1 OR max(epoch) != count(*)"
    )
    missing = database.rows(
        "SELECT variant, seed, epochs, "
        "(SELECT count(*) FROM epochs WHERE epochs.variant = runs.variant AND epochs.seed = runs.seed) n "
        "FROM runs WHERE n != epochs"
    )
    return [
        *(f"variant {variant!r}, seed {seed}: {n} epochs instead of {of}" for variant, seed, of, n in missing),
        *(f"epochs of variant {variant!r}, seed {seed}, which is not a run" for variant, seed in strays),
        *(f"the epochs of variant {variant!r}, seed {seed} are not consecutive" for variant, seed in gaps),
    ]


def copy_runs(sources: Sequence[tuple[Store, Collection[Run]]], target: Store) -> None:
    """Fill a directory that has no runs with those of others of the same study, with their metadata, bit by bit.

    The directory is complete when this returns, not before. The findings are not copied.

    Args:
      sources: open stores, each with the runs to take from it; no run is taken twice.
      target: the store to fill.

    Raises:
      StoreUnreadableError: a file of the others is missing or damaged.
      StoreError: the disk is full or the directory is not writable.
    """
    stores = [store for store, _ in sources]
    with target.database.transaction():
        for store, runs in sources:
            _copy_rows(store.database, target.database, runs)
        for key, value in _merged_metadata([store.database for store in stores]).items():
            target.database.put(key, value)
    places = {named: store.directory for store in reversed(stores) for named in files(store).items()}
    for name, sha256 in files(target).items():
        source, path = file_named(places[name, sha256], name), file_named(target.directory, name)
        if is_there(source) or not name.startswith(f"{FINAL_STATES}/"):  # a study is complete without final states
            content = read_file(source, sha256)
            with (
                write_errors(path, "free disk space or fix the permissions, and merge again"),
                replacing(path, alone=True) as temporary,
            ):
                temporary.write_bytes(content)


def _copy_rows(source: Database, target: Database, runs: Collection[Run]) -> None:
    """Copy the rows of runs and their epochs between two databases of the same version."""
    for table in ("runs", "epochs"):
        for run in runs:
            rows = source.rows(f"SELECT * FROM {table} WHERE variant = ? AND seed = ?", *run)
            if rows:
                target.execute_many(f"INSERT INTO {table} VALUES (?{', ?' * (len(rows[0]) - 1)})", rows)


def _merged_metadata(databases: Sequence[Database]) -> dict[str, Any]:
    """The ``study`` tables of several directories of one study as one, without the study itself.

    Values come from the first directory that has them. Decision regions are left out, because they show single runs.
    """
    tables: list[dict[str, Any]] = []
    for database in databases:
        keys = [row[0] for row in database.rows("SELECT key FROM study")]
        tables.append({key: database.get(key, None) for key in keys})
    together = {key: value for table in reversed(tables) for key, value in table.items()}
    together["created"] = min(table["created"] for table in tables)
    together["seconds"] = sum(table.get("seconds", 0.0) for table in tables)
    together["provenance"] = {}
    for table in tables:
        together["provenance"] = joined(together["provenance"], table.get("provenance", {}))
    opened = {time for table in tables for time in table.get("test_opened", "").split(", ") if time}
    if opened:
        together["test_opened"] = ", ".join(sorted(opened))
    if together.get("keepsakes", {}).get("facts", {}).get("shape") == [2]:
        del together["keepsakes"]
    return {key: value for key, value in together.items() if key != "study"}
