"""``wellfit claim``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import Ended
from wellfit.claims import claim

Command = Callable[..., Ended]
GIVEN = ("claim", "--accuracy", ".8835", "--examples", "10000")


def test_it_says_what_python_says(command: Command, finished_study: Path) -> None:
    for options, found in (
        (("--other", ".8803", "--seed-sd", ".003"), claim(0.8835, 10_000, other=0.8803, seed_sd=0.003)),
        (("--against", finished_study, "--variants", 3), claim(0.8835, 10_000, against=finished_study, variants=3)),
    ):
        ended = command(*GIVEN, *options)
        assert (ended.status, ended.err) == (0, "")
        assert " ".join(ended.out.split()) == " ".join(found.sentences)
        plain = json.loads(command(*GIVEN, *options, "--json").out)
        assert plain["least"] == found.least


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--other", "88.03"), "another accuracy of 88.03; use a share between 0 and 1"),
        (("--seed-sd", "x"), "--seed-sd x: must be a number"),
        (("--variant", "l2"), "variant 'l2' of no study"),
        (("--against", "gone"), "gone: no such directory"),
    ],
)
def test_a_mistake_is_one_line(command: Command, options: tuple[str, ...], message: str) -> None:
    ended = command(*GIVEN, *options)
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert message in ended.err
