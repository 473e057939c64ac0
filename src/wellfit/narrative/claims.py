"""What a published number shows, in sentences."""

from __future__ import annotations

from wellfit.analysis.claims import ClaimEvidence
from wellfit.analysis.crossed import Interval
from wellfit.narrative.phrases import counted

__all__ = ["claim_sentences", "run_sentence"]


def claim_sentences(found: ClaimEvidence) -> tuple[str, ...]:
    """What the number says of its network, of its recipe, and of a difference; and what would be needed.

    Example:
      >>> from wellfit.analysis.claims import claim_evidence
      >>> for text in claim_sentences(claim_evidence(0.8835, 10_000, other=0.8803))[:2]:
      ...     print(text[:96])
      88.35 % of 10,000 test examples: this one network gets 87.71 to 88.97 % of such examples right (
      It is one run. How much another seed would change it is not known here, so nothing is shown abou
    """
    return _network(found), _recipe(found), *_difference(found), _least(found), _assumed(found)


def run_sentence(accuracy: float, variant: str, directory: str, runs: int, bounds: Interval | None) -> str:
    """Whether one more run of comparable ones could have given the number, on their test examples.

    Example:
      >>> run_sentence(0.8835, "baseline", "studies/lab5", 5, (0.87, 0.89))[:80]
      'One more run of baseline in studies/lab5 would have 87.00 to 89.00 % (95 %, 5 ru'
    """
    if bounds is None:
        return f"{variant} in {directory} has {counted(runs, 'run')}, which shows no spread over seeds."
    fits = bounds[0] <= accuracy <= bounds[1]
    return (
        f"One more run of {variant} in {directory} would have {_range(bounds)} (95 %, {counted(runs, 'run')}, on the "
        f"test examples of that study): {100 * accuracy:.2f} % is {'consistent with that' if fits else 'outside'}."
    )


def _network(found: ClaimEvidence) -> str:
    return (
        f"{100 * found.accuracy:.2f} % of {found.examples:,} test examples: this one network gets "
        f"{_range(found.on_examples)} of such examples right (95 %)."
    )


def _recipe(found: ClaimEvidence) -> str:
    if found.interval is None or found.seed_sd is None:
        return (
            "It is one run. How much another seed would change it is not known here, so nothing is shown about the "
            "recipe: give the spread over seeds, or comparable runs."
        )
    return (
        f"Seeds vary with a standard deviation of {100 * found.seed_sd:.2f} points: over seeds, the recipe has a mean "
        f"accuracy of {_range(found.interval)} (95 %)."
    )


def _difference(found: ClaimEvidence) -> list[str]:
    gap, here = found.difference, found.difference_on_examples
    if gap is None or found.other is None or here is None:
        return []
    among = f", corrected for {found.comparisons} comparisons" if found.comparisons > 1 else ""
    both = f"{100 * found.accuracy:.2f} % against {100 * found.other:.2f} %, a difference of {_signed(gap)} points"
    alone = f"the finite test set alone leaves {_bounds(here)} points possible{among}"
    if found.difference_interval is None:
        shows = "one of these two networks is better" if here[0] > 0 or here[1] < 0 else "neither network is better"
        end = f"{shows} beyond chance; of the recipes it shows nothing"
        return [f"{both}: {alone}, so {end}."]
    alone = alone.replace(among, "")
    word = "better" if gap > 0 else "worse"
    end = f"The first recipe is {word} beyond chance" if found.shown else "That does not show which recipe is better"
    return [f"{both}: {alone}, and with the seeds {_bounds(found.difference_interval)}{among}. {end}."]


def _least(found: ClaimEvidence) -> str:
    of = "two networks" if found.interval is None else "two recipes, one run each,"
    among = f" among {found.comparisons} comparisons" if found.comparisons > 1 else ""
    return f"To show anything, {of} must differ by more than {100 * found.least:.2f} points on this test set{among}."


def _assumed(found: ClaimEvidence) -> str:
    return f"Assumed: exactly one of two runs is right on {100 * found.disagreement:.2f} % of the examples."


def _range(bounds: Interval) -> str:
    return f"{100 * bounds[0]:.2f} to {100 * bounds[1]:.2f} %"


def _bounds(bounds: Interval) -> str:
    return f"{_signed(bounds[0])} to {_signed(bounds[1])}"


def _signed(share: float) -> str:
    return f"{100 * share + 0.0:+.2f}"
