"""What runs on a GPU, on a CPU's devices: whole batches, all groups at once, batches gathered; the same results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest
from jax.sharding import Mesh

from wellfit.base import LayerSpec, ModelSpec, Recipe, RunRecord, RunSpec, Scaling, TrainingData
from wellfit.data.catalog import load_dataset
from wellfit.engine.devices import POPULATION
from wellfit.engine.plan import Population, make_plan
from wellfit.engine.train import Trainer
from wellfit.nn import accelerator, tiles
from wellfit.nn.kernels.availability import obstacle
from wellfit.results import Results
from wellfit.spec.study import study_from_mapping
from wellfit.study.run import run_study
from wellfit.study.session import Session

PAIR = Mesh(np.array(jax.devices()[:2]), (POPULATION,))
CONVOLUTION = LayerSpec("conv2d", filters=4, size=3, padding="same", function="relu")
STRIDED = LayerSpec("conv2d", filters=3, size=3, stride=2, padding="same", bias=False)  # batch_norm has one
END = LayerSpec("flatten"), LayerSpec("dense", units=3)
MODELS = {
    "max": (CONVOLUTION, LayerSpec("dropout"), LayerSpec("max_pool"), *END),
    "average": (
        STRIDED,
        LayerSpec("batch_norm"),
        LayerSpec("activation", function="relu"),
        LayerSpec("average_pool"),
        *END,
    ),
    "mlp": (LayerSpec("flatten"), LayerSpec("dense", units=16, function="relu"), LayerSpec("dense", units=3)),
}


@pytest.fixture(scope="module")
def images() -> TrainingData:
    """Whether the upper half is brighter, and a corner."""
    generator = np.random.default_rng(0)
    x = generator.integers(0, 256, (208, 8, 8), dtype=np.uint8)
    y = (x[:, :4].mean(axis=(1, 2)) > x[:, 4:].mean(axis=(1, 2))).astype(np.int32) + (x[:, 0, 0] > 200)
    scaling = Scaling("unit", np.zeros((), np.float32), np.full((), 1 / 255, np.float32))
    return TrainingData(x[:160], y[:160], x[160:], y[160:], np.arange(48), 3, scaling)


def population_of(recipes: dict[str, Recipe], data: TrainingData, memory: int | None) -> Population:
    runs = [RunSpec(name, seed, recipe) for name, recipe in recipes.items() for seed in range(3)]
    sizes = len(data.x_train), len(data.x_validation), len(data.sample)
    planned = make_plan(runs, data.input_shape, 3, sizes, 2, memory=memory)
    return planned.populations[0]


@pytest.mark.parametrize("name", MODELS)
def test_networks_learn_the_same_as_on_a_cpu(name: str, images: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.engine.plan._SMALL", 0)
    spec = ModelSpec("layers", (), layers=MODELS[name])
    rates = {f"v{at}": Recipe(model=spec, epochs=3, batch_size=32, learning_rate=1e-3 * (at + 1)) for at in range(2)}
    usual = population_of(rates, images, None)
    assert len(usual.waves) > 1
    expected = {r.spec: r for r in Trainer(images, PAIR).train(usual)}
    with accelerator.assumed():
        assert tiles.tile_size(32) == 32
        at_once = population_of(rates, images, 10**9)
        assert len(at_once.waves) == 1
        found = Trainer(images, PAIR).train(at_once)
    assert {record.spec for record in found} == set(expected)
    for record in found:
        agree(record, expected[record.spec])


def agree(found: RunRecord, expected: RunRecord) -> None:
    """Sums in another order differ in float32's last bits, and Adam's division carries them on."""
    for column in expected.history.columns:
        np.testing.assert_allclose(found.history[column], expected.history[column], rtol=2e-3, atol=1e-5)
    for key, array in expected.weights.items():
        np.testing.assert_allclose(found.weights[key], array, rtol=0, atol=5e-4 * np.abs(array).max(), err_msg=key)


IMAGES: list[dict[str, object]] = [
    {"kind": "conv2d", "filters": 4, "size": 3, "function": "relu"},
    {"kind": "max_pool"},
    {"kind": "flatten"},
    {"kind": "dense", "units": 10},
]


@pytest.mark.parametrize(
    "network", [{"kind": "mlp", "hidden": [8]}, {"kind": "layers", "layers": IMAGES}], ids=["mlp", "images"]
)
def test_a_whole_study(network: dict[str, object], tmp_path: Path) -> None:
    """Planned for a GPU, trained, killed, continued, tested and verified; its verdicts are those of a CPU."""
    settings = {
        "data": {"name": "digits"},
        "train": {"epochs": 4, "seeds": 2, "batch_size": 32, "learning_rate": 0.01},
        "model": network,
        "variants": {"plain": {}, "l2": {"l2": 1e-3}},
    }

    def trained(directory: Path, stop: Callable[[int], None] | None = None) -> dict[tuple[str, int], float]:
        session = Session(study_from_mapping(settings), load_dataset("digits"), directory)
        run_study(session, on_progress=None if stop is None else lambda progress: stop(progress.epoch))
        table = Results(directory).runs()
        return {(row.variant, row.seed): row.test_accuracy for row in table.itertuples()}

    def interrupt(epoch: int) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    usual = trained(tmp_path / "usual")
    with accelerator.assumed():
        assert obstacle() == "training does not run on the processor"
        with pytest.raises(KeyboardInterrupt):
            trained(tmp_path / "gpu", interrupt)
        found = trained(tmp_path / "gpu")
    assert found.keys() == usual.keys()
    assert all(abs(found[run] - usual[run]) < 0.02 for run in usual)  # 7 of 360 test examples
    assert max(usual.values()) > 0.5
