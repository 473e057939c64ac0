"""Early stopping against Keras's own callback."""

from __future__ import annotations

import keras
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from wellfit.base import EarlyStopping
from wellfit.engine.stopping import Watch, observe


class _Model:
    """The parts of a Keras model that the callback uses; its weights are the epoch number."""

    def __init__(self) -> None:
        self.epoch = 0
        self.restored = 0
        self.stop_training = False

    def get_weights(self) -> list[int]:
        return [self.epoch]

    def set_weights(self, weights: list[int]) -> None:
        self.restored = weights[0]


def keras_decides(rule: EarlyStopping, values: list[float]) -> tuple[int, int]:
    """The epoch at which Keras ends, and the epoch whose weights it leaves in the model; both from 1."""
    callback = keras.callbacks.EarlyStopping(
        monitor=rule.monitor,
        mode="min" if rule.monitor == "val_loss" else "max",
        patience=rule.patience,
        min_delta=rule.min_delta,
        start_from_epoch=rule.start_epoch,
        restore_best_weights=rule.restore_best_weights,
    )
    model = _Model()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.epoch = epoch + 1
        callback.on_epoch_end(epoch, {rule.monitor: value})
        if model.stop_training:
            break
    callback.on_train_end()
    return model.epoch, model.restored or model.epoch


def we_decide(rule: EarlyStopping, values: list[float]) -> Watch:
    watch = Watch()
    for epoch, value in enumerate(values, start=1):
        watch = observe(watch, rule, epoch, len(values), loss=value, accuracy=value)
        if watch.end_epoch:
            break
    return watch


RULES = st.builds(
    EarlyStopping,
    patience=st.integers(0, 6),
    monitor=st.sampled_from(["val_loss", "val_accuracy"]),
    min_delta=st.sampled_from([0.0, 0.001, 0.05, 0.3]),
    start_epoch=st.integers(0, 5),
    restore_best_weights=st.booleans(),
)
# few distinct values, so that ties and differences of exactly min_delta are common; nan and inf may occur in a history
VALUES = st.one_of(
    st.sampled_from([0.1, 0.15, 0.151, 0.2, 0.45, 0.5, float("inf"), float("nan")]),
    st.floats(0, 1, width=32, allow_subnormal=False),
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(rule=RULES, values=st.lists(VALUES, min_size=1, max_size=25))
def test_early_stopping_ends_and_restores_as_keras_does(rule: EarlyStopping, values: list[float]) -> None:
    watch = we_decide(rule, values)
    assert (watch.end_epoch, watch.kept_epoch) == keras_decides(rule, values)
    assert watch.stopped == (watch.end_epoch < len(values))


def test_without_a_rule_the_last_epoch_is_read() -> None:
    watch = Watch()
    for epoch in range(1, 6):
        watch = observe(watch, None, epoch, 4, loss=float(epoch), accuracy=0.0)
    assert (watch.end_epoch, watch.kept_epoch, watch.stopped) == (4, 4, False)


def test_an_ended_readout_looks_no_more() -> None:
    ended = Watch(best=0.1, kept_epoch=2, end_epoch=3, stopped=True)
    assert observe(ended, EarlyStopping(1), 4, 9, loss=0.0, accuracy=np.nan) is ended
