"""What is not set is detected."""

from __future__ import annotations

import dataclasses

from wellfit.base import DEFAULT_READING, Reading


def test_no_setting_has_to_be_given() -> None:
    assert Reading() == DEFAULT_READING
    unset = {key: value for key, value in dataclasses.asdict(DEFAULT_READING).items() if value not in (None, (), False)}
    assert unset == {"resize": "letterbox"}
