"""The manifest names what changed, survives what commands do, and is never lost in silence."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

import stores
from eventful import change
from saved_runs import opened, probabilities, record
from wellfit.base import Finding
from wellfit.errors import StoreError, StoreUnreadableError
from wellfit.store import Store, manifest, open_existing

AFTER = "changed since the last command"
BEFORE = "had changed before the last command"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study with three seeds of two variants, tested, with findings, notes and a final state."""
    with opened(tmp_path / "s") as store:
        records = [record(variant, seed) for variant in ("l2", "baseline") for seed in range(3)]
        tested = {(r.spec.variant, r.spec.seed): r.spec.seed for r in records}
        store.runs.save(
            records,
            {run: probabilities(seed) for run, seed in tested.items()},
            dict.fromkeys(tested, (0.5, 1.0)),
        )
        store.metadata.write_note("examples", {"training": 3})
        store.metadata.save_findings([Finding("overfitting", "warning", "It overfits.", "Stop earlier.")])
        store.keepsakes.save_labels(probabilities(0).argmax(axis=1), list("abcdefghij"))
    return tmp_path / "s"


def found(directory: Path) -> list[str]:
    with open_existing(directory) as store:
        return manifest.differences(store.database)


def the_state(directory: Path) -> tuple[str, bool]:
    with open_existing(directory) as store:
        return manifest.state(store.database), manifest.fingerprint(store.database) is not None


def killed(store: Store) -> None:
    """End a process as a kill does: nothing else is written."""
    store.database.close()
    assert store.lock is not None
    store.lock.release()


CHANGES = {
    "UPDATE study SET value = replace(value, '\"margin\": ', '\"margin\": 1') WHERE key = 'study'": "the margin",
    "UPDATE study SET value = json_set(value, '$.published.l2', json('{}')) WHERE key = 'study'": (
        "the published numbers"
    ),
    "UPDATE study SET value = json_set(value, '$.title', 'Another?') WHERE key = 'study'": "the setting 'title'",
    "UPDATE study SET value = json_set(value, '$.variants.l2.changes.l2', 0.5) WHERE key = 'study'": (
        "the settings of variant 'l2'"
    ),
    "UPDATE study SET value = value || ' ' WHERE key = 'study'": "the settings",
    'UPDATE study SET value = replace(value, \'"a", "b"\', \'"b", "a"\') WHERE key = \'classes\'': (
        "the class names or their order"
    ),
    "UPDATE study SET value = replace(value, '\"jax\": \"1', '\"jax\": \"2') WHERE key = 'provenance'": (
        "the provenance"
    ),
    "UPDATE study SET key = 'note: exampler' WHERE key = 'note: examples'": "the entry 'note: example",
    "UPDATE findings SET message = 'It fits.'": "the findings",
    "DELETE FROM findings": "the findings",
    "UPDATE epochs SET train_loss = train_loss * (1 + 4e-16) WHERE variant = 'l2' AND seed = 1 AND epoch = 2": (
        "the epochs of variant 'l2'"
    ),
    "UPDATE epochs SET train_loss = NULL WHERE variant = 'l2' AND seed = 1 AND epoch = 2": "the epochs of variant 'l2'",
    "UPDATE runs SET seconds = 2 WHERE variant = 'baseline' AND seed = 1": "the runs of variant 'baseline'",
    "UPDATE runs SET weights_sha256 = test_sha256 WHERE variant = 'l2'": "the runs of variant 'l2'",
    "CREATE TABLE more (x)": "the tables themselves",
}


@pytest.mark.parametrize("statement", CHANGES)
def test_it_names_what_changed(statement: str, study: Path) -> None:
    assert found(study) == []
    change(study, statement)
    lines = found(study)
    assert lines
    assert all(line.startswith(CHANGES[statement]) and line.endswith(AFTER) for line in lines), lines
    assert len(lines) == (2 if "exampler" in statement else 1)  # one entry is gone, one is new


def test_it_names_missing_and_added_seeds(study: Path) -> None:
    change(study, "DELETE FROM epochs WHERE variant = 'l2' AND seed = 1")
    change(study, "DELETE FROM runs WHERE variant = 'l2' AND seed = 1")
    change(study, "UPDATE runs SET seed = 10 WHERE variant = 'baseline' AND seed = 2")
    change(study, "UPDATE epochs SET seed = 10 WHERE variant = 'baseline' AND seed = 2")
    assert found(study) == [
        "runs: seed 2 of 'baseline' is missing",
        "runs: seed 10 of 'baseline' was added",
        "runs: seed 1 of 'l2' is missing",
    ]
    change(study, "DELETE FROM epochs WHERE variant = 'l2'")
    change(study, "DELETE FROM runs WHERE variant = 'l2'")
    assert found(study)[2:] == [f"runs: seed {seed} of 'l2' is missing" for seed in range(3)]


def test_a_long_or_hostile_name_is_one_short_line(study: Path) -> None:
    change(study, "UPDATE study SET key = 'note: \u001b[2J' || printf('%.*c', 999, 'x') WHERE key = 'note: examples'")
    assert all(len(line) < 150 and line.isprintable() for line in found(study))


