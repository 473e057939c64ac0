"""``wellfit backprop``."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from commands import Ended
from wellfit import from_scratch

Command = Callable[..., Ended]


def test_it_prints_the_loss_and_every_gradient_in_full(command: Command) -> None:
    layers, X, T = from_scratch.homework()
    plain = json.loads(command("backprop", "--json").out)
    assert plain["loss"] == pytest.approx(0.1332476222330792, abs=1e-12)
    gradients = [gradient for pair in from_scratch.backward(layers, X, T) for gradient in pair]
    assert list(plain["gradients"]) == ["dL/dW1", "dL/db1", "dL/dW2", "dL/db2"]
    for printed, gradient in zip(plain["gradients"].values(), gradients, strict=True):
        np.testing.assert_allclose(np.ravel(printed), gradient.ravel(), rtol=0, atol=1e-12)
    assert plain["shapes"] == {"Z1": [1000, 3], "H": [1000, 3], "Z2": [1000, 1], "Y": [1000, 1]}
    assert "largest_difference" not in plain
    text = command("backprop").out
    assert max(map(len, text.splitlines())) <= 80
    for number in (plain["loss"], *np.ravel(plain["gradients"]["dL/dW1"]), plain["gradients"]["dL/db2"]):
        assert repr(float(number)) in text


def test_the_check_says_its_largest_difference(command: Command) -> None:
    assert 0 < json.loads(command("backprop", "--json", "--check").out)["largest_difference"] < 1e-10
    last = command("backprop", "--check").out.splitlines()[-1]
    assert last.startswith("Largest difference from finite differences: ")
    assert float(last.rsplit(" ", 1)[1]) < 1e-10
