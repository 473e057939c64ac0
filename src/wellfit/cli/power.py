"""``wellfit power``: how many seeds a comparison takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from wellfit import __version__
from wellfit.cli.app import app
from wellfit.cli.options import Json
from wellfit.cli.output import make_console, print_json, print_line, print_paragraph

if TYPE_CHECKING:
    from wellfit.analysis.seeds_needed import PowerRow

Accuracy = Annotated[float, typer.Option(help="The variants' accuracy, about; a share of 1.")]
Difference = Annotated[float, typer.Option(help="The true difference to decide; 0.005 is half a point.")]
Examples = Annotated[int, typer.Option(metavar="N", help="Test examples, the same for every seed.")]
SeedSd = Annotated[float, typer.Option(help="Standard deviation of one variant's accuracy over its seeds.")]
Seeds = Annotated[int, typer.Option(metavar="N", help="Planned seeds.")]
Variants = Annotated[int, typer.Option(metavar="N", help="Variants; each is compared with the first.")]
Disagreement = Annotated[
    float | None,
    typer.Option(
        help="Share of the examples on which exactly one of two variants is right, with one seed.",
        show_default="three quarters of the errors",
    ),
]
Lasting = Annotated[float, typer.Option(help="The part of the disagreement that every seed repeats.")]
Probability = Annotated[float, typer.Option("--power", help="The wanted power.")]


@app.command(epilog="Example: wellfit power --accuracy .88 --difference .005 --examples 10000 --seed-sd .003")
def power(
    accuracy: Accuracy,
    difference: Difference,
    examples: Examples,
    seed_sd: SeedSd = 0.003,
    seeds: Seeds = 5,
    variants: Variants = 2,
    disagreement: Disagreement = None,
    lasting: Lasting = 0.25,
    probability: Probability = 0.8,
    json: Json = False,
) -> None:
    """Say how many seeds a comparison needs, before training.

    The method is that of the verdicts: it counts the chance of seeds and of the finite test set, and adjusts for the
    number of comparisons.
    """
    from wellfit.how_many import power as power_of

    found = power_of(
        accuracy,
        difference,
        examples,
        seed_sd=seed_sd,
        seeds=seeds,
        variants=variants,
        disagreement=disagreement,
        lasting=lasting,
        probability=probability,
    )
    if json:
        print_json({"wellfit": __version__} | found.to_json())
        return
    console = make_console()
    print_line(f"                 with {100 * probability:.0f} % power, in points:")
    print_line("   seeds  power  decides  equivalent within")
    for row in found.rows:
        print_line(_line(row, f"{row.seeds}", "planned" if row.seeds == seeds else ""))
    print_line(_line(found.endless, "endless", "the limit of the test set"))
    print_line("")
    for text in found.sentences:
        print_paragraph(console, text)


def _line(row: PowerRow, seeds: str, note: str) -> str:
    """A row of the table; differences and margins that no study has are left out."""
    decides, within = (
        f"{100 * value:.2f}" if math.isfinite(value) and value < 1 else "-" for value in (row.difference, row.margin)
    )
    return f"{seeds:>8}  {100 * row.power:>3.0f} %  {decides:>7}  {within:>17}  {note}".rstrip()
