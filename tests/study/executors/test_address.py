"""What ``--on`` may name."""

from __future__ import annotations

import pytest

from wellfit.errors import StudyFileError
from wellfit.study.executors.address import Address, read_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ray", Address()),
        (" ray ", Address()),
        ("head:6379", Address("head", 6379)),
        ("10.0.0.7:6379", Address("10.0.0.7", 6379)),
        ("ray://head.example.org:10001", Address("head.example.org", 10001, client=True)),
        ("[::1]:6379", Address("[::1]", 6379)),
    ],
)
def test_a_place_is_read(text: str, address: Address) -> None:
    assert read_address(text) == address
    assert read_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    ["", "spark", "Ray", "head", "head:", "head:0", "head:65536", "ray://head", "http://head:1", "a b:1", "ray:"],
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(StudyFileError, match=r"--on .*: unknown; use ray, .* or HOST:PORT or ray://HOST:PORT"):
        read_address(text)
