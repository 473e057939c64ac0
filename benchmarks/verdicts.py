"""docs/verdicts.md from the study directories of the labs: what each answers, and what was published.

Run every lab first, and its part at the published settings, then this:

    for lab in lab5 lab-optimizers lab-depth lab-512 lab-lenet5; do
        wellfit run $lab --seeds 10 --out verdicts/$lab
        wellfit run $lab/as-published --out verdicts/$lab-as-published
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
_PART = "-as-published"
_ORDER = ("lab5", "lab-optimizers", "lab-depth", "lab-512", "lab-lenet5")


def main(folders: list[str]) -> None:
    """Print the document."""
    found = sorted((summarize(Path(folder)) for folder in folders), key=_place)
    studies = [study for study in found if not study.name.endswith(_PART)]
    followed = [study for study in found if study.name.endswith(_PART)]
    parts = [*_introduction(studies), "", *_answers(studies), "", *_published(studies)] if studies else []
    print("\n".join([*parts, *(["", *_as_published(followed)] if followed else [])]))


def _place(study: StudySummary) -> int:
    name = study.name.removesuffix(_PART)
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


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


def _as_published(studies: list[StudySummary]) -> Iterator[str]:
    """The winners at the published settings: what the same experiment says."""
    yield "## The same experiments"
    yield ""
    yield "Every lab has a part `as-published` that follows its source to the letter. All of its numbers are in"
    yield "[published.md](published.md)."
    yield ""
    yield "| lab | seeds | is the published winner confirmed by the same experiment? |"
    yield "|---|---:|---|"
    for study in studies:
        for answer in study.answers:
            if answer.kind == "winner":
                yield f"| {study.name.removesuffix(_PART)} | {len(study.seeds)} | {answer.text} |"


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
