"""What a study directory knows about its study besides the runs: settings, provenance, times, notes, findings."""

from __future__ import annotations

import contextlib
import datetime
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Self

from pydantic import BaseModel, TypeAdapter, model_validator

from wellfit.base import Finding
from wellfit.spec.identity import merged
from wellfit.spec.study import StudySpec, from_resolved, recipes
from wellfit.store.database import Database

__all__ = ["Metadata", "joined", "now"]

SECONDS_KEPT: Final = 5.0  # of training time that a killed process may lose, so that not every epoch waits for the disk

_FINDING: Final = "code, level, message, fix"  # columns
_NOTE: Final = "note: "  # followed by the note's own key, in the study table


class _Epochs(BaseModel):
    epochs: int


class _Variant(BaseModel):
    changes: dict[str, Any]
    recipe: _Epochs | None = None


class _Resolved(BaseModel):
    """What is used of a study in ``resolved`` form before its recipes are read."""

    name: str
    title: str
    data: dict[str, Any]
    base: _Epochs | None = None
    variants: dict[str, _Variant]
    seeds: list[int]
    elsewhere: bool = False

    @model_validator(mode="after")
    def _has_recipes(self) -> Self:
        """A study that wellfit trained has recipes; one that was trained elsewhere has none."""
        if any((of is None) != self.elsewhere for of in (self.base, *(v.recipe for v in self.variants.values()))):
            raise ValueError("recipes")
        return self


_A_FINDING: Final = TypeAdapter(Finding)


class Metadata:
    """The metadata in a study's database, and what this process has not saved yet: its seconds and provenance.

    A process that only looks, or that is killed before its first save, leaves no trace in the provenance.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seconds = 0.0
        self._seconds_saved = time.monotonic()
        self._provenance: Mapping[str, str] = {}

    def begin(self, resolved: Mapping[str, Any], provenance: Mapping[str, str], *, has_work: bool) -> None:
        """Save a study, or add its new variants and seeds to the stored one.

        Args:
          resolved: the study, as ``spec.resolved`` gives it; it does not conflict with the stored one.
          provenance: where the work of this process comes from; added to the stored one when work is saved.
          has_work: the directory holds runs or checkpoints.
        """
        with self._database.transaction():
            stored = self.study()
            self._database.put("study", merged(stored, resolved) if stored else resolved)
            if not stored:
                self._database.put("created", now())
            if not has_work:
                self._database.put("provenance", dict(provenance))
        self._provenance = provenance if has_work else {}

    def study(self) -> dict[str, Any]:
        """The study in ``resolved`` form, with every variant and seed ever requested; empty before ``begin``."""
        study: dict[str, Any] = self._database.get("study", {})
        with self._database.reading("the study"):
            if study:
                _Resolved.model_validate(study)
                study["data"].setdefault("folds", 1)  # the first edition had no folds
        return study

    def spec(self) -> StudySpec:
        """The study; KeyError before ``begin``."""
        with self._database.reading("the study"):
            spec = from_resolved(self.study())
            recipes(spec)
        return spec

    def write_words(self, words: Mapping[str, Any]) -> None:
        """Replace the authors' own words, which are no part of what makes a study the same study.

        Args:
          words: ``OwnWords`` as plain data.
        """
        with self._database.transaction():
            self._database.put("study", {**self.study(), "report": dict(words)})

    # --- Notes

    def write_note(self, key: str, value: Any) -> None:
        """Save plain data that JSON can hold under a key of its own."""
        with self._database.transaction():
            self._database.put(_NOTE + key, value)

    def note(self, key: str) -> Any:
        """A note; None if there is none."""
        return self._database.get(_NOTE + key, None)

    def notes(self) -> dict[str, Any]:
        """All notes by their keys."""
        rows = self._database.rows("SELECT key, value FROM study WHERE key LIKE ? ORDER BY key", f"{_NOTE}%")
        with self._database.reading("the notes"):
            return {key.removeprefix(_NOTE): json.loads(value) for key, value in rows}

    # --- Provenance

    def provenance(self) -> dict[str, str]:
        """Where the runs come from, and when the test set was opened; changed values are joined by "; then "."""
        opened = self.test_opened()
        provenance: dict[str, str] = self._database.get("provenance", {})
        return provenance | ({"test set opened": opened} if opened else {})

    def add_provenance(self, facts: Mapping[str, str]) -> None:
        """Record where work of others comes from that is about to be saved; it is saved with the work."""
        self._provenance = joined(self._provenance, facts)

    def created(self) -> str | None:
        """The time at which the study began; None before."""
        created: str | None = self._database.get("created", None)
        return created

    def test_opened(self) -> str | None:
        """Every time at which the test set was opened, joined by ", "; None before."""
        opened: str | None = self._database.get("test_opened", None)
        return opened

    def mark_test_opened(self) -> None:
        """Record that the test set is opened now."""
        with self._database.transaction():
            before = self.test_opened()
            self._database.put("test_opened", f"{before}, {now()}" if before else now())

    # --- Work of this process

    def seconds(self) -> float:
        """The time that training, its preparation and the test have taken so far."""
        return float(self._database.get("seconds", 0.0)) + self._seconds

    def add_seconds(self, seconds: float) -> None:
        """Count time of the study; it is on the disk within seconds, and whenever runs are saved."""
        self._seconds += seconds
        if time.monotonic() - self._seconds_saved > SECONDS_KEPT:
            self.save_seconds()

    def save_seconds(self) -> None:
        """Save the time that is not saved yet."""
        if self._seconds:
            with self._database.transaction():
                self._database.put("seconds", self.seconds())
            self._seconds, self._seconds_saved = 0.0, time.monotonic()

    @contextlib.contextmanager
    def saving_work(self) -> Iterator[None]:
        """A transaction that also saves the training time and the provenance of this process."""
        with self._database.transaction():
            yield
            self._database.put("seconds", self.seconds())
            if self._provenance:
                self._database.put("provenance", joined(self._database.get("provenance", {}), self._provenance))
        self._seconds, self._seconds_saved, self._provenance = 0.0, time.monotonic(), {}

    # --- Findings

    def save_findings(self, findings: Sequence[Finding]) -> None:
        """Replace the findings about data and splits."""
        rows = [(finding.code, finding.level, finding.message, finding.fix) for finding in findings]
        with self._database.transaction():
            self._database.execute("DELETE FROM findings")
            self._database.execute_many(f"INSERT INTO findings ({_FINDING}) VALUES (?, ?, ?, ?)", rows)

    def findings(self) -> tuple[Finding, ...]:
        """The saved findings, in order."""
        rows = self._database.rows(f"SELECT {_FINDING} FROM findings ORDER BY position")
        with self._database.reading("the findings"):
            return tuple(_A_FINDING.validate_python(dict(zip(_FINDING.split(", "), row, strict=True))) for row in rows)


def joined(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """The provenance of two sets of runs.

    Example:
      >>> joined({"jax": "1", "numpy": "5"}, {"jax": "2", "numpy": "5"})
      {'jax': '1; then 2', 'numpy': '5'}
    """
    together = dict(before)
    for fact, value in now.items():
        values = before[fact].split("; then ") if fact in before else []
        together[fact] = "; then ".join(dict.fromkeys([*values, *value.split("; then ")]))
    return together


def now() -> str:
    """The time in UTC, to the second, in ISO 8601."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
