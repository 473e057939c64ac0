"""Runs that others trained: names, seeds, examples, and the order of the variants."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from wellfit.data.predictions.arrays import given_arrays
from wellfit.data.predictions.runs import (
    GivenRun,
    GivenRuns,
    baseline_first,
    check_examples,
    check_names,
    renumbered,
    run_named,
)
from wellfit.errors import DataError, UnknownNameError


def given(**seeds: tuple[int, ...]) -> GivenRuns:
    runs = tuple(GivenRun(n, s, f"{n}.{s}", partial(np.zeros, 4)) for n, of in seeds.items() for s in of)
    return GivenRuns(runs, np.zeros(4, np.int32), ("0", "1"), "here")


def test_the_name_of_a_file_says_which_run_it_is():
    assert run_named("l2=1e-3.12") == ("l2=1e-3", 12)
    assert run_named("a.b.0") == ("a.b", 0)
    assert run_named("l2") is None


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([("a b", 0, "x")], "x: variant 'a b': a name has at most 64 letters"),
        ([("A", 0, "x"), ("a", 0, "y")], "y: variants 'A' and 'a' would share a file"),
        ([("a", 0, "x"), ("a", 0, "y")], "y: variant 'a', seed 0 is there twice, here and in x"),
        ([("a", 0, "x"), ("a", 0, "x")], "x: variant 'a', seed 0 is there twice; keep one"),
    ],
)
def test_names_that_cannot_be_are_one_line(runs, message):
    with pytest.raises(DataError, match=message):
        check_names(runs)


def test_the_first_missing_example_is_named():
    few = np.array([0, 1, 3])
    runs = [GivenRun("a", 0, "a.npz", partial(np.zeros, 4)), GivenRun("b", 0, "b.npz", partial(np.zeros, 3), few)]
    message = "b.npz: variant 'b', seed 0: lacks an example that 'a' judged with this seed, the first is 2"
    for order in (runs, runs[::-1]):
        with pytest.raises(DataError, match=message):
            check_examples(order, 4)
    folds = [
        GivenRun(name, seed, "", partial(np.zeros, 2), np.arange(2) + 2 * seed) for name in "ab" for seed in (0, 1)
    ]
    check_examples(folds, 4)


def test_baseline_is_the_one_of_that_name_or_the_first():
    assert baseline_first(given(a=(0,), baseline=(0,)), None) == ("baseline", "a")
    assert baseline_first(given(a=(0,), b=(0,)), None) == ("a", "b")
    assert baseline_first(given(a=(0,), b=(0,)), "b") == ("b", "a")
    with pytest.raises(UnknownNameError, match="did you mean 'baseline'"):
        baseline_first(given(a=(0,), baseline=(0,)), "basline")


def test_runs_that_share_no_seeds_are_numbered_anew():
    assert renumbered(given(a=(5, 3), b=(9,))).variants == {"a": (1, 0), "b": (0,)}
    run = GivenRun("a", 0, "", partial(np.zeros, 2), np.arange(2))
    with pytest.raises(DataError, match="each seed judged its own examples"):
        renumbered(GivenRuns((run,), np.zeros(4, np.int32), ("0", "1"), "here"))


def test_a_baseline_may_be_written_in_another_way_but_a_version_may_not():
    given = given_arrays(None, {"drop=0, v=1.1": [0.9, 0.8], "1.1": [0.9, 0.8], "1.2": [0.8, 0.7]})
    assert baseline_first(given, "drop=0.0, v=1.10")[0] == "drop=0, v=1.1"
    with pytest.raises(UnknownNameError):
        baseline_first(given, "1.10")
