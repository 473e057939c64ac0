"""The network by hand: the homework's published numbers, and gradients by complex steps, exact to rounding."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from wellfit.base import LayerSpec, ModelSpec, Recipe, RunSpec, Scaling, TrainingData
from wellfit.engine.plan import make_plan
from wellfit.engine.step import Batch, train_step
from wellfit.from_scratch import Layer, activate, backward, check, descend, forward, homework, loss
from wellfit.nn.models import build

# --- The homework -----------------------------------------------------------------------------------------------------

PUBLISHED: dict[str, Any] = {
    "W1": [[0.00244596, 0.00262019], [-0.00030765, -0.00024188], [-0.00034768, -0.000372]],
    "b1": [0.00492577, -0.00058023, -0.00065977],
    "W2": [[0.02216011, 0.02433097, 0.01797174]],
    "b2": [0.029249230265318685],
}


def test_the_homework_has_its_published_answers() -> None:
    layers, X, T = homework()
    Zs, Hs = forward(layers, X)
    assert loss(Hs[-1], T) == pytest.approx(0.1332476222330792, rel=1e-14)
    assert [array.shape for array in (*Zs, *Hs)] == [(1000, 3), (1000, 1), (1000, 2), (1000, 3), (1000, 1)]
    (dW1, db1), (dW2, db2) = backward(layers, X, T)
    for gradient, published in zip((dW1, db1, dW2, db2), PUBLISHED.values(), strict=True):
        np.testing.assert_allclose(gradient, published, rtol=0, atol=5.1e-9)  # eight decimals were published
    assert db2[0] == pytest.approx(PUBLISHED["b2"][0], rel=1e-14)


def test_the_homework_is_drawn_as_its_text_says() -> None:
    np.random.seed(0)  # noqa: NPY002
    drawn = [np.random.randn(3, 2), np.random.randn(3), np.random.rand(1000, 2)]  # noqa: NPY002
    targets = np.random.randint(0, 2, (1000,))  # noqa: NPY002
    (W1, b1, _), (W2, b2, _) = homework()[0]
    for ours, theirs in zip((W1, W2[0], homework()[1]), drawn, strict=True):
        assert np.array_equal(ours, theirs)
    assert np.array_equal(homework()[2][:, 0], targets)
    assert not b1.any()
    assert not b2.any()


# --- Any network ------------------------------------------------------------------------------------------------------


def plain_loss(layers: list[Any], X: Any, T: Any, kind: str) -> Any:
    """The loss, written once more from the textbook's formulas; of complex numbers too."""
    functions: dict[str, Callable[[Any], Any]] = {
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "relu": lambda z: np.where(z.real > 0, z, 0),
        "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
    }
    H = X
    for W, b, f in layers:
        H = functions[f](np.einsum("ni,ui->nu", H, W) + b)
    if kind == "mse":
        return np.mean(np.sum((H - T) ** 2, axis=1)) / 2
    rest = (1 - T) * np.log(1 - H) if layers[-1][2] == "sigmoid" else 0
    return -np.mean(np.sum(T * np.log(H) + rest, axis=1))


def complex_steps(layers: list[Layer], X: Any, T: Any, kind: str) -> list[tuple[Any, Any]]:
    """The gradients by Im L(w + ih) / h, which subtracts nothing: exact to rounding. Squire & Trapp (1998)."""
    every = []
    for place, layer in enumerate(layers):
        pair = []
        for number in (0, 1):
            gradient = np.zeros_like(layer[number])
            for at in np.ndindex(gradient.shape):
                moved = [[W.astype(complex), b.astype(complex), f] for W, b, f in layers]
                moved[place][number][at] += 1e-30j  # type: ignore[index]
                gradient[at] = plain_loss(moved, X, T, kind).imag / 1e-30
            pair.append(gradient)
        every.append((pair[0], pair[1]))
    return every


