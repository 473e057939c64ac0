import numpy as np
import pytest
import scipy.stats

from wellfit.analysis import crossed
from wellfit.errors import DataError, StudyFileError


def variances_by_loops(x):
    """The expected-mean-squares estimates as the textbook writes them, residuals and all."""
    S, n = x.shape
    seed, image, mean = x.mean(1), x.mean(0), x.mean()
    rest = sum((x[s, i] - seed[s] - image[i] + mean) ** 2 for s in range(S) for i in range(n)) / ((S - 1) * (n - 1))
    return seed.var(ddof=1) / S, image.var(ddof=1) / n, rest / (S * n)


def test_components_agree_with_the_textbook_sums():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, 30)) + rng.normal(size=30) + rng.normal(size=(4, 1))
    by_seed, by_image, rest = variances_by_loops(x)
    found = crossed.variance_components(x)
    assert found[:2] == (pytest.approx(x.mean(), rel=1e-12), 4)
    assert found[2:6] == pytest.approx((by_seed, by_image - rest, by_image, 29), rel=1e-9)


def test_images_without_differences_give_no_freedom():
    x = np.zeros((3, 100))
    x[:, :4] = [[1, 0, 1, 1], [1, 1, 0, 1], [0, 1, 1, 1]]
    assert crossed.variance_components(x).image_df == 3
    assert crossed.variance_components(np.zeros((3, 100))).image_df == 1


def test_with_seeds_is_unbiased():
    """Unbiased where no variance is cut off at 0: the average over draws of 4 seeds, carried to 12, and of 12."""
    rng = np.random.default_rng(2)
    few, many = [], []
    for _ in range(400):
        x = rng.normal(size=(12, 1)) + 3 * rng.normal(size=30) + rng.normal(size=(12, 30))
        few.append(crossed.with_seeds(crossed.variance_components(x[:4]), 12)[2:5])
        many.append(crossed.variance_components(x)[2:5])
    # sd of one draw: four seeds know their variance to 80 %; of 400, to 4 %
    np.testing.assert_allclose(np.mean(few, axis=0), np.mean(many, axis=0), rtol=0.12)
    assert crossed.with_seeds(crossed.variance_components(x), 12) == crossed.variance_components(x)


def test_the_interval_at_the_p_value_ends_at_0():
    found = crossed.variance_components(np.random.default_rng(3).normal(0.4, 1, size=(4, 50)))
    p = crossed.p_value(found)
    assert np.sqrt(crossed.half_squared(found, p)) == pytest.approx(abs(found.mean), rel=1e-9)
    assert crossed.p_value(found._replace(mean=0.0)) == 1.0
    assert crossed.p_value(found._replace(mean=1e60)) == 1e-100


def test_the_variance_is_at_least_the_floor():
    found = crossed.variance_components(np.ones((2, 5)))
    assert crossed.half_squared(found, 0.05) == 0
    floored = crossed.half_squared(found._replace(floor=4.0), 0.05)
    assert floored == pytest.approx(4 * scipy.stats.norm.isf(0.025) ** 2, rel=1e-12)


@pytest.mark.parametrize("df", [1, 4, 30.5, np.inf])
def test_t_quantile_agrees_with_scipy(df):
    assert crossed.t_quantile(df, 0.07) == pytest.approx(scipy.stats.t.isf(0.035, df), rel=1e-10)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: crossed.variance_components(np.ones(3)), DataError, r"shape \(3,\)"),
        (lambda: crossed.variance_components(np.ones((3, 1))), DataError, "at least two"),
        (lambda: crossed.variance_components(np.full((2, 2), np.inf)), DataError, "NaN or infinity"),
        (lambda: crossed.checked_alpha(1.0), StudyFileError, "a level of 1.0"),
    ],
)
def test_bad_input_is_refused_with_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_many_rows_are_taken_in_blocks(monkeypatch):
    x = np.random.default_rng(2).normal(0.3, 1, (41, 30))
    at_once = crossed.variance_components(x)
    monkeypatch.setattr(crossed, "_BLOCK", 70)  # two rows
    found = crossed.variance_components(x)
    assert found == pytest.approx(at_once, rel=1e-12)
    yes = x > 0
    assert crossed.variance_components(yes) == pytest.approx(crossed.variance_components(yes * 1.0), rel=1e-12)
