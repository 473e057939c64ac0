"""Which runs stand behind a comparison: all, or those that did not diverge."""

from __future__ import annotations

from collections.abc import Mapping

from wellfit.base import Comparison, VariantSummary

__all__ = ["diverged_runs", "lost", "of_survivors", "verdict_label"]


def diverged_runs(variant: VariantSummary) -> int:
    """How many of a variant's runs diverged.

    Example:
      >>> diverged_runs(VariantSummary("l2", {}, 1, (), {}, {}, 0.0, {}))
      0
    """
    return sum(run.state == "diverged" for run in variant.runs)


def lost(variant: VariantSummary) -> bool:
    """Whether every run of a variant diverged, so that nothing else can be said of it.

    Example:
      >>> lost(VariantSummary("l2", {}, 1, (), {}, {}, 0.0, {}))
      False
    """
    return 0 < diverged_runs(variant) == len(variant.runs)


def of_survivors(c: Comparison, variants: Mapping[str, VariantSummary]) -> bool:
    """Whether a comparison leaves out diverged runs of either variant, so that it is about the others alone.

    Example:
      >>> of_survivors(Comparison("l2", "baseline", "test_accuracy", 0.0, None, None, None, "undecided"), {})
      False
    """
    return any(diverged_runs(variants[name]) for name in (c.variant, c.against) if name in variants)


def verdict_label(c: Comparison, variants: Mapping[str, VariantSummary]) -> str:
    """A verdict in a table: ``identical`` for identical answers, with a star if diverged runs were left out.

    Example:
      >>> verdict_label(Comparison("l2", "baseline", "test_accuracy", 0.01, None, None, None, "better"), {})
      'better'
    """
    word = "identical" if c.identical else c.verdict
    return f"{word}*" if of_survivors(c, variants) else word
