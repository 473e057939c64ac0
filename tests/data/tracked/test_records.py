"""Records of event files."""

from __future__ import annotations

from pathlib import Path

import pytest

from wellfit.data.tracked import records
from wellfit.data.tracked.records import record, records_in
from wellfit.errors import DataError

CONTENTS = [b"", b"abc", bytes(range(256)) * 20]


def test_the_checksum_is_that_of_tensorboard(tmp_path: Path):
    crc = pytest.importorskip("tensorboardX.record_writer").masked_crc32c
    for content in CONTENTS:
        assert record(content)[-4:] == crc(content).to_bytes(4, "little")
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
