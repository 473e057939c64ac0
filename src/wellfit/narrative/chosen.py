"""Why the model of a study, which validation chooses, is not the variant that the test examples call better."""

from __future__ import annotations

from wellfit.analysis.selection import accuracy_may_choose, reads_validation, supported_by_validation
from wellfit.analysis.settings import flat_recipes
from wellfit.base import Sentence, StudySummary
from wellfit.narrative.metrics import NAMES
from wellfit.narrative.phrases import several

__all__ = ["chosen_despite_test"]


def chosen_despite_test(summary: StudySummary) -> tuple[Sentence, ...]:
    """What readers must know where the choice by validation and the verdicts on the test examples differ.

    Args:
      summary: the study with its comparisons.

    Returns:
      One sentence; none where both agree, or before any verdict.
    """
    chosen = supported_by_validation(summary)
    if chosen is None:
        return ()
    first = summary.variants[0].name
    if chosen.name != first:
        own = next((c for c in summary.comparisons if c.variant == chosen.name), None)
        if own is None or own.verdict == "better" or own.p_value is None:
            return ()
        text = (
            f"The model is {chosen.name}, which validation supports; on the test examples it is {own.verdict} "
            f"{_beside(own.verdict)} {first}, and test results do not choose"
        )
        return (Sentence(f"{text}.", (f"comparisons[{own.variant}].verdict",)),)
    better = [c.variant for c in summary.comparisons if c.verdict == "better"]
    if not better:
        return ()
    it, were = ("it", "was") if len(better) == 1 else ("them", "were")
    flat = flat_recipes(summary)
    if not accuracy_may_choose(summary):
        why = f"validation accuracy, which would choose, says too little about {NAMES[summary.compared]}"
    elif all(reads_validation(flat[name]) for name in better):
        why = f"validation, which alone chooses, cannot judge {it}"
    else:
        why = f"validation, which alone chooses, does not support {it} beyond chance"
    text = f"The model stays {first}, although {several(better)} {were} better on the test examples: {why}"
    return (Sentence(f"{text}.", tuple(f"comparisons[{name}].verdict" for name in better)),)


def _beside(verdict: str) -> str:
    return {"worse": "than", "equivalent": "to"}.get(verdict, "against")
