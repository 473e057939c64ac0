"""What we conclude: metrics, statistics, diagnostics and words. NumPy, SciPy and scikit-learn; no JAX, no files."""

from wellfit.analysis.bootstrap import two_way_bootstrap
from wellfit.analysis.calibration import calibration_bins, expected_calibration_error
from wellfit.analysis.comparisons import compare_pairs, compare_with_first, holm, paired_comparison, verdict
from wellfit.analysis.conclusions import conclusion
from wellfit.analysis.curves import best_epoch
from wellfit.analysis.diagnostics import training_findings
from wellfit.analysis.evidence import paired_evidence
from wellfit.analysis.intervals import t_interval, two_way_interval, wilson_interval
from wellfit.analysis.metrics import (
    accuracy,
    averaged_scores,
    brier_loss,
    class_scores,
    confusion_matrix,
    correctness,
    log_loss,
    log_losses,
    roc_auc,
    top_k_accuracy,
)
from wellfit.analysis.paired import corrected_resampled_t, mcnemar, paired_t, probability_better, sign_flip
from wellfit.analysis.power import further_seeds
from wellfit.analysis.rankings import friedman, nemenyi, ranking
from wellfit.analysis.sequential import Look
from wellfit.analysis.words import points

__all__ = [
    "Look",
    "accuracy",
    "averaged_scores",
    "best_epoch",
    "brier_loss",
    "calibration_bins",
    "class_scores",
    "compare_pairs",
    "compare_with_first",
    "conclusion",
    "confusion_matrix",
    "corrected_resampled_t",
    "correctness",
    "expected_calibration_error",
    "friedman",
    "further_seeds",
    "holm",
    "log_loss",
    "log_losses",
    "mcnemar",
    "nemenyi",
    "paired_comparison",
    "paired_evidence",
    "paired_t",
    "points",
    "probability_better",
    "ranking",
    "roc_auc",
    "sign_flip",
    "t_interval",
    "top_k_accuracy",
    "training_findings",
    "two_way_bootstrap",
    "two_way_interval",
    "verdict",
    "wilson_interval",
]
