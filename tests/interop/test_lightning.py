"""The callback for Lightning."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wellfit.data.predictions.read import read_predictions
from wellfit.errors import DataError, StoreError, WellfitError
from wellfit.interop.lightning import lightning_callback

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(90, 4)).astype(np.float32)
Y = (X[:, 0] > 0) + (X[:, 1] > 0).astype(np.int64)

pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning's own, about workers and loggers


@pytest.fixture(scope="module", params=["lightning.pytorch", "pytorch_lightning"])
def pl(request: pytest.FixtureRequest) -> Any:
    return pytest.importorskip(request.param)


@pytest.fixture
def fitted(pl: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Train a module with callbacks, and return it."""
    import torch

    for name in ("lightning.pytorch", "pytorch_lightning"):
        if name != pl.__name__:
            monkeypatch.delitem(sys.modules, name, raising=False)

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layers = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Dropout(0.5))

        def forward(self, x: Any) -> Any:
            return self.layers(x)

        def training_step(self, batch: Any, _: int) -> Any:
            loss = torch.nn.functional.cross_entropy(self(batch[0]), batch[1])
            self.log("train_loss", loss, on_step=True, on_epoch=True)
            self.log("train_acc", loss, on_step=True, on_epoch=False)
            return loss

        def validation_step(self, batch: Any, _: int) -> None:
            self.log("val_acc", (self(batch[0]).argmax(1) == batch[1]).float().mean())

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 0.5)

    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))

    def fit(*callbacks: Any, epochs: int = 3, **options: Any) -> Any:
        pl.seed_everything(0, verbose=False)
        module = Module()
        loader = torch.utils.data.DataLoader(data, batch_size=30)
        trainer = pl.Trainer(
            max_epochs=epochs, accelerator="cpu", devices=1, callbacks=list(callbacks), logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
            default_root_dir=tmp_path / "lightning", **options,
        )  # fmt: skip
        trainer.fit(module, loader, loader)
        return module

    fit.loader = lambda: torch.utils.data.DataLoader(data, batch_size=40)  # type: ignore[attr-defined]
    return fit


def probabilities(module: Any) -> np.ndarray:
    module.eval()
    import torch

    return torch.softmax(module(torch.tensor(X)), 1).detach().numpy()


def test_predictions_and_curves_are_those_of_the_training(fitted: Any, tmp_path: Path):
    module = fitted(lightning_callback("plain", 0, X, Y, out=tmp_path / "runs", softmax=True, batch_size=50))
    given = read_predictions([tmp_path / "runs"])
    np.testing.assert_allclose(given.runs[0].values(), probabilities(module), atol=1e-6)
    curves = given.histories["plain", 0]
    assert np.isfinite(curves["train_loss"]).all()
    assert len(curves) == 3
    assert np.isnan(curves["train_accuracy"]).all()
    accuracy = (probabilities(module).argmax(axis=1) == Y).mean()
    np.testing.assert_allclose(curves["validation_accuracy"][-1], accuracy, atol=1e-6)


def test_epochs_without_a_validation_have_no_value_and_steps_are_no_epochs(fitted: Any, tmp_path: Path, pl: Any):
    class Reader(pl.Callback):  # as a progress bar does
        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            dict(trainer.callback_metrics)

    out = tmp_path / "runs"
    fitted(lightning_callback("a", 0, X, Y, out=out, softmax=True), Reader(), epochs=5, check_val_every_n_epoch=2)
    fitted(lightning_callback("a", 1, X, Y, out=out, softmax=True), epochs=2, val_check_interval=2)
    fitted(lightning_callback("a", 2, X, Y, out=out, softmax=True), epochs=2, limit_val_batches=0)
    curves = read_predictions([out]).histories
    assert np.isfinite(curves["a", 0]["validation_accuracy"]).tolist() == [False, True, False, True, False]
    assert np.isfinite(curves["a", 0]["train_loss"]).tolist() == [True] * 5
    assert np.isfinite(curves["a", 1]["validation_accuracy"]).all()
    for one in curves.values():
        assert np.isnan(one["train_accuracy"]).all()
        assert np.isfinite(one["train_loss"]).all()
    assert np.isnan(curves["a", 2]["validation_accuracy"]).all()


