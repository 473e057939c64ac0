"""The data of a seed, prepared and scaled by its own training examples alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from small_studies import messy, points, unsplit
from wellfit.api import make_dataset
from wellfit.base import Dataset, Pool
from wellfit.errors import DataError, StudyFileError
from wellfit.spec.study import DataSpec
from wellfit.study.fold import (
    Fold,
    Sizes,
    check_folds,
    fold_of,
    folds_used,
    groups_of_tests,
    hash_of_splits,
    searched_overlap,
    validation_overlap,
)

STANDARDIZED = DataSpec("people", scale="standardize")


def people() -> Dataset:
    """The messy table without a test set of its own; one of its rows has a category of its own, Wien."""
    return dataclasses.replace(messy(), pool=Pool(np.arange(160, 200), 200))


def folds(dataset: Dataset, spec: DataSpec = STANDARDIZED) -> list[Fold]:
    return [fold_of(dataset, spec, seed) for seed in range(spec.folds)]


def test_all_folds_have_the_same_features() -> None:
    found = folds(people())
    assert {fold.preparation.features for fold in found} == {found[0].preparation.features}
    assert "city = Wien" in found[0].preparation.features
    assert {fold.data.x_train.shape for fold in found} == {found[0].data.x_train.shape}
    assert {fold.prepared.x_test.shape[1] for fold in found} == {found[0].data.x_train.shape[1]}


def test_medians_and_moments_are_those_of_the_training_examples_of_the_fold() -> None:
    for fold in folds(people()):
        train = fold.dataset.x_train[fold.splits.train]  # (n, 4)
        age, city = fold.preparation.columns[:2]
        assert age.fill == np.nanmedian(train[:, 0].astype(np.float64))
        most = np.bincount(train[~np.isnan(train[:, 1]), 1].astype(int)).argmax()
        assert city.categories[int(city.fill)] == ("Bern", "Oslo", "Rome", "Wien")[most]
        ages = np.where(np.isnan(train[:, 0]), age.fill, train[:, 0]).astype(np.float32)
        np.testing.assert_allclose(fold.data.scaling.shift[0], ages.mean(dtype=np.float64), rtol=1e-6)
        np.testing.assert_allclose(fold.data.scaling.factor[0], 1 / ages.std(dtype=np.float64), rtol=1e-6)


def test_what_the_training_examples_never_show_is_silent() -> None:
    silent = 0
    for fold in folds(people()):
        place = fold.preparation.features.index("city = Wien")
        scaling = fold.data.scaling
        scaled = (fold.prepared.x_test - scaling.shift) * scaling.factor  # (m, D)
        if not fold.data.x_train[:, place].any():
            silent += 1
            assert not scaled[:, place].any()  # the row with Wien too, whether it is tested or validates
        else:
            assert scaling.factor[place] == 1
    assert 0 < silent < 5  # one row has it


def test_a_silent_feature_of_a_unit_scale() -> None:
    x = np.zeros((40, 2))
    x[:, 0] = np.linspace(0, 1, 40)
    x[7, 1] = 1.0
    data = make_dataset(x, np.arange(40) % 2)
    found = folds(data, DataSpec("data", scale="unit"))
    assert any(fold.data.scaling.factor.tolist() == [1.0, 0.0] for fold in found)
    assert all(fold.data.scaling.factor.tolist() in ([1.0, 0.0], 1.0) for fold in found)


def test_a_fixed_split_is_that_of_earlier_editions() -> None:
    fixed = fold_of(people(), DataSpec("people", scale="standardize", folds=1), None)
    assert "city = Wien" not in fixed.preparation.features  # only the test set has it
    assert fixed.tested is None


def test_nothing_to_fold() -> None:
    given = dataclasses.replace(points(), validation_rows=np.arange(10))
    assert folds_used(given, STANDARDIZED) == 1
    assert folds_used(points(), STANDARDIZED) == 5
    assert hash_of_splits(given, STANDARDIZED) == fold_of(given, STANDARDIZED, None).splits.hash
    assert hash_of_splits(people(), STANDARDIZED) != fold_of(people(), STANDARDIZED, 0).splits.hash


def test_seeds_share_as_many_validation_examples_as_they_do() -> None:
    own_test = points()  # the folds are validation sets: a fifth of the examples each
    assert validation_overlap(own_test, DataSpec("points", validation=0.2), range(5)) == 0
    twice = validation_overlap(own_test, DataSpec("points", validation=0.2), range(10))
    assert 0 < twice < 2 * 5 / 45  # 25 of 45 pairs are of different rounds, which share a fifth on average
    assert validation_overlap(own_test, DataSpec("points", folds=1), range(5)) == 1
    assert validation_overlap(own_test, DataSpec("points"), [3]) == 1
    nested = validation_overlap(people(), STANDARDIZED, range(5))  # a fifth of four fifths, drawn for every seed
    assert 0.05 < nested < 0.4
    given = dataclasses.replace(own_test, validation_rows=np.arange(20))
    assert validation_overlap(given, DataSpec("points"), range(5)) == 1


def test_fresh_seeds_share_as_many_validation_examples_with_a_search_as_they_do() -> None:
    own_test, spec = points(), DataSpec("points", validation=0.2)
    assert searched_overlap(own_test, spec, range(5), range(1000, 1005)) == 1  # five folds have every example
    assert searched_overlap(own_test, spec, range(5), [1000]) == pytest.approx(0.2, abs=0.02)
    assert searched_overlap(own_test, spec, [0], [1, 2, 3, 4]) == 0  # of one round of folds
    assert searched_overlap(own_test, DataSpec("points", folds=1), [0], [1000]) == 1
    given = dataclasses.replace(own_test, validation_rows=np.arange(20))
    assert searched_overlap(given, DataSpec("points"), [0], [1000]) == 1


# --- Checks before training -------------------------------------------------------------------------------------------


def grouped(groups: list[int], **given: object) -> Dataset:
    """Examples in groups; all but ``given`` are drawn."""
    n = len(groups)
    return make_dataset(np.arange(2.0 * n).reshape(n, 2), np.arange(n) % 2, groups=groups, **given)  # type: ignore[arg-type]


def test_every_seed_is_checked_by_its_own_division() -> None:
    assert check_folds(unsplit(127), DataSpec("points"), range(10)) == dict.fromkeys(range(10), Sizes(81, 20))
    uneven = grouped([0] * 20 + [1] * 20 + [*np.repeat(range(2, 12), 2)])
    examples = check_folds(uneven, DataSpec("data"), range(5))
    for seed, sizes in examples.items():
        data = fold_of(uneven, DataSpec("data"), seed).data
        assert sizes == (len(data.x_train), len(data.x_validation))
    assert len({sizes.training for sizes in examples.values()}) > 1


def test_groups_that_cannot_be_divided_are_refused_with_folds_that_can() -> None:
    with pytest.raises(DataError, match=r"^arrays: 8 groups, the largest with 30 of 56 examples, do not") as refused:
        check_folds(grouped([0] * 30 + [1] * 20 + [*range(2, 8)]), DataSpec("data"), range(5))
    assert str(refused.value).endswith("use folds = 3 (--set data.folds=3)")
    assert check_folds(grouped([0] * 30 + [1] * 20 + [*range(2, 8)]), DataSpec("data", folds=3), range(5))
    for groups in ([0] * 56 + [1, 2, 3, 4], [0] * 50 + [*range(1, 11)], [0, 1] * 20):
        for folds in (1, 2, 5):
            with pytest.raises(DataError, match="no other number of folds does; give a test set, or name another"):
                check_folds(grouped(groups), DataSpec("data", folds=folds), range(5))
    with pytest.raises(DataError, match=r"train_share = 0\.001 of"):
        check_folds(grouped([*range(30)]), DataSpec("data", train_share=0.001), range(5))


def test_a_test_set_that_shows_no_chance_is_refused() -> None:
    x, y = np.zeros((20, 2)), np.arange(20) % 2
    one = make_dataset(x, y, x_test=x[:1], y_test=y[:1])
    with pytest.raises(DataError, match=r"^arrays: the test set has one example, which tells nothing"):
        check_folds(one, DataSpec("data"), range(5))
    with pytest.raises(DataError, match="the test set has one example"):
        check_folds(make_dataset(x[:6], y[:6]), DataSpec("data", folds=1), [0])  # a fifth of six, held out
    three = grouped([0] * 10 + [1] * 10 + [2] * 10)
    with pytest.raises(DataError, match=r"all 10 test examples are in one group, .* use folds, or name another"):
        check_folds(three, DataSpec("data", folds=1), [0])
    assert set(check_folds(three, DataSpec("data", folds=3), range(3))) == {0, 1, 2}


def test_folds_that_the_user_sets_have_an_effect_or_are_refused() -> None:
    x, y = np.zeros((20, 2)), np.arange(20) % 2
    both = make_dataset(x, y, x_test=x, y_test=y, x_val=x, y_val=y)
    for folds in (2, 10):
        with pytest.raises(StudyFileError) as caught:
            check_folds(both, DataSpec("data", folds=folds), range(5))
        assert str(caught.value) == (
            f"[data] folds = {folds} has no effect, because both a test and a validation set are given; leave folds "
            "out, or one of the two sets"
        )
    for folds in (1, 5):  # one split, which it is; the default
        assert check_folds(both, DataSpec("data", folds=folds), range(5)) == dict.fromkeys(range(5), Sizes(20, 20))


def test_the_groups_of_all_examples_that_are_tested() -> None:
    data = grouped([3] * 6 + [1] * 6 + [2] * 6)
    folded, fixed = groups_of_tests(data, 3), groups_of_tests(data, 1)
    assert folded is not None
    assert fixed is not None
    assert len(folded) == 18
    assert len(fixed) == len(data.y_test)
    assert groups_of_tests(unsplit(), 5) is None
    alone = dataclasses.replace(points(), groups=np.zeros(100, int), test_groups=np.array([0] * 10 + [-1] * 20))
    found = groups_of_tests(alone, 5)
    assert found is not None
    assert len(np.unique(found)) == 21
