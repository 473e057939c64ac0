"""The how-to about judging: its snippets run, and its tables are those of the benchmark's measurements."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

import wellfit
from wellfit.data.predictions.read import read_predictions

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "how-to" / "judge.md").read_text()
SNIPPETS = dict(re.findall(r'```python title="(\w[\w-]*).*?"\n(.*?)```', PAGE, re.S))
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 4)).astype(np.float32)
Y = np.digitize(X[:, 0], [-0.5, 0.5])


def logged(snippet: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **names: Any) -> None:
    """Run a snippet in a folder; the run is then in its predictions."""
    monkeypatch.chdir(folder)
    arrays = {f"{kind}_{part}": of for part in ("train", "val", "test") for kind, of in (("x", X), ("y", Y))}
    exec(snippet, {"wellfit": wellfit, "seed": 3, **arrays, **names})
    given = read_predictions([folder / "predictions"])
    assert set(given.variants.values()) == {(3,)}
    np.testing.assert_array_equal(given.labels, Y)
    assert given.runs[0].values().shape == (60, 3)


def test_every_library_has_a_snippet():
    assert list(SNIPPETS) == ["PyTorch", "Keras", "Lightning", "scikit-learn"]


def test_pytorch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    torch = pytest.importorskip("torch")
    logged(SNIPPETS["PyTorch"], tmp_path, monkeypatch, model=torch.nn.Linear(4, 3), x_test=torch.tensor(X))


def test_keras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    keras = pytest.importorskip("keras")
    with jax.numpy_rank_promotion("allow"):  # Keras is not as strict as we are
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
        model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        labels = {f"y_{part}": Y.astype(np.int32) for part in ("train", "val", "test")}  # JAX warns of int64
        snippet = SNIPPETS["Keras"].replace("epochs=20", "epochs=2, verbose=0")
        logged(snippet, tmp_path, monkeypatch, model=model, **labels)


@pytest.mark.filterwarnings("ignore")  # Lightning's own
def test_lightning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lightning = pytest.importorskip("lightning")
    torch = importlib.import_module("torch")

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 3)

        def forward(self, x: Any) -> Any:
            return self.layer(x)

        def training_step(self, batch: Any, _: int) -> Any:
            return torch.nn.functional.cross_entropy(self(batch[0]), batch[1])

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 0.1)

    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y)), 30)
    quick = SNIPPETS["Lightning"].replace("max_epochs=20", "max_epochs=1, accelerator='cpu', logger=False")
    names = {"lightning": lightning, "module": Module(), "train_loader": loader, "val_loader": None}
    logged(quick, tmp_path, monkeypatch, **names)


def test_scikit_learn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Quick(MLPClassifier):
        def __init__(self, alpha: float, random_state: int) -> None:
            super().__init__(solver="lbfgs", alpha=alpha, random_state=random_state)

    logged(SNIPPETS["scikit-learn"], tmp_path, monkeypatch, MLPClassifier=Quick)


def test_the_tables_are_those_of_the_measurements(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    script = importlib.import_module("judged_elsewhere")
    found = json.loads((ROOT / "benchmarks" / "results" / "judged_elsewhere.json").read_text())
    assert script.written(PAGE, found) == PAGE
    assert {of["judged"]["verdict"] for of in found["by"].values()} == {"better"}
    assert found["by"]["wellfit"]["judged"] == found["by"]["wellfit"]["own study"]
    for of in found["by"].values():  # accuracies alone are judged by Student's paired t test
        other = of["others"]
        assert other["wellfit accuracies alone"]["p_adjusted"] == pytest.approx(other["scipy t"], rel=1e-9)
