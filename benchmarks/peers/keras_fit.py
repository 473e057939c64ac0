"""Keras, as its users write it: a Sequential model, compile, fit with validation data. On TensorFlow or on JAX."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from common import Arrays, parser, report
from workloads import Variant, Workload


def layers(workload: Workload, variant: Variant, keras: Any) -> list[Any]:
    """The layers of a variant's network, the input included."""
    of = keras.layers
    penalty = keras.regularizers.L1L2(variant.l1, variant.l2) if variant.l1 or variant.l2 else None
    normal = [of.BatchNormalization] if variant.batch_norm else []

    def after(rate: float) -> list[Any]:
        return [make() for make in normal] + ([of.Dropout(rate)] if rate else [])

    rates = workload.dropout_of(variant)
    if workload.hidden:
        inputs = 64 if workload.data == "digits" else 784
        hidden = [
            [of.Dense(units, "relu", kernel_regularizer=penalty), *after(rate)]
            for units, rate in zip(workload.hidden, rates, strict=True)
        ]
        return [keras.Input((inputs,)), *(layer for block in hidden for layer in block), of.Dense(10, "softmax")]
    if workload.filters:
        blocks = [
            [of.Conv2D(n, 3, padding="same"), of.BatchNormalization(), of.Activation("relu")] for n in workload.filters
        ]
        body = [layer for block in blocks for layer in [*block, of.MaxPooling2D()]][:-1]
        end = [of.GlobalAveragePooling2D(), *([of.Dropout(rates[0])] if rates[0] else []), of.Dense(10, "softmax")]
        return [keras.Input((28, 28, 1)), *body, *end]
    first, second, dense = rates
    return [
        keras.Input((28, 28, 1)),
        *(of.Conv2D(6, 5, padding="same", activation="relu"), *after(first), of.MaxPooling2D()),
        *(of.Conv2D(16, 5, activation="relu"), *after(second), of.MaxPooling2D()),
        *(of.Conv2D(120, 5, activation="relu"), *after(0.0), of.Flatten()),
        *(of.Dense(84, "relu"), *after(dense)),
        of.Dense(10, "softmax"),
    ]


def train(
    arrays: Arrays,
    workload: Workload,
    variant: Variant,
    epochs: int,
    end_of_epoch: Callable[[], None],
    *,
    keras: Any,
    steps: int,
) -> float:
    """Train one network; ``steps`` are handed to the backend at a time."""
    model = keras.Sequential(layers(workload, variant, keras))
    name = workload.optimizer_of(variant)
    optimizer = keras.optimizers.SGD(momentum=0.9) if name == "momentum" else name
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], steps_per_execution=steps)
    x, validation = (
        (arrays.x_train, arrays.x_validation)
        if workload.hidden
        else (arrays.x_train[..., None], arrays.x_validation[..., None])
    )
    history = model.fit(
        x,
        arrays.y_train,
        batch_size=workload.batch_size,
        epochs=epochs,
        verbose=0,
        validation_data=(validation, arrays.y_validation),
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: end_of_epoch())],
    )
    return float(history.history["val_accuracy"][-1])


def main() -> None:
    """Parse, import Keras on the backend that is asked for, measure."""
    arguments = parser(__doc__)
    arguments.add_argument("--variants", required=True)
    arguments.add_argument("--backend", choices=("tensorflow", "jax"), required=True)
    arguments.add_argument("--steps-per-execution", type=int, default=1)
    options = arguments.parse_args()
    os.environ["KERAS_BACKEND"] = options.backend
    import keras

    report(options, partial(train, keras=keras, steps=options.steps_per_execution), "keras")


if __name__ == "__main__":
    main()
