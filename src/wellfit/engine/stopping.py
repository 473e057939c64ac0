"""Early stopping on the host, with exactly the same decisions as Keras.

The compiled program does not stop by itself. After every epoch, each readout of each trajectory checks the validation
metrics here and decides whether to copy the weights and whether it has ended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from wellfit.base import EarlyStopping

__all__ = ["Watch", "observe"]


@dataclass(frozen=True)
class Watch:
    """The early-stopping state of a readout.

    Args:
      best: the best monitored value so far, as a loss (accuracies are negated); None before the first judged epoch.
      wait: epochs since the best value.
      kept_epoch: the epoch, counted from 1, whose weights were copied; 0 if none.
      end_epoch: the epoch, counted from 1, at which the readout ended; 0 while it trains.
      stopped: whether its rule ended it before its last epoch.
    """

    best: float | None = None
    wait: int = 0
    kept_epoch: int = 0
    end_epoch: int = 0
    stopped: bool = False


def observe(watch: Watch, rule: EarlyStopping | None, epoch: int, epochs: int, loss: float, accuracy: float) -> Watch:
    """Update a readout's early-stopping state after an epoch.

    Args:
      rule: the stopping rule; None reads the run at its last epoch.
      epoch: the epoch that just ended, counted from 1.
      epochs: the readout's last epoch.
      loss, accuracy: on the validation split after this epoch.

    Returns:
      The new state; its ``kept_epoch`` equals ``epoch`` if the weights must be copied now.

    Source: ``keras.callbacks.EarlyStopping`` of Keras 3. Epochs before ``start_epoch`` (counted from 0) are not judged.
    The first judged epoch is an improvement, and so is ``value + min_delta < best``, compared in float32 as in Keras's
    backends. Training stops after ``patience`` epochs without improvement, but never after the first epoch.

    Example:
      >>> rule, watch = EarlyStopping(patience=1, restore_best_weights=True), Watch()
      >>> for epoch, loss in enumerate([0.9, 0.5, 0.6], start=1):
      ...     watch = observe(watch, rule, epoch, 30, loss, 0.0)
      >>> watch.end_epoch, watch.kept_epoch, watch.stopped
      (3, 2, True)
    """
    if watch.end_epoch:
        return watch
    if rule is not None and epoch > rule.start_epoch:
        value = loss if rule.monitor == "val_loss" else -accuracy
        restore = rule.restore_best_weights
        watch = replace(watch, wait=watch.wait + 1)
        if watch.best is None or np.float32(value + rule.min_delta) < np.float32(watch.best):
            watch = replace(watch, best=value, wait=0, kept_epoch=epoch if restore else 0)
        elif watch.wait >= rule.patience and epoch > 1:
            watch = replace(watch, end_epoch=epoch, stopped=epoch < epochs)
    if epoch >= epochs:
        watch = replace(watch, end_epoch=epoch)
    if watch.end_epoch and not watch.kept_epoch:
        watch = replace(watch, kept_epoch=epoch)
    return watch
