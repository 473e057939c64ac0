"""Claim: five seeds of wellfit reproduce the published results of the five labs, or the difference can be explained.

Runs the published experiments, which are built-in studies, on Fashion-MNIST and MNIST, and prints the tables of
docs/published.md: the published value, our mean with its 95 % interval, and the 95 % prediction interval of a single
further run, with which one published run should be compared. Needs WELLFIT_DATA.

Usage: python benchmarks/published.py [DIRECTORY]; a directory keeps the studies.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy import stats

from wellfit.base import StudySummary, VariantSummary
from wellfit.study.summarize import summarize

STUDIES = ("lab5", "lab-512", "lab-512/l2", "lab-512/l1", "lab-optimizers", "lab-depth", "lab-lenet5/mlp", "lab-lenet5")


def single_run_interval(variant: VariantSummary, metric: str) -> tuple[float, float]:
    """Return the 95 % prediction interval of one more seed: mean ± t s sqrt(1 + 1/n)."""
    values = np.array([v for run in variant.runs if (v := getattr(run, metric)) is not None])
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) * np.sqrt(1 + 1 / len(values))
    return float(values.mean() - half), float(values.mean() + half)


def rows(summary: StudySummary) -> list[str]:
    """Return a line of the table for every published number."""
    lines = []
    for variant in summary.variants:
        for metric, published in variant.published.items():
            low, high = variant.interval[metric] or (float("nan"), float("nan"))
            one_low, one_high = single_run_interval(variant, metric)
            cells = (
                variant.name,
                metric.replace("_", " "),
                f"{published:.4f}",
                f"{variant.mean[metric]:.4f}",
                f"[{low:.4f}, {high:.4f}]",
                "yes" if low <= published <= high else "no",
                f"[{one_low:.4f}, {one_high:.4f}]",
                "yes" if one_low <= published <= one_high else "no",
            )
            lines.append("| " + " | ".join(cells) + " |")
    return lines


def sweep_rows(summary: StudySummary) -> list[str]:
    """Return a line for every variant without published numbers, for example those of a sweep."""
    lines = []
    for variant in summary.variants:
        if not variant.published:
            means = [f"{variant.mean[m]:.4f}" for m in ("train_accuracy", "validation_accuracy", "test_accuracy")]
            lines.append("| " + " | ".join([variant.name, *means]) + " |")
    return lines


HEAD = """| variant | metric | published | our mean | 95 % interval | inside | one run, 95 % | inside |
|---|---|---|---|---|---|---|---|"""
SWEEP = """| not published | train accuracy | validation accuracy | test accuracy |
|---|---|---|---|"""


def main() -> None:
    """Run the missing studies, and print the tables as Markdown."""
    keep = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="wellfit-published-"))
    for study in STUDIES:
        name = study.replace("/", "-")
        wellfit = [sys.executable, "-m", "wellfit.cli"]
        subprocess.run([*wellfit, "run", study, "--out", str(keep / name)], check=True, stdout=sys.stderr)
        summary = summarize(keep / name)
        print(f"\n### {name}: {summary.title}\n")
        seeds, seconds = len(summary.seeds), summary.seconds
        print(f"{seeds} seeds, {seconds:.0f} s. {summary.verdict}\n")
        print("\n".join([HEAD, *rows(summary)]))
        if more := sweep_rows(summary):
            print("\n" + "\n".join([SWEEP, *more]))


if __name__ == "__main__":
    main()
