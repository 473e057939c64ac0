"""scikit-learn's MLPClassifier, one epoch at a time by partial_fit, with the validation split scored after each.

It has Adam, SGD and L2, and neither RMSprop, Adagrad, L1, dropout, batch normalization nor convolutions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from common import Arrays, UnsupportedError, parser, report
from workloads import Variant, Workload

_MOMENTUM: Final = {"sgd": 0.0, "momentum": 0.9}


def train(
    arrays: Arrays,
    workload: Workload,
    variant: Variant,
    epochs: int,
    end_of_epoch: Callable[[], None],
    *,
    classifier: Any,
    log_loss: Any,
) -> float:
    """Train one network."""
    optimizer = workload.optimizer_of(variant)
    lacking = {
        "no convolutions": not workload.hidden,
        f"no {optimizer}": optimizer not in ("adam", *_MOMENTUM),
        "no L1": variant.l1,
        "no dropout": any(workload.dropout_of(variant)),
        "no batch normalization": variant.batch_norm,
    }
    if reasons := [reason for reason, it_does in lacking.items() if it_does]:
        raise UnsupportedError(", ".join(reasons))
    # its penalty is alpha / (2 B) * sum(w ** 2), over the output layer's weights too
    sgd = {"learning_rate_init": 0.01, "momentum": _MOMENTUM.get(optimizer, 0.0), "nesterovs_momentum": False}
    model = classifier(
        workload.hidden,
        alpha=2 * workload.batch_size * variant.l2,
        batch_size=workload.batch_size,
        **({"solver": "sgd", **sgd} if optimizer in _MOMENTUM else {"solver": "adam"}),
    )
    accuracy = 0.0
    for epoch in range(epochs):
        model.partial_fit(arrays.x_train, arrays.y_train, **({} if epoch else {"classes": range(10)}))
        probabilities = model.predict_proba(arrays.x_validation)  # (v, 10)
        accuracy = float((probabilities.argmax(axis=1) == arrays.y_validation).mean())
        if not log_loss(arrays.y_validation, probabilities) < 10:
            raise RuntimeError("it does not learn")
        end_of_epoch()
    return accuracy


def main() -> None:
    """Parse, import scikit-learn, measure."""
    arguments = parser(__doc__)
    arguments.add_argument("--variants", required=True)
    options = arguments.parse_args()
    from sklearn.metrics import log_loss
    from sklearn.neural_network import MLPClassifier

    report(options, partial(train, classifier=MLPClassifier, log_loss=log_loss), "scikit-learn")


if __name__ == "__main__":
    main()
