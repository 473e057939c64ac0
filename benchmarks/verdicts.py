"""docs/verdicts.md from the study directories of the labs: what each answers, and what was published.

Run every lab first, then this:

    for lab in lab5 lab-optimizers lab-depth lab-512 lab-lenet5; do
        wellfit run $lab --seeds 10 --out verdicts/$lab
    done
    python benchmarks/verdicts.py verdicts/* > docs/verdicts.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from wellfit.analysis.intervals import prediction_interval
from wellfit.base import StudySummary, VariantSummary
from wellfit.study.summarize import summarize

_NAMES = {"test_accuracy": "test accuracy", "validation_accuracy": "validation accuracy"}
_ORDER = ("lab5", "lab-optimizers", "lab-depth", "lab-512", "lab-lenet5")


def main(folders: list[str]) -> None:
    """Print the document."""
    found = [summarize(Path(folder)) for folder in folders]
    studies = sorted(found, key=lambda study: _ORDER.index(study.name) if study.name in _ORDER else len(_ORDER))
    print("\n".join([*_introduction(studies), "", *_answers(studies), "", *_published(studies)]))


def _introduction(studies: list[StudySummary]) -> Iterator[str]:
    kept = [study.provenance for study in studies]
    where = sorted({f"{of['processor']}, python {of['python']}, jax {of['jax']}" for of in kept})
    seeds = sorted({len(study.seeds) for study in studies})
    yield f"# The labs at {' and '.join(map(str, seeds))} seeds"
    yield ""
    yield (
        "The main study of every lab at full length, on the real Fashion-MNIST and MNIST, written by "
        "`benchmarks/verdicts.py` in the words of"
    )
    yield "`wellfit show DIR --json`. Every seed validates on a fold of its own; all share the test set."
    yield f"Measured on {'; '.join(where)}."
    yield "Brackets are 95 % intervals, for new seeds and new test examples (for validation: new seeds)."
    yield "*One run* is the 95 % prediction interval of a single further run on the same examples, which is the fair"
    yield "comparison for a published single run."


def _answers(studies: list[StudySummary]) -> Iterator[str]:
    yield "| lab | question | our answer |"
    yield "|---|---|---|"
    for study in studies:
        yield f"| {study.name} | {study.title} | {study.verdict} |"
        for answer in study.answers:
            yield f"| {study.name} | {answer.ask} | {' '.join(sentence.text for sentence in answer.sentences)} |"


def _published(studies: list[StudySummary]) -> Iterator[str]:
    yield "## Published and measured"
    yield ""
    yield "| lab | variant | metric | published | measured | interval | one run | fits one run |"
    yield "|---|---|---|---|---|---|---|---|"
    for study in studies:
        for variant in study.variants:
            for metric in dict.fromkeys(["test_accuracy", *variant.published]):
                if metric in _NAMES:
                    yield f"| {study.name} | {variant.name} | {_NAMES[metric]} | {' | '.join(_row(variant, metric))} |"


def _row(variant: VariantSummary, metric: str) -> list[str]:
    published, values = variant.published.get(metric), [getattr(run, metric) for run in variant.runs]
    further = prediction_interval(value for value in values if value is not None)
    fits = "–"
    if published is not None and further is not None:
        fits = "yes" if further[0] <= published <= further[1] else "no"
    return [
        "–" if published is None else f"{100 * published:.2f}",
        f"{100 * variant.mean[metric]:.2f}",
        _bounds(variant.interval.get(metric)),
        _bounds(further),
        fits,
    ]


def _bounds(interval: tuple[float, float] | None) -> str:
    return "–" if interval is None else f"[{100 * interval[0]:.2f}, {100 * interval[1]:.2f}]"


if __name__ == "__main__":
    main(sys.argv[1:])
