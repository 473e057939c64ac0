"""Sequential and functional models as chains of layers; the texts are those of Keras 2 and Keras 3."""

from __future__ import annotations

from typing import Any

import pytest

from keras_texts import DENSE, MLP, functional, layer, sequential
from wellfit.errors import StudyFileError
from wellfit.spec.imported.chain import chain_of

INPUT = layer("InputLayer", batch_shape=[None, 4])
FLAT = layer("Flatten")


def kinds(tables: dict[str, Any]) -> list[str]:
    return [one.kind for one in chain_of(tables, "m").layers]


def test_a_sequential_model() -> None:
    chain = chain_of(MLP, "m.keras")
    assert [one.kind for one in chain.layers] == ["Dense", "Dropout", "Dense"]
    assert (chain.name, chain.shape) == ("net", (4,))
    assert chain.layers[0].place == "m.keras, layer 2 (Dense 'dense')"


def test_the_first_configurations_of_keras_2() -> None:
    first = {"class_name": "Dense", "config": {"units": 3, "batch_input_shape": [None, 28, 28]}}
    for config in ([first], {"layers": [first]}):
        chain = chain_of({"class_name": "Sequential", "config": config}, "m")
        assert (chain.shape, chain.name) == ((28, 28), "Sequential")
    built = {"layers": [layer("Dense", units=3)], "build_input_shape": [None, 5]}
    assert chain_of({"class_name": "Sequential", "config": built}, "m").shape == (5,)
    assert chain_of(sequential(DENSE), "m").shape is None
    assert chain_of(sequential(DENSE, shape=(None,)), "m").shape == (None,)


def test_a_functional_chain_in_any_order() -> None:
    layers = {"out": DENSE, "flat": FLAT, "x": INPUT}
    assert kinds(functional(layers, {"x": [], "flat": ["x"], "out": ["flat"]}, ["out"])) == ["Flatten", "Dense"]


def test_a_functional_chain_of_keras_2() -> None:
    def old(name: str, one: dict[str, Any], nodes: Any) -> dict[str, Any]:
        return {"class_name": one["class_name"], "config": one["config"], "name": name, "inbound_nodes": nodes}

    layers = [old("x", INPUT, []), old("flat", FLAT, [[["x", 0, 0, {}]]]), old("out", DENSE, [[["flat", 0, 0, {}]]])]
    config = {"name": "model", "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": [["out", 0, 0]]}
    assert kinds({"class_name": "Model", "config": config}) == ["Flatten", "Dense"]
    layers[1]["inbound_nodes"] = [[["x", 0, 0, {"training": True}]]]
    with pytest.raises(StudyFileError, match="is called with training = True"):
        kinds({"class_name": "Model", "config": config})
    layers[1]["inbound_nodes"] = [[["x", 0, 0, {}], ["x", 0, 0, {}]]]
    with pytest.raises(StudyFileError, match="joins 2 inputs"):
        kinds({"class_name": "Model", "config": config})


