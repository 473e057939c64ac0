"""How metrics are called in sentences, and how their values and differences are written: shares in percent, or plain.

Every function takes the key of a metric as a ``Comparison`` has it: ``"test_macro_f1"``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

__all__ = ["NAMES", "amount", "best", "change", "change_bounds", "is_loss", "outward", "points", "within"]

NAMES: Final[Mapping[str, str]] = {
    "train_accuracy": "training accuracy",
    "train_loss": "training loss",
    "validation_accuracy": "validation accuracy",
    "validation_loss": "validation loss",
    "test_accuracy": "test accuracy",
    "test_loss": "test loss",
    "generalization_gap": "generalization gap",
    "test_balanced_accuracy": "test balanced accuracy",
    "test_macro_f1": "test macro F1",
    "test_roc_auc": "test ROC AUC",
    "test_log_loss": "test log loss",
    "test_brier": "test Brier score",
}
"""Metric -> its name in a sentence."""


def is_loss(metric: str) -> bool:
    """Whether a metric is the better, the lower it is; it is then a plain number instead of a share.

    Example:
      >>> is_loss("test_log_loss"), is_loss("test_brier"), is_loss("test_macro_f1")
      (True, True, False)
    """
    return metric.endswith(("_loss", "_brier"))


def best(metric: str) -> str:
    """What the best value of a metric is.

    Example:
      >>> best("test_accuracy"), best("test_brier")
      ('highest', 'lowest')
    """
    return "lowest" if is_loss(metric) else "highest"


def amount(value: float, metric: str, digits: int = 2) -> str:
    """A value of a metric in its unit.

    Args:
      digits: decimals of a percentage; a plain number has two more.

    Example:
      >>> amount(0.88349, "test_accuracy"), amount(0.88349, "test_accuracy", 1), amount(0.31249, "test_log_loss")
      ('88.35 %', '88.3 %', '0.3125')
    """
    return f"{value:.{digits + 2}f}" if is_loss(metric) else f"{100 * value:.{digits}f} %"


def points(difference: float, signed: bool = False) -> str:
    """A difference of accuracies in percentage points: one decimal, or two if below 0.1.

    For sentences, which must also print on terminals without Unicode; tables have two decimals and a true minus sign.

    Args:
      difference: as a fraction of 1.
      signed: whether a positive difference gets a plus sign.

    Example:
      >>> points(0.0061, signed=True), points(-0.0123), points(0.0004), points(0.0)
      ('+0.6', '-1.2', '0.04', '0.0')
    """
    value = 100 * difference
    decimals = 1 if abs(value) >= 0.1 or value == 0 else 2
    value = round(value, decimals) + 0.0  # + 0.0 turns -0.0 into 0.0
    return f"{value:{'+' if signed and value > 0 else ''}.{decimals}f}"


def change(difference: float, metric: str, signed: bool = False) -> str:
    """A difference in the unit of its metric.

    Example:
      >>> change(0.0061, "test_macro_f1", signed=True), change(-0.0234, "test_log_loss"), change(0.005, "test_log_loss")
      ('+0.6 points', '-0.023', '0.0050')
    """
    return _plain(difference, signed) if is_loss(metric) else f"{points(difference, signed)} points"


def change_bounds(bounds: tuple[float, float], metric: str) -> str:
    """The interval of a difference, cut where differences of shares end.

    Example:
      >>> change_bounds((-0.2, 1.3), "test_accuracy"), change_bounds((-0.2, 1.3), "test_log_loss")
      ('[-20.0, 100.0]', '[-0.200, 1.300]')
    """
    if is_loss(metric):
        return f"[{_plain(bounds[0])}, {_plain(bounds[1])}]"
    return f"[{points(max(bounds[0], -1.0))}, {points(min(bounds[1], 1.0))}]"


def within(margin: float, metric: str) -> str:
    """A margin of equivalence in the unit of its metric.

    Example:
      >>> within(0.001, "test_accuracy"), within(0.005, "test_log_loss")
      ('0.1 points', '0.005')
    """
    return f"{margin:g}" if is_loss(metric) else f"{points(margin)} points"


def outward(bounds: tuple[float, float], metric: str) -> str:
    """From where to where differences go, rounded outward to a tenth of a point, so that the claim holds.

    Example:
      >>> outward((-0.0123, 0.0301), "test_accuracy"), outward((-0.0123, 0.0301), "test_brier")
      ('from -1.3 to +3.1 points', 'from -0.013 to +0.031')
    """
    low = math.floor(1000 * bounds[0] + 1e-9) / 1000
    high = math.ceil(1000 * bounds[1] - 1e-9) / 1000
    if is_loss(metric):
        return f"from {low:+.3f} to {high:+.3f}"
    low, high = max(low, -1.0), min(high, 1.0)
    return f"from {points(low, signed=True)} to {points(high, signed=True)} points"


def _plain(value: float, signed: bool = False) -> str:
    """Three decimals, four below 0.01."""
    digits = 3 if abs(value) >= 0.01 or value == 0 else 4
    value = round(value, digits) + 0.0  # + 0.0 turns -0.0 into 0.0
    return f"{value:{'+' if signed and value > 0 else ''}.{digits}f}"
