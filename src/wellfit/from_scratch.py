"""A neural network by hand, in NumPy alone: forward, backward, a check of the gradients, gradient descent.

It is made to be read, from top to bottom; ``docs/backprop.md`` derives every line. A network is a list of layers. The
examples are the rows of X (N, inputs), their targets the rows of T (N, outputs).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Layer", "activate", "backward", "check", "descend", "forward", "homework", "loss"]
Array = NDArray[Any]


class Layer(NamedTuple):
    """Z = X Wᵀ + b, then H = f(Z).

    Args:
      W: a row of weights for every unit.  # (units, inputs)
      b: one bias for every unit.  # (units,)
      f: ``"sigmoid"``, ``"relu"`` or ``"softmax"``.
    """

    W: Array
    b: Array
    f: str


def homework() -> tuple[list[Layer], Array, Array]:
    """The 2-3-1 network of the homework, its 1000 examples X (N, 2) and their targets T (N, 1), drawn with seed 0."""
    random = np.random.RandomState(0)
    W1, b1 = random.randn(3, 2), np.zeros(3)
    W2, b2 = random.randn(3), np.zeros(1)
    X, Y = random.rand(1000, 2), random.randint(0, 2, (1000,))
    return [Layer(W1, b1, "sigmoid"), Layer(W2[None, :], b2, "sigmoid")], X, Y[:, None].astype(float)


def activate(f: str, Z: Array) -> Array:
    """Compute f(Z).

    Raises:
      ValueError: an unknown function.
    """
    if f == "sigmoid":
        return 0.5 * (1 + np.tanh(Z / 2))  # the same as 1 / (1 + exp(-Z)), but cannot overflow
    if f == "relu":
        return np.maximum(Z, 0)
    if f == "softmax":
        E = np.exp(Z - Z.max(axis=1, keepdims=True))  # the shift cancels, and prevents an overflow
        return E / E.sum(axis=1, keepdims=True)
    raise ValueError(f"no function {f!r}; choose sigmoid, relu or softmax")


def through(f: str, H: Array, dH: Array) -> Array:
    """Take a gradient back through f: dL/dZ from H = f(Z) and dL/dH."""
    if f == "sigmoid":
        return dH * H * (1 - H)
    if f == "relu":
        return dH * (H > 0)
    return H * (dH - (dH * H).sum(axis=1, keepdims=True))  # softmax: every output depends on every input


def forward(layers: list[Layer], X: Array) -> tuple[list[Array], list[Array]]:
    """Compute every layer's Z, and every H with X in front: the last H is the output Y."""
    Zs, Hs = [], [X]
    for W, b, f in layers:
        Zs.append(Hs[-1] @ W.T + b)  # (N, units)
        Hs.append(activate(f, Zs[-1]))  # (N, units)
    return Zs, Hs


def loss(Y: Array, T: Array, kind: str = "mse", f: str = "sigmoid") -> float:
    """Compute the mean loss of the N examples.

    Args:
      kind: ``"mse"`` is 1/(2N) sum (Y - T)²; ``"cross_entropy"`` is -1/N sum T log Y, and with sigmoid outputs, each a
        probability of its own, also -1/N sum (1 - T) log(1 - Y).
      f: the function of the output layer.

    Raises:
      ValueError: an unknown loss, or cross-entropy of outputs that are not probabilities.
    """
    if kind == "mse":
        return float(((Y - T) ** 2).sum() / (2 * len(Y)))
    if kind != "cross_entropy" or f == "relu":
        raise ValueError(f"no loss {kind!r} of {f} outputs; choose mse, or cross_entropy of sigmoid or softmax outputs")
    tiny = 1e-300  # log 0 is infinite
    logs = T * np.log(Y + tiny) + (f == "sigmoid") * (1 - T) * np.log(1 - Y + tiny)
    return float(-logs.sum() / len(Y))


def backward(layers: list[Layer], X: Array, T: Array, kind: str = "mse") -> list[tuple[Array, Array]]:
    """Compute the gradients dL/dW and dL/db of every layer, from the last layer to the first.

    Returns:
      A pair of arrays for every layer, shaped like its W and b.

    Example:
      >>> layers, X, T = homework()
      >>> [(dW.shape, db.shape) for dW, db in backward(layers, X, T)]
      [((3, 2), (3,)), ((1, 3), (1,))]
    """
    _, Hs = forward(layers, X)
    Y, N = Hs[-1], len(X)
    error = (Y - T) / N  # (N, outputs): of mse it is dL/dY, of cross-entropy already dL/dZ
    dZ = through(layers[-1].f, Y, error) if kind == "mse" else error
    gradients = []
    for place in reversed(range(len(layers))):
        H = Hs[place]  # what the layer got  # (N, inputs)
        gradients.append((dZ.T @ H, dZ.sum(axis=0)))  # (units, inputs), (units,)
        if place:
            dH = dZ @ layers[place].W  # (N, inputs)
            dZ = through(layers[place - 1].f, H, dH)
    return gradients[::-1]


def check(layers: list[Layer], X: Array, T: Array, kind: str = "mse", step: float = 1e-5) -> float:
    """Compare every gradient with (L(w + step) - L(w - step)) / (2 step); return the largest difference."""

    def now() -> float:
        return loss(forward(layers, X)[1][-1], T, kind, layers[-1].f)

    largest = 0.0
    for layer, gradients in zip(layers, backward(layers, X, T, kind), strict=True):
        for w, gradient in zip((layer.W, layer.b), gradients, strict=True):
            for at in np.ndindex(w.shape):
                kept = w[at]
                w[at] = kept + step
                above = now()
                w[at] = kept - step
                slope = (above - now()) / (2 * step)
                w[at] = kept
                largest = max(largest, float(abs(slope - gradient[at])))
    return largest


def descend(
    layers: list[Layer], X: Array, T: Array, rate: float, steps: int, kind: str = "mse"
) -> tuple[list[Layer], list[float]]:
    """Train by plain gradient descent on all examples; return the new layers, and the loss before every step."""
    losses = []
    for _ in range(steps):
        losses.append(loss(forward(layers, X)[1][-1], T, kind, layers[-1].f))
        pairs = zip(layers, backward(layers, X, T, kind), strict=True)
        layers = [Layer(W - rate * dW, b - rate * db, f) for (W, b, f), (dW, db) in pairs]
    return layers, losses