# --- The manifest itself


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE manifest SET value = replace(value, 'a', 'b') WHERE part = 'findings'",
        "UPDATE manifest SET value = replace(value, 'a', 'b') WHERE part = 'root'",
        "UPDATE manifest SET part = 'rooT' WHERE part = 'root'",
        "UPDATE manifest SET part = 'changing' WHERE part = 'root'",
        "UPDATE manifest SET part = 'changing' WHERE part = 'findings'",
        "UPDATE manifest SET part = x'00' WHERE part = 'findings'",
        "DELETE FROM manifest WHERE part = 'findings'",
        "DELETE FROM manifest",
    ],
)
def test_a_damaged_manifest_is_never_no_manifest(statement: str, study: Path) -> None:
    change(study, statement)
    assert found(study) == [f"the manifest itself {AFTER}"]
    with opened(study):
        pass
    assert found(study) == [f"the manifest itself {BEFORE}"]


def test_a_table_of_another_name_is_no_first_edition(study: Path) -> None:
    change(study, "ALTER TABLE manifest RENAME TO lanifest")
    assert found(study) == [f"the manifest itself {AFTER}"]


# --- Commands


def test_it_is_outdated_while_a_command_changes_the_study(study: Path) -> None:
    before = stores.rows(study, "SELECT * FROM manifest ORDER BY part")
    store = opened(study)
    assert the_state(study) == ("outdated", False)
    store.close()
    assert the_state(study) == ("written", True)
    assert stores.rows(study, "SELECT * FROM manifest ORDER BY part") == before  # nothing was changed


def test_a_killed_command_leaves_none_and_the_next_writes_it(study: Path) -> None:
    store = opened(study)
    store.metadata.write_note("new", 1)
    killed(store)
    assert the_state(study) == ("outdated", False)
    assert found(study) == []
    with opened(study):
        pass
    assert the_state(study) == ("written", True)
    assert found(study) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, StoreError("full"), ValueError])
def test_an_interrupted_command_writes_it(error: BaseException, study: Path) -> None:
    def interrupted() -> None:
        with opened(study) as store:
            store.metadata.write_note("new", 1)
            raise error

    with pytest.raises(error if isinstance(error, type) else type(error)):
        interrupted()
    assert the_state(study) == ("written", True)
    assert found(study) == []


def test_none_is_written_of_a_damaged_database(study: Path) -> None:
    def damaged() -> None:
        with opened(study):
            raise StoreUnreadableError("study.db")

    with pytest.raises(StoreUnreadableError):
        damaged()
    assert the_state(study) == ("outdated", False)


def test_a_full_disk_at_the_end_does_not_hide_the_error(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise StoreError("no space left")

    def interrupted() -> None:
        with opened(study):
            monkeypatch.setattr(manifest, "write", full)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    monkeypatch.undo()
    store = opened(study)
    monkeypatch.setattr(manifest, "write", full)
    with pytest.raises(StoreError, match="no space left"):
        store.close()
    monkeypatch.undo()
    with opened(study):  # the lock was released
        pass
    assert found(study) == []


def test_a_command_does_not_confirm_damage(study: Path) -> None:
    change(study, "UPDATE epochs SET train_loss = 9 WHERE variant = 'l2' AND seed = 1 AND epoch = 2")
    change(study, "UPDATE findings SET message = 'It fits.'")
    for _ in range(2):
        with opened(study) as store:
            store.metadata.write_note("new", 1)
        assert sorted(found(study)) == [f"the epochs of variant 'l2' {BEFORE}", f"the findings {BEFORE}"]
    store = opened(study)
    killed(store)
    assert len(found(study)) == 2  # remembered by a killed command too
    with opened(study) as store:  # the findings are written again, as in every run
        store.metadata.save_findings([Finding("overfitting", "warning", "It overfits.", "Stop earlier.")])
    assert found(study) == [f"the epochs of variant 'l2' {BEFORE}"]


def test_a_study_of_the_first_edition_gets_one(study: Path) -> None:
    change(study, "DROP TABLE manifest")
    assert the_state(study) == ("none", False)
    assert found(study) == []
    with opened(study):
        pass
    assert the_state(study) == ("written", True)


def test_a_removed_table_is_missed(study: Path) -> None:
    with opened(study) as store:
        store.metadata.write_note("inputs", {})  # as every study has that is trained now
    change(study, "DROP TABLE manifest")
    assert the_state(study) == ("removed", False)
    assert found(study) == ["the manifest itself is missing, though every study of this edition has one"]
    with opened(study):
        pass
    assert found(study) == [f"the manifest itself {BEFORE}"]


def test_the_fingerprint_changes_with_every_part(study: Path) -> None:
    prints = set()
    for i in range(3):
        with opened(study) as store:
            store.metadata.write_note("new", i)
        with open_existing(study) as store:
            prints.add(manifest.fingerprint(store.database))
    assert len(prints) == 3


def test_types_count() -> None:
    values = (1, 1.0, "1", "1.0", None, b"1", True and "true", "", 1 + 2**-52)
    hashes = {manifest._hash([(value,)]) for value in values}
    assert len(hashes) == len(values)
    shapes = ([("a", "b")], [("a",), ("b",)], [("ab",)], [])
    assert all(manifest._hash(a) != manifest._hash(b) for a, b in itertools.combinations(shapes, 2))
