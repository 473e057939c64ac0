"""Records of event files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wellfit.data.tracked import records
from wellfit.data.tracked.records import record, records_in
from wellfit.errors import DataError

CONTENTS = [b"", b"abc", bytes(range(256)) * 20]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 8, 100, 2047, 2048, 2049, 2051, 5000])
def test_checksums_are_those_of_tensorboardx(size: int) -> None:
    crc = pytest.importorskip("tensorboardX.record_writer").masked_crc32c
    content = np.random.default_rng(size).bytes(size)
    assert int.from_bytes(record(content)[-4:], "little") == crc(content)


def test_records_come_back(tmp_path: Path):
    (tmp_path / "events").write_bytes(b"".join(map(record, CONTENTS)))
    assert list(records_in(tmp_path / "events")) == CONTENTS


def test_a_record_that_was_not_finished_is_left_out(tmp_path: Path):
    whole = b"".join(map(record, CONTENTS))
    for cut in (1, 4, 100, len(record(CONTENTS[2])) - 1, len(record(CONTENTS[2]))):
        (tmp_path / "events").write_bytes(whole[:-cut])
        assert list(records_in(tmp_path / "events")) == CONTENTS[:2]


def test_damaged_files_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "events"
    whole = bytearray(b"".join(map(record, CONTENTS)))
    for at, message in ((2, "is no event file"), (16 + 1, "is damaged at byte 16"), (16 + 13, "is damaged at byte 16")):
        damaged = whole.copy()
        damaged[at] ^= 4
        file.write_bytes(damaged)
        with pytest.raises(DataError, match=message):
            list(records_in(file))
    file.write_bytes(whole)
    monkeypatch.setattr(records, "_MOST", 100)
    with pytest.raises(DataError, match=r"a record of 5,120 bytes; .*WELLFIT_LIMITS"):
        list(records_in(file))
    with pytest.raises(DataError, match="cannot be read"):
        list(records_in(tmp_path))
