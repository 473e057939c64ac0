"""When a run is read: early stopping on the host, decided exactly as Keras decides.

The compiled program knows nothing of stopping. After every epoch, each readout of each trajectory looks at the
validation metrics here and says whether it takes a copy of the weights and whether it has ended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from wellfit.base import EarlyStopping

__all__ = ["Watch", "look"]


@dataclass(frozen=True)
class Watch:
    """What a readout remembers.

    Args:
      best: the best monitored value so far, as a loss (an accuracy is negated); None before the first judged epoch.
      wait: epochs since then.
      kept_epoch: the epoch, from 1, whose weights were copied; 0 if none.
      end_epoch: the epoch, from 1, at which it ended; 0 while it goes on.
      stopped: whether its rule ended it before its last epoch.
    """

    best: float | None = None
    wait: int = 0
    kept_epoch: int = 0
    end_epoch: int = 0
    stopped: bool = False


def look(watch: Watch, rule: EarlyStopping | None, epoch: int, epochs: int, loss: float, accuracy: float) -> Watch:
    """Look at the end of an epoch.

    ``kept_epoch`` of the answer is this epoch where the weights are to be copied now.

    Args:
      watch: what the readout remembers.
      rule: its stopping rule, or None for the last epoch.
      epoch: the epoch that ended, from 1.
      epochs: the readout's last epoch.
      loss, accuracy: of the validation split, after this epoch.

    Source: ``keras.callbacks.EarlyStopping`` of Keras 3: an epoch before ``start_epoch`` (counted from 0) is not
    judged; the first judged epoch, and ``value + min_delta < best``, are improvements (compared in float32, as Keras's
    backends do); training stops after ``patience`` epochs without one, never after the first epoch.

    Example:
      >>> rule, watch = EarlyStopping(patience=1, restore_best_weights=True), Watch()
      >>> for epoch, loss in enumerate([0.9, 0.5, 0.6], start=1):
      ...     watch = look(watch, rule, epoch, 30, loss, 0.0)
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