def test_examples_of_another_precision_are_those_of_the_module(fitted: Any, tmp_path: Path):
    module = fitted(lightning_callback("a", 0, X.astype(np.float64), Y, out=tmp_path / "runs", softmax=True))
    given = read_predictions([tmp_path / "runs"])
    np.testing.assert_allclose(given.runs[0].values(), probabilities(module), atol=1e-6)


def test_batches_that_are_none_are_found_before_the_training(fitted: Any, tmp_path: Path):
    import torch

    out = tmp_path / "runs"
    dicts = [{"x": torch.tensor(X), "y": torch.tensor(Y)}]
    for batches, kind in ((dicts, "dict"), ([(dicts[0], Y)], "dict")):
        loader = torch.utils.data.DataLoader(batches, batch_size=None)
        with pytest.raises(DataError, match=rf"x_test: batches of type {kind}; give an array, a tensor, or a"):
            fitted(lightning_callback("a", 0, loader, out=out), epochs=1000)
    plain = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.tensor(X)), batch_size=40)
    with pytest.raises(DataError, match=r"class_names|labels"):
        fitted(lightning_callback("a", 0, plain, out=out, class_names=["p", "q", "r"]), epochs=1000)
    with pytest.raises(DataError, match="x_test has no batches"):
        fitted(lightning_callback("a", 0, torch.utils.data.DataLoader([]), Y, out=out), epochs=1000)


def test_looking_at_a_loader_does_not_change_the_training(fitted: Any, tmp_path: Path):
    with_loader = fitted(lightning_callback("a", 0, fitted.loader(), out=tmp_path / "runs", softmax=True))
    np.testing.assert_array_equal(probabilities(with_loader), probabilities(fitted()))


def test_every_mode_is_as_before(fitted: Any, tmp_path: Path):
    modes: list[bool] = []

    def look(_: Any, module: Any) -> None:
        modes.append(module.layers[1].training)

    callback = lightning_callback("plain", 0, X, Y, out=tmp_path / "runs", softmax=True)
    from_package = type(callback)
    fitted(from_package(on_train_end=look), callback, from_package(on_train_end=look))
    assert len(set(modes)) == 1


def test_a_loader_has_the_labels(fitted: Any, tmp_path: Path):
    fitted(lightning_callback("plain", 0, fitted.loader(), out=tmp_path / "runs", softmax=True), precision="bf16-true")
    given = read_predictions([tmp_path / "runs"])
    np.testing.assert_array_equal(given.labels, Y)
    assert given.runs[0].values().shape == (90, 3)


def test_mistakes_are_found_before_the_training(fitted: Any, tmp_path: Path):
    callback = lightning_callback("plain", 0, X, Y, out=tmp_path / "runs", softmax=True)
    fitted(callback, epochs=1)
    with pytest.raises(StoreError, match="this run has been logged before"):
        fitted(callback, epochs=1000)
    with pytest.raises(DataError, match="y_test has"):
        lightning_callback("plain", 1, X, Y + 1, out=tmp_path / "runs")
    with pytest.raises(DataError, match="if these are logits"):
        fitted(lightning_callback("plain", 1, X, Y, out=tmp_path / "runs"), epochs=1)
    with pytest.raises(DataError, match="x_test has no batches; give the test examples"):
        fitted(lightning_callback("plain", 1, iter(()), Y, out=tmp_path / "runs"), epochs=1)


def test_a_trial_run_is_not_logged(fitted: Any, tmp_path: Path):
    fitted(lightning_callback("plain", 0, X, Y, out=tmp_path / "runs", softmax=True), fast_dev_run=True)
    assert not (tmp_path / "runs").exists()


def test_without_lightning_one_line_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    for name in ("lightning.pytorch", "pytorch_lightning"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WellfitError, match="which is not installed; install it with: pip install lightning"):
        lightning_callback("plain", 0, X, Y)
