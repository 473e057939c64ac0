"""The study directory as a whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from saved_runs import PROVENANCE, opened, probabilities, record, same
from wellfit.errors import StoreUnreadableError
from wellfit.store import Store, contents, open_existing

STATE = {"rows": np.zeros((2, 3))}


def fill(store: Store, seed: int) -> None:
    """Save one tested run with its final state, and everything that belongs to it."""
    run = ("l2", seed)
    final_state = (f"l2.{seed}", STATE, {"epoch": 4})
    store.runs.save([record(seed=seed)], {run: probabilities(seed)}, {run: (0.5, 1.0)}, [final_state])
    store.keepsakes.save_labels(np.zeros(5, np.int32), ("a", "b"))
    store.keepsakes.save({"a": np.full(1, seed)}, {"shape": [8, 8]})
    store.metadata.add_seconds(1.5)
    store.metadata.mark_test_opened()


def test_every_file_is_named_with_its_checksum(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        assert contents.files(store) == {}
        fill(store, 0)
        assert contents.files(store) == {
            path.relative_to(tmp_path / "s").as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (tmp_path / "s").rglob("*.npz")
        }
        assert len(contents.files(store)) == 5


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("UPDATE epochs SET seed = 7 WHERE seed = 1", "epochs of variant 'l2', seed 7, which is not a run"),
        ("DELETE FROM epochs WHERE seed = 1 AND epoch = 2", "the epochs of variant 'l2', seed 1 are not consecutive"),
        ("DELETE FROM epochs WHERE seed = 1 AND epoch = 1", "the epochs of variant 'l2', seed 1 are not consecutive"),
    ],
)
def test_damage_is_a_line(tmp_path: Path, statement: str, line: str) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record(), record(seed=1)])
        assert contents.damage(store.database) == []
        store.database.execute(statement)
        assert contents.damage(store.database)[1:] == [line]
        assert contents.damage(store.database)[0].startswith("variant 'l2', seed 1: ")


def test_what_sqlite_finds_is_reported(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record(seconds=float("nan"))])
        store.database.execute("PRAGMA writable_schema = ON")
        store.database.execute("UPDATE sqlite_master SET sql = replace(sql, 'seconds REAL', 'seconds REAL NOT NULL')")
    with open_existing(tmp_path / "s") as reader:
        assert contents.damage(reader.database) == ["NULL value in runs.seconds"]


def test_runs_are_copied_bit_by_bit(tmp_path: Path) -> None:
    for seed in (0, 1):
        with opened(tmp_path / str(seed), jax=str(seed)) as store:
            fill(store, seed)
    with opened(tmp_path / "one") as one, open_existing(tmp_path / "0") as a, open_existing(tmp_path / "1") as b:
        contents.copy_runs([(a, [("l2", 0)]), (b, [("l2", 1)])], one)
        assert all(same(*pair) for pair in zip(one.runs.records(), [*a.runs.records(), *b.runs.records()], strict=True))
        assert one.runs.test_scores() == a.runs.test_scores() | b.runs.test_scores()
        assert contents.files(one) == contents.files(b) | contents.files(a)  # of keepsakes, the first ones
        for name in contents.files(one):
            source = tmp_path / ("1" if ".1." in name else "0") / name
            assert (tmp_path / "one" / name).read_bytes() == source.read_bytes()
        assert one.metadata.seconds() == 3.0
        opened_ = sorted({str(store.metadata.test_opened()) for store in (a, b)})
        assert one.metadata.provenance() == {**PROVENANCE, "jax": "0; then 1", "test set opened": ", ".join(opened_)}


def test_what_shows_single_runs_is_not_copied(tmp_path: Path) -> None:
    with opened(tmp_path / "a") as store:
        fill(store, 0)
        store.keepsakes.save({"grid": np.zeros(1)}, {"shape": [2]})  # decision regions of a study in the plane
    with opened(tmp_path / "one") as one, open_existing(tmp_path / "a") as a:
        contents.copy_runs([(a, [("l2", 0)])], one)
        assert one.keepsakes.load() is None


def test_a_missing_final_state_may_stay_away_but_no_weights(tmp_path: Path) -> None:
    with opened(tmp_path / "a") as store:
        fill(store, 0)
    (tmp_path / "a" / "ends" / "l2.0.4.npz").unlink()
    with opened(tmp_path / "one") as one, open_existing(tmp_path / "a") as a:
        contents.copy_runs([(a, [("l2", 0)])], one)
        assert one.final_states.descriptions() == {}
    (tmp_path / "a" / "weights" / "l2.0.npz").unlink()
    with (
        opened(tmp_path / "other") as other,
        open_existing(tmp_path / "a") as a,
        pytest.raises(StoreUnreadableError, match=r"l2\.0\.npz: cannot be read"),
    ):
        contents.copy_runs([(a, [("l2", 0)])], other)
