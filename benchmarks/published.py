"""The tables of docs/published.md: what the sources of the labs published, against the same experiments here.

Reads study directories of the parts ``as-published``, which follow each source to the letter as far as wellfit can, and
of lab-lenet5/mlp. Train them first; the script trains nothing, and writes only tables whose directory is given:

    for lab in lab5 lab-512 lab-optimizers lab-lenet5 lab-depth; do
        wellfit run $lab/as-published --out published/$lab
    done
    wellfit run lab-lenet5/mlp --out published/lab-lenet5-mlp
    python benchmarks/published.py published/*

A table stands between a mark, ``<!-- published lab5-as-published -->``, and the next ``<!-- end -->``. Training
accuracies are compared as the sources measured them: averaged over the last epoch while the weights change, with
dropout on. Needs WELLFIT_DATA for lab-lenet5.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from wellfit.analysis.intervals import prediction_interval
from wellfit.base import Comparison, Scaling, StudySummary, VariantSummary
from wellfit.narrative.metrics import change_bounds, points
from wellfit.results import Results

PAGE: Final = Path(__file__).parents[1] / "docs" / "published.md"
STUDIES: Final = (
    *(f"{lab}/as-published" for lab in ("lab5", "lab-512", "lab-optimizers", "lab-lenet5", "lab-depth")),
    "lab-lenet5/mlp",
)
MARK: Final = re.compile(r"<!-- published (\S+) -->\n.*?<!-- end -->", re.S)
SHIFTED: Final = "lab-lenet5-as-published"
"""The study whose source did not divide its test images by 255, so its test accuracies are of other images."""

NUMBERS: Final = "| variant | metric | published | our mean | 95 % interval | one run, 95 % | consistent |"
CLAIMS: Final = "| published claim | published difference | ours, test accuracy | verdict | the claim is |"


def main(folders: Sequence[str], page: Path = PAGE) -> None:
    """Write the tables of the given study directories."""
    found = {results.summary.name: results for results in map(Results, folders)}

    def filled(mark: re.Match[str]) -> str:
        results = found.get(mark[1])
        if results is None:
            return mark[0]
        print(mark[1], len(results.summary.seeds), "seeds")
        return "\n".join([f"<!-- published {mark[1]} -->", "", *tables(results), "", "<!-- end -->"])

    page.write_text(MARK.sub(filled, page.read_text()))


def tables(results: Results) -> Iterator[str]:
    """Every published number, then every published difference from the first variant."""
    summary = results.summary
    yield f"{len(summary.seeds)} seeds. {summary.verdict}"
    yield from ("", NUMBERS, "|---|---|---:|---:|---:|---:|---|")
    for variant in summary.variants:
        for metric, value in variant.published.items():
            if summary.name != SHIFTED or metric != "test_accuracy":
                yield number_row(summary, variant, metric, value)
    if summary.name == SHIFTED:
        yield from (unscaled_row(results, variant) for variant in summary.variants)
    rows = list(claims(summary))
    if rows:
        yield from ("", CLAIMS, "|---|---:|---:|---|---|", *rows)
    yield from (f"\n**{answer.ask}** {answer.text}" for answer in summary.answers if answer.kind == "winner")


# --- Numbers ----------------------------------------------------------------------------------------------------------


def measured(summary: StudySummary, variant: VariantSummary, metric: str) -> list[float]:
    """The metric of each run; training accuracy as Keras prints it."""
    if metric == "train_accuracy":
        runs = summary.histories[variant.name].values()
        return [float(history["running_accuracy"][-1]) for history in runs]
    return [value for run in variant.runs if (value := getattr(run, metric)) is not None]


def number_row(summary: StudySummary, variant: VariantSummary, metric: str, value: float) -> str:
    """A published number, ours, and whether one run of ours could have been it."""
    runs = measured(summary, variant, metric)
    interval = None if metric == "train_accuracy" else variant.interval.get(metric)
    name = "training accuracy, running" if metric == "train_accuracy" else metric.replace("_", " ")
    return _row(variant.name, name, value, runs, interval)


def unscaled_row(results: Results, variant: VariantSummary) -> str:
    """The published test accuracy against ours on test images that are not divided by 255, as the source's were not."""
    value = variant.published["test_accuracy"]
    return _row(variant.name, "test accuracy, images 255 times too bright", value, unscaled(results, variant.name))


def unscaled(results: Results, variant: str) -> list[float]:
    """The test accuracy of each network of a variant on unscaled images, which a model of wellfit refuses."""
    from wellfit.data.catalog import load_dataset
    from wellfit.engine.inference import predict_each
    from wellfit.spec.study import recipes
    from wellfit.store import open_existing

    data = load_dataset("fashion-mnist")
    as_they_are = Scaling("unit", np.float32(0), np.float32(1))
    with open_existing(results.directory) as store:
        model = recipes(store.metadata.spec())[variant].model
        weights = [store.runs.weights(variant, seed) for seed in results.summary.seeds]
    networks = [(each, data.x_test, as_they_are) for each in weights]
    probabilities = predict_each(model, networks, len(data.classes))  # (S, M, classes)
    return [float(np.mean(each.argmax(axis=1) == data.y_test)) for each in probabilities]


def _row(
    variant: str, metric: str, value: float, runs: Sequence[float], interval: tuple[float, float] | None = None
) -> str:
    one = prediction_interval(runs)
    if one is not None:
        one = max(one[0], 0.0), one[1] if metric.endswith("loss") else min(one[1], 1.0)
    inside = "–" if one is None else "yes" if one[0] <= value <= one[1] else "**no**"
    cells = (variant, metric, f"{value:.4f}", f"{np.mean(runs):.4f}", _bounds(interval), _bounds(one), inside)
    return f"| {' | '.join(cells)} |"


def _bounds(interval: tuple[float, float] | None) -> str:
    return "–" if interval is None else f"[{interval[0]:.4f}, {interval[1]:.4f}]"


# --- Differences ------------------------------------------------------------------------------------------------------


def claims(summary: StudySummary) -> Iterator[str]:
    """Each published difference from the first variant, with the verdict of our comparison."""
    by_name = {variant.name: variant for variant in summary.variants}
    for c in summary.comparisons:
        one, other = by_name[c.variant].published, by_name[c.against].published
        metric = next((m for m in ("test_accuracy", "validation_accuracy") if m in one and m in other), None)
        if metric is not None:
            published = one[metric] - other[metric]
            word = "better" if published > 0 else "worse"
            ours = "identical" if c.identical else f"{points(c.difference, signed=True)} {_change(c)}"
            cells = (
                f"{c.variant} is {word} than {c.against}",
                points(published, signed=True),
                ours,
                "identical" if c.identical else c.verdict,
                standing(c, word),
            )
            yield f"| {' | '.join(cells)} |"


def standing(c: Comparison, claimed: str) -> str:
    """Whether our comparison confirms what a source claims of a variant.

    Example: equal networks have no winner, whatever one run of each said.
      >>> same = Comparison("a", "b", "test_accuracy", 0.0, None, None, None, "equivalent", identical=True)
      >>> standing(same, "better")
      '**refuted**'
    """
    if c.verdict == claimed and not c.identical:
        return "**confirmed**"
    return "undecided" if c.verdict == "undecided" and not c.identical else "**refuted**"


def _change(c: Comparison) -> str:
    return "" if c.interval is None else change_bounds(c.interval, c.metric)


if __name__ == "__main__":
    main(sys.argv[1:])
