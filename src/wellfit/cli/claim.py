"""``wellfit claim``: what a published number can and cannot show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wellfit import __version__
from wellfit.cli.app import app
from wellfit.cli.options import Json
from wellfit.cli.output import make_console, print_json, print_paragraph

Accuracy = Annotated[float, typer.Option(help="The published accuracy, of one run; a share of 1.")]
Examples = Annotated[int, typer.Option(metavar="N", help="Test examples that it was measured on.")]
Other = Annotated[float | None, typer.Option(help="Another published accuracy, on the same examples.")]
SeedSd = Annotated[float | None, typer.Option(help="Standard deviation of a recipe's accuracy over its seeds.")]
Against = Annotated[
    Path | None, typer.Option(metavar="DIR", help="A study directory with comparable runs, which show that spread.")
]
Variant = Annotated[str | None, typer.Option(help="Its variant.", show_default="the first")]
Variants = Annotated[int, typer.Option(metavar="N", help="Variants that the published winner was chosen from.")]
Disagreement = Annotated[
    float | None,
    typer.Option(
        help="Share of the examples on which exactly one of two runs is right.",
        show_default="three quarters of the errors",
    ),
]


@app.command(epilog="Example: wellfit claim --accuracy .8835 --examples 10000 --other .8803 --seed-sd .003")
def claim(
    accuracy: Accuracy,
    examples: Examples,
    other: Other = None,
    seed_sd: SeedSd = None,
    against: Against = None,
    variant: Variant = None,
    variants: Variants = 2,
    disagreement: Disagreement = None,
    json: Json = False,
) -> None:
    """Say what a published number can show, and what it cannot.

    A published accuracy is one run. With the spread of comparable runs over their seeds, given or measured in a study
    directory, the interval of its recipe follows, and what the difference of two such numbers is worth.
    """
    from wellfit.claims import claim as claim_of

    found = claim_of(
        accuracy,
        examples,
        other=other,
        seed_sd=seed_sd,
        against=against,
        variant=variant,
        variants=variants,
        disagreement=disagreement,
    )
    if json:
        print_json({"wellfit": __version__} | found.to_json())
        return
    console = make_console()
    for text in found.sentences:
        print_paragraph(console, text)
