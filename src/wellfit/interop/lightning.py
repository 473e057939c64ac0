"""A callback for Lightning that keeps learning curves and, after training, the predictions: ``wellfit.log``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.data.predictions.curves import epoch_rows
from wellfit.data.predictions.log import check_log, log
from wellfit.data.predictions.tensors import array_of
from wellfit.errors import DataError, WellfitError

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import ArrayLike

__all__ = ["lightning_callback"]

_PACKAGES: Final = ("lightning.pytorch", "pytorch_lightning")
"""Two packages with the same classes, which do not go together."""
_BOTH: Final = ("train", "validation")
_EMPTY: Final = "lightning_callback(...): x_test has no batches; give the test examples"
_HAND_OVER: Final = "give an array, a tensor, or a DataLoader of tensors or of (examples, labels)"


def lightning_callback(
    variant: str,
    seed: int,
    x_test: Any,
    y_test: ArrayLike | None = None,
    *,
    out: str | Path = "predictions",
    fold: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    class_names: Sequence[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    softmax: bool = False,
    overwrite: bool = False,
    batch_size: int = 1024,
) -> Any:
    """A callback for Lightning's ``Trainer`` that logs the run.

    It keeps the losses and accuracies that the module logs for epochs, under names such as ``train_loss`` and
    ``val_acc``; what is logged for steps alone is left out, and so are epochs without a validation. When the training
    ends, the module's outputs for the test examples are logged, in evaluation mode and with the weights that it then
    has: give it after callbacks that change these at the end, as ``WeightAveraging`` does. A training that is
    interrupted, or a ``fast_dev_run``, is not logged. Of several processes, the first one logs.

    Args:
      variant, seed, y_test, out, fold, groups, class_names, settings, softmax, overwrite: as for ``wellfit.log``; give
        ``softmax`` where ``module(x)`` gives logits, as is usual.
      x_test: the test examples as an array or a tensor, or a ``DataLoader`` that does not shuffle, of batches or of
        tuples that begin with one; with ``fold``, the examples of the fold.
      y_test: the labels; None if another run gives them, or if ``x_test`` is a ``DataLoader`` of examples and labels.
      batch_size: of the prediction; a ``DataLoader`` has its own.

    Returns:
      A ``lightning.pytorch.Callback``, or a ``pytorch_lightning.Callback`` where only that package is in use.

    Raises:
      DataError, StoreError: as for ``wellfit.log``; what can be seen before the training is raised then.
      WellfitError: Lightning is not installed.
    """
    package = _lightning()
    given: dict[str, Any] = {
        "out": out,
        "groups": groups,
        "class_names": class_names,
        "settings": settings,
        "overwrite": overwrite,
    }
    early = {**given, "y_test": y_test}
    if y_test is None and _is_loader(x_test):  # its batches may have the labels
        early |= {"groups": None, "class_names": None}
    check = partial(check_log, variant, seed, **early)
    check()
    rows: dict[tuple[int, str, str], float] = {}
    of_step: dict[str, Any] = {}  # kept alive, so that no later value has their memory

    def logs(trainer: Any) -> bool:
        return bool(trainer.is_global_zero and not trainer.fast_dev_run)

    def begin(trainer: Any, _: Any) -> None:
        rows.clear()
        of_step.clear()
        if logs(trainer):
            if _looked_at(x_test) is None:
                check_log(variant, seed, **given, y_test=y_test)
            check()

    def remember(trainer: Any, *_: Any) -> None:
        of_step.update(trainer.callback_metrics)

    def note(trainer: Any, metrics: Mapping[str, Any], splits: Collection[str]) -> None:
        for epoch, metric, split, value in epoch_rows(trainer.current_epoch + 1, metrics):
            if split in splits:
                rows[epoch, metric, split] = value

    def note_epoch(trainer: Any, _: Any) -> None:
        # What was there after the last batch is of that step alone, or of an epoch before.
        now = trainer.callback_metrics
        note(trainer, {name: of for name, of in now.items() if not _same(of, of_step.get(name))}, _BOTH)

    def note_validation(trainer: Any, _: Any) -> None:
        if not trainer.sanity_checking:
            note(trainer, trainer.callback_metrics, _BOTH[1:])

    def end(trainer: Any, module: Any) -> None:
        if not logs(trainer):
            return
        predictions, labels = _predicted(trainer, module, x_test, batch_size)
        own = y_test is not None or fold is not None
        log(
            variant,
            seed,
            predictions,
            y_test=y_test if own else labels,
            fold=fold,
            curves=[(*which, value) for which, value in rows.items()],
            softmax=softmax,
            **given,
        )

    return package.LambdaCallback(
        on_fit_start=begin,
        on_train_batch_end=remember,
        on_train_epoch_end=note_epoch,
        on_validation_end=note_validation,
        on_train_end=end,
    )


def _lightning() -> ModuleType:
    """The callbacks of the package that is in use, or else of the one that is installed."""
    found = [name for name in _PACKAGES if name in sys.modules]
    for name in found or _PACKAGES:
        if found or importlib.util.find_spec(name.split(".")[0]) is not None:
            return importlib.import_module(f"{name}.callbacks")
    raise WellfitError("lightning_callback needs lightning, which is not installed; install it with: pip install "
                       "lightning")  # fmt: skip


def _is_loader(x_test: Any) -> bool:
    """Whether these are batches, not an array, a tensor or a list of examples."""
    return isinstance(x_test, Iterable) and not hasattr(x_test, "shape") and not isinstance(x_test, Sequence)


def _same(value: Any, before: Any) -> bool:
    """Whether a metric is what it was before; the trainer hands out views."""
    return before is not None and value.data_ptr() == before.data_ptr()


def _looked_at(x_test: Any) -> Any:
    """The labels of the first batch, None without; of what can be gone through once or is no loader, something else."""
    import torch

    if not _is_loader(x_test) or isinstance(x_test, Iterator):
        return ()
    with torch.random.fork_rng(devices=[]):  # a loader draws from it, which would change the training
        for _, labels in _batches(x_test, 1):
            return labels
    raise DataError(_EMPTY)


def _batches(x_test: Any, batch_size: int) -> Iterator[tuple[Any, Any]]:
    """Examples and labels, which are None where they are not there."""
    if _is_loader(x_test):
        for batch in x_test:
            pair = isinstance(batch, tuple | list)
            if not hasattr(batch[0] if pair and batch else batch, "shape"):
                kind = type(batch[0] if pair and batch else batch).__name__
                raise DataError(f"lightning_callback(...), x_test: batches of type {kind}; {_HAND_OVER}")
            yield (batch[0], batch[1] if len(batch) > 1 else None) if pair else (batch, None)
        return
    examples = x_test if hasattr(x_test, "detach") else array_of(x_test, "lightning_callback(...), x_test")
    for start in range(0, len(examples), batch_size):
        yield examples[start : start + batch_size], None


def _predicted(trainer: Any, module: Any, x_test: Any, batch_size: int) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """The outputs for the test examples, and their labels if the batches have them.  # (M, K), (M,)"""
    import torch

    precision = trainer.precision_plugin
    dtype = next((of.dtype for of in module.parameters() if of.is_floating_point()), None)
    outputs, labels = [], []
    with _evaluating(module), torch.inference_mode(), precision.forward_context():
        for x, y in _batches(x_test, batch_size):
            on_device = torch.as_tensor(x).to(module.device)
            if dtype is not None and on_device.is_floating_point():
                on_device = on_device.to(dtype)
            output = module(precision.convert_input(on_device))
            outputs.append(array_of(output, "lightning_callback(...), the module's output"))
            labels += [] if y is None else [array_of(y, "lightning_callback(...), the labels of a batch")]
    if not outputs:
        raise DataError(_EMPTY)
    return np.concatenate(outputs), np.concatenate(labels) if labels else None


@contextmanager
def _evaluating(module: Any) -> Iterator[None]:
    """Evaluation mode for the block; every layer is then in its own mode again."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, training in modes.items():
            part.training = training
