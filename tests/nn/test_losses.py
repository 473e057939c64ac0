"""Losses and penalties against scikit-learn, SciPy and Keras."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import brier_score_loss, log_loss

from wellfit.errors import UnknownNameError
from wellfit.nn.losses import (
    LOSSES,
    cross_entropy,
    example_losses,
    hits,
    mean_squared_error,
    penalty,
    penalty_gradient,
    soft_threshold,
)

GENERATOR = np.random.default_rng(0)
LOGITS = (GENERATOR.normal(size=(50, 4)) * 3).astype(np.float32)
LABELS = GENERATOR.integers(0, 4, 50).astype(np.int32)
ONEHOT = np.eye(4, dtype=np.float32)[LABELS]


def test_cross_entropy_and_sklearn_agree() -> None:
    ours = np.asarray(cross_entropy(jnp.asarray(LOGITS), jnp.asarray(LABELS)))
    np.testing.assert_allclose(
        ours, -log_softmax(LOGITS.astype(float), axis=1)[np.arange(50), LABELS], rtol=1e-5, atol=1e-6
    )
    probabilities = softmax(LOGITS.astype(np.float64), axis=1)
    assert ours.mean() == pytest.approx(log_loss(LABELS, probabilities, labels=range(4)), rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_smoothed_cross_entropy_and_keras_agree(smoothing: float) -> None:
    ours = cross_entropy(jnp.asarray(LOGITS), jnp.asarray(LABELS), smoothing)
    theirs = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing, reduction=None)
    np.testing.assert_allclose(ours, np.asarray(theirs(ONEHOT, LOGITS)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_one_sigmoid_unit_has_keras_binary_cross_entropy(smoothing: float) -> None:
    z = LOGITS[:, :1]
    labels = (LABELS % 2).astype(np.int32)
    two = jnp.concatenate([jnp.zeros_like(z), jnp.asarray(z)], axis=1)
    theirs = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=smoothing, reduction=None)
    expected = np.asarray(theirs(labels[:, None].astype(np.float32), z))
    np.testing.assert_allclose(cross_entropy(two, jnp.asarray(labels), smoothing), expected, rtol=1e-5, atol=1e-6)


def test_cross_entropy_of_extreme_logits_is_finite() -> None:
    extreme = jnp.array([[1e4, -1e4], [-1e4, 1e4]])
    assert cross_entropy(extreme, jnp.array([0, 0])).tolist() == [0.0, 2e4]


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_mean_squared_error_and_keras_agree(smoothing: float) -> None:
    ours = mean_squared_error(jnp.asarray(LOGITS), jnp.asarray(LABELS), smoothing)
    probabilities = softmax(LOGITS.astype(np.float64), axis=1)
    target = (1 - smoothing) * ONEHOT + smoothing / 4
    theirs = keras.losses.MeanSquaredError(reduction=None)(target, probabilities.astype(np.float32))
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-4, atol=1e-7)


def test_mean_squared_error_is_the_brier_score_over_the_classes() -> None:
    two, labels = LOGITS[:, :2], LABELS % 2
    ours = mean_squared_error(jnp.asarray(two), jnp.asarray(labels.astype(np.int32)))
    expected = brier_score_loss(labels, softmax(two.astype(np.float64), axis=1)[:, 1])
    assert float(ours.mean()) == pytest.approx(expected, rel=1e-5)


def test_example_losses_chooses_by_name_and_refuses_others() -> None:
    assert set(LOSSES) == {"cross_entropy", "mse"}
    logits, labels = jnp.asarray(LOGITS), jnp.asarray(LABELS)
    np.testing.assert_array_equal(
        example_losses("cross_entropy", logits, labels, 0.1), cross_entropy(logits, labels, 0.1)
    )
    np.testing.assert_array_equal(example_losses("mse", logits, labels, 0.1), mean_squared_error(logits, labels, 0.1))
    with pytest.raises(UnknownNameError, match="unknown loss 'cross_entropie'; did you mean 'cross_entropy'"):
        example_losses("cross_entropie", logits, labels)


def test_hits_count_the_largest_logit_and_no_nan() -> None:
    np.testing.assert_array_equal(hits(jnp.asarray(LOGITS), jnp.asarray(LABELS)), LOGITS.argmax(axis=1) == LABELS)
    nan = jnp.array([[jnp.nan, jnp.nan], [jnp.nan, 1.0], [0.0, 1.0]])
    assert hits(nan, jnp.array([0, 0, 1])).tolist() == [0.0, 0.0, 1.0]


def test_penalty_and_keras_agree() -> None:
    kernels = {"dense_1": GENERATOR.normal(size=(5, 4)), "conv2d_1": GENERATOR.normal(size=(3, 3, 2, 4))}
    params = {name: {"kernel": jnp.asarray(k, jnp.float32), "bias": jnp.full(4, 100.0)} for name, k in kernels.items()}
    l1, l2 = (0.01, 0.2), (0.3, 0.004)
    found = penalty(params, tuple(kernels), jnp.array(l1), jnp.array(l2))
    theirs = sum(
        float(keras.regularizers.L1L2(a, b)(params[name]["kernel"])) for name, a, b in zip(kernels, l1, l2, strict=True)
    )
    assert float(found) == pytest.approx(theirs, rel=1e-5)
    by_hand = sum(a * abs(k).sum() + b * (k**2).sum() for k, a, b in zip(kernels.values(), l1, l2, strict=True))
    assert float(found) == pytest.approx(by_hand, rel=1e-5)


def test_a_penalty_that_no_run_has_is_left_out() -> None:
    params = {"dense_1": {"kernel": jnp.asarray(GENERATOR.normal(size=(5, 4)), jnp.float32)}}
    zero, some = jnp.zeros(1), jnp.array([0.3])
    names = ("dense_1",)
    np.testing.assert_array_equal(penalty(params, names, some, None), penalty(params, names, some, zero))
    np.testing.assert_array_equal(penalty(params, names, None, some), penalty(params, names, zero, some))
    assert float(penalty(params, names, some, None)) > 0
    assert float(penalty(params, names, None, some)) > 0
    assert float(penalty(params, names, None, None)) == 0.0


@pytest.mark.parametrize("l2", [None, 0.0, 0.4])
@pytest.mark.parametrize("l1", [None, 0.0, 0.3])
@pytest.mark.parametrize("shape", [(5, 4), (3, 3, 2, 4)])
def test_the_penaltys_gradient_is_jaxs_own(shape: tuple[int, ...], l1: float | None, l2: float | None) -> None:
    kernel = jnp.asarray(GENERATOR.normal(size=shape), jnp.float32)  # no weight is 0, where jax.grad(abs) is 1
    of_one = [None if strength is None else jnp.float32(strength) for strength in (l1, l2)]
    of_all = [None if strength is None else strength[None] for strength in of_one]
    expected = jax.grad(lambda w: penalty({"dense_1": {"kernel": w}}, ("dense_1",), *of_all))(kernel)
    found = penalty_gradient(kernel, *of_one)
    assert (found.shape, found.dtype) == (shape, jnp.float32)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)  # a rounding or two of float32
    assert bool((found != 0).any()) == bool(l1 or l2)
    assert penalty_gradient(jnp.zeros(2), *of_one).tolist() == [0.0, 0.0]  # at the kink of l1


@pytest.mark.parametrize("w", [-2.0, -0.3, -0.1, 0.0, 0.2, 0.31, 5.0])
def test_soft_threshold_solves_its_proximal_problem(w: float) -> None:
    found = float(soft_threshold(jnp.float32(w), jnp.float32(0.3)))
    best = minimize_scalar(lambda v: 0.5 * (v - w) ** 2 + 0.3 * abs(v), bounds=(-6, 6), options={"xatol": 1e-9})
    assert found == pytest.approx(best.x, abs=1e-5)
    assert (found == 0) == (abs(w) <= 0.3)
