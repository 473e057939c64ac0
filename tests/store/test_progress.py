"""The progress file, which other processes read during training."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wellfit.store.progress as module
from wellfit.base import HISTORY_COLUMNS, History
from wellfit.store.progress import ProgressFile

Run = tuple[str, int]


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write every epoch, however short it is."""
    monkeypatch.setattr(module, "SECONDS", 0.0)


def epochs(count: int, of: int = 0) -> list[np.ndarray]:
    """Rows of a history with distinct values; the last value of the first row is NaN."""
    rows = [of + number + np.arange(len(HISTORY_COLUMNS)) / 16 for number in range(count)]
    for row in rows[:1]:
        row[-1] = np.nan
    return rows


def table(history: History) -> np.ndarray:
    return np.stack([history[name] for name in HISTORY_COLUMNS], axis=1)  # (epochs, columns)


def same(found: dict[Run, History], rows: dict[Run, list[np.ndarray]]) -> bool:
    whole = {run: np.array(of_run).reshape(-1, len(HISTORY_COLUMNS)) for run, of_run in rows.items()}
    return list(found) == list(whole) and all(
        np.array_equal(table(found[run]), whole[run], equal_nan=True) for run in whole
    )


@pytest.mark.usefixtures("eager")
def test_epochs_come_back_as_they_are_added(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    feed = ProgressFile(path)
    rows = {("l2", 0): epochs(1), ("ü\n", 3): epochs(0), ("l2", 1): epochs(2, 50)}
    sizes = []
    for lengths in ((1, 0, 2), (4, 0, 2), (5, 7, 3)):
        rows = {run: epochs(n, 10 * i) for i, (run, n) in enumerate(zip(rows, lengths, strict=True))}
        feed.write(lambda rows=rows: rows)
        assert same(ProgressFile(path).read(), rows)
        sizes.append(path.stat().st_size)
    assert np.diff(sizes).tolist() == [104 * 3, 104 * 9]  # only what is new, 8 and 12 times 8 bytes an epoch
    assert os.listdir(tmp_path) == ["progress"]
    feed.drop()
    feed.drop()
    assert (ProgressFile(path).read(), os.listdir(tmp_path)) == ({}, [])
    feed.write(lambda: {("other", 0): epochs(1)})  # another population
    assert same(ProgressFile(path).read(), {("other", 0): epochs(1)})


def test_it_is_written_twice_a_second_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    feed, asked = ProgressFile(tmp_path / "progress"), []

    def rows() -> dict[Run, list[np.ndarray]]:
        asked.append(now[0])
        return {("l2", 0): epochs(len(asked))}

    for now[0] in (100.0, 100.1, 100.49, 100.5, 100.9, 101.1):
        feed.write(rows)
    assert asked == [100.0, 100.5, 101.1]


@pytest.mark.usefixtures("eager")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 600))
def test_a_truncated_file_gives_its_whole_records(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "progress"
    ProgressFile(path).write(lambda: {("l2", 0): epochs(3), ("l2", 1): epochs(2)})
    content = path.read_bytes()
    path.write_bytes(content[:cut])
    head = content.index(b"\n") + 1
    records = max(0, min(cut, len(content)) - head) // 104
    found = ProgressFile(path).read()
    path.unlink()
    if cut < head - 1:
        assert found == {}
    else:
        assert same(found, {("l2", 0): epochs(3)[:records], ("l2", 1): epochs(2)[: max(0, records - 3)]})


@pytest.mark.parametrize("content", [b"", b"\n", b"[]\n", b'{"runs": 3}\n', b'{"runs": [["l2"]]}\n', b"\xff\xfe\n"])
def test_other_content_is_no_progress(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "progress").write_bytes(content)
    assert ProgressFile(tmp_path / "progress").read() == {}


def test_a_run_with_missing_epochs_is_left_out(tmp_path: Path) -> None:
    records = np.zeros(3, module._RECORD)
    records["run"], records["epoch"] = [0, 0, 1], [1, 3, 1]
    path = tmp_path / "progress"
    path.write_bytes(json.dumps({"runs": [["l2", 0], ["l2", 1]]}).encode() + b"\n" + records.tobytes())
    assert {run: len(history) for run, history in ProgressFile(path).read().items()} == {("l2", 1): 1}


@pytest.mark.usefixtures("eager")
def test_a_write_error_ends_the_updates_and_nothing_else(tmp_path: Path) -> None:
    feed = ProgressFile(tmp_path / "missing" / "progress")
    (tmp_path / "missing").touch()
    feed.write(lambda: {("l2", 0): epochs(1)})
    (tmp_path / "missing").unlink()
    (tmp_path / "missing").mkdir()
    feed.write(lambda: {("l2", 0): epochs(2)})
    assert list((tmp_path / "missing").iterdir()) == []
    feed.drop()  # the next population tries again
    feed.write(lambda: {("l2", 0): epochs(2)})
    assert same(feed.read(), {("l2", 0): epochs(2)})


@pytest.mark.usefixtures("eager")
def test_the_time_left_is_beside_the_epochs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "progress"
    feed = ProgressFile(path)
    assert feed.left() is None
    rows = {("l2", 0): epochs(1), ("l2", 1): epochs(2, 50)}
    feed.write(lambda: rows)
    assert feed.left() is None
    monkeypatch.setattr("time.time", lambda: 1.75e9)
    more = {("l2", 0): epochs(3), ("l2", 1): epochs(4, 50)}
    feed.write(lambda: more, 125.5)
    feed.write(lambda: more, 99.5)
    assert ProgressFile(path).left() == (99.5, 1.75e9)
    assert same(ProgressFile(path).read(), more)  # it is no run
    feed.write(lambda: more, np.nan)
    assert ProgressFile(path).left() is None