def network(*sizes: int, hidden: str, output: str, seed: int = 1) -> tuple[list[Layer], Any, Any]:
    """A network with random weights, and 20 examples; the targets are one-hot for a softmax."""
    random = np.random.default_rng(seed)
    functions = [hidden] * (len(sizes) - 2) + [output]
    layers = [
        Layer(random.normal(size=(units, inputs)), random.normal(size=units), f)
        for inputs, units, f in zip(sizes, sizes[1:], functions, strict=False)
    ]
    labels = random.integers(0, sizes[-1], 20)
    T = np.eye(sizes[-1])[labels] if output == "softmax" else random.integers(0, 2, (20, sizes[-1])).astype(float)
    return layers, random.normal(size=(20, sizes[0])), T


NETWORKS = [
    ("homework", homework(), "mse"),
    *(
        (f"{hidden}, {output}, {kind}", network(4, 5, 3, 2, hidden=hidden, output=output), kind)
        for hidden in ("sigmoid", "relu")
        for output in ("sigmoid", "softmax", "relu")
        for kind in ("mse", "cross_entropy")
        if (output, kind) != ("relu", "cross_entropy")
    ),
    ("hidden softmax", network(3, 4, 2, hidden="softmax", output="softmax"), "cross_entropy"),
    ("no hidden layer", network(3, 1, hidden="", output="sigmoid"), "cross_entropy"),
]


@pytest.mark.parametrize(("case", "kind"), [case[1:] for case in NETWORKS], ids=[case[0] for case in NETWORKS])
def test_loss_and_gradients_are_exact(case: tuple[list[Layer], Any, Any], kind: str) -> None:
    layers, X, T = case
    before = [layer.W.copy() for layer in layers]
    Y = forward(layers, X)[1][-1]
    assert loss(Y, T, kind, layers[-1].f) == pytest.approx(float(plain_loss(layers, X, T, kind).real), rel=1e-12)
    for ours, theirs in zip(backward(layers, X, T, kind), complex_steps(layers, X, T, kind), strict=True):
        for gradient, exact in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(gradient, exact, rtol=1e-9, atol=1e-12)
    assert check(layers, X, T, kind) < 1e-8  # differences of 1e-5 leave 1e-10 of the third derivative
    for layer, kept in zip(layers, before, strict=True):
        assert np.array_equal(layer.W, kept)


def test_the_check_finds_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    layers, X, T = homework()

    def forgot_the_slope(f: str, H: Any, dH: Any) -> Any:
        return dH

    monkeypatch.setattr("wellfit.from_scratch.through", forgot_the_slope)
    assert check(layers, X, T) > 1e-3


def test_descent_lowers_the_loss_and_leaves_the_given_layers_alone() -> None:
    layers, X, T = network(2, 8, 2, hidden="relu", output="softmax")
    kept = layers[0].W.copy()
    trained, losses = descend(layers, X, T, rate=0.1, steps=50, kind="cross_entropy")
    assert losses[-1] < 0.5 * losses[0]
    assert loss(forward(trained, X)[1][-1], T, "cross_entropy", "softmax") < losses[-1]
    assert np.array_equal(layers[0].W, kept)


def test_certainty_is_finite() -> None:
    Z = np.array([[1e4, -1e4]])
    for f in ("sigmoid", "softmax"):
        assert activate(f, Z).tolist() == [[1, 0]]
        assert np.isfinite(loss(activate(f, Z), np.array([[0.0, 1.0]]), "cross_entropy", f))


def test_an_unknown_function_or_loss_is_said() -> None:
    with pytest.raises(ValueError, match="no function 'tanh'; choose sigmoid, relu or softmax"):
        activate("tanh", np.zeros((1, 1)))
    for kind, f in (("hinge", "sigmoid"), ("cross_entropy", "relu")):
        with pytest.raises(ValueError, match=f"no loss '{kind}' of {f} outputs; choose mse"):
            loss(np.ones((1, 1)), np.ones((1, 1)), kind, f)


# --- The engine -------------------------------------------------------------------------------------------------------


