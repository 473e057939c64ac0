"""Models: their layers, shapes and parameter counts; what does not fit is refused by number and shape."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from wellfit.base import LayerSpec, ModelSpec
from wellfit.errors import ShapeError, UnknownNameError
from wellfit.nn.layers import Mode
from wellfit.nn.models import Model, build, count_parameters, layer_specs, summary, without_rates

LENET = ModelSpec("lenet5")
TINY = (LayerSpec("flatten"), LayerSpec("dense", units=10))


def layered(*specs: LayerSpec) -> ModelSpec:
    return ModelSpec("layers", layers=specs)


def kinds(model: Model) -> list[str]:
    return [layer.kind for _, layer in model.layers]


def logits(model: Model, x: np.ndarray, mode: Mode | None = None) -> np.ndarray:
    params = jax.tree.map(jnp.asarray, model.init(0))
    stats = jax.tree.map(jnp.asarray, model.stats())
    return np.asarray(jax.jit(lambda x: model.apply(params, stats, x, mode)[0])(x))


def test_the_mlp_of_the_labs_has_109386_parameters_of_four_bytes() -> None:
    model = build(ModelSpec("mlp", (128, 64)), (28, 28), 10)
    parameters = {row.name: row.parameters for row in summary(model) if row.parameters}
    assert parameters == {"dense_1": 100_480, "dense_2": 8_256, "dense_3": 650}
    assert count_parameters(model) == sum(parameters.values()) == 109_386
    arrays = jax.tree.leaves(model.init(0))
    assert sum(array.nbytes for array in arrays) / 1024 == pytest.approx(427.29, abs=0.005)  # KB, as the labs print it


def test_lenet5_has_61706_parameters_and_the_shapes_of_the_paper() -> None:
    model = build(LENET, (28, 28), 10)
    rows = [(row.name, row.output_shape, row.parameters) for row in summary(model) if "relu" not in row.name]
    assert rows == [
        ("image_1", (28, 28, 1), 0),
        ("conv2d_1", (28, 28, 6), 156),
        ("dropout_1", (28, 28, 6), 0),
        ("max_pool_1", (14, 14, 6), 0),
        ("conv2d_2", (10, 10, 16), 2_416),
        ("dropout_2", (10, 10, 16), 0),
        ("max_pool_2", (5, 5, 16), 0),
        ("conv2d_3", (1, 1, 120), 48_120),
        ("flatten_1", (120,), 0),
        ("dense_1", (84,), 10_164),
        ("dropout_3", (84,), 0),
        ("dense_2", (10,), 850),
    ]
    assert count_parameters(model) == 61_706
    assert model.kernels == ("conv2d_1", "conv2d_2", "conv2d_3", "dense_1", "dense_2")
    assert model.dropout == (0.0, 0.0, 0.0)
    assert logits(model, np.zeros((2, 28, 28), np.float32)).shape == (2, 10)


def test_lenet5_takes_images_with_channels_too() -> None:
    assert count_parameters(build(LENET, (28, 28, 1), 10)) == 61_706
    assert count_parameters(build(LENET, (28, 28, 3), 10)) == 61_706 + 2 * 25 * 6


def test_batch_normalization_follows_every_hidden_layer() -> None:
    mlp = build(ModelSpec("mlp", (128, 64), batch_norm=True), (28, 28), 10)
    assert kinds(mlp) == ["flatten", *["dense", "relu", "batch_norm", "dropout"] * 2, "dense"]
    assert count_parameters(mlp) == 109_386 + 2 * (128 + 64)
    lenet = build(ModelSpec("lenet5", batch_norm=True), (28, 28), 10)
    assert count_parameters(lenet) == 61_706 + 2 * (6 + 16 + 120 + 84)
    assert kinds(lenet).count("batch_norm") == 4
    assert list(lenet.stats()) == [f"batch_norm_{i}" for i in (1, 2, 3, 4)]


def test_statistics_move_in_training_and_stay_in_inference() -> None:
    model = build(ModelSpec("mlp", (4,), batch_norm=True), (3,), 2)
    params, stats = jax.tree.map(jnp.asarray, (model.init(0), model.stats()))
    x = jnp.asarray(np.random.default_rng(0).normal(size=(8, 3)), jnp.float32)
    mode = Mode(jax.random.key(0), None, jnp.ones(8))
    assert model.apply(params, stats, x)[1]["batch_norm_1"] is stats["batch_norm_1"]
    moved = model.apply(params, stats, x, mode)[1]["batch_norm_1"]
    assert float(jnp.abs(moved["mean"]).max()) > 0


def test_the_layers_of_the_cnn() -> None:
    model = build(ModelSpec("cnn", (8, 16)), (12, 12, 3), 10)
    block = ["conv2d", "batch_norm", "relu"]
    assert kinds(model) == ["image", *block, "max_pool", *block, "global_average_pool", "dropout", "dense"]
    assert count_parameters(model) == (27 * 8 + 8) + 16 + (72 * 16 + 16) + 32 + (160 + 10)
    assert [row.output_shape for row in summary(model)][-4:] == [(6, 6, 16), (16,), (16,), (10,)]


def test_a_logistic_model_has_no_hidden_layer() -> None:
    model = build(ModelSpec("logistic", ()), (8, 8), 10)
    assert kinds(model) == ["flatten", "dense"]
    assert count_parameters(model) == 650
    assert model.relus == ()


def test_any_list_of_layers() -> None:
    specs = (
        LayerSpec("conv2d", filters=4, function="elu"),
        LayerSpec("average_pool", size=3, stride=2, padding="same"),
        LayerSpec("batch_norm"),
        LayerSpec("activation"),
        LayerSpec("dropout", rate=0.3),
        LayerSpec("max_pool", size=2, stride=1),
        LayerSpec("global_average_pool"),
        LayerSpec("dense", units=5, function="tanh", initializer="lecun_normal"),
        LayerSpec("dropout", rate=0.2),
        LayerSpec("dense", units=3),
    )
    model = build(layered(*specs), (9, 9), 3)
    assert [(row.name, row.output_shape) for row in summary(model)] == [
        ("image_1", (9, 9, 1)),
        ("conv2d_1", (7, 7, 4)),
        ("elu_1", (7, 7, 4)),
        ("average_pool_1", (4, 4, 4)),
        ("batch_norm_1", (4, 4, 4)),
        ("relu_1", (4, 4, 4)),
        ("dropout_1", (4, 4, 4)),
        ("max_pool_1", (3, 3, 4)),
        ("global_average_pool_1", (4,)),
        ("dense_1", (5,)),
        ("tanh_1", (5,)),
        ("dropout_2", (5,)),
        ("dense_2", (3,)),
    ]
    assert model.dropout == (0.3, 0.2)
    assert model.relus == ("relu_1",)
    assert logits(model, np.ones((2, 9, 9), np.float32)).shape == (2, 3)


def test_alive_returns_inference_logits_and_live_units() -> None:
    model = build(ModelSpec("mlp", (3,)), (2,), 2)
    params = jax.tree.map(jnp.asarray, model.init(0))
    params["dense_1"]["kernel"] = jnp.array([[1.0, -1.0, 0.0], [0.0, 0.0, 0.0]])
    params["dense_1"]["bias"] = jnp.array([0.0, 0.0, -1.0])
    x = jnp.array([[1.0, 0.0], [2.0, 0.0]])
    out, alive = model.alive(params, {}, x)
    np.testing.assert_array_equal(out, model.apply(params, {}, x)[0])
    assert alive.tolist() == [True, False, False]
    no_relu = build(ModelSpec("logistic", ()), (2,), 2)
    assert no_relu.alive(jax.tree.map(jnp.asarray, no_relu.init(0)), {}, x)[1].tolist() == [True]


@pytest.mark.parametrize("rows", [20, 17])
def test_alive_marks_channels_positive_for_any_example(rows: int) -> None:
    specs = (LayerSpec("conv2d", filters=4, function="relu"), LayerSpec("flatten"), LayerSpec("dense", units=2))
    model = build(layered(*specs), (3, 3), 2)
    params = jax.tree.map(jnp.asarray, model.init(0))
    x = np.zeros((rows, 3, 3), np.float32)
    x[-1, 1, 1] = 1  # the window of one example sees the kernel's middle
    kernel = np.zeros((3, 3, 1, 4), np.float32)
    kernel[1, 1, 0] = [1, -1, 0, 2]
    params["conv2d_1"] = {"kernel": jnp.asarray(kernel), "bias": jnp.array([0.0, 0.0, 0.5, -2.0])}
    assert model.alive(params, {}, jnp.asarray(x))[1].tolist() == [True, False, True, False]


@pytest.mark.parametrize("spec", [LENET, ModelSpec("cnn", (4,))], ids=["lenet5", "cnn"])
def test_logits_do_not_depend_on_other_tiles(spec: ModelSpec) -> None:
    model = build(spec, (28, 28), 10)
    x = np.random.default_rng(0).uniform(0, 1, (20, 28, 28)).astype(np.float32)
    whole = logits(model, x)  # two tiles of 10
    parts = np.concatenate([logits(model, x[:3]), logits(model, x[3:])])  # one of 3, one of 17
    np.testing.assert_allclose(whole, parts, rtol=1e-4, atol=1e-6)  # the order of float32 sums


@pytest.mark.parametrize("spec", [ModelSpec("mlp", (32, 16)), LENET], ids=["mlp", "lenet5"])
def test_a_mixed_model_has_equal_weights_and_close_logits(spec: ModelSpec) -> None:
    plain, mixed = build(spec, (28, 28), 10), build(spec, (28, 28), 10, "mixed")
    for ours, theirs in zip(jax.tree.leaves(plain.init(0)), jax.tree.leaves(mixed.init(0)), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    x = np.random.default_rng(0).uniform(0, 1, (20, 28, 28)).astype(np.float32)
    exact, rough = logits(plain, x), logits(mixed, x)
    assert rough.dtype == np.float32
    # every factor is rounded by at most 2**-9; few layers add up, and random errors cancel in part
    error = np.abs(rough - exact).max() / np.abs(exact).max()
    assert 1e-5 < error < 2e-2


def test_one_sigmoid_unit_is_two_logits() -> None:
    model = build(ModelSpec("mlp", (4,), output="sigmoid"), (3,), 2)
    assert count_parameters(model) == 16 + 5
    x = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    two = logits(model, x)
    assert two.shape == (6, 2)
    assert np.array_equal(two[:, 0], np.zeros(6))
    probability = np.exp(two[:, 1]) / np.exp(two).sum(axis=1)
    np.testing.assert_allclose(probability, 1 / (1 + np.exp(-two[:, 1])), rtol=1e-6)
    assert count_parameters(build(ModelSpec("logistic", (), output="sigmoid"), (2,), 2)) == 3


def test_initial_weights_are_a_function_of_the_seed() -> None:
    model = build(ModelSpec("mlp", (8,)), (4,), 2)
    first, again, other = (model.init(seed)["dense_1"]["kernel"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    # the first layer does not change with the layers after it
    np.testing.assert_array_equal(first, build(ModelSpec("mlp", (8, 5)), (4,), 3).init(0)["dense_1"]["kernel"])


def test_the_structure_of_a_model_has_no_rates() -> None:
    specs = [layered(LayerSpec("dropout", rate=rate), *TINY) for rate in (0.1, 0.6)]
    assert specs[0] != specs[1]
    assert without_rates(specs[0]) == without_rates(specs[1])


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ((LayerSpec("dense", units=10),), r"layer 1: dense with 10 units needs one row .* got shape \(28, 28\)"),
        (
            (LayerSpec("conv2d", filters=2, size=25), LayerSpec("max_pool"), LayerSpec("max_pool", size=3), *TINY),
            r"layer 3: max_pool: a window of 3 x 3 is larger than the image of shape \(2, 2, 2\)",
        ),
        ((LayerSpec("flatten"), LayerSpec("conv2d", filters=2), *TINY), r"layer 2: conv2d .* got shape \(784,\)"),
        ((LayerSpec("flatten"), LayerSpec("dense")), r"layer 2: dense on shape \(784,\) has 0 units"),
        ((LayerSpec("conv2d"), *TINY), r"layer 1: conv2d on shape \(28, 28, 1\) has 0 filters"),
        (
            (LayerSpec("flatten"), LayerSpec("dense", units=7)),
            r"layer 2: the output has shape \(7,\), but 10 classes need shape \(10,\)",
        ),
        (
            (LayerSpec("max_pool"),),
            r"layer 1: the output has shape \(14, 14, 1\), but 10 classes need shape \(10,\)",
        ),
        ((), r"layer 0: the output has shape \(28, 28\), but 10 classes need"),
    ],
)
def test_layers_that_do_not_fit_are_refused_by_number_and_shape(specs: tuple[LayerSpec, ...], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        build(layered(*specs), (28, 28), 10)


def test_a_sigmoid_output_must_have_one_unit_and_two_classes() -> None:
    with pytest.raises(ShapeError, match="output = 'sigmoid' needs two classes, but the data have 10; use output"):
        build(ModelSpec("mlp", (8,), output="sigmoid"), (4,), 10)
    two = ModelSpec("layers", output="sigmoid", layers=(LayerSpec("dense", units=2),))
    with pytest.raises(ShapeError, match=r"the output has shape \(2,\), but 2 classes need shape \(1,\)"):
        build(two, (4,), 2)


def test_one_class_is_refused() -> None:
    with pytest.raises(ShapeError, match="a classifier needs at least two classes, but the data have 1; add"):
        build(ModelSpec("mlp", (8,)), (4,), 1)


def test_lenet5_of_small_images_is_refused() -> None:
    with pytest.raises(
        ShapeError, match=r"layer 7: conv2d with 120 filters: a window of 5 x 5 is larger .* \(2, 2, 16\)"
    ):
        build(LENET, (16, 16), 10)
    with pytest.raises(ShapeError, match=r"layer 1: conv2d with 6 filters takes images .* got shape \(784,\)"):
        build(LENET, (784,), 10)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (ModelSpec("mpl"), "unknown model 'mpl'; did you mean 'mlp'"),
        (layered(LayerSpec("dens", units=3)), "unknown layer 'dens'; did you mean 'dense'"),
        (ModelSpec("mlp", activation="rulu"), "unknown activation 'rulu'; did you mean 'relu'"),
        (ModelSpec("mlp", initializer="he"), "unknown initializer 'he'"),
        (ModelSpec("mlp", output="softmx"), "unknown output 'softmx'; did you mean 'softmax'"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(spec: ModelSpec, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        build(spec, (4,), 10)


def test_layer_specs_of_an_mlp() -> None:
    specs = layer_specs(ModelSpec("mlp", (5,), activation="tanh", initializer="he_normal"), 3)
    assert specs[1] == LayerSpec("dense", units=5, function="tanh", initializer="he_normal")
    assert specs[-1] == LayerSpec("dense", units=3, initializer="he_normal")


def test_a_final_softmax_or_sigmoid_is_part_of_the_loss():
    plain = (LayerSpec("flatten"), LayerSpec("dense", units=3))
    stacks = (
        (*plain, LayerSpec("activation", function="softmax")),
        (*plain[:1], LayerSpec("dense", units=3, function="softmax")),
    )
    wanted = [name for name, _ in build(ModelSpec("layers", layers=plain), (4,), 3).layers]
    for layers in stacks:
        assert [name for name, _ in build(ModelSpec("layers", layers=layers), (4,), 3).layers] == wanted
    one = (LayerSpec("flatten"), LayerSpec("dense", units=1, function="sigmoid"))
    assert build(ModelSpec("layers", layers=one, output="sigmoid"), (4,), 2).layers[-1][1].output_shape == (2,)


def test_operations_count_every_position_of_an_image():
    rows = {row.name: row.operations for row in summary(build(ModelSpec("lenet5"), (28, 28), 10))}
    assert rows["conv2d_1"] == 2 * 156 * 28 * 28
    assert rows["conv2d_2"] == 2 * 2416 * 10 * 10
    assert rows["dense_1"] == 2 * 10164


def test_global_pooling_alone_takes_gray_images():
    layers = (LayerSpec("global_average_pool"), LayerSpec("dense", units=3))
    assert build(ModelSpec("layers", layers=layers), (8, 8), 3).layers[0][1].output_shape == (8, 8, 1)
