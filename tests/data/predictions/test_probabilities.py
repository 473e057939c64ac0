"""Probabilities that runs predict."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax

from wellfit.data.predictions.probabilities import probabilities_of
from wellfit.errors import DataError


def test_float32_is_kept_to_the_bit():
    p = softmax(np.random.default_rng(0).normal(size=(50, 4)), axis=1).astype(np.float32)
    assert probabilities_of(p, 4, "p").tobytes() == p.tobytes()


def test_float64_is_kept_where_rounding_would_change_a_class():
    tied = np.array([[0.5 - 1e-9, 0.5 + 1e-9], [0.3, 0.7]])
    found = probabilities_of(tied, 2, "p")
    assert (found.dtype, found.argmax(axis=1).tolist()) == (np.float64, [1, 1])
    assert probabilities_of(tied[1:], 2, "p").dtype == np.float32


def test_logits_become_probabilities_only_when_asked():
    logits = np.random.default_rng(0).normal(0, 3, (40, 3))
    np.testing.assert_allclose(probabilities_of(logits, 3, "p", softmax=True), softmax(logits, axis=1), rtol=1e-6)
    np.testing.assert_allclose(
        probabilities_of(logits[:, :1], 2, "p", softmax=True)[:, 1], expit(logits[:, 0]), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[0.5, 0.5], [3.0, -1.0]], "p: 3 in row 1 .from 0. is not a probability; if these are logits, give --softmax"),
        ([[0.5, 0.5], [0.5, 0.4]], "in row 1 .* sum to 0.9, not to 1"),
        ([[0.5, 0.5], [np.nan, 0.5]], "NaN or infinity in row 1"),
        ([[0.2, 0.3, 0.5]], "shape .1, 3., but there are 2 classes"),
        ([["a", "b"]], "instead of probabilities"),
        (np.zeros((0, 2)), "shape .0, 2."),
    ],
)
def test_what_are_no_probabilities_is_one_line(values, message):
    with pytest.raises(DataError, match=message) as caught:
        probabilities_of(values, 2, "p")
    assert "\n" not in str(caught.value)


def test_probabilities_are_no_logits():
    p = softmax(np.random.default_rng(0).normal(size=(5, 3)), axis=1).astype(np.float32)
    with pytest.raises(
        DataError, match=r"these are probabilities already; leave out --softmax \(softmax=True\) for them"
    ):
        probabilities_of(p, 3, "p", softmax=True)
    probabilities_of(np.concatenate([p, [[0.5, 0.6, 0.1]]]), 3, "p", softmax=True)


def test_rounded_probabilities_are_some():
    p = softmax(np.random.default_rng(0).normal(size=(30, 10)), axis=1).round(3)
    assert probabilities_of(p, 10, "p").shape == (30, 10)
