from __future__ import annotations

import math

import numpy as np
import pytest

from wellfit.base import HISTORY_COLUMNS
from wellfit.report.forms.training_table import TrainingTable


def rows(*accuracies):
    return [np.full(len(HISTORY_COLUMNS), accuracy) for accuracy in accuracies]


def plain(table, width=80, height=24, **options):
    return [line.plain.rstrip() for line in table.lines(width, height, **options)]


def test_a_variant_has_the_mean_over_its_seeds():
    table = TrainingTable(["a", "b"], 3)
    table.note({("a", 0): rows(0.2, 0.4, 0.6), ("a", 1): rows(0.4, 0.6, 0.8)}, 3, ended=True)
    table.note({("a", 2): rows(0.4)}, 3, ended=False)
    assert plain(table)[1:] == [
        "a         1/3      2/3         60.00 %   ▁▄█",
        "b         waiting  0/3               –",
    ]
    assert table.best == "a"


def test_each_epoch_counts_once():
    table, again = TrainingTable(), TrainingTable()
    of = rows(0.2, 0.4)
    for _ in range(3):
        table.note({("a", 0): of}, 4, ended=False)
    again.note({("a", 0): of}, 4, ended=False)
    assert plain(table) == plain(again)
    assert plain(table)[1].split()[:4] == ["a", "2/4", "1", "40.00"]  # without a number of seeds: those that began


def test_finished_variants_are_done_and_diverged_runs_do_not_count():
    table = TrainingTable(["a", "b"], 1)
    table.note({("a", 0): rows(0.5, math.nan), ("b", 0): rows(0.5, 0.9)}, 2, ended=True)
    assert [line.split()[1:4] for line in plain(table)[1:]] == [["done", "1/1", "–"], ["done", "1/1", "90.00"]]
    assert table.best == "b"
    assert TrainingTable(["a"]).best is None


@pytest.mark.parametrize("height", [5, 12, 24])
@pytest.mark.parametrize("width", [20, 40, 80, 120])
def test_it_fits_and_keeps_the_first_and_the_best(width, height):
    names = [f"variant-{n:02}" for n in range(40)]
    table = TrainingTable(names, 5)
    table.note({(name, 0): rows(n / 100) for n, name in enumerate(names)}, 30, ended=False)
    lines = plain(table, width, height)
    assert len(lines) == height
    assert max(map(len, lines)) <= width
    assert lines[1].startswith("variant-00")
    assert lines[-2].startswith("variant-39")
    assert lines[-1] == f"and {40 - (height - 2)} more, with a lower accuracy so far"[:width].rstrip()


def test_a_window_without_room_has_no_table():
    assert plain(TrainingTable(["a", "b"], 5), 80, 2) == []
    assert plain(TrainingTable()) == []


def test_long_names_are_cut_and_plain_encodings_served():
    table = TrainingTable(["ö" * 50], 1)
    table.note({("ö" * 50, 0): rows(0.1, 0.2, 0.3)}, 3, ended=False)
    assert plain(table)[1].startswith("ö" * 25 + "…   3/3")
    only = TrainingTable(["a"], 1)
    only.note({("a", 0): rows(0.1, 0.2, 0.3)}, 3, ended=False)
    assert all(line.isascii() for line in plain(only, ascii_only=True))
