"""``wellfit backprop``: a network and its gradients by hand, in NumPy alone."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from wellfit.cli.app import app
from wellfit.cli.options import Json
from wellfit.cli.output import print_json, print_line, print_lines

_WIDTH: Final = 76
"""Characters of a printed array's line, without its indentation."""


@app.command(epilog="Example: wellfit backprop --check")
def backprop(
    json: Json = False,
    check: Annotated[bool, typer.Option("--check", help="Compare every gradient with finite differences.")] = False,
) -> None:
    """Compute a small network's gradients by hand, in NumPy.

    The network has 2 inputs, 3 sigmoid units and 1 sigmoid output; the loss is 1/(2N) sum (y - t)^2 over 1000 examples.
    Weights and examples are drawn with seed 0.
    """
    from wellfit import from_scratch

    layers, X, T = from_scratch.homework()
    (Z1, Z2), (_, H, Y) = from_scratch.forward(layers, X)
    (dW1, db1), (dW2, db2) = from_scratch.backward(layers, X, T)
    gradients = {"dL/dW1": dW1, "dL/db1": db1, "dL/dW2": dW2[0], "dL/db2": db2[0]}
    shapes = {name: list(array.shape) for name, array in (("Z1", Z1), ("H", H), ("Z2", Z2), ("Y", Y))}
    plain: dict[str, Any] = {
        "loss": from_scratch.loss(Y, T),
        "gradients": {name: gradient.tolist() for name, gradient in gradients.items()},
        "shapes": shapes,
    }
    if check:
        plain["largest_difference"] = from_scratch.check(layers, X, T)
    if json:
        print_json(plain)
        return
    print_line(f"L = {plain['loss']!r}")
    for name, gradient in plain["gradients"].items():
        print_lines(f"{name} =\n{_text(gradient)}")
    print_line(f"Shapes: {', '.join(f'{name} ' + ' x '.join(map(str, shape)) for name, shape in shapes.items())}")
    if check:
        print_line(f"Largest difference from finite differences: {plain['largest_difference']:.1e}")


def _text(gradient: Any) -> str:
    """An array in full precision, a line for every row, indented."""
    import numpy as np

    text = np.array2string(np.array(gradient), precision=17, max_line_width=_WIDTH, floatmode="unique")
    return "\n".join(f"  {line}" for line in text.splitlines())
