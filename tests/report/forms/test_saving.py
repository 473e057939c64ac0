"""A file appears whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from wellfit.report.forms.saving import in_one_step


def test_what_fails_leaves_the_older_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "report.md"
    target.write_text("older")

    def half() -> None:
        with in_one_step(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert target.read_text() == "older"
    assert list(tmp_path.iterdir()) == [target]
    with in_one_step(target) as temporary:
        temporary.write_text("whole")
        assert target.read_text() == "older"
    assert target.read_text() == "whole"
