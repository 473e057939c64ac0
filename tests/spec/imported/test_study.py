"""``model = { keras = "file.keras" }`` in a study file, and ``from_keras`` in Python."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import pytest

from keras_texts import DENSE, MLP, archive, layer, part, sequential
from wellfit.base import ModelSpec
from wellfit.errors import StudyFileError
from wellfit.spec.identity import fingerprint, spec_conflicts
from wellfit.spec.imported.study import from_keras, with_networks, with_places
from wellfit.spec.source import Source
from wellfit.spec.study import StudySpec, from_resolved, load_study, recipes, resolved, study_from_mapping
from wellfit.spec.written import study_file

# Keras's own, of its way to turn a variable into an array
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SCALED = sequential(layer("Rescaling", scale=1 / 255), layer("Flatten"), DENSE, shape=(8, 8))
NORMALIZED = sequential(layer("Normalization", axis=[-1]), DENSE, shape=(4,))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with networks, and a study file that says what is added to it."""
    (tmp_path / "nets").mkdir()
    for name, tables in (("mlp", MLP), ("scaled", SCALED), ("normalized", NORMALIZED)):
        (tmp_path / "nets" / f"{name}.keras").write_bytes(archive(tables))
    return tmp_path


def study(folder: Path, text: str, **given: Any) -> StudySpec:
    path = folder / "lab.toml"
    path.write_text(f'[data]\nname = "digits"\n{text}')
    return load_study(path, **given)


BASE = '[model]\nkeras = "nets/mlp.keras"\n'


def test_a_network_becomes_settings_of_the_base_recipe(folder: Path) -> None:
    spec = study(folder, f"{BASE}[variants.baseline]\n[variants.more]\ndropout = 0.5\nmodel = {{ hidden = [16] }}\n")
    sha = hashlib.sha256((folder / "nets" / "mlp.keras").read_bytes()).hexdigest()
    assert (spec.base.model, spec.base.l2, spec.base.dropout) == (ModelSpec("mlp", (8,)), 0.01, 0.25)
    assert spec.base.model.origin == f"mlp.keras (SHA-256 {sha})"
    more = recipes(spec)["more"]
    assert (more.model.hidden, more.dropout, more.l2, more.model.origin) == ((16,), 0.5, 0.01, "")


def test_a_study_does_not_need_the_file_any_more(folder: Path) -> None:
    spec = study(folder, BASE)
    stored = json.loads(json.dumps(resolved(spec)))
    (folder / "nets" / "mlp.keras").unlink()
    again = from_resolved(stored)
    assert again == spec
    assert again.base.model.origin == spec.base.model.origin
    (folder / "written.toml").write_text(study_file(spec))
    written = load_study(folder / "written.toml")
    assert written.base == spec.base
    assert written.base.model.origin == spec.base.model.origin


def test_another_file_with_the_same_network_is_the_same_study(folder: Path) -> None:
    first = resolved(study(folder, BASE))
    (folder / "nets" / "mlp.keras").write_bytes(archive(MLP) + b"\0")
    second = resolved(study(folder, BASE))
    assert first["base"]["model"]["origin"] != second["base"]["model"]["origin"]
    assert spec_conflicts(first, second) is None
    assert fingerprint(first, second) == ""


def test_what_is_written_has_precedence_over_the_file(folder: Path) -> None:
    spec = study(folder, f"{BASE}[train]\nl2 = 0.5\ndropout = 0.0\n")
    assert (spec.base.l2, spec.base.dropout) == (0.5, 0.0)


def test_a_variant_has_the_penalties_of_its_own_network(folder: Path) -> None:
    spec = study(
        folder,
        "[model]\nhidden = [4]\n[train]\nl1 = 0.1\nl2 = 0.2\n[variants.baseline]\n[variants.mine]\n"
        'model = { keras = "nets/mlp.keras" }\n[variants.mine-too]\nl1 = 0.3\nmodel = { keras = "nets/mlp.keras" }\n',
    )
    found = recipes(spec)
    assert [(found[name].l1, found[name].l2) for name in found] == [(0.1, 0.2), (0.0, 0.01), (0.3, 0.01)]
    assert found["mine"].model == ModelSpec("mlp", (8,))
    assert from_resolved(json.loads(json.dumps(resolved(spec)))) == spec


