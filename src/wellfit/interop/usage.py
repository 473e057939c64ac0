"""How to use an exported file, in a few lines of Python; the tests run them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wellfit.interop.keras import has_missing_input
from wellfit.interop.network import common_preparation

if TYPE_CHECKING:
    from wellfit.model.fitted import FittedModel

__all__ = ["NEEDS", "usage"]

NEEDS: Final = {
    "keras": "Loading it needs Keras 3, on any backend, and not wellfit.",
    "onnx": "Loading it needs onnxruntime, or another runtime that reads opset 21, and not wellfit.",
    "safetensors": "Loading it needs wellfit. The file holds numbers and text alone: nothing in it can run.",
    "joblib": "Loading it needs wellfit. The file is a pickle, which can run any code when it is loaded: load only "
    "files of your own.",
}
"""Format -> what loading takes, in sentences."""

_ONNX_TABLE: Final = """\
import onnxruntime
import pandas as pd

session = onnxruntime.InferenceSession({file!r})
texts = [i.name for i in session.get_inputs() if i.type == "tensor(string)"]
frame = pd.read_csv("new.csv", dtype=dict.fromkeys(texts, str))
inputs = {{i.name: frame[[i.name]].to_numpy("float64") for i in session.get_inputs() if i.name not in texts}}
inputs |= {{name: frame[[name]].fillna("").to_numpy(str) for name in texts}}
probabilities, labels = session.run(None, inputs)
"""

_ONNX_ARRAY: Final = """\
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession({file!r})
{name} = np.load("{name}.npy")  # {shape}
probabilities, labels = session.run(None, {{"{name}": {name}.astype("{dtype}")}})
"""

_KERAS: Final = """\
import json
import os
import zipfile

os.environ.setdefault("KERAS_BACKEND", "jax")  # or "tensorflow", "torch"
import keras
import numpy as np{pandas}

model = keras.saving.load_model({file!r})
about = json.loads(zipfile.ZipFile({file!r}).read("wellfit.json"))
"""

_KERAS_END: Final = """\
probabilities = model.predict({inputs})
labels = np.array(about["classes"])[probabilities.argmax(axis=1)]
"""

_KERAS_ENCODED: Final = """\
texts = [column["name"] for column in about["columns"] if column["categories"]]
{frame}
features, missing = [], []
for column in about["columns"]:
    values = frame[column["name"]]
    absent = values.isna().to_numpy()[:, None]
    if column["categories"]:
        block = values.astype(str).to_numpy()[:, None] == np.array(column["categories"])
    else:
        block = values.to_numpy("float64")[:, None] - column["center"]
    features.append(np.where(absent, 0, block))
    missing.append(np.repeat(absent, block.shape[1], axis=1))
    if column["indicator"]:
        features.append(absent)
        missing.append(np.zeros_like(absent))
features = np.hstack(features).astype("float32")
missing = np.hstack(missing).astype("float32")
"""

_OURS: Final = """\
import {module}

model = {module}.load({file!r})
labels = model.predict({examples})
probabilities = model.predict_proba({examples})
"""


def usage(model: FittedModel, form: str, file: str, pixels: str = "float32") -> str:
    """Code that loads an exported file and predicts with it.

    Args:
      form: the format: a key of ``NEEDS``.
      file: the name of the file.
      pixels: the type of pixels that an ONNX file takes.

    Example:
      >>> from wellfit import Study, mlp
      >>> print(usage(Study("digits", mlp(16), epochs=1, seeds=1).run().model(), "safetensors", "model.safetensors"))
      import wellfit
      <BLANKLINE>
      model = wellfit.load('model.safetensors')
      labels = model.predict("images/")  # a folder, an image, several, or an array
      probabilities = model.predict_proba("images/")
    """
    preparation = common_preparation(model)
    named = bool(model.form.columns)
    name = "rows" if preparation.columns else "pixels"
    shape = f"(N, {', '.join(map(str, model.form.shape))})"
    if model.form.pixel_max is not None:
        shape += f", from 0 to {model.form.pixel_max:g}"
    if form == "onnx":
        if named:
            return _ONNX_TABLE.format(file=file).rstrip()
        wide = any(column.center for column in preparation.columns)
        dtype = "float64" if wide else pixels
        return _ONNX_ARRAY.format(file=file, name=name, shape=shape, dtype=dtype).rstrip()
    if form == "keras":
        return _keras(model, file, shape).rstrip()
    examples = '"new.csv"' if named else '"rows.npy"' if preparation.columns else '"images/"'
    module = "joblib" if form == "joblib" else "wellfit"
    code = _OURS.format(module=module, file=file, examples=examples).rstrip()
    what = "a folder, an image, several, or an array" if name == "pixels" else "a file, a DataFrame, or an array"
    return code.replace(f"predict({examples})", f"predict({examples})  # {what}")


def _keras(model: FittedModel, file: str, shape: str) -> str:
    preparation = common_preparation(model)
    plain = not any(c.categories or c.center or c.indicator for c in preparation.columns)
    if not preparation.columns or (plain and not model.form.columns):
        name = "rows" if preparation.columns else "pixels"
        read = f'{name} = np.load("{name}.npy")  # {shape}\n'
        return _KERAS.format(file=file, pandas="") + read + _KERAS_END.format(inputs=name)
    frame = 'frame = pd.read_csv("new.csv", dtype=dict.fromkeys(texts, str))'
    if not model.form.columns:
        frame = 'frame = pd.DataFrame(np.load("rows.npy"), columns=[column["name"] for column in about["columns"]])'
    inputs = '{"features": features, "missing": missing}' if has_missing_input(model) else "features"
    start = _KERAS.format(file=file, pandas="\nimport pandas as pd")
    return start + _KERAS_ENCODED.format(frame=frame) + _KERAS_END.format(inputs=inputs)
