"""The manifest of a study: a hash of every part of its database, so that ``verify`` notices what changed since.

It is written when a command that changes the study ends, and marked as outdated before the first change, so that a
killed command leaves no manifest instead of a wrong one. Every row of every table counts, with the type of each value.
The rows hold the SHA-256 of every file, so the files count too. The hash over all parts is the study's fingerprint.

The manifest is a table of its own, with a row for each part. Its rows are never fewer than one: a table without rows,
or tables that no edition made, are damage, and not a study of the first edition, which has no such table.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final, Literal

from wellfit.errors import StoreUnreadableError, printable
from wellfit.store.database import CHANGING, MANIFEST, Database
from wellfit.store.metadata import now

__all__ = ["begin_change", "differences", "fingerprint", "state", "write"]

State = Literal["none", "outdated", "removed", "written"]

_ROOT: Final = "root"
_LOST: Final = "lost "  # followed by a part that had changed when a command began, and kept with its old hash
_ITSELF: Final = "manifest"  # as such a part
_FIRST_EDITION: Final = frozenset(
    {"study", "runs", "epochs", "findings", "sqlite_autoindex_study_1", "sqlite_autoindex_runs_1"}
)
_SINCE: Final = "note: inputs%"  # entries of every study that was tested since there are manifests
_DIGITS: Final = 16  # of the fingerprint

_WORDS: Final = {
    "schema": "the tables themselves",
    "findings": "the findings",
    "final states": "the list of final states",
    _ITSELF: "the manifest itself",
    "study study": "the settings",
    "study provenance": "the provenance",
    "study created": "the time at which the study began",
    "study seconds": "the training time",
    "study test_opened": "the times at which the test set was opened",
    "study classes": "the class names or their order",
    "study labels": "the checksum of the test labels",
    "study keepsakes": "what reports show of the data",
    "settings margin": "the margin",
    "settings metric": "the metric",
    "settings published": "the published numbers",
    "settings report": "the authors' own words",
    "settings base": "the settings of all variants",
    "settings data": "the settings of the data",
}


# --- Writing ----------------------------------------------------------------------------------------------------------


def begin_change(database: Database) -> None:
    """Mark the manifest as outdated, before anything else is changed. Damage that it shows is remembered.

    Without that, the next manifest would confirm the damage.
    """
    with database.transaction():
        lost = _lost(database)
        if state(database) in ("none", "removed"):
            database.execute(MANIFEST)
        _replace(database, {CHANGING: now(), **lost})


def write(database: Database) -> None:
    """Write the manifest of the database as it is now; the last thing that a command does to it."""
    with database.transaction():
        found = _parts(database)
        lost = {part: of for part, of in _lost(database).items() if found.get(part.removeprefix(_LOST)) != of}
        entries = {**found, **lost}
        _replace(database, {**entries, _ROOT: _root(entries)})


def _lost(database: Database) -> dict[str, str]:
    """The parts that differ from the manifest, and those that did before: as rows of the manifest, with their hashes.

    The first hash that was lost is the one that counts.
    """
    if (at := state(database)) == "none":
        return {}
    if at == "removed":
        return {_LOST + _ITSELF: ""}
    try:
        stored = _stored(database)
    except StoreUnreadableError:
        return {_LOST + _ITSELF: ""}
    lost = {part: of for part, of in stored.items() if part.startswith(_LOST)}
    if at == "outdated":
        return lost
    kept, found = _only_parts(stored), _parts(database)
    changed = [part for part in {**kept, **found} if kept.get(part) != found.get(part)]
    return {_LOST + part: kept.get(part, "") for part in changed} | lost


def _replace(database: Database, entries: Mapping[str, str]) -> None:
    database.execute("DELETE FROM manifest")
    database.execute_many("INSERT INTO manifest VALUES (?, ?)", entries.items())


# --- Reading ----------------------------------------------------------------------------------------------------------


def state(database: Database) -> State:
    """Whether there is a manifest: none in a study of the first edition, outdated after a command was killed.

    Removed: the table is missing, as in a study of the first edition, but other entries are of a later one.
    """
    names = {row[0] for row in database.rows("SELECT name FROM sqlite_master")}
    if names == _FIRST_EDITION:
        return "removed" if database.rows("SELECT 1 FROM study WHERE key LIKE ?", _SINCE) else "none"
    if "manifest" in names and database.rows("SELECT 1 FROM manifest WHERE part = ?", CHANGING):
        return "outdated"
    return "written"


def fingerprint(database: Database) -> str | None:
    """The first hexadecimal digits of the hash over the whole study, as its last command wrote it; None if outdated."""
    if state(database) != "written":
        return None
    rows = database.rows("SELECT value FROM manifest WHERE part = ?", _ROOT)
    return str(rows[0][0])[:_DIGITS] if rows else None


def differences(database: Database) -> list[str]:
    """What changed since the manifest was written, or had changed when it was, in words; empty without a manifest."""
    if (at := state(database)) == "none":
        return []
    if at == "removed":
        return [f"{_WORDS[_ITSELF]} is missing, though every study of this edition has one"]
    try:
        stored = _stored(database)
    except StoreUnreadableError:
        return [f"{_WORDS[_ITSELF]} changed since the last command"]
    lost = [part.removeprefix(_LOST) for part in stored if part.startswith(_LOST)]
    before = [f"{_in_words(part)} had changed before the last command" for part in lost]
    if CHANGING in stored:
        return before
    kept, found = _only_parts(stored), _parts(database)
    changed = [part for part in {**kept, **found} if kept.get(part) != found.get(part)]
    return [*_changed_in_words(changed, kept, found), *before]


def _stored(database: Database) -> dict[str, str]:
    """The rows of the manifest; raises unless it is whole."""
    entries = dict(database.rows("SELECT part, value FROM manifest"))
    plain = all(isinstance(part, str) and isinstance(of, str) for part, of in entries.items())
    if plain and CHANGING in entries and all(part == CHANGING or part.startswith(_LOST) for part in entries):
        return entries
    if not plain or entries.get(_ROOT) != _root({part: of for part, of in entries.items() if part != _ROOT}):
        raise StoreUnreadableError(_WORDS[_ITSELF])
    return entries


def _only_parts(stored: Mapping[str, str]) -> dict[str, str]:
    return {part: of for part, of in stored.items() if part != _ROOT and not part.startswith(_LOST)}


def _changed_in_words(changed: Iterable[str], kept: Mapping[str, str], found: Mapping[str, str]) -> Iterator[str]:
    """One line for each changed part, except for those that another line implies."""
    parts = set(changed)
    whose = {part.partition(" ")[2] for part in parts if part.startswith("seeds ")}  # their runs and epochs differ too
    inside = any(part.startswith(("settings ", "variant ")) for part in parts)  # the settings as a whole differ too
    for part in sorted(parts):
        kind, _, of = part.partition(" ")
        if kind == "seeds":
            before, after = (set(seeds.get(part, "").split()) for seeds in (kept, found))
            gone, new = sorted(before - after, key=_as_number), sorted(after - before, key=_as_number)
            yield from (f"runs: seed {seed} of {_short(of)} is missing" for seed in gone)
            yield from (f"runs: seed {seed} of {_short(of)} was added" for seed in new)
        elif not (kind in ("runs", "epochs") and of in whose) and not (part == "study study" and inside):
            yield f"{_in_words(part)} changed since the last command"


def _in_words(part: str) -> str:
    kind, _, of = part.partition(" ")
    named = {
        "runs": f"the runs of variant {_short(of)}",
        "epochs": f"the epochs of variant {_short(of)}",
        "seeds": f"the seeds of variant {_short(of)}",
        "variant": f"the settings of variant {_short(of)}",
        "settings": f"the setting {_short(repr(of))}",
        "study": f"the entry {_short(repr(of))}",
    }
    return _WORDS.get(part) or named.get(kind) or f"the part {_short(repr(part))}"


def _short(name: str) -> str:
    return printable(name, 60)


def _as_number(seed: str) -> tuple[int, str]:
    return len(seed), seed


# --- The parts --------------------------------------------------------------------------------------------------------


def _parts(database: Database) -> dict[str, str]:
    """Name of each part -> its SHA-256; of ``seeds``, the seeds themselves, so that a missing one can be named."""
    schema = database.each("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name")
    found = {"schema": _hash(schema), "findings": _hash(database.each("SELECT * FROM findings ORDER BY position"))}
    study = database.each("SELECT key, value FROM study ORDER BY key")
    for part, of_part in groupby(study, lambda row: _part_of(row[0])):
        entries = list(of_part)
        found[part] = _hash(entries)
        if part == "study study":
            found |= _settings(entries[0][1])
    seeds: dict[str, list[str]] = {}

    def note_seed(row: tuple[Any, ...]) -> None:
        seeds.setdefault(f"seeds {row[0]!r}", []).append(str(row[1]))

    for variant, runs in groupby(database.each("SELECT * FROM runs ORDER BY variant, seed"), lambda row: row[0]):
        found[f"runs {variant!r}"] = _hash(runs, note_seed)
    epochs = database.each("SELECT * FROM epochs ORDER BY variant, seed, epoch")
    for variant, rows in groupby(epochs, lambda row: row[0]):
        found[f"epochs {variant!r}"] = _hash(rows)
    return found | {part: " ".join(of_variant) for part, of_variant in seeds.items()}


def _part_of(key: Any) -> str:
    """The part that a row of the table ``study`` belongs to; thousands of final states are one."""
    return "final states" if str(key).startswith("end of ") else f"study {key}"


def _settings(text: Any) -> dict[str, str]:
    """The settings again, each on its own, so that a changed one can be named."""
    try:
        settings = {**json.loads(text)}
        variants = {**settings.pop("variants")}
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    return {f"settings {key}": _hash([(value,)]) for key, value in settings.items()} | {
        f"variant {name!r}": _hash([(value,)]) for name, value in variants.items()
    }


def _hash(rows: Iterable[tuple[Any, ...]], note: Callable[[tuple[Any, ...]], None] | None = None) -> str:
    """SHA-256 over rows as lines of JSON, which tells 1 from 1.0 and "1", and writes a float to its last bit.

    Example:
      >>> rows = [("l2", 0, 0.5)], [("l2", 0, 0.5 + 2**-53)], [("l2", "0", 0.5)], [("l2", 0.0, 0.5)]
      >>> len({_hash(of) for of in rows})
      4
    """
    total = hashlib.sha256()
    for row in rows:
        if note is not None:
            note(row)
        total.update(_JSON.encode(row).encode() + b"\n")
    return total.hexdigest()


def _as_hex(value: Any) -> dict[str, str]:
    """Bytes, which wellfit never writes into a table."""
    return {"bytes": bytes(value).hex()}


_JSON: Final = json.JSONEncoder(separators=(",", ":"), default=_as_hex)


def _root(parts: Mapping[str, str]) -> str:
    return _hash(sorted(parts.items()))
