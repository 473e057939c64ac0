"""What a search tried, and how much better its winner looked there than it is: numbers into sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from wellfit.base import SearchResult, Trial
from wellfit.narrative.phrases import counted, several

__all__ = ["fates", "search_sentences"]


def search_sentences(result: SearchResult | None) -> tuple[str, ...]:
    """What readers must know of a study's search; empty without one.

    Args:
      result: what the search tried and found.

    Example:
      >>> from wellfit.base import Trial
      >>> trials = tuple(Trial(n, {}, "finished", 1, 9, (score, score)) for n, score in enumerate([0.9, 0.95]))
      >>> search_sentences(SearchResult(trials, 2, "validation_accuracy", 2, "found", 1, 36, 36, 0.94, 5))[1]
      "The winner, found, reached a mean validation accuracy of 95.00 % there and 94.00 % on 5 fresh seeds. The \
difference of 1.00 points is the winner's curse, the luck of being the best of 2, together with the chance of seeds \
and folds."
    """
    if result is None or not result.trials:
        return ()
    return tuple(filter(None, (_tried(result), _curse(result))))


def fates(trials: Sequence[Trial]) -> str:
    """How the trials ended that were not trained to the end; empty without any.

    Example:
      >>> from wellfit.base import Trial
      >>> fates([Trial(0, {}, "ended", 1, 3, (0.5,)), Trial(1, {}, "diverged", 1, 3, (None,))])
      '1 ended early and 1 diverged'
    """
    counts: Counter[str] = Counter(trial.state for trial in trials)
    parts = [
        f"{counts[state]:,} {words}"
        for state, words in (("ended", "ended early"), ("diverged", "diverged"), ("refused", "could not be trained"))
        if counts[state]
    ]
    return several(parts)


def _tried(result: SearchResult) -> str:
    """How much was tried, and what it took."""
    trials = result.trials
    share = result.trained / result.whole if result.whole else 1.0
    text = (
        f"Before this study, a search tried {counted(len(trials), 'configuration')} with "
        f"{counted(result.seeds, 'seed')} each on training and validation data alone"
    )
    if len(trials) < result.asked:
        text = f"{text} (of {result.asked:,} that it was asked for)"
    text += f"; {ends}" if (ends := fates(trials)) else ""
    epochs = f"{counted(result.trained, 'epoch')}"
    took = f"{epochs}, {100 * share:.0f} % of the {result.whole:,} of training all to the end" if share < 1 else epochs
    return f"{text}. It took {took}. Every verdict rests on other seeds and on the test set, which it did not see."


def _curse(result: SearchResult) -> str:
    """How the winner did in the search and on fresh seeds; empty before both are known."""
    found, fresh, curse, lost = result.found, result.fresh, result.curse, result.fresh_diverged
    accuracy = result.metric == "validation_accuracy"
    name = "validation accuracy" if accuracy else "validation loss"

    def shown(value: float) -> str:
        return f"{100 * value:.2f} %" if accuracy else f"{value:.4f}"

    if found is None or (fresh is None and not lost):
        return ""
    start = f"The winner, {result.name}, reached a mean {name} of {shown(found)} there"
    if fresh is None or curse is None:
        return f"{start}; with {counted(lost, 'fresh seed')} it diverged."
    start = f"{start} and {shown(fresh)} on {counted(result.fresh_seeds, 'fresh seed')}"
    start += f" ({lost:,} more diverged)" if lost else ""
    if result.shared == 1:
        return (
            f"{start}, but on the very validation examples that chose it: this difference shows the chance of seeds, "
            f"not how lucky the best of {len(result.trials):,} was with these examples. Only the test set shows that."
        )
    size = f"{100 * abs(curse):.2f} points" if accuracy else f"{abs(curse):.4f}"
    if round(abs(curse), 4) == 0:
        text = f"{start}: as much, so that no winner's curse shows."
    elif curse < 0:
        text = f"{start}: {size} better, so that no winner's curse shows."
    else:
        text = (
            f"{start}. The difference of {size} is the winner's curse, the luck of being the best of "
            f"{len(result.trials):,}, together with the chance of seeds and folds."
        )
    if result.shared:
        share = _share(result.shared)
        text += (
            f" {share} of the fresh seeds' validation examples had a part in its choice, which hides some of that luck."
        )
    return text


def _share(share: float) -> str:
    """A share between none and all in percent, never rounded to either."""
    percent = round(100 * share)
    return "Less than 1 %" if percent < 1 else "More than 99 %" if percent > 99 else f"{percent} %"
