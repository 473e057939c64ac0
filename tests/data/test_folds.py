"""Folds: which examples every seed trains on, validates on, and is tested on."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellfit.api import make_dataset
from wellfit.base import Dataset
from wellfit.data.folds import (
    Division,
    division,
    example_labels,
    examples_of,
    group_parts,
    outline,
    split_hash,
    with_own_test_set,
)
from wellfit.errors import DataError


def numbered(count: int, classes: int = 3, *, test: int = 0, groups: int = 0, validation: int = 0) -> Dataset:
    """Examples whose only feature is their number, so that each can be recognized wherever it goes."""
    generator = np.random.default_rng(count)
    y = generator.integers(0, classes, count)
    y[: 2 * classes] = np.arange(2 * classes) % classes  # every class twice
    x = np.arange(float(count))[:, None]
    more = {}
    if test:
        more |= {"x_test": 1000 + np.arange(float(test))[:, None], "y_test": np.arange(test) % classes}
    if validation:
        more |= {"x_val": 2000 + np.arange(float(validation))[:, None], "y_val": np.arange(validation) % classes}
    if groups:
        more |= {"groups": generator.integers(0, groups, count)}
    return make_dataset(x, y, **more)


def numbers(of: Division) -> tuple[set[int], set[int], list[int]]:
    """The numbers of a seed's training, validation and test examples."""
    x = of.dataset.x_train[:, 0].astype(int)
    return set(x[of.splits.train]), set(x[of.splits.validation]), of.dataset.x_test[:, 0].astype(int).tolist()


@given(st.integers(14, 120), st.integers(2, 7), st.integers(0, 3), st.integers(0, 10))
def test_as_many_seeds_as_folds_test_every_example_once(count: int, folds: int, first: int, split_seed: int) -> None:
    data = numbered(count)
    seeds = range(first * folds, (first + 1) * folds)
    divisions = [division(data, seed, folds=folds, split_seed=split_seed) for seed in seeds]
    tested = [numbers(of)[2] for of in divisions]
    assert sorted(chain.from_iterable(tested)) == list(range(count))
    sizes = [len(of) for of in tested]
    assert max(sizes) - min(sizes) <= 1
    assert len({(len(of.splits.train), len(of.splits.validation), len(of.splits.sample)) for of in divisions}) == 1
    for of in divisions:
        train, validation, test = numbers(of)
        assert not train & validation
        assert not (train | validation) & set(test)
        assert len(train | validation | set(test)) >= count - 1  # at most one is left out, for equal sizes
        assert of.tested is not None
        assert of.tested.tolist() == test  # the examples are numbered as in the data
        assert of.validated.tolist() == sorted(validation)
        assert (example_labels(data)[of.tested] == of.dataset.y_test).all()
        assert (examples_of(data, of.tested) == of.dataset.x_test).all()
        assert set(of.dataset.y_train[of.splits.train]) == {0, 1, 2}  # no class is missing


@given(st.integers(30, 100), st.integers(2, 6))
def test_folds_are_stratified(count: int, folds: int) -> None:
    data = numbered(count)
    whole = np.bincount(example_labels(data))
    for seed in range(folds):
        counts = np.bincount(division(data, seed, folds=folds).dataset.y_test, minlength=3)
        assert np.abs(counts - whole / folds).max() < 2


@pytest.mark.parametrize("given", [{}, {"groups": 30}])
def test_validation_examples_have_the_same_number_with_every_seed(given: dict[str, int]) -> None:
    data = numbered(90, **given)
    for seed in range(7):
        of = division(data, seed, folds=5, train_share=0.6)
        assert of.validated.tolist() == sorted(numbers(of)[1])
    fixed = division(data, None, folds=5)
    assert fixed.validated.tolist() == fixed.splits.validation.tolist()


def test_every_round_of_seeds_draws_new_folds() -> None:
    data = numbered(60)
    once, again, other = (numbers(division(data, seed, folds=5))[2] for seed in (0, 5, 10))
    assert len({tuple(once), tuple(again), tuple(other)}) == 3
    assert numbers(division(data, 5, folds=5))[2] == again