def test_parts_and_studies_that_extend_the_file(folder: Path) -> None:
    study(folder, f'{BASE}[parts.a]\n[parts.b.model]\nhidden = [3]\n[parts.c.model]\nkeras = "nets/scaled.keras"\n')
    (folder / "sub").mkdir()
    (folder / "sub" / "more.toml").write_text('extends = "../lab.toml"\n')
    for name, wanted in (("lab.toml/a", (8,)), ("lab.toml/c", ()), ("sub/more.toml", (8,))):
        assert load_study(f"{folder}/{name}").base.model.hidden == wanted
    with pytest.raises(StudyFileError, match="the file that keras names holds the whole network; remove hidden"):
        load_study(f"{folder}/lab.toml/b")


def test_set_replaces_the_model(folder: Path) -> None:
    path = folder / "nets" / "mlp.keras"
    spec = load_study("lab5", settings=[f"model.keras={path}"])
    assert (spec.base.model, spec.base.l2) == (ModelSpec("mlp", (8,)), 0.01)
    changed = load_study("lab5", settings=[f"variants.l2.model.keras={path}"])
    assert recipes(changed)["l2"].l2 == 0.001  # as the variant has it
    assert recipes(changed)["l2"].model.hidden == (8,)
    written = folder / "written.toml"
    written.write_text(study_file(spec))
    assert load_study(written, settings=["model.hidden=[3]"]).base.model.origin == ""


def test_scaling_is_that_of_the_data(folder: Path) -> None:
    assert study(folder, "").data.scale == "auto"
    assert study(folder, '[model]\nkeras = "nets/scaled.keras"\n').data.scale == "unit"
    assert study(folder, '[model]\nkeras = "nets/normalized.keras"\n').data.scale == "standardize"
    written = study(folder, 'scale = "standardize"\n[model]\nkeras = "nets/scaled.keras"\n')
    assert written.data.scale == "standardize"
    variant = '[variants.a]\n[variants.b]\nmodel = { keras = "nets/scaled.keras" }\n'
    assert study(folder, variant).data.scale == "auto"  # which is unit for images
    with pytest.raises(StudyFileError, match=r'\[variants.b\] model.keras: its first layer scales .* scale = "unit"'):
        study(folder, f'scale = "standardize"\n{variant}')
    other = variant.replace("scaled", "normalized")
    assert study(folder, other).data.scale == "auto"  # which standardizes rows
    with pytest.raises(StudyFileError, match=r'set \[data\] scale = "standardize"$'):
        study(folder, f'scale = "unit"\n{other}')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[model]\nkeras = "none.keras"\n', r"line 4, \[model\] keras: .*none\.keras: no such file"),
        ('[model]\nkeras = ""\n', r"line 4, \[model\] keras: must not be empty"),
        ("[model]\nkeras = 3\n", r"line 4, \[model\] keras: must be a string"),
        (f"{BASE}hidden = [3]\n", r"line 5, \[model\] hidden: the file that keras names holds the whole network"),
        (
            "[variants.a]\nmodel = { keras = 'lab.toml' }\n",
            r"\[variants.a\] model.keras: .*lab.toml: holds no architecture",
        ),
        ("[sweeps.a]\nmodel = [{ keras = 'nets/mlp.keras' }]\n", "a network from a file is no value of a sweep"),
        ("model = 3\n", "unknown key 'model'"),
        ("[variants]\na = { model = 3 }\n", "must be a table"),
    ],
)
def test_mistakes_have_their_place(folder: Path, text: str, message: str) -> None:
    with pytest.raises(StudyFileError, match=message):
        study(folder, text)


def test_tables_from_python(folder: Path) -> None:
    spec = study_from_mapping({"data": {"name": "digits"}, "model": {"keras": str(folder / "nets" / "mlp.keras")}})
    assert spec.base.model == ModelSpec("mlp", (8,))
    assert with_networks({"model": {"hidden": [3]}}, Source("x")) == {"model": {"hidden": [3]}}
    assert with_places({"model": {"keras": "a"}}, None) == {"model": {"keras": "a"}}


