"""A callback for Keras that keeps learning curves and, after training, the predictions: ``wellfit.log``."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wellfit.data.predictions.curves import epoch_rows
from wellfit.data.predictions.log import check_log, log
from wellfit.errors import WellfitError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["keras_callback"]


def _backend() -> str:
    """A backend of Keras that is installed; JAX comes with wellfit."""
    return "torch" if importlib.util.find_spec("torch") else "jax"


def keras_callback(
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
    batch_size: int | None = None,
) -> Any:
    """A callback for ``model.fit`` that logs the run, on any backend of Keras.

    It keeps the losses and accuracies of all epochs. When the training ends, ``model.predict(x_test)`` is logged, with
    the weights that the model then has: give it after callbacks that change these at the end, such as ``EarlyStopping``
    with ``restore_best_weights``. A training that is interrupted is not logged.

    Args:
      variant, seed, y_test, out, fold, groups, class_names, settings, softmax, overwrite: as for ``wellfit.log``; give
        ``softmax`` where the model's outputs are logits.
      x_test: the test examples, as ``model.predict`` takes them; with ``fold``, those of the fold.
      batch_size: of the prediction.

    Returns:
      A ``keras.callbacks.Callback``.

    Raises:
      DataError, StoreError: as for ``wellfit.log``; what can be seen before the training is raised then.
      WellfitError: Keras is not installed.
    """
    try:
        import keras
    except ImportError as error:
        if error.name not in (None, "keras"):
            fix = f"install it, or choose another with KERAS_BACKEND, for example KERAS_BACKEND={_backend()}"
            raise WellfitError(
                f"keras_callback: Keras needs its backend {error.name}, which is not installed; {fix}"
            ) from None
        fix = 'which is not installed; install it with: pip install "wellfit[keras]"'
        raise WellfitError(f"keras_callback needs keras, {fix}") from None
    given: dict[str, Any] = {
        "y_test": y_test,
        "out": out,
        "groups": groups,
        "class_names": class_names,
        "settings": settings,
        "overwrite": overwrite,
    }
    check = partial(check_log, variant, seed, **given)
    check()
    rows: list[tuple[int, str, str, float]] = []

    def begin(_: Any) -> None:
        check()
        rows.clear()

    def note(epoch: int, measured: Mapping[str, Any] | None) -> None:
        rows.extend(epoch_rows(epoch + 1, measured or {}))

    def end(_: Any) -> None:
        predictions = callback.model.predict(x_test, batch_size=batch_size, verbose=0)
        log(variant, seed, predictions, fold=fold, curves=rows, softmax=softmax, **given)

    callback = keras.callbacks.LambdaCallback(on_train_begin=begin, on_epoch_end=note, on_train_end=end)
    return callback
