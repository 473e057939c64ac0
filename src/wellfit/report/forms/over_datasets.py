"""Variants over several data sets, in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from wellfit.narrative.metrics import is_loss
from wellfit.report import wording
from wellfit.report.forms.terminal import wrapped
from wellfit.report.forms.terminal_tables import fitting
from wellfit.report.legible import legible
from wellfit.study.over_datasets import DatasetStudies

__all__ = ["print_over_datasets"]


def print_over_datasets(found: DatasetStudies, sentences: Sequence[str], console: Console) -> None:
    """Print the ranks, the mean on every data set where there is room, and the sentences.

    Args:
      found: the comparison.
      sentences: what is known.
      console: where to print.
    """
    unit = "" if is_loss(found.metric) else ", %"
    means = [f"mean {k}" for k in range(len(found.datasets))]
    headings = {"rank": "mean rank", "here": "on these", "elsewhere": "on others"}
    headings |= {key: legible(name) for key, name in zip(means, found.datasets, strict=True)}
    rows = []
    for v, name in enumerate(found.variants):
        cells = {"rank": f"{found.mean_ranks[v]:.2f}"}
        cells |= {"here": _bounds(found.bounds[name]), "elsewhere": _bounds(found.intervals[name])}
        cells |= {
            key: wording.amount(float(mean), found.metric, "")
            for key, mean in zip(means, found.means[:, v], strict=True)
        }
        rows.append((Text(legible(name)), {key: Text(cell) for key, cell in cells.items()}))
    layouts = (("rank", "here", "elsewhere", *means), ("rank", "here", "elsewhere"), ("rank", "elsewhere"), ("rank",))
    for name in found.datasets:
        seeds, examples = (
            wording.count(n, noun) for n, noun in zip(found.sizes[name], ("seed", "test example"), strict=True)
        )
        _print(console, f"{legible(name)}: {seeds}, {examples} ({legible(found.directories[name])})")
    console.print()
    console.print(fitting("", headings, rows, layouts, console.width)[0])
    console.print()
    by = f"{wording.METRICS[found.metric]}{unit}"
    _print(console, f"Mean ranks by {by}: 1 is the best; what is possible on these data sets, and on others like them.")
    if found.left_out:
        _print(
            console, f"Left out, because not every study has tested them: {', '.join(map(legible, found.left_out))}."
        )
    for text in sentences:
        _print(console, legible(text))


def _bounds(bounds: tuple[float, float]) -> str:
    return f"[{bounds[0]:.2f}, {bounds[1]:.2f}]"


def _print(console: Console, text: str) -> None:
    text = wording.ascii_only(text) if console.options.ascii_only else text
    for line in wrapped(text, console.width, ""):
        console.print(line, soft_wrap=True, markup=False)
