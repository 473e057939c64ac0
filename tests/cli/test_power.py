"""``wellfit power``."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from commands import Ended
from wellfit.how_many import power

Command = Callable[..., Ended]
GIVEN = ("power", "--accuracy", ".88", "--difference", ".005", "--examples", "10000")


def test_a_table_and_what_it_means(command: Command) -> None:
    ended = command(*GIVEN, "--seed-sd", ".003")
    found = power(0.88, 0.005, 10_000, seed_sd=0.003)
    assert (ended.status, ended.err) == (0, "")
    lines = ended.out.splitlines()
    (planned,) = [line for line in lines if line.endswith("planned")]
    assert planned.split() == ["5", "39", "%", "0.82", "0.80", "planned"]
    (endless,) = [line for line in lines if "endless" in line]
    assert endless.split()[:5] == ["endless", "91", "%", "0.42", "0.44"]
    assert " ".join(found.sentences) in " ".join(ended.out.split())
    assert max(map(len, lines)) <= 80


def test_json_has_the_numbers_of_python(command: Command) -> None:
    ended = command(*GIVEN, "--seeds", 1, "--variants", 4, "--disagreement", 0.05, "--power", 0.9, "--json")
    plain = json.loads(ended.out)
    del plain["wellfit"]
    assert plain == power(0.88, 0.005, 10_000, seeds=1, variants=4, disagreement=0.05, probability=0.9).to_json()
    table = command(*GIVEN, "--seeds", 1).out
    assert "       1    0 %        -                  -  planned\n" in table


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("power", "--accuracy", ".88"), "missing option '--difference'"),
        ((*GIVEN[:2], "88", *GIVEN[3:]), "an accuracy of 88; use a share between 0 and 1, such as 0.88"),
        ((*GIVEN, "--seeds", "x"), "--seeds x: must be a whole number"),
        ((*GIVEN, "--disagreement", "2"), "a disagreement of 2.0; use the share"),
    ],
)
def test_a_mistake_is_one_line(command: Command, arguments: tuple[str, ...], message: str) -> None:
    ended = command(*arguments)
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert message in ended.err
