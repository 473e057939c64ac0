"""wellfit: which regularization makes a small neural network generalize, with error bars.

Example:
  >>> import wellfit
  >>> study = wellfit.Study("digits", variants={"baseline": {}, "l2": {"l2": 1e-3}}, epochs=30)
  >>> results = study.run()  # doctest: +SKIP
  >>> results.table()  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = [
    "Results",
    "Study",
    "Tracked",
    "WellfitError",
    "__version__",
    "claim",
    "cnn",
    "from_keras",
    "judge",
    "judge_datasets",
    "layers",
    "lenet5",
    "load",
    "load_dataset",
    "log",
    "logistic",
    "make_dataset",
    "mlp",
    "plot_ranks",
    "power",
    "technique",
]

if TYPE_CHECKING:
    from wellfit.api import (
        Results,
        Study,
        Tracked,
        claim,
        cnn,
        from_keras,
        judge,
        judge_datasets,
        layers,
        lenet5,
        load,
        load_dataset,
        log,
        logistic,
        make_dataset,
        mlp,
        plot_ranks,
        power,
        technique,
    )
    from wellfit.errors import WellfitError


def __getattr__(name: str) -> object:
    """Load a public name on first access: importing wellfit loads neither JAX nor a plotting library."""
    if name not in __all__:
        raise AttributeError(f"module 'wellfit' has no attribute {name!r}")
    from wellfit import api, errors

    return getattr(errors if name == "WellfitError" else api, name)


def __dir__() -> list[str]:
    return sorted(__all__)