@given(st.integers(20, 100), st.integers(2, 6), st.integers(0, 3))
def test_with_a_test_set_the_fold_is_the_validation_set(count: int, folds: int, first: int) -> None:
    data = numbered(count, test=7)
    divisions = [division(data, first * folds + k, folds=folds, validation=1 / folds) for k in range(folds)]
    validated = [sorted(numbers(of)[1]) for of in divisions]
    assert {len(of) for of in validated} == {round(count / folds)}
    assert len(set(chain.from_iterable(validated))) >= count - folds  # all, but for rounding
    for of in divisions:
        train, validation, test = numbers(of)
        assert train | validation == set(range(count))
        assert not train & validation
        assert test == list(range(1000, 1007))
        assert of.tested is None


def test_the_share_of_the_validation_set_stays_as_asked() -> None:
    data = numbered(120, test=7)
    few = [numbers(division(data, seed, folds=5, validation=0.1))[1] for seed in range(5)]
    assert [len(of) for of in few] == [12] * 5
    assert len(set().union(*few)) == 60  # none twice
    many = [numbers(division(data, seed, folds=5, validation=0.4))[1] for seed in range(5)]
    assert (np.bincount(list(chain.from_iterable(many))) == 2).all()


@pytest.mark.parametrize("data", [numbered(60, groups=12), numbered(60, groups=12, test=5)])
def test_groups_stay_whole(data: Dataset) -> None:
    held_out = []
    for seed in range(5):
        of = division(data, seed, folds=5)
        train, validation, test = numbers(of)
        groups = of.dataset.groups
        assert groups is not None
        assert not set(groups[of.splits.train]) & set(groups[of.splits.validation])
        held_out.append(set(test) if data.pool is not None else validation)
        if data.pool is not None and data.pool.groups is not None:
            assert not {data.pool.groups[n] for n in train | validation} & {data.pool.groups[n] for n in test}
    assert sorted(chain.from_iterable(held_out)) == list(range(60))


@given(st.lists(st.integers(1, 40), min_size=2, max_size=12), st.integers(2, 12), st.integers(0, 99))
def test_every_part_has_a_group_however_unequal_they_are(sizes: list[int], parts: int, seed: int) -> None:
    parts = min(parts, len(sizes))
    groups = np.repeat(np.arange(len(sizes)), sizes)
    labels = np.arange(len(groups)) % 3
    part = group_parts(labels, groups, parts, np.random.default_rng(seed))
    assert set(part.tolist()) == set(range(parts))
    assert all(len(set(part[groups == group].tolist())) == 1 for group in range(len(sizes)))


def test_folds_of_very_unequal_groups_test_every_example_once() -> None:
    """The first fold may take no more groups than leave one for each of the others."""
    sizes = [40, 4, 4, 4, 4, 4]
    x, labels = np.arange(60.0)[:, None], np.arange(60) % 2
    data = make_dataset(x, labels, groups=np.repeat(np.arange(6), sizes))
    for first in (0, 5, 10):
        tested = [numbers(division(data, first + seed, folds=5))[2] for seed in range(5)]
        assert sorted(chain.from_iterable(tested)) == list(range(60))


def test_groups_validate_on_the_share_that_is_asked_for() -> None:
    data = numbered(400, groups=100, test=5)

    def validated(folds: int, validation: float) -> list[set[int]]:
        return [numbers(division(data, seed, folds=folds, validation=validation))[1] for seed in range(folds)]

    for folds, validation in ((5, 0.1), (10, 0.2), (3, 0.2), (5, 0.3), (2, 0.5)):
        found = validated(folds, validation)
        assert np.mean([len(of) for of in found]) == pytest.approx(400 * validation, rel=0.15)
        assert len({frozenset(of) for of in found}) == folds  # each seed has its own
    assert (np.bincount(list(chain.from_iterable(validated(10, 0.2)))) == 2).all()
    few = numbered(60, groups=3, test=5)  # fewer groups than folds: each validates
    found = [numbers(division(few, seed, folds=5))[1] for seed in range(5)]
    assert len({frozenset(of) for of in found}) == 3