# --- Python -----------------------------------------------------------------------------------------------------------


def test_a_live_model_a_file_and_a_text_say_the_same(tmp_path: Path) -> None:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, "relu", kernel_regularizer="l2"),
            layers.Dropout(0.25),
            layers.Dense(3, "softmax"),
        ],
        name="net",
    )
    model.compile("sgd", "categorical_crossentropy")
    path, text = tmp_path / "net.keras", tmp_path / "net.json"
    model.save(path)
    text.write_text(model.to_json())
    live = from_keras(model)
    assert live == {"model": ModelSpec("mlp", (8,)), "l2": pytest.approx(0.01), "dropout": 0.25}
    assert live["model"].origin == "Keras model 'net'"
    assert from_keras(path) == from_keras(str(path)) == from_keras(str(text)) == from_keras(model.to_json()) == live


def test_a_functional_model_of_keras_itself() -> None:
    x = inputs = keras.Input((8, 8, 1))
    for one in (keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(1)):
        x = one(x)
    found = from_keras(keras.Model(inputs, keras.layers.Activation("sigmoid")(x)))
    assert found == {"model": ModelSpec("logistic", (), output="sigmoid"), "scale": "unit"}
    branches = keras.Model(inputs, keras.layers.Add()([x, x]))
    with pytest.raises(StudyFileError, match=r"joins 2 inputs|wellfit has no such layer"):
        from_keras(branches)


def test_a_scaling_that_is_replaced_is_part_of_the_record(folder: Path) -> None:
    scaled = sequential(layer("Rescaling", scale=1 / 127.5), layer("Flatten"), DENSE, shape=(8, 8))
    (folder / "nets" / "scaled.json").write_text(json.dumps(scaled))
    said = "; its Rescaling(0.00784314) is replaced: pixels are divided by the largest possible value of the data"
    spec = study(folder, '[model]\nkeras = "nets/scaled.json"\n')
    assert (spec.data.scale, spec.base.model.origin[-len(said) :]) == ("unit", said)
    assert from_keras(folder / "nets" / "scaled.json")["model"].origin.endswith(f"){said}")
    assert from_keras(json.dumps(scaled))["model"].origin == f"Keras model 'net'{said}"


def test_code_in_a_model_does_not_run() -> None:
    with pytest.warns(UserWarning, match="lambda"):
        text = keras.Sequential([keras.layers.Dense(3, activation=lambda x: x)]).to_json()
    with pytest.raises(StudyFileError, match=r"activation = (an object of your own|__lambda__) is not"):
        from_keras(text)
    with pytest.raises(StudyFileError, match=r"\(Lambda 'lambda'\): wellfit has no such layer"):
        from_keras(json.dumps(sequential(layer("Lambda", function=part("__lambda__", code="4wEAAA")))))


@pytest.mark.parametrize("model", [3, None, [1.0], {"class_name": "Sequential"}, ModelSpec()])
def test_what_is_no_model(model: Any) -> None:
    with pytest.raises(
        StudyFileError, match=r"^from_keras\(\.\.\.\): takes a Keras model or the path of a \.keras file"
    ):
        from_keras(model)


def test_a_model_that_cannot_describe_itself() -> None:
    class Own(keras.Model):  # type: ignore[misc]
        def __init__(self, units: Any) -> None:
            super().__init__()

        def to_json(self) -> str:
            raise NotImplementedError("no get_config")

    with pytest.raises(StudyFileError, match="the model cannot describe itself: no get_config"):
        from_keras(Own(3))


def test_reading_a_file_needs_no_keras(folder: Path) -> None:
    study(folder, BASE)
    code = (
        "import sys\nsys.modules['keras'] = sys.modules['tensorflow'] = None\nimport wellfit\n"
        f"spec = wellfit.Study.from_toml({str(folder / 'lab.toml')!r}).spec\n"
        "print(spec.base.model.hidden, 'h5py' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "(8,) False\n", done.stderr
