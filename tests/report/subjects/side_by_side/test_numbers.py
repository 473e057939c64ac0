"""What is said of two studies side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sides import side_by_side
from wellfit.report.subjects.side_by_side.numbers import (
    difference_table,
    headline,
    lists,
    notes,
    pair_table,
    place,
    verdict_of,
)


def test_the_headline_claims_what_the_verdicts_do() -> None:
    found = side_by_side()
    better = "B is better than A with baseline. B is worse than A with l2. B is equivalent to A with l1."
    assert headline(found) == f"{better} 1 variant is undecided."
    undecided = found.comparisons[3]
    assert headline(replace(found, comparisons=(undecided,))) == (
        "No difference in test accuracy is certain: 1 variant compared, which is undecided."
    )
    twice = (undecided, replace(undecided, variant="l2"))
    assert headline(replace(found, comparisons=twice)).endswith("certain: 2 variants compared, all undecided.")
    many = tuple(replace(found.comparisons[0], variant=f"v{n}") for n in range(7))
    assert headline(replace(found, comparisons=many)) == "B is better than A with 7 variants."
    assert headline(replace(found, comparisons=many[:3])) == "B is better than A with v0, v1 and v2."
    same = replace(found.comparisons[2], variant="l2", identical=True)
    assert headline(replace(found, comparisons=(same,))) == "B is identical to A with l2."


def test_every_number_of_a_pair_is_in_its_row() -> None:
    found = side_by_side()
    table = pair_table(found)
    assert [row[:2] for row in table.rows] == [
        *(("baseline", "better"), ("l2", "worse"), ("l1", "equivalent*"), ("dropout", "undecided")),
    ]
    first = found.first.variants[0]
    low, high = first.interval["test_accuracy"] or (0.0, 0.0)
    mean = f"{100 * first.mean['test_accuracy']:.2f} %"
    assert table.rows[0][2:7] == (
        "+1.23 points",
        "[+0.40, +2.06]",
        "0.004",
        mean,
        f"[{100 * low:.2f}, {100 * high:.2f}]",
    )
    assert table.rows[3][2:5] == ("+1.00 points", "–", "–")
    assert table.rows[1][4] == "< 0.001"
    assert len(table.headings) == len(table.rows[0]) == 9


def test_notes_say_how_to_read_it() -> None:
    found = side_by_side()
    how, rule, star = notes(found)
    assert how == found.how[0]
    assert "Differences are B minus A." in rule
    assert "equivalent within 0.1 points." in rule
    assert star.startswith("*")
    assert verdict_of(found, found.comparisons[2]) == "equivalent*"
    assert "Lower is better." in notes(side_by_side(metric="log_loss", survivors=()))[1]
    assert len(notes(side_by_side(survivors=()))) == 2
    assert lists(found) == ("Only A has results of: early-stopping.",)
    assert place(found.first) == "studies/before (lab5 on fashion-mnist, 5 seeds, finished)"


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("[train] epochs", ("60", "30")),
        ("[train] optimizer", ("adam", "sgd")),
        ("code hash", ("a1a1a1a1a1a1", "b2b2b2b2b2b2; then c3c3c3c3c3c3")),
    ],
)
def test_what_differs_is_short(key: str, shown: tuple[str, str]) -> None:
    assert (key, *shown) in difference_table(side_by_side()).rows