def test_an_outline_is_divided_alike() -> None:
    for data in (numbered(62), numbered(62, groups=12), numbered(40, test=7), numbered(40, validation=6)):
        for seed in (0, 3, 7):
            whole, bare = (division(one, seed, folds=5, train_share=0.8) for one in (data, outline(data)))
            assert whole.splits.hash == bare.splits.hash
            assert whole.dataset.y_test.tolist() == bare.dataset.y_test.tolist()


def test_a_given_validation_set_stays() -> None:
    data = numbered(40, validation=6)
    for seed in range(5):
        train, validation, test = numbers(division(data, seed, folds=5))
        assert validation == set(range(2000, 2006))
        assert len(train) == 32
        assert set(test) < set(range(40))
    assert len(example_labels(data)) == 40
    both = numbered(40, validation=6, test=5)  # nothing is left to divide
    assert numbers(division(both, 0, folds=5)) == numbers(division(both, 3, folds=5))


def test_one_fold_is_the_fixed_split() -> None:
    data = numbered(50)
    fixed = division(data, None, folds=1)
    assert numbers(division(data, 3, folds=1)) == numbers(fixed)
    assert fixed.tested is None
    assert (fixed.dataset.x_test == data.x_test).all()


def test_a_share_of_the_examples() -> None:
    data = numbered(100)
    train, validation, test = numbers(division(data, 0, folds=5, train_share=0.5))
    assert (len(train), len(validation), len(test)) == (32, 8, 20)
    assert not (train | validation) & set(test)


def test_rare_classes_are_kept_for_training() -> None:
    labels = np.array([0] * 30 + [1] * 30 + [2] * 2)
    data = make_dataset(np.arange(62.0)[:, None], labels)
    for seed in range(5):
        of = division(data, seed, folds=5)
        assert set(of.dataset.y_train[of.splits.train]) == {0, 1, 2}


def test_the_hash_is_that_of_the_whole_division() -> None:
    data = numbered(60)
    hashes = [
        split_hash(data, division(data, 0, folds=folds, split_seed=seed), folds=folds)
        for folds, seed in ((1, 0), (1, 1), (5, 0), (5, 1), (4, 0))
    ]
    assert len(set(hashes)) == 5
    assert hashes[0] == division(data, None, folds=1).splits.hash


@pytest.mark.parametrize(
    ("data", "folds", "words"),
    [
        (numbered(13), 7, "folds = 7: there are only 13 examples; use at most 6 folds, or folds = 1"),
        (numbered(40, groups=3), 5, "folds = 5: there are only 3 groups; use at most 3 folds, or folds = 1"),
        (
            make_dataset(np.arange(60.0)[:, None], np.arange(60) % 2, groups=np.maximum(np.arange(60) - 55, 0)),
            5,
            "folds = 5: the groups are so unequal that the fold of seed 0 has one example",
        ),
        (numbered(40, groups=1, test=5), 5, "all examples are in one group, which cannot be divided"),
        (
            make_dataset(np.arange(21.0)[:, None], [0] * 10 + [1] * 10 + [2]),
            5,
            "class '2' has 1 example, but training and testing need 2; add examples or drop the class",
        ),
    ],
)
def test_data_that_cannot_be_divided(data: Dataset, folds: int, words: str) -> None:
    with pytest.raises(DataError, match=words):
        division(data, 0, folds=folds)


def test_what_was_held_out_becomes_a_test_set_that_no_seed_trains_on() -> None:
    data = numbered(60, groups=12)
    own = with_own_test_set(data)
    divisions = [division(own, seed, folds=5) for seed in range(7)]
    assert all(np.array_equal(of.dataset.x_test, data.x_test) for of in divisions)
    assert all(len(of.splits.train) + len(of.splits.validation) == len(data.x_train) for of in divisions)
    assert len({of.splits.validation.tobytes() for of in divisions}) > 1
    assert own.groups is not None
    assert own.test_groups is not None
    assert not set(own.groups) & set(own.test_groups)
    pool = data.pool
    assert pool is not None
    assert pool.groups is not None
    assert len(set(own.test_groups)) == len(set(pool.groups[pool.held_out]))
    divided = numbered(40, test=5)
    assert with_own_test_set(divided) is divided