A, B, C = ({**FLAT, "name": name} for name in "abc")
GRAPHS: dict[str, tuple[dict[str, Any], str]] = {
    "branch": (
        functional({"x": INPUT, "a": A, "b": B}, {"x": [], "a": ["x"], "b": ["x"]}, ["a", "b"]),
        "layer 3 .Flatten 'flatten'.: is a branch",
    ),
    "merge": (
        functional({"x": INPUT, "a": A, "m": layer("Add")}, {"x": [], "a": ["x"], "m": ["a", "x"]}, ["m"]),
        "joins 2 inputs; wellfit's layers have one",
    ),
    "two inputs": (
        functional({"x": INPUT, "y": INPUT, "a": A}, {"x": [], "y": [], "a": ["x"]}, ["a"]),
        "a model with 2 inputs; wellfit's networks have one",
    ),
    "no input": (functional({"a": A}, {"a": ["a"]}, ["a"]), "a model with 0 inputs"),
    "output within": (
        functional({"x": INPUT, "a": A, "b": B}, {"x": [], "a": ["x"], "b": ["a"]}, ["a"]),
        "other outputs than its last layer's",
    ),
    "two outputs": (
        functional({"x": INPUT, "a": A, "b": B}, {"x": [], "a": ["x"], "b": ["a"]}, ["a", "b"]),
        r"other outputs than its last layer's \(2\)",
    ),
    "a circle": (
        functional({"x": INPUT, "a": A, "b": B, "c": C}, {"x": [], "a": ["x"], "b": ["c"], "c": ["b"]}, ["a"]),
        "not one chain from the input to the output",
    ),
    "unknown source": (
        functional({"x": INPUT, "a": A}, {"x": [], "a": ["nobody"]}, ["a"]),
        "not one chain from the input to the output",
    ),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_other_graphs_are_refused(name: str) -> None:
    tables, message = GRAPHS[name]
    with pytest.raises(StudyFileError, match=message):
        kinds(tables)


def test_a_shared_layer_and_a_layer_that_is_called_with_options() -> None:
    tables = functional({"x": INPUT, "a": A}, {"x": [], "a": ["x"]}, ["a"])
    flat = tables["config"]["layers"][1]
    node = flat["inbound_nodes"][0]
    flat["inbound_nodes"] = [node, node]
    with pytest.raises(StudyFileError, match="is used several times"):
        kinds(tables)
    flat["inbound_nodes"] = [{**node, "kwargs": {"mask": None, "training": True}}]
    with pytest.raises(StudyFileError, match="is called with training = True; call it with its input alone"):
        kinds(tables)


def test_names_that_do_not_tell_layers_apart() -> None:
    tables = functional({"x": INPUT, "a": A}, {"x": [], "a": ["x"]}, ["a"])
    tables["config"]["layers"][1]["name"] = "x"
    with pytest.raises(StudyFileError, match="its layers have no names of their own"):
        kinds(tables)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({}, "no class_name and config with layers"),
        ({"class_name": "Sequential", "config": 3}, "no class_name and config with layers"),
        ({"class_name": "Sequential", "config": {"layers": {}}}, "no class_name and config with layers"),
        ({"class_name": ["Sequential"], "config": {"layers": []}}, "no class_name and config with layers"),
        ({"class_name": "MyModel", "config": {"layers": []}}, "of class 'MyModel'; wellfit takes Sequential and"),
        (sequential(), "a model without layers"),
        (sequential(shape=(3,)), "a model without layers"),
        (sequential(*[DENSE] * 600), "600 layers, more than the 500"),
        (sequential(3), "^m, layer 1: no class_name and config"),
        (sequential({"class_name": "Dense", "config": []}), "^m, layer 1: no class_name and config"),
        (sequential({**DENSE, "module": "mine.layers"}), "is not a layer of Keras itself"),
        (sequential({**DENSE, "module": 3}), "is not a layer of Keras itself"),
        (sequential(layer("Dense", units=3, trainable=False)), "is frozen, and wellfit trains every layer"),
        (sequential(layer("InputLayer", batch_shape="(3,)"), DENSE), "an input of shape"),
        (sequential(layer("InputLayer", batch_shape=[None, "3"]), DENSE), "an input of shape"),
        (sequential(layer("InputLayer", batch_shape=[None, True]), DENSE), "an input of shape"),
        (sequential(DENSE, shape=(2, 2, 2, 2)), "an input of 4 axes"),
    ],
)
def test_configurations_that_are_none(tables: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyFileError, match=message):
        chain_of(tables, "m")


@pytest.mark.parametrize("node", [3, "x", {}, {"args": 3}, {"args": [[{"config": 3}]]}, [[3]], [["x"]], {"args": {}}])
def test_calls_that_are_none(node: Any) -> None:
    tables = functional({"x": INPUT, "a": A}, {"x": [], "a": ["x"]}, ["a"])
    tables["config"]["layers"][1]["inbound_nodes"] = [node]
    if node == [["x"]]:
        assert kinds(tables) == ["Flatten"]
        return
    with pytest.raises(StudyFileError, match="joins 0 inputs"):
        kinds(tables)
