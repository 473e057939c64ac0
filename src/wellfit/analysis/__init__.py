"""What we conclude: metrics, statistics, diagnostics and words. NumPy and SciPy; no JAX, no files."""

from wellfit.analysis.diagnostics import best_epoch, overfit_onset, training_findings
from wellfit.analysis.metrics import (
    accuracy,
    brier_loss,
    calibration_bins,
    class_scores,
    confusion_matrix,
    correctness,
    expected_calibration_error,
    log_loss,
    log_losses,
)
from wellfit.analysis.statistics import (
    compare_with_first,
    holm,
    paired_comparison,
    t_interval,
    two_way_interval,
    verdict,
    wilson_interval,
)
from wellfit.analysis.words import conclusion, points

__all__ = [
    "accuracy",
    "best_epoch",
    "brier_loss",
    "calibration_bins",
    "class_scores",
    "compare_with_first",
    "conclusion",
    "confusion_matrix",
    "correctness",
    "expected_calibration_error",
    "holm",
    "log_loss",
    "log_losses",
    "overfit_onset",
    "paired_comparison",
    "points",
    "t_interval",
    "training_findings",
    "two_way_interval",
    "verdict",
    "wilson_interval",
]
