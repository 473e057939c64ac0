"""Training with generated kernels: the same curves as without, the same bits again, and a study keeps to its choice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

pytest.importorskip("llvmlite")

from wellfit.base import LayerSpec, ModelSpec, Recipe, RunRecord, RunSpec, Scaling, TrainingData
from wellfit.data.catalog import load_dataset
from wellfit.engine.plan import make_plan
from wellfit.engine.train import Trainer
from wellfit.errors import OtherStudyError, WellfitError
from wellfit.nn.kernels.availability import SWITCH, obstacle
from wellfit.nn.models import build
from wellfit.spec.study import study_from_mapping
from wellfit.store import open_if_begun
from wellfit.study.merge import _generated, merge_studies
from wellfit.study.provenance import machine_facts
from wellfit.study.refit import refit
from wellfit.study.run import run_study
from wellfit.study.session import Session

pytestmark = pytest.mark.skipif(bool(obstacle()), reason=obstacle())

CONVOLUTION = LayerSpec("conv2d", filters=4, size=3, padding="same", function="relu")
POOLED = (CONVOLUTION, LayerSpec("dropout"), LayerSpec("max_pool"))
NORMAL = (CONVOLUTION, LayerSpec("batch_norm"), LayerSpec("max_pool"))
ODD = (LayerSpec("conv2d", filters=3, size=2, function="relu"), LayerSpec("max_pool"))  # 7 x 7 pixels, pooled to 3 x 3
WHOLE = LayerSpec("conv2d", filters=5, size=4, function="relu")  # one place
END = LayerSpec("flatten"), LayerSpec("dense", units=3)


def model(*body: LayerSpec) -> ModelSpec:
    return ModelSpec("layers", (), layers=(*body, *END))


RECIPES = {
    "pooled": Recipe(model=model(*POOLED, WHOLE), epochs=3, batch_size=32),
    "dropout": Recipe(model=model(*POOLED), epochs=3, batch_size=32, dropout=(0.3,)),
    "normal": Recipe(model=model(*NORMAL), epochs=3, batch_size=20),
    "odd": Recipe(model=model(*ODD), epochs=3, batch_size=13),
}


@pytest.fixture(scope="module")
def images() -> TrainingData:
    generator = np.random.default_rng(0)
    x = generator.integers(0, 256, (160, 8, 8), dtype=np.uint8)
    y = (x[:, :4].mean(axis=(1, 2)) > x[:, 4:].mean(axis=(1, 2))).astype(np.int32) + (x[:, 0, 0] > 200)
    scaling = Scaling("unit", np.zeros((), np.float32), np.full((), 1 / 255, np.float32))
    return TrainingData(x[:112], y[:112], x[112:], y[112:], np.arange(48), 3, scaling)


def train(recipe: Recipe, data: TrainingData, *, kernels: bool) -> list[RunRecord]:
    runs = [RunSpec("a", seed, recipe) for seed in (0, 1)]
    sizes = len(data.x_train), len(data.x_validation), len(data.sample)
    (population,) = make_plan(runs, (8, 8), 3, sizes, len(jax.devices()), kernels=kernels).populations
    assert population.program.kernels is kernels
    return Trainer(data).train(population)


@pytest.mark.parametrize("name", RECIPES)
def test_curves_are_those_of_the_fallback(name: str, images: TrainingData) -> None:
    for ours, theirs in zip(*(train(RECIPES[name], images, kernels=k) for k in (True, False)), strict=True):
        for column in theirs.history.columns:
            np.testing.assert_allclose(ours.history[column], theirs.history[column], rtol=2e-3, atol=1e-5)
        for key, array in theirs.weights.items():
            np.testing.assert_allclose(ours.weights[key], array, rtol=0, atol=2e-4 * np.abs(array).max(), err_msg=key)


@pytest.fixture
def own_programs(tmp_path: Path) -> Iterator[Path]:
    """A cache of compiled programs for one test."""
    from jax._src import compilation_cache

    usual = jax.config.jax_compilation_cache_dir, jax.config.jax_persistent_cache_min_compile_time_secs
    for folder, shortest in ((tmp_path, 0.0), usual):
        jax.config.update("jax_compilation_cache_dir", None if folder is None else str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", shortest)
        compilation_cache.reset_cache()
        if folder is tmp_path:
            yield tmp_path


def test_the_same_bits_again_from_the_cache_of_programs(images: TrainingData, own_programs: Path) -> None:
    jax.clear_caches()  # so that everything is compiled now, and kept
    first = train(RECIPES["pooled"], images, kernels=True)
    kept = set(own_programs.iterdir())
    assert kept
    jax.clear_caches()
    again = train(RECIPES["pooled"], images, kernels=True)
    assert set(own_programs.iterdir()) == kept  # nothing was compiled anew
    train(RECIPES["pooled"], images, kernels=False)
    assert set(own_programs.iterdir()) > kept  # without kernels, it is another program
    for a, b in zip(first, again, strict=True):
        assert all(np.array_equal(a.weights[key], b.weights[key]) for key in a.weights)


@pytest.mark.slow
def test_a_run_that_diverges_ends_as_without_kernels(images: TrainingData) -> None:
    wild = replace(RECIPES["pooled"], learning_rate=1e30, optimizer="sgd")
    states = [[(r.state, r.epochs) for r in train(wild, images, kernels=kernels)] for kernels in (True, False)]
    assert states[0] == states[1]
    assert states[0][0][0] == "diverged"


def test_layers_join_only_where_nothing_is_between_them(images: TrainingData) -> None:
    counts = {name: build(r.model, (8, 8), 3, kernels=True)._together(1, odd=True) for name, r in RECIPES.items()}
    assert counts == {"pooled": 4, "dropout": 4, "normal": 1, "odd": 3}
    odd = build(RECIPES["odd"].model, (8, 8), 3, kernels=True)
    assert odd._together(1, odd=False) == 1  # the last row of the relu may be alive too
    assert build(RECIPES["pooled"].model, (8, 8), 3)._together(1, odd=True) == 1
    mixed = build(RECIPES["pooled"].model, (8, 8), 3, "mixed", kernels=True)
    assert mixed._together(1, odd=True) == 1


MODELS = {"baseline": {"kind": "cnn", "hidden": [4]}, "flat": {"kind": "mlp", "hidden": [4]}}


def session(epochs: int, directory: Path, variant: str = "baseline") -> Session:
    study = {
        "data": {"name": "digits", "train_share": 0.2},
        "train": {"epochs": epochs, "seeds": 2},
        "variants": {variant: {"model": MODELS[variant]}},
    }
    return Session(study_from_mapping(study), load_dataset("digits"), directory)


def test_a_study_continues_with_the_kernels_that_it_began_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SWITCH, raising=False)
    run_study(session(1, tmp_path))
    with open_if_begun(tmp_path) as store:
        assert store is not None
        assert store.metadata.note("choices")["kernels"] is True
        assert store.metadata.provenance()["kernels"] == machine_facts(kernels=True)["kernels"]
        assert _generated(store) is True
    assert session(2, tmp_path).kernels
    monkeypatch.setenv(SWITCH, "off")
    with pytest.raises(WellfitError, match=r"there are none here: WELLFIT_KERNELS = off; unset WELLFIT_KERNELS"):
        run_study(session(2, tmp_path))
    assert session(1, tmp_path).forecast.cautions == ()  # nothing to train: nothing to refuse


def test_a_study_that_began_without_kernels_continues_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "off")
    run_study(session(1, tmp_path))
    monkeypatch.delenv(SWITCH)
    assert not session(2, tmp_path).kernels
    run_study(session(2, tmp_path))
    with open_if_begun(tmp_path) as store:
        assert store is not None
        assert "kernels" not in store.metadata.provenance()
        assert _generated(store) is False


def test_parts_merge_where_only_some_have_convolutions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SWITCH, raising=False)
    parts = [tmp_path / name for name in ("flat", "images", "without")]
    run_study(session(1, parts[0], "flat"))
    run_study(session(1, parts[1]))
    merge_studies(parts[:2], tmp_path / "both")
    with open_if_begun(tmp_path / "both") as store:
        assert store is not None
        assert store.metadata.note("choices")["kernels"] is True
    monkeypatch.setenv(SWITCH, "off")
    run_study(session(1, parts[2]))
    trained = "trained with generated kernels there and without them here; merge only"
    for together in (parts, parts[1:]):
        with pytest.raises(OtherStudyError, match=f"without: does not belong to .*images: convolutions were {trained}"):
            merge_studies(together, tmp_path / "all")
    assert not (tmp_path / "all").exists()


def test_where_there_are_no_kernels_a_model_is_refitted_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SWITCH, raising=False)
    trained = session(1, tmp_path)
    run_study(trained)
    with open_if_begun(tmp_path) as store:
        assert store is not None
        first = refit(session(1, tmp_path), store, "baseline").records[0].weights
        monkeypatch.setenv(SWITCH, "off")
        second = refit(session(1, tmp_path), store, "baseline").records[0].weights
    for name, array in first.items():  # weights are 0.1 and more; a bias before batch normalization is rounding alone
        np.testing.assert_allclose(second[name], array, rtol=0, atol=5e-4, err_msg=name)
    assert any(not np.array_equal(first[name], second[name]) for name in first)