def test_the_engine_trains_the_same_network_to_the_same_numbers() -> None:
    """The engine's squared error has no 1/2, so that half the learning rate makes the same steps; it is float32."""
    layers, X, T = homework()
    rate, steps = 2.0, 50
    trained, losses = descend(layers, X, T, rate, steps)
    spec = ModelSpec("layers", layers=(LayerSpec("dense", units=3, function="sigmoid"), LayerSpec("dense", units=1)),
                     output="sigmoid")  # fmt: skip
    recipe = Recipe(model=spec, optimizer="sgd", learning_rate=rate / 2, batch_size=1000, epochs=1, loss="mse")
    x, y = X.astype(np.float32), T[:, 0].astype(np.int32)
    unscaled = Scaling("unit", np.zeros((), np.float32), np.ones((), np.float32))
    data = TrainingData(x, y, x[:4], y[:4], np.arange(4), 2, unscaled)
    population = make_plan([RunSpec("v", 0, recipe)], (2,), 2, (1000, 4, 4), 1, "float32").populations[0]
    state, sums = run(population, data, layers, steps)
    np.testing.assert_allclose(sums, 2 * 1000 * np.array(losses), rtol=2e-6)
    for number, layer in enumerate(trained, 1):
        mine = state.params[f"dense_{number}"]
        np.testing.assert_allclose(mine["kernel"], layer.W.T, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(mine["bias"], layer.b, rtol=1e-5, atol=1e-6)


def run(population: Any, data: TrainingData, layers: list[Layer], steps: int) -> tuple[Any, list[float]]:
    """Some steps of the engine on all examples, from the given layers; the state after, and every step's loss sum."""
    from jax.sharding import Mesh

    from wellfit.engine.devices import POPULATION
    from wellfit.engine.population import hyper, initial_state, optimizer_start

    on = Mesh(np.array(jax.devices()[:1]), (POPULATION,))
    model = build(population.program.model, data.input_shape, 2, "float32")
    state = initial_state(population, data, on, optimizer_start(population.program, on))
    state = jax.tree.map(lambda leaf: leaf[0, 0], state)
    given = {f"dense_{n}": {"kernel": jnp.asarray(W.T, jnp.float32), "bias": jnp.asarray(b, jnp.float32)}
             for n, (W, b, _) in enumerate(layers, 1)}  # fmt: skip
    state = state._replace(params=given)
    numbers = {name: array[0, 0] for name, array in hyper(population, on).items()}
    step = jax.jit(train_step(population.program, model))
    x, y = jnp.asarray(data.x_train), jnp.asarray(data.y_train)
    sums = []
    for at in range(steps):
        key = jax.random.key(at)
        batch = Batch(x, y, jnp.ones(len(y)), key, jnp.bool_(at == 0), jnp.bool_(True), jnp.zeros(()), jnp.ones(()))
        state, (total, *_) = step(state, numbers, numbers["learning_rate"], batch)
        sums.append(float(total))
    return state, sums


# --- The page ---------------------------------------------------------------------------------------------------------


def test_the_code_of_the_page_runs_and_its_table_is_right() -> None:
    page = (Path(__file__).parents[1] / "docs" / "backprop.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(code, names)
    assert names["losses"][-1] < 0.1 * names["losses"][0]
    rows = re.findall(r"^\| \$(?:\\partial )?(L(?: / .*?)?)\$ \| ([^|]+?) \|$", page, re.MULTILINE)
    table = {name: ast.literal_eval(value.replace("−", "-")) for name, value in rows}
    layers, X, T = homework()
    (dW1, db1), (dW2, db2) = backward(layers, X, T)
    computed = [loss(forward(layers, X)[1][-1], T), dW1, db1, dW2[0], db2[0]]
    for (name, value), number in zip(table.items(), computed, strict=True):
        np.testing.assert_allclose(value, number, rtol=1e-14 if name in ("L", "L / \\partial b_2") else 0, atol=5.1e-9)
