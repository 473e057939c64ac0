"""The table of docs/claims.md: what the labs' published winners show, as single runs.

Trains nothing: the published numbers, and the spread of the same experiments over our seeds, are those of the tables
in docs/published.md, which ``benchmarks/published.py`` writes.

    python benchmarks/claims.py

The spread over the seeds is the root mean square of the winner's and the runner-up's. Needs no data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from typing import Final, NamedTuple

from wellfit.analysis.crossed import t_quantile
from wellfit.claims import Claim, claim
from wellfit.spec.study import load_study

DOCS: Final = Path(__file__).parents[1] / "docs"
PAGE: Final = DOCS / "claims.md"
MARK: Final = re.compile(r"<!-- claims -->\n.*?<!-- end -->", re.S)
TABLE: Final = "<!-- published {} -->\n\n(\\d+) seeds(.*?)<!-- end -->"
ROW: Final = r"^\| {} \| {} accuracy \|.*\| \[([\d.]+), ([\d.]+)\] \|[^|]*\|$"
LABS: Final = ("lab5", "lab-512", "lab-optimizers", "lab-lenet5", "lab-depth")
EXAMPLES: Final = {"test": 10_000, "validation": 12_000}
"""Of Fashion-MNIST and MNIST: the test set, and a fifth of the training images."""

LEFT_OUT: Final = ("adam-trained-further",)
"""No variant of its source, but a network that was trained further by accident."""

SHIFTED: Final = "lab-lenet5"
"""Its test images were not divided by 255; its winner is that of its validation images."""

HEADINGS: Final = (
    *("lab", "published winner", "before", "accuracy of", "sd over seeds"),
    *("test set alone", "with the seeds", "least", "shown"),
)


class Published(NamedTuple):
    """A number of a lab, and the standard deviation of the same experiment over our seeds; None if not measured."""

    variant: str
    accuracy: float
    sd: float | None


def labs() -> Iterator[tuple[str, str, list[Published]]]:
    """Every lab with what its accuracies were measured on, and these accuracies, the highest first."""
    page = (DOCS / "published.md").read_text()
    for lab in LABS:
        study = load_study(f"{lab}/as-published")
        tested = any("test_accuracy" in numbers for numbers in study.published.values()) and lab != SHIFTED
        split = "test" if tested else "validation"
        measured = re.search(TABLE.format(study.name), page, re.S)
        found = [
            Published(variant, numbers[f"{split}_accuracy"], spread(measured, variant, split))
            for variant, numbers in study.published.items()
            if f"{split}_accuracy" in numbers and variant not in LEFT_OUT
        ]
        yield lab, split, sorted(found, key=lambda one: -one.accuracy)


def spread(measured: re.Match[str] | None, variant: str, split: str) -> float | None:
    """The standard deviation behind the interval of one run, ``t(S - 1) sd sqrt(1 + 1 / S)`` to both sides."""
    row = None if measured is None else re.search(ROW.format(re.escape(variant), split), measured[2], re.M)
    if measured is None or row is None:
        return None
    seeds = int(measured[1])
    return (float(row[2]) - float(row[1])) / 2 / (t_quantile(seeds - 1, 0.05) * sqrt(1 + 1 / seeds))


def winner_claim(split: str, numbers: list[Published]) -> Claim:
    """The winner against the runner-up, corrected for all that it won against."""
    first, second = numbers[:2]
    known = first.sd is not None and second.sd is not None
    sd = sqrt(((first.sd or 0) ** 2 + (second.sd or 0) ** 2) / 2) if known else None
    return claim(first.accuracy, EXAMPLES[split], other=second.accuracy, seed_sd=sd, variants=len(numbers))


def table() -> Iterator[str]:
    """A row for every lab."""
    yield from (f"| {' | '.join(HEADINGS)} |", "|---|---|---|---|---:|---|---|---:|---|")
    for lab, split, numbers in labs():
        found, (first, second) = winner_claim(split, numbers), numbers[:2]
        cells = (
            lab,
            f"{first.variant} {100 * first.accuracy:.2f} %",
            f"{second.variant} {100 * second.accuracy:.2f} %",
            f"{found.examples:,} {split} images, {len(numbers)} variants",
            "–" if found.seed_sd is None else f"{100 * found.seed_sd:.2f}",
            _bounds(found.difference_on_examples),
            _bounds(found.difference_interval),
            "–" if found.seed_sd is None else f"{100 * found.least:.2f}",
            "**yes**" if found.shown else "no",
        )
        yield f"| {' | '.join(cells)} |"


def _bounds(bounds: tuple[float, float] | None) -> str:
    return "–" if bounds is None else f"[{100 * bounds[0]:+.2f}, {100 * bounds[1]:+.2f}]"


def main(page: Path = PAGE) -> None:
    """Write the table into the page."""
    filled = "\n".join(["<!-- claims -->", "", *table(), "", "<!-- end -->"])
    page.write_text(MARK.sub(lambda _: filled, page.read_text()))


if __name__ == "__main__":
    main()
